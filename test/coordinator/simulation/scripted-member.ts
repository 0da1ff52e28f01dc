// A member of a consumer group (KIP-848), as Kafka's own client behaves: after an answer that
// it did not get it says everything again; what it is to give up it gives up after a while,
// sometimes too late.
//
//   joining ──▶ member ──leave──▶ over
//      ▲───fenced──┘

import { partitionKey } from '../../../src/coordinator/group/assignment.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, LEAVE_STATIC_EPOCH } from '../../../src/coordinator/group/consumer-group-member.ts'
import { KAFKA_ERRORS, kafkaErrorName } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { MemberWork } from './member-work.ts'
import type { MemberOptions, SimulatedMember } from './simulated-member.ts'
import { SimulatedLink } from './simulated-link.ts'
import type { SimulatedThread } from './simulated-thread.ts'
import type { SimulationWorld } from './simulation-world.ts'

/** By `partitionKey`. */
type Target = Map<string, { readonly topicId: TopicId; readonly partition: number }>

export class ScriptedMember implements SimulatedMember {
  readonly kind = 'scripted'
  readonly options: MemberOptions
  readonly thread: SimulatedThread
  readonly name: string
  readonly groupId: string
  readonly memberId: string
  topics: readonly string[]
  regex: string | undefined
  fencesSeen = 0
  isOver = false
  readonly isIdle = false
  epoch = JOIN_EPOCH
  readonly #world: SimulationWorld
  readonly #link: SimulatedLink
  readonly #work: MemberWork
  #asked: { cancel(): void } | undefined
  #isPlainAsked = false
  /** The next heartbeat says everything. */
  #isFull = true
  #next: { cancel(): void } | undefined
  #revoking: { cancel(): void } | undefined
  #target: Target | undefined

