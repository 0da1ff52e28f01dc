// A group coordinator over a log without memory or threads: the records of each step go
// through their bytes, are replayed, and are committed at once or when the test says so.
// Time is virtual; timers fire in order. A restart replays all into a new coordinator,
// which must be as the old one.

import { deepStrictEqual } from 'node:assert/strict'
import { GROUP_SETTINGS } from '../../../src/config/broker-group-settings.ts'
import type { BrokerGroupConfig } from '../../../src/config/broker-config.ts'
import type { ClientContext, CoordinatorStep } from '../../../src/coordinator/coordinator-shard.ts'
import { localHost } from '../../../src/coordinator/client-host.ts'
import { ConsumerGroup } from '../../../src/coordinator/group/consumer-group.ts'
import { encodeGroupRecord } from '../../../src/coordinator/group/group-batch.ts'
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts'
import { groupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../../../src/coordinator/group/group-requests.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import type { TopicPattern } from '../../../src/coordinator/group/subscribed-topics.ts'
import { SnapshotRegistry } from '../../../src/coordinator/timeline.ts'
import type { ErrorName } from '../../../src/errors.ts'
import type { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import { decodeCoordinatorRecord } from '../../../src/protocol/coordinator-record.ts'
import { GROUP_RECORDS } from '../../../src/protocol/records/group-records.ts'
import { seededRandom } from '../../../src/random.ts'
import { MetadataWorld } from '../../metadata/metadata-world.ts'

export const DEFAULT_CONFIG: GroupCoordinatorConfig = groupCoordinatorConfig(
  Object.fromEntries(Object.entries(GROUP_SETTINGS).map(([name, setting]) => [name, setting.default])) as unknown as BrokerGroupConfig,
)

/** Stands for RE2, which reads the patterns of these tests the same way. */
export function compileForTests(text: string): TopicPattern {
  const pattern = new RegExp(`^(?:${text})$`)
  return { matches: (name) => pattern.test(name) }
}

/** A member behind a socket. */
export const REMOTE: ClientContext = { clientId: 'client', clientHost: '/127.0.0.1', isLocal: false }

/** A member of a thread of this process. */
export function threadContext(thread: number): ClientContext {
  return { clientId: `client-${thread}`, clientHost: localHost({ thread, incarnation: 1, process: 7 }), isLocal: true }
}

export interface FixtureOptions {
  readonly config?: Partial<GroupCoordinatorConfig>
  readonly seed?: number
}

export class CoordinatorFixture {
  readonly metadata = new MetadataWorld(1)
  readonly config: GroupCoordinatorConfig
  readonly log: GroupRecord[] = []
  nowMs = 1000
  /** Wall-clock time less `nowMs`. */
  wallAheadMs = 1_700_000_000_000
  /** By name: when they fire. */
  readonly timers = new Map<string, number>()
  /** Hosts that were told that a member of theirs is out, since they were last taken. */
  readonly fenced: string[] = []
  /** Members for whom there is news, since they were last taken. */
  readonly news = new Set<string>()
  /** Why the log takes no records; undefined: it does. */
  refuse: ErrorName | undefined
  registry = new SnapshotRegistry()
  shard: GroupCoordinator
  /** Sees each step, before its records are replayed. */
  onStep: (step: CoordinatorStep<GroupRecord>) => void = () => undefined
  readonly #seed: number
  readonly #responses = new Map<number, unknown>()
  #requests = 0

  constructor({ config = {}, seed = 1 }: FixtureOptions = {}) {
    this.config = { ...DEFAULT_CONFIG, ...config }
    this.#seed = seed
    this.shard = this.#newShard()
    this.registry.snapshot(0)
  }

  get wallMs(): number {
    return this.nowMs + this.wallAheadMs
  }

  /** The response, which must be there at once. */
  ask<Api extends GroupApi>(api: Api, request: GroupRequestOf<Api>, context: ClientContext = REMOTE): GroupResponseOf<Api> {
    const requestId = this.send(api, request, context)
    const response = this.response(requestId)
    if (response === undefined) throw new Error(`${api} was not answered at once`)
    return response as GroupResponseOf<Api>
  }

  /** The request's id: its response may come later. */
  send<Api extends GroupApi>(api: Api, request: GroupRequestOf<Api>, context: ClientContext = REMOTE): number {
    const requestId = ++this.#requests
    this.take(this.shard.request(api, requestId, request, context, this.nowMs, this.wallMs, this.registry.latestEpoch), requestId)
    return requestId
  }

  /** Taken out. */
  response(requestId: number): unknown {
    const response = this.#responses.get(requestId)
    this.#responses.delete(requestId)
    return response
  }

  /** Appends, replays, commits, sets timers. */
  take(step: CoordinatorStep<GroupRecord>, requestId?: number): void {
    const { records = [], timers = [], replies = [], news = [], fenced = [] } = step
    this.onStep(step)
    if (records.length > 0 && this.refuse !== undefined) {
      if (requestId !== undefined) this.#responses.set(requestId, this.refuse)
      const failed = step.failed?.(this.refuse)
      if (failed !== undefined) this.take(failed)
      return
    }
    for (const record of records) {
      const read = throughBytes(record)
      this.log.push(read)
      this.shard.replay(read)
    }
    if (records.length > 0) {
      this.registry.snapshot(this.log.length)
      this.registry.deleteBelow(this.log.length)
    }
    step.applied?.()
    this.fenced.push(...fenced)
    for (const { timer, atMs } of timers) {
      if (atMs === undefined) this.timers.delete(timer)
      else this.timers.set(timer, atMs)
    }
    for (const reply of replies) this.#responses.set(reply.requestId, reply.response)
    for (const key of news) this.news.add(key)
  }

  /** Timers that fall due meanwhile fire in order of time, then of name. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms
    for (;;) {
      const [next] = [...this.timers].sort(([a, aMs], [b, bMs]) => aMs - bMs || (a < b ? -1 : 1))
      if (next === undefined || next[1] > untilMs) break
      this.timers.delete(next[0])
      this.nowMs = Math.max(this.nowMs, next[1])
      this.take(this.shard.timerFired(next[0], this.nowMs, this.wallMs))
    }
    this.nowMs = untilMs
  }

  createTopic(name: string, partitions: number): void {
    this.changeMetadata(this.metadata.create(name, partitions))
  }

  /** `partitions`: how many there are then. */
  addPartitions(name: string, partitions: number): void {
    const { image, controller } = this.metadata
    const rows = [...image.topics].reduce((sum, topic) => sum + topic.partitions.length, 2)
    const slots = Array.from({ length: partitions - image.topic(name)!.partitions.length }, (_, i) => rows + i)
    this.changeMetadata(this.metadata.apply(controller.createPartitions({ name, partitions }, slots)))
  }

  deleteTopic(name: string): void {
    this.changeMetadata(this.metadata.apply(this.metadata.controller.deleteTopic({ name })))
  }

  changeMetadata(delta: MetadataDelta): void {
    for (const step of this.shard.metadataChanged(delta, this.nowMs)) this.take(step)
  }

  clientHostGone(clientHost: string): void {
    for (const step of this.shard.clientHostGone(clientHost, this.nowMs)) this.take(step)
  }

  /** Another broker takes over: what it reads from the log must be what was here, unless a classic group was about to change. */
  restart(isHostAlive: (clientHost: string) => boolean = () => true, isWhole = true): void {
    const before = stateOf(this.shard)
    this.registry = new SnapshotRegistry()
    this.shard = this.#newShard()
    for (const record of this.log) this.shard.replay(record)
    this.registry.snapshot(this.log.length)
    if (isWhole) deepStrictEqual(stateOf(this.shard), before)
    this.timers.clear()
    for (const step of this.shard.loaded(this.nowMs, isHostAlive)) this.take(step)
  }

  consumerGroup(groupId: string): ConsumerGroup {
    const group = this.shard.groups.get(groupId)
    if (!(group instanceof ConsumerGroup)) throw new Error(`there is no consumer group ${groupId}`)
    return group
  }

  /** Of a topic id's text, as assignments have it. */
  topicName(topicKey: string): string {
    return this.metadata.image.content.topicsById.get(topicKey)?.name ?? topicKey
  }

  #newShard(): GroupCoordinator {
    return new GroupCoordinator({
      registry: this.registry,
      config: this.config,
      image: () => this.metadata.image,
      random: seededRandom(this.#seed),
      partition: 0,
      compilePattern: compileForTests,
    })
  }
}

export function throughBytes(record: GroupRecord): GroupRecord {
  const { key, value } = encodeGroupRecord(record)
  return decodeCoordinatorRecord(GROUP_RECORDS, key, value)
}

/** All that a coordinator knows of consumer groups, to be compared. */
export function stateOf(shard: GroupCoordinator): unknown {
  const sorted = <Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] =>
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted<unknown>(
    [...shard.groups.entries()].map(([groupId, group]) => {
      if (!(group instanceof ConsumerGroup)) return [groupId, { protocol: group.protocol, state: group.state() }] as const
      return [
        groupId,
        {
          epoch: group.epoch(),
          hash: group.metadataHash(),
          targetEpoch: group.targetEpoch(),
          targetTimestampMs: group.targetTimestampMs(),
          state: group.state(),
          members: sorted([...group.members()].map((member) => [member.memberId, member] as const)),
          targets: sorted(group.targets()),
          owners: sorted(group.owners()),
          regexes: sorted(group.regexes()),
        },
      ] as const
    }),
  )
}
