// Transcripts of a member: what happened, and what it did then, one line an effect.

import { describe, expect, test } from 'vitest'
import { GroupMembership } from '../../../src/client/consumer/group-membership.ts'
import type { GroupMembershipOptions, MembershipEffect } from '../../../src/client/consumer/group-membership.ts'
import { KAFKA_ERRORS, MillraceError } from '../../../src/errors.ts'
import type { KafkaErrorName } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'

const A: TopicId = [0, 0, 0, 1]
const B: TopicId = [0, 0, 0, 2]
const NAMES = new Map([
  [formatTopicId(A), 'a'],
  [formatTopicId(B), 'b'],
])

/** A member, and what it asked last. Partitions are written `a0`. */
class Script {
  readonly membership: GroupMembership
  readonly lines: string[] = []
  readonly unreadable = new Set<string>()
  failure: MillraceError | undefined
  /** Of the work that was begun last. */
  work = 0
  #heartbeat = 0

  constructor(options: Partial<GroupMembershipOptions> = {}) {
    this.membership = new GroupMembership({
      groupId: 'g',
      memberId: 'm',
      groupInstanceId: null,
      rebalanceTimeoutMs: 300_000,
      groupRemoteAssignor: null,
      isReadable: ({ topicId, partition }) => !this.unreadable.has(`${NAMES.get(formatTopicId(topicId))}${partition}`),
      ...options,
    })
  }

  subscribe(...names: string[]): string[] {
    const topics = new Map([...NAMES].filter(([, name]) => names.includes(name)))
    return this.did(this.membership.subscribe(topics))
  }

  answer(memberEpoch: number, assigned?: string): string[] {
    const topicPartitions = [A, B].map((topicId) => ({
      topicId,
      partitions: (assigned ?? '')
        .split(' ')
        .filter((each) => each[0] === NAMES.get(formatTopicId(topicId)))
        .map((each) => Number(each.slice(1))),
    }))
    return this.#heard({ memberEpoch, assignment: assigned === undefined ? null : { topicPartitions } })
  }

  refuse(code: KafkaErrorName): string[] {
    return this.#heard({ errorCode: KAFKA_ERRORS[code] })
  }