  constructor(world: SimulationWorld, thread: SimulatedThread, options: MemberOptions) {
    this.#world = world
    this.thread = thread
    this.options = options
    ;({ name: this.name, groupId: this.groupId, memberId: this.memberId, topics: this.topics, regex: this.regex } = options)
    this.#link = new SimulatedLink(world, thread, options.name)
    this.#work = new MemberWork({
      world,
      link: this.#link,
      owner: this,
      committer: () => {
        if (this.epoch <= JOIN_EPOCH || this.isOver) return undefined
        return { memberId: this.memberId, epoch: this.epoch, instanceId: this.options.instanceId }
      },
      verify: () => this.#tell(),
    })
  }

  get heldKeys(): ReadonlySet<string> {
    return new Set(this.#work.held.keys())
  }

  get isSettled(): boolean {
    return this.#revoking === undefined
  }

  start(): void {
    if (!this.isOver) this.#beat()
  }

  subscribe(topics: readonly string[], regex: string | undefined): void {
    if (this.isOver) return
    this.topics = topics
    this.regex = regex
    this.#tell()
  }

  topicsChanged(): void {
    // The coordinator knows it by name.
  }

  forget(): void {
    // It never waits for a user.
  }

  leave(forNow: boolean, then: () => void): void {
    if (this.isOver) return
    this.#work.commit()
    this.isOver = true
    this.#stop()
    this.#work.end()
    const { instanceId } = this.options
    const memberEpoch = forNow && instanceId !== null ? LEAVE_STATIC_EPOCH : LEAVE_EPOCH
    const leave = (): void => {
      const request = { ...this.#request(), memberEpoch, topicPartitions: null, subscribedTopicNames: null, subscribedTopicRegex: null }
      this.#link.ask({
        api: 'consumerGroupHeartbeat',
        request,
        heard: then,
        unheard: () => {
          if (this.#world.isCalm || this.#world.random.below(2) === 0) this.thread.after(50, leave)
          else then()
        },
      })
    }
    leave()
  }

  died(): void {
    this.isOver = true
    this.#stop()
    this.#work.end()
  }

  stateLine(): string {
    const keys = [...this.#work.held.keys()].map((key) => key.slice(-6)).join(' ')
    const words = [`epoch ${this.epoch}`, `fences ${this.fencesSeen}/${this.thread.fenceCount}`, this.#asked === undefined ? '' : 'asking']
    if (this.#revoking !== undefined) words.push('revoking')
    if (this.thread.isStalled) words.push('stalled')
    return `${this.name} (${this.memberId} of ${this.groupId}, ${this.thread.host}): ${words.join(', ')}; has ${keys}`
  }

  #stop(): void {
    this.#asked?.cancel()
    this.#asked = undefined
    this.#next?.cancel()
    this.#revoking?.cancel()
    this.#revoking = undefined
  }

  /** At once, instead of one that may be held back; otherwise behind the one that is under way. */
  #tell(): void {
    this.#isFull = true
    if (this.isOver || (this.#asked !== undefined && !this.#isPlainAsked)) return
    this.#beat()
  }

  #beat(): void {
    this.#next?.cancel()
    this.#asked?.cancel()
    const isFull = this.#isFull || this.epoch === JOIN_EPOCH
    this.#isFull = false
    this.#isPlainAsked = !isFull
    if (isFull) {
      // What it says it does not have may go to others at once: it counts again when the answer has it.
      for (const key of this.#target?.keys() ?? []) if (!this.#work.held.has(key)) this.#target!.delete(key)
    }
    const fences = this.thread.fenceCount
    const asked = this.#link.ask({
      api: 'consumerGroupHeartbeat',
      request: isFull ? this.#request() : { ...this.#request(), ...NOTHING_SAID },
      holdMs: this.thread.isLocal && !isFull ? this.#world.swarm.heartbeatIntervalMs : 0,
      heard: (response) => {
        this.#asked = undefined
        if (response.errorCode === KAFKA_ERRORS.NONE) this.#heard(response, fences)
        else this.#refused(response)
      },
      unheard: (error) => {
        this.#asked = undefined
        this.#isFull = true
        if (error === 'REQUEST_TIMED_OUT') this.#world.saw('a member came back with a lost answer')
        this.#beatAfter(20 + this.#world.random.below(80))
      },
    })
    this.#asked = asked
  }

  #beatAfter(ms: number): void {
    this.#next?.cancel()
    this.#next = this.thread.after(ms, () => this.#beat())
  }

  #request(): ConsumerGroupHeartbeatRequest {
    const { instanceId, assignor } = this.options
    return {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: this.#world.swarm.rebalanceTimeoutMs,
      subscribedTopicNames: [...this.topics],
      subscribedTopicRegex: this.regex ?? '',
      serverAssignor: assignor,
      topicPartitions: [...this.#work.held.values()].map(({ topicId, partition }) => ({ topicId, partitions: [partition] })),
    }
  }

  #heard({ memberEpoch, assignment }: ConsumerGroupHeartbeatResponse, fences: number): void {
    if (memberEpoch < this.epoch) this.#world.violate(`${this.name} at epoch ${this.epoch} is told ${memberEpoch}`)
    this.epoch = memberEpoch
    this.fencesSeen = fences
    this.#world.ownership.verified(this)
    if (assignment !== null) {
      this.#target = new Map()
      for (const { topicId, partitions } of assignment.topicPartitions) {
        for (const partition of partitions) this.#target.set(partitionKey(formatTopicId(topicId), partition), { topicId, partition })
      }
      this.#world.note(this.name, 'is to have', [...this.#target.keys()].join(' '), 'at', memberEpoch)
      this.#reconcile()
    }
    if (this.#asked !== undefined) return
    if (this.#isFull || this.thread.isLocal) this.#beat()
    else this.#beatAfter(this.#world.swarm.heartbeatIntervalMs)
  }

  #refused({ errorCode }: ConsumerGroupHeartbeatResponse): void {
    const { saw, note, random, violate } = this.#world
    const error = kafkaErrorName(errorCode)
    note(this.name, 'is told', error)
    switch (error) {
      case 'UNKNOWN_MEMBER_ID':
      case 'FENCED_MEMBER_EPOCH':
      case 'GROUP_ID_NOT_FOUND':
        return this.#rejoin(random.below(50))
      case 'UNRELEASED_INSTANCE_ID':
        saw('an instance id was not released')
        return this.#rejoin(100 + random.below(200))
      case 'FENCED_INSTANCE_ID':
        // Another has its instance id.
        this.died()
        return this.#world.forget(this)
      default:
        violate(`${this.name} is told ${error}`)
    }
  }

  #rejoin(ms: number): void {
    this.epoch = JOIN_EPOCH
    this.#target = undefined
    this.#revoking?.cancel()
    this.#revoking = undefined
    this.#work.lose()
    this.#isFull = true
    this.#beatAfter(ms)
  }

  #reconcile(): void {
    if (this.#revoking !== undefined || this.#target === undefined) return
    const { random, swarm, isCalm, saw } = this.#world
    const going = [...this.#work.held.keys()].filter((key) => !this.#target!.has(key))
    if (going.length === 0) return this.#take()
    saw('a member revoked partitions')
    this.#work.commit(going)
    const isTooSlow = !isCalm && random.below(20) === 0
    const ms = isTooSlow ? swarm.rebalanceTimeoutMs * 1.5 : isCalm ? 0 : random.fraction() * swarm.revokeMs
    this.#revoking = this.thread.after(ms, () => {
      this.#revoking = undefined
      this.#work.drop(going)
      this.#tell()
      this.#reconcile()
    })
  }

  #take(): void {
    let isNew = false
    for (const [key, { topicId, partition }] of this.#target!) {
      if (this.#work.held.has(key)) continue
      isNew = true
      this.#work.give(topicId, partition)
    }
    if (isNew) this.#tell()
  }
}

const NOTHING_SAID = {
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
}
