// A membership that is told of something while it asks what it can read: what it says then.

import { expect, test } from 'vitest'
import { GroupMembership } from '../../../src/client/consumer/group-membership.ts'
import type { MembershipEffect } from '../../../src/client/consumer/group-membership.ts'
import { MembershipTurns } from '../../../src/client/consumer/membership-turns.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'

const TOPIC: TopicId = [0, 0, 0, 1]

function assigned(...partitions: number[]): ConsumerGroupHeartbeatResponse {
  const assignment = { topicPartitions: [{ topicId: TOPIC, partitions }] }
  const errorCode = KAFKA_ERRORS.NONE
  return { throttleTimeMs: 0, errorCode, errorMessage: null, memberId: 'm', memberEpoch: 1, heartbeatIntervalMs: 5_000, assignment }
}

/** A member whose look at what it can read finds, `times` times, that metadata have changed. */
function joined(times: number): { readonly shown: string[]; readonly hear: () => void } {
  const shown: string[] = []
  let asked = 0
  let left = times
  const turns = new MembershipTurns((effect: MembershipEffect) => {
    if (effect.kind === 'heartbeat') asked = effect.id
    shown.push('partitions' in effect ? `${effect.kind} ${effect.partitions.map(({ partition }) => partition).join(' ')}` : effect.kind)
    // As of one that is taken at once.
    if (effect.kind === 'assign') turns.tell(() => membership.taken(effect.id))
  })
  const membership: GroupMembership = new GroupMembership({
    groupId: 'g',
    memberId: 'm',
    groupInstanceId: null,
    groupRemoteAssignor: null,
    rebalanceTimeoutMs: 300_000,
    isReadable: () => {
      if (left-- > 0) turns.tell(() => membership.metadataChanged())
      return true
    },
  })
  turns.tell(() => membership.subscribe(new Map([[formatTopicId(TOPIC), 'a']])))
  return { shown, hear: () => turns.tell(() => membership.heard(asked, assigned(0, 1))) }
}

test('metadata that change while an assignment is looked at: its partitions are taken once', () => {
  for (const times of [0, 1, 2, 3]) {
    const { shown, hear } = joined(times)
    hear()
    expect(shown.filter((line) => line !== 'heartbeat')).toEqual(['assign 0 1'])
  }
})

test('what happens meanwhile comes behind, also where telling has failed', () => {
  const told: string[] = []
  const says =
    (name: string, effects: readonly MembershipEffect[] = []) =>
    (): readonly MembershipEffect[] => {
      told.push(name)
      return effects
    }
  const turns = new MembershipTurns((effect) => {
    told.push(`do ${effect.kind}`)
    if (effect.kind === 'left') turns.tell(says('c'))
  })
  turns.tell(() => {
    turns.tell(says('b', [{ kind: 'wait', ms: 1 }]))
    told.push('a')
    return [{ kind: 'left' }, { kind: 'wait', ms: 1 }]
  })
  expect(told).toEqual(['a', 'do left', 'b', 'c', 'do wait', 'do wait'])
  const failing = (): never => {
    throw new Error('broken')
  }
  expect(() => turns.tell(failing)).toThrow('broken')
  turns.tell(says('d'))
  expect(told.at(-1)).toBe('d')
})
