// The coordinator of the groups of one partition of `__consumer_offsets` (Kafka:
// GroupCoordinatorShard): it knows which part a request, a timer or a record is for.
// Pure. Holds: groups change only by replay.

import type { MetadataDelta } from '../../metadata/metadata-delta.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts'
import type { Random } from '../../random.ts'
import type { ClientContext, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import { TimelineMap } from '../timeline.ts'
import type { SnapshotRegistry } from '../timeline.ts'
import { ClassicConsumerMembers } from './classic-consumer-members.ts'
import { ClassicGroups } from './classic-groups.ts'
import { isClassicTimer } from './classic-timers.ts'
import { describeConsumerGroup } from './consumer-group-describe.ts'
import type { ConsumerGroupChange } from './consumer-group-change.ts'
import { ConsumerGroupEvents } from './consumer-group-events.ts'
import { ConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { consumerGroupOrNew } from './consumer-groups.ts'
import type { GroupParts, Now } from './consumer-groups.ts'
import { GroupAdmin } from './group-admin.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { GroupApi, GroupRequestOf } from './group-requests.ts'
import type { Group, GroupRecord } from './group.ts'
import { downgraded, mayDowngrade } from './group-migration.ts'
import { GroupStep } from './group-step.ts'
import { parseTimer, timerName } from './member-names.ts'
import { OffsetCommits } from './offset-commit.ts'
import { OffsetDeletes } from './offset-delete.ts'
import { EXPIRE_TIMER, OffsetExpiry } from './offset-expiry.ts'
import { OffsetFetches } from './offset-fetch.ts'
import { Offsets } from './offsets.ts'
import type { CompilePattern } from './subscribed-topics.ts'

export interface GroupCoordinatorOptions {
  readonly registry: SnapshotRegistry
  readonly config: GroupCoordinatorConfig
  /** The cluster as this coordinator knows it. */
  readonly image: () => MetadataImage
  /** Makes member ids, where members bring none. */
  readonly random: Random
  /** Of `__consumer_offsets`. */
  readonly partition: number
  /** RE2; throws where the text is no pattern. Called when somebody first subscribes to it, and where topics change. */
  readonly compilePattern: CompilePattern
}

type Step = CoordinatorStep<GroupRecord>

export class GroupCoordinator {
  readonly partition: number
  readonly groups: TimelineMap<string, Group>
  readonly #parts: GroupParts
  readonly #classic: ClassicGroups
  readonly #classicConsumers: ClassicConsumerMembers
  readonly #consumerHeartbeat: ConsumerGroupHeartbeat
  readonly #consumerEvents: ConsumerGroupEvents
  readonly #offsets: Offsets
  readonly #offsetCommits: OffsetCommits
  readonly #offsetFetches: OffsetFetches
  readonly #offsetDeletes: OffsetDeletes
  readonly #offsetExpiry: OffsetExpiry
  readonly #admin: GroupAdmin
  /** Wall-clock time less monotonic time, as last told; before that times since the epoch are long past. */
  #wallAheadMs = 0

  constructor({ registry, config, image, random, partition, compilePattern }: GroupCoordinatorOptions) {
    this.partition = partition
    this.groups = new TimelineMap(registry)
    const options = { registry, groups: this.groups, config, image }
    this.#classic = new ClassicGroups({ ...options, random })
    this.#parts = { ...options, random, compilePattern, downgrade: (change, now) => this.#downgrade(change, now) }
    this.#classicConsumers = new ClassicConsumerMembers(this.#parts)
    this.#consumerHeartbeat = new ConsumerGroupHeartbeat(this.#parts)
    this.#consumerEvents = new ConsumerGroupEvents(this.#parts)
    this.#offsets = new Offsets(options)
    this.#offsetCommits = new OffsetCommits(options)
    this.#offsetFetches = new OffsetFetches(options, this.#offsets)
    this.#offsetDeletes = new OffsetDeletes(options, this.#offsets)
    this.#offsetExpiry = new OffsetExpiry(options, this.#offsets)
    this.#admin = new GroupAdmin(options, this.#offsets)
  }

  /** `committed`: the snapshot at which what only reads is read. Errors are told in the response. */
  request<Api extends GroupApi>(
    api: Api,
    requestId: RequestId,
    request: GroupRequestOf<Api>,
    context: ClientContext,
    nowMs: number,
    wallMs: number,
    committed: number,
  ): Step {
    const now = this.#now(nowMs, wallMs)
    const call = { api, request } as Call
    const reply = (response: unknown): Step => ({ replies: [{ requestId, response }] })
    switch (call.api) {
      case 'consumerGroupHeartbeat':
        return this.#consumerHeartbeat.heartbeat(requestId, call.request, context, now)
      case 'consumerGroupDescribe':
        return reply({ throttleTimeMs: 0, groups: call.request.groupIds.map((groupId) => this.#describe(groupId, committed)) })
      case 'offsetCommit':
        return this.#commit(requestId, call.request, now)
      case 'offsetFetch':
        return reply(this.#offsetFetches.fetch(call.request, committed))
      case 'offsetDelete':
        return this.#offsetDeletes.delete(requestId, call.request)
      case 'listGroups':
        return reply(this.#admin.list(call.request, committed))
      case 'describeGroups':
        return reply(this.#admin.describe(call.request, committed))
      case 'deleteGroups':
        return this.#admin.delete(requestId, call.request)
      case 'joinGroup':
      case 'syncGroup':
      case 'heartbeat':
      case 'leaveGroup':
        return this.#classicRequest(call, requestId, context, now)
    }
  }

  /** Of a consumer group with members, its classic members are members of that. */
  #classicRequest(call: ClassicCall, requestId: RequestId, context: ClientContext, now: Now): Step {
    const { nowMs, wallMs } = now
    const found = this.groups.get(call.request.groupId)
    const group = found instanceof ConsumerGroup && found.memberCount() > 0 ? found : undefined
    switch (call.api) {
      case 'joinGroup':
        if (group === undefined) return this.#classic.join(requestId, call.request, context, nowMs, wallMs)
        return (
          this.#classic.refuseJoin(requestId, call.request, context) ??
          this.#classicConsumers.join(group, requestId, call.request, context, now)
        )
      case 'syncGroup':
        if (group === undefined) return this.#classic.sync(requestId, call.request, context, nowMs, wallMs)
        return this.#classicConsumers.sync(group, requestId, call.request, now)
      case 'heartbeat':
        if (group === undefined) return this.#classic.heartbeat(requestId, call.request, nowMs, wallMs)
        return this.#classicConsumers.heartbeat(group, requestId, call.request, now)
      case 'leaveGroup':
        if (group === undefined) return this.#classic.leave(requestId, call.request, nowMs, wallMs)
        return this.#classicConsumers.leave(group, requestId, call.request, now)
    }
  }

  /** The last member of the new protocol is gone. */
  #downgrade(change: ConsumerGroupChange, { nowMs, wallMs }: Now): Step | undefined {
    const { config, image } = this.#parts
    if (!mayDowngrade(change, config)) return undefined
    const step = new GroupStep(nowMs, wallMs)
    step.records.push(...change.group.tombstones())
    for (const { memberId } of change.group.members()) {
      for (const kind of ['session', 'rebalance', 'join', 'sync']) step.timer(timerName(kind, change.groupId, memberId), undefined)
    }
    step.timer(timerName('assign', change.groupId), undefined)
    this.#classic.adopt(downgraded(change, image(), wallMs), step)
    // Where the log has no room, the group stays as it is, with its timers.
    return { ...step.build(), failed: () => ({}) }
  }

  timerFired(timer: string, nowMs: number, wallMs: number): Step {
    const now = this.#now(nowMs, wallMs)
    if (timer === EXPIRE_TIMER) return this.#offsetExpiry.expire(nowMs, wallMs)
    if (isClassicTimer(timer)) return this.#classic.timerFired(timer, nowMs, wallMs)
    return this.#consumerEvents.timerFired(parseTimer(timer), now)
  }

  /** The image is the delta's already. */
  metadataChanged(delta: MetadataDelta, nowMs: number): Step[] {
    return [...this.#consumerEvents.metadataChanged(delta, this.#now(nowMs)), ...this.#offsetDeletes.topicsDeleted(delta)]
  }

  /** A thread of this process has ended, or has let go of its millrace. */
  clientHostGone(clientHost: string, nowMs: number): Step[] {
    const now = this.#now(nowMs)
    return [...this.#consumerEvents.clientHostGone(clientHost, now), ...this.#classic.clientHostGone(clientHost, nowMs, now.wallMs)]
  }

  /** All that the log holds was replayed. Without `wallMs`, what becomes empty now has been so for long, and so have its offsets. */
  loaded(nowMs: number, isHostAlive: (clientHost: string) => boolean, wallMs?: number): Step[] {
    const now = this.#now(nowMs, wallMs)
    return [
      ...this.#consumerEvents.loaded(now, isHostAlive),
      ...this.#classic.loaded(nowMs, now.wallMs, isHostAlive),
      this.#offsetExpiry.loaded(nowMs),
    ]
  }

  replay(record: GroupRecord): void {
    switch (record.type) {
      case 'OffsetCommit':
      case 'LegacyOffsetCommit':
        return this.#offsets.replay(record)
      case 'GroupMetadata':
        return this.#classic.replay(record.key, record.value)
      default:
        return this.#replayConsumerGroup(record)
    }
  }

  /** A classic member that commits is alive: it need not send a heartbeat as well. */
  #commit(requestId: RequestId, request: OffsetCommitRequest, { nowMs, wallMs }: Now): Step {
    const step = this.#offsetCommits.commit(requestId, request, wallMs)
    const { timers } = this.#classic.committed(request, nowMs, wallMs)
    return timers === undefined ? step : { ...step, timers }
  }

  #replayConsumerGroup(record: ConsumerGroupRecord): void {
    const { groupId } = record.key
    const group = this.groups.get(groupId)
    if (record.value === null) {
      // What is left of a group that is another's by now, or gone, says nothing.
      if (!(group instanceof ConsumerGroup)) return
      if (record.type === 'ConsumerGroupMetadata') this.groups.delete(groupId)
      else group.replay(record)
      return
    }
    const replayed = consumerGroupOrNew(groupId, this.#parts)
    if (replayed !== group) this.groups.set(groupId, replayed)
    replayed.replay(record)
  }

  #describe(groupId: string, epoch: number): ReturnType<typeof describeConsumerGroup> {
    const { config, image } = this.#parts
    return describeConsumerGroup(groupId, this.groups, { image: image(), assignors: config.consumerAssignors, epoch })
  }

  #now(nowMs: number, wallMs = nowMs + this.#wallAheadMs): Now {
    this.#wallAheadMs = wallMs - nowMs
    return { nowMs, wallMs }
  }
}

type ClassicCall = Extract<Call, { readonly api: 'joinGroup' | 'syncGroup' | 'heartbeat' | 'leaveGroup' }>
type Call = { readonly [Api in GroupApi]: { readonly api: Api; readonly request: GroupRequestOf<Api> } }[GroupApi]
type ConsumerGroupRecord = Exclude<GroupRecord, { readonly type: 'OffsetCommit' | 'LegacyOffsetCommit' | 'GroupMetadata' }>