  unheard(error: MillraceError): string[] {
    return this.did(this.membership.unheard(this.#heartbeat, error))
  }

  released(): string[] {
    return this.did(this.membership.released(this.work))
  }

  taken(): string[] {
    return this.did(this.membership.taken(this.work))
  }

  /** The lines of what it does now. */
  did(effects: readonly MembershipEffect[]): string[] {
    const lines = effects.map((effect) => this.#line(effect))
    this.lines.push(...lines)
    return lines
  }

  /** Joined, with these partitions being read. */
  static stable(assigned = 'a0 a1', options: Partial<GroupMembershipOptions> = {}): Script {
    const script = new Script(options)
    script.subscribe('a', 'b')
    script.answer(1, assigned)
    script.taken()
    script.answer(1, assigned)
    expect(script.membership.state).toBe('stable')
    return script
  }

  #heard(response: Partial<ConsumerGroupHeartbeatResponse>): string[] {
    const full = { throttleTimeMs: 0, errorCode: 0, errorMessage: null, memberId: 'm', memberEpoch: 0, heartbeatIntervalMs: 5_000 }
    return this.did(this.membership.heard(this.#heartbeat, { ...full, assignment: null, ...response }))
  }

  #line(effect: MembershipEffect): string {
    const partitionsOf = (partitions: readonly { topicId: TopicId; partition: number }[]): string =>
      partitions.map(({ topicId, partition }) => `${NAMES.get(formatTopicId(topicId))}${partition}`).join(' ')
    switch (effect.kind) {
      case 'heartbeat': {
        this.#heartbeat = effect.id
        const { memberEpoch, subscribedTopicNames: names, topicPartitions, rebalanceTimeoutMs } = effect.request
        if (memberEpoch < 0) return `leave ${memberEpoch}`
        if (names === null) return `heartbeat ${memberEpoch}, held ${effect.holdMs}`
        expect(rebalanceTimeoutMs).toBe(300_000)
        const owned = topicPartitions!.flatMap(({ topicId, partitions }) => partitions.map((partition) => ({ topicId, partition })))
        return `tell ${memberEpoch}: ${names.join(',')} [${partitionsOf(owned)}]`
      }
      case 'wait':
        return `wait ${effect.ms}`
      case 'fail':
        this.failure = effect.error
        return `fail ${effect.error.code}`
      case 'left':
        return 'left'
      default:
        this.work = effect.id
        return `${effect.kind} ${partitionsOf(effect.partitions)}`
    }
  }
}

describe('a member', () => {
  test('joins, takes what it is assigned, says so, and waits for news', () => {
    const script = new Script()
    expect(script.subscribe('a')).toEqual(['tell 0: a []'])
    expect(script.membership.state).toBe('joining')
    expect(script.answer(1, 'a0 a1')).toEqual(['assign a0 a1', 'heartbeat 1, held 5000'])
    expect(script.membership.state).toBe('reconciling')
    expect(script.taken()).toEqual(['tell 1: a [a0 a1]'])
    expect(script.answer(1, 'a0 a1')).toEqual(['heartbeat 1, held 5000'])
    expect(script.membership.state).toBe('stable')
    expect(script.answer(1)).toEqual(['heartbeat 1, held 5000'])
  })

  test('gives up first, says so at once, and takes what comes then', () => {
    const script = Script.stable()
    expect(script.answer(1, 'a1')).toEqual(['revoke a0', 'heartbeat 1, held 5000'])
    expect(script.answer(1)).toEqual(['heartbeat 1, held 5000'])
    expect(script.released()).toEqual(['tell 1: a,b [a1]'])
    expect(script.answer(2, 'a1 b0')).toEqual(['assign b0', 'heartbeat 2, held 5000'])
    expect(script.taken()).toEqual(['tell 2: a,b [a1 b0]'])
    expect(script.membership.epoch).toBe(2)
  })

  test('what is assigned while it reconciles comes behind that', () => {
    const script = Script.stable()
    script.answer(1, 'a1')
    expect(script.answer(1, 'a1 b0')).toEqual(['heartbeat 1, held 5000'])
    // What it says that it does not have may be another's by the answer.
    expect(script.released()).toEqual(['tell 1: a,b [a1]'])
    expect(script.answer(2, 'a1 b1')).toEqual(['assign b1', 'heartbeat 2, held 5000'])
    expect(script.answer(2, 'b1')).toEqual(['heartbeat 2, held 5000'])
    expect(script.taken()).toEqual(['tell 2: a,b [a1 b1]', 'revoke a1'])
  })

  test('what comes is had from the start, whatever is said meanwhile', () => {
    const script = Script.stable('a0')
    script.answer(1, 'a0 b0')
    expect(script.did(script.membership.verify())).toEqual(['tell 1: a,b [a0 b0]'])
  })

  test('what is to be said while something is being said is said behind it', () => {
    const script = Script.stable('a0')
    expect(script.did(script.membership.verify())).toEqual(['tell 1: a,b [a0]'])
    expect(script.did(script.membership.verify())).toEqual([])
    expect(script.answer(1, 'a0')).toEqual(['tell 1: a,b [a0]'])
    expect(script.answer(1, 'a0')).toEqual(['heartbeat 1, held 5000'])
  })

  test('takes what its thread does not know yet when it does', () => {
    const script = new Script()
    script.unreadable.add('a1')
    script.subscribe('a')
    expect(script.answer(1, 'a0 a1')).toEqual(['assign a0', 'heartbeat 1, held 5000'])
    script.taken()
    script.answer(1, 'a0 a1')
    expect(script.did(script.membership.metadataChanged())).toEqual([])
    script.unreadable.clear()
    expect(script.did(script.membership.metadataChanged())).toEqual(['assign a1'])
  })

  test('an answer to a request that was overtaken says nothing', () => {
    const script = Script.stable('a0')
    const effects = script.membership.verify()
    const old = { throttleTimeMs: 0, errorCode: KAFKA_ERRORS.FENCED_MEMBER_EPOCH, errorMessage: null, memberId: 'm', memberEpoch: 0 }
    expect(script.membership.heard(1, { ...old, heartbeatIntervalMs: 0, assignment: null })).toEqual([])
    expect(script.did(effects)).toEqual(['tell 1: a,b [a0]'])
  })
})

describe('a subscription', () => {
  test('that shrinks gives up at once, and does not take it again before the coordinator says so', () => {
    const script = Script.stable('a0 b0')
    expect(script.subscribe('a')).toEqual(['revoke b0', 'tell 1: a [a0 b0]'])
    expect(script.released()).toEqual([])
    expect(script.subscribe('a', 'b')).toEqual([])
    expect(script.answer(1, 'a0')).toEqual(['tell 1: a,b [a0]'])
    expect(script.answer(2, 'a0 b0')).toEqual(['assign b0', 'heartbeat 2, held 5000'])
  })

  test('that ends commits, leaves the group, and may begin again', () => {
    const script = Script.stable('a0')
    expect(script.subscribe()).toEqual(['revoke a0'])
    expect(script.membership.isMember).toBe(true)
    expect(script.released()).toEqual(['leave -1'])
    expect(script.subscribe('a')).toEqual([])
    expect(script.answer(-1)).toEqual(['left', 'tell 0: a []'])
  })

  test('that ends while it joins leaves too', () => {
    const script = new Script()
    script.subscribe('a')
    expect(script.subscribe()).toEqual(['leave -1'])
    expect(script.answer(-1)).toEqual(['left'])
    expect(script.membership.state).toBe('unsubscribed')
    expect(script.subscribe()).toEqual(['left'])
  })

  test('that ends while partitions come gives those up as well', () => {
    const script = new Script()
    script.subscribe('a')
    script.answer(1, 'a0')
    expect(script.subscribe()).toEqual(['revoke a0'])
    expect(script.released()).toEqual(['leave -1'])
  })

  test('that ends while partitions come says that it has them until they are given up', () => {
    const script = new Script()
    script.subscribe('a')
    script.answer(1, 'a0')
    expect(script.subscribe()).toEqual(['revoke a0'])
    script.unheard(new MillraceError('COORDINATOR_NOT_AVAILABLE', 'it has moved'))
    expect(script.did(script.membership.due())).toEqual([expect.stringContaining('[a0]')])
  })

  test('of a static member ends with -2', () => {
    const script = Script.stable('a0', { groupInstanceId: 'one' })
    script.subscribe()
    expect(script.released()).toEqual(['leave -2'])
  })

  test('that ends is over whatever the coordinator says', () => {
    const script = Script.stable('a0')
    script.subscribe()
    script.released()
    expect(script.refuse('UNKNOWN_MEMBER_ID')).toEqual(['left'])
    const other = Script.stable('a0')
    other.subscribe()
    other.released()
    expect(other.unheard(new MillraceError('REQUEST_TIMED_OUT', 'nobody'))).toEqual(['left'])
  })
})

describe('a member that is put out', () => {
  test.each(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND'] as const)('by %s loses all, and joins anew', (code) => {
    const script = Script.stable()
    expect(script.refuse(code)).toEqual(['lose a0 a1'])
    expect(script.membership.state).toBe('fenced')
    expect(script.membership.isMember).toBe(false)
    expect(script.released()).toEqual(['tell 0: a,b []'])
    expect(script.answer(5, 'a0')).toEqual(['assign a0', 'heartbeat 5, held 5000'])
  })

  test('while it revokes loses that as well, and the revocation is void', () => {
    const script = Script.stable()
    script.answer(1, 'a1')
    const revoking = script.work
    expect(script.refuse('FENCED_MEMBER_EPOCH')).toEqual(['lose a0 a1'])
    expect(script.membership.released(revoking)).toEqual([])
    expect(script.released()).toEqual(['tell 0: a,b []'])
  })

  test('while it takes loses what it was taking', () => {
    const script = new Script()
    script.subscribe('a')
    script.answer(1, 'a0')
    const assigning = script.work
    expect(script.refuse('UNKNOWN_MEMBER_ID')).toEqual(['lose a0'])
    expect(script.membership.taken(assigning)).toEqual([])
    expect(script.released()).toEqual(['tell 0: a []'])
  })

  test('with nothing in hand joins at once', () => {
    const script = Script.stable('')
    expect(script.refuse('UNKNOWN_MEMBER_ID')).toEqual(['tell 0: a,b []'])
  })

  test('while it leaves has left', () => {
    const script = Script.stable('a0')
    script.subscribe()
    expect(script.refuse('UNKNOWN_MEMBER_ID')).toEqual(['lose a0'])
    expect(script.released()).toEqual(['left'])
  })

  test.each([
    'UNRELEASED_INSTANCE_ID',
    'FENCED_INSTANCE_ID',
    'GROUP_MAX_SIZE_REACHED',
    'INVALID_REGULAR_EXPRESSION',
    'UNSUPPORTED_ASSIGNOR',
    'GROUP_AUTHORIZATION_FAILED',
  ] as const)('by %s does not come back by itself', (code) => {
    const script = Script.stable('a0', { groupInstanceId: 'one', groupRemoteAssignor: 'best' })
    expect(script.refuse(code)).toEqual(['lose a0', `fail ${code}`])
    expect(script.failure!.message).toContain('group "g"')
    expect(script.failure!.retriable).toBe(false)
    expect(script.released()).toEqual([])
    expect(script.subscribe('a')).toEqual(['tell 0: a []'])
  })

  test('and is subscribed again before it was told joins when it was', () => {
    const script = Script.stable('a0')
    script.refuse('FENCED_INSTANCE_ID')
    expect(script.subscribe('a')).toEqual([])
    expect(script.released()).toEqual(['tell 0: a []'])
  })
})

describe('a coordinator that cannot be asked', () => {
  test('is asked again, for everything, after a while', () => {
    const script = Script.stable('a0')
    expect(script.unheard(new MillraceError('REQUEST_TIMED_OUT', 'nobody'))).toEqual(['wait 100'])
    expect(script.did(script.membership.due())).toEqual(['tell 1: a,b [a0]'])
    expect(script.refuse('COORDINATOR_LOAD_IN_PROGRESS')).toEqual(['wait 100'])
    expect(script.did(script.membership.verify())).toEqual(['tell 1: a,b [a0]'])
    expect(script.did(script.membership.due())).toEqual([])
  })

  test('for good ends the membership', () => {
    const script = Script.stable('a0')
    expect(script.unheard(new MillraceError('CLOSED', 'over'))).toEqual(['lose a0', 'fail CLOSED'])
  })

  test('may know of a member all the same: it leaves', () => {
    const script = new Script()
    script.subscribe('a')
    script.unheard(new MillraceError('REQUEST_TIMED_OUT', 'nobody'))
    expect(script.subscribe()).toEqual(['leave -1'])
  })
})

describe('a user who asks for nothing', () => {
  test('is out, and back when he asks', () => {
    const script = Script.stable('a0')
    expect(script.did(script.membership.stall())).toEqual(['lose a0', 'leave -1'])
    expect(script.membership.isMember).toBe(false)
    expect(script.released()).toEqual([])
    expect(script.answer(-1)).toEqual([])
    expect(script.membership.state).toBe('stalled')
    expect(script.did(script.membership.resume())).toEqual(['tell 0: a,b []'])
  })

  test('is back behind what is under way', () => {
    const script = Script.stable('a0')
    script.did(script.membership.stall())
    expect(script.did(script.membership.resume())).toEqual([])
    expect(script.answer(-1)).toEqual([])
    expect(script.released()).toEqual(['tell 0: a,b []'])
  })

  test('and ends his loops has left', () => {
    const script = Script.stable('a0')
    script.did(script.membership.stall())
    expect(script.subscribe()).toEqual([])
    expect(script.released()).toEqual([])
    expect(script.answer(-1)).toEqual(['left'])
    const told = Script.stable('a0')
    told.did(told.membership.stall())
    told.released()
    told.answer(-1)
    expect(told.subscribe()).toEqual(['left'])
  })
})
