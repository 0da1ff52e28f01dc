// A member of a consumer group (KIP-848) as its client is: it joins, takes what it is given,
// gives up what it is to give up, and says what it has.

import type { ClientContext } from '../../../src/coordinator/coordinator-shard.ts'
import { assignmentOf, topicPartitionsOf } from '../../../src/coordinator/group/assignment.ts'
import type { Assignment } from '../../../src/coordinator/group/assignment.ts'
import { memberKey } from '../../../src/coordinator/group/member-names.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { threadContext } from './coordinator-fixture.ts'
import type { CoordinatorFixture } from './coordinator-fixture.ts'

type Request = ConsumerGroupHeartbeatRequest
type Response = ConsumerGroupHeartbeatResponse

export const REBALANCE_TIMEOUT_MS = 30_000

/** Of `heartbeat`: nothing but who it is. */
export function heartbeatRequest(groupId: string, memberId: string, memberEpoch: number, also: Partial<Request> = {}): Request {
  return {
    groupId,
    memberId,
    memberEpoch,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
    ...also,
  }
}

export interface MemberOptions {
  readonly groupId?: string
  readonly topics?: readonly string[]
  readonly regex?: string
  readonly instanceId?: string
  readonly assignor?: string
  readonly context?: ClientContext
}

export class ConsumerMember {
  readonly fixture: CoordinatorFixture
  readonly groupId: string
  memberId: string
  epoch = 0
  owned: Assignment = new Map()
  topics: readonly string[]
  regex: string | undefined
  readonly instanceId: string | undefined
  readonly context: ClientContext
  readonly #assignor: string | undefined

  constructor(fixture: CoordinatorFixture, memberId: string, options: MemberOptions = {}) {
    this.fixture = fixture
    this.memberId = memberId
    this.groupId = options.groupId ?? 'group'
    this.topics = options.topics ?? []
    this.regex = options.regex
    this.instanceId = options.instanceId
    this.context = options.context ?? threadContext(1)
    this.#assignor = options.assignor
  }

  get key(): string {
    return memberKey(this.groupId, this.memberId)
  }

  /** `a-0 a-1 b-0` */
  get partitions(): string {
    const names = [...this.owned].flatMap(([topic, partitions]) => partitions.map((p) => `${this.fixture.topicName(topic)}-${p}`))
    return names.sort().join(' ')
  }

  join(): Response {
    this.epoch = 0
    this.owned = new Map()
    return this.#send({ ...this.#subscription(), rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS, topicPartitions: [] })
  }

  /** Says what it has; takes and gives up at once what it is told to. */
  heartbeat(also: Partial<Request> = {}): Response {
    return this.#send({ topicPartitions: topicPartitionsOf(this.owned), ...also })
  }

  subscribe(topics: readonly string[], regex?: string): Response {
    this.topics = topics
    this.regex = regex
    return this.heartbeat({ subscribedTopicNames: [...topics], subscribedTopicRegex: regex ?? '' })
  }

  leave(epoch = -1): Response {
    const response = this.#ask(heartbeatRequest(this.groupId, this.memberId, epoch, { instanceId: this.instanceId ?? null }))
    this.owned = new Map()
    this.epoch = 0
    return response
  }

  #subscription(): Partial<Request> {
    return {
      subscribedTopicNames: this.regex === undefined || this.topics.length > 0 ? [...this.topics] : null,
      subscribedTopicRegex: this.regex ?? null,
      serverAssignor: this.#assignor ?? null,
    }
  }

  #send(also: Partial<Request>): Response {
    const response = this.#ask(heartbeatRequest(this.groupId, this.memberId, this.epoch, { instanceId: this.instanceId ?? null, ...also }))
    if (response.errorCode !== KAFKA_ERRORS.NONE) return response
    this.memberId = response.memberId!
    this.epoch = response.memberEpoch
    if (response.assignment !== null) this.owned = assignmentOf(response.assignment.topicPartitions)
    return response
  }

  #ask(request: Request): Response {
    this.fixture.news.delete(this.key)
    return this.fixture.ask('consumerGroupHeartbeat', request, this.context)
  }
}

/** Heartbeats of those for whom there is news, until there is none; how many there were. */
export function settle(fixture: CoordinatorFixture, members: Iterable<ConsumerMember>): number {
  const all = [...members]
  let count = 0
  for (let isCalm = false; !isCalm; ) {
    isCalm = true
    for (const member of all) {
      if (!fixture.news.has(member.key)) continue
      isCalm = false
      // Once to be told what to give up, and once to say that it has.
      const { assignment, errorCode } = member.heartbeat()
      count++
      if (assignment === null || errorCode !== 0) continue
      member.heartbeat()
      count++
    }
    if (count > 100_000) throw new Error('members never settle')
  }
  return count
}
