// The coordinator of the groups of one partition, as brokers run it: the real runtime and
// shard over a log that survives; it dies, moves and loads, and its log has no room or fails.
//
//   none ──loads──▶ loading ──all read and committed──▶ active ──dies, or moves──▶ none

import { localThreadOf } from '../../../src/coordinator/client-host.ts'
import { CoordinatorRuntime } from '../../../src/coordinator/coordinator-runtime.ts'
import type { ClientContext } from '../../../src/coordinator/coordinator-shard.ts'
import { heldHeartbeat } from '../../../src/broker/held-heartbeat.ts'
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts'
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import type { GroupApi } from '../../../src/coordinator/group/group-requests.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { SnapshotRegistry } from '../../../src/coordinator/timeline.ts'
import { MillraceError } from '../../../src/errors.ts'
import type { ErrorName } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import type { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import { MetadataImage } from '../../../src/metadata/metadata-image.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../src/protocol/messages/08-offset-commit.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import type { OffsetFetchResponse } from '../../../src/protocol/messages/09-offset-fetch.ts'
import { seededRandom } from '../../../src/random.ts'
import { SimulatedLog } from './simulated-log.ts'
import { classicDifference, shardState } from './shard-state.ts'
import type { SimulationWorld } from './simulation-world.ts'

type Runtime = CoordinatorRuntime<GroupRecord, GroupCoordinator>

export interface CoordinatorCall {
  readonly api: GroupApi
  readonly request: unknown
  readonly context: ClientContext
  readonly holdMs: number
  /** For the trace. */
  readonly from: string
  readonly answer: (response: unknown) => unknown
  readonly refuse: (error: ErrorName) => unknown
}

interface Pending {
  readonly call: CoordinatorCall
  readonly sinceMs: number
}

interface Led {
  readonly runtime: Runtime
  readonly registry: SnapshotRegistry
  readonly shard: GroupCoordinator
}

/** What the state was that a coordinator left behind, at an offset of the log. */
interface LeftBehind {
  readonly offset: number
  readonly state: readonly string[]
  /** Which offsets count is told by the topics that there were. */
  readonly image: MetadataImage
}

export class SimulatedCoordinator {
  readonly log = new SimulatedLog()
  readonly #world: SimulationWorld
  readonly #config: GroupCoordinatorConfig
  readonly #pending = new Set<Pending>()
  /** As the broker knows the cluster. */
  #image = MetadataImage.EMPTY
  #led: Led | undefined
  #leftBehind: LeftBehind | undefined
  #haveFilesFailed = false
  #isHostGone = false
  #moves = 0

  constructor(world: SimulationWorld, config: GroupCoordinatorConfig) {
    this.#world = world
    this.#config = config
    this.log.onRefused = (records, why) => world.note('log', why, records.length, 'records, first', records[0]?.type)
    this.log.onAppended = (records) => this.#onAppended(records)
  }

  get isActive(): boolean {
    return this.#led?.runtime.isActive === true
  }

  get shard(): GroupCoordinator | undefined {
    return this.#led?.shard
  }

  get image(): MetadataImage {
    return this.#image
  }

  /** How long the oldest request that may not be held any more has waited, and whose it is. */
  overdue(): { readonly ms: number; readonly words: string } | undefined {
    const nowMs = this.#world.queue.monotonicMs()
    let found: { readonly ms: number; readonly words: string } | undefined
    for (const { call, sinceMs } of this.#pending) {
      const ms = nowMs - sinceMs - call.holdMs
      if (ms > (found?.ms ?? 0)) found = { ms, words: `${call.api} of ${call.from}` }
    }
    return found
  }

  stateLine(): string {
    const { endOffset, highWatermark, size } = this.log
    const state = this.#led === undefined ? 'none' : this.isActive ? 'active' : 'loading'
    return `coordinator ${this.#moves}: ${state}, log ${highWatermark}/${endOffset} (${size} records), ${this.#pending.size} asking`
  }

  take(call: CoordinatorCall): void {
    const { queue, note, saw } = this.#world
    const led = this.#led
    if (led === undefined) {
      saw('a request found no coordinator')
      call.refuse('NOT_COORDINATOR')
      return
    }
    const { api, request, context } = call
    const hold = api === 'consumerGroupHeartbeat' ? heldHeartbeat(request, call.holdMs) : undefined
    const pending: Pending = { call, sinceMs: queue.monotonicMs() }
    this.#pending.add(pending)
    let decidedAt = 0
    let appended = 0
    let runs = 0
    const asked = led.runtime.ask<unknown>((shard, requestId, { nowMs, wallMs }, committed) => {
      runs++
      const step = shard.request(api, requestId, request as never, context, nowMs, wallMs, committed)
      appended = step.records?.length ?? 0
      if (appended > 0) this.#world.model.cause = call
      decidedAt = this.#haveFilesFailed ? 0 : this.log.endOffset + appended
      if (api === 'offsetFetch') this.#checkFetch(step.replies![0]!.response as OffsetFetchResponse, committed)
      return step
    }, hold)
    asked.then(
      (response) => {
        this.#pending.delete(pending)
        const isHeld = hold?.isNothingNew(response) === true
        if (hold !== undefined && runs > 1 && !isHeld) saw('a heartbeat was held and answered with news')
        // What waits for others, and what it was decided upon has failed: that is taken back before it is answered.
        if (!isHeld && !this.#haveFilesFailed && decidedAt > this.log.highWatermark) {
          this.#world.violate(`${api} of ${call.from} is answered before ${decidedAt}, at ${this.log.highWatermark}`)
        }
        if (api === 'offsetCommit')
          this.#acknowledged(request as OffsetCommitRequest, response as OffsetCommitResponse, decidedAt, appended)
        note('answers', api, call.from, ...heartbeatWords(request))
        call.answer(response)
      },
      (error: unknown) => {
        this.#pending.delete(pending)
        if (!(error instanceof MillraceError) || error.code === 'ASSERTION_FAILED') {
          this.#world.violate(`the coordinator broke: ${error instanceof Error ? error.stack : String(error)}`)
          return
        }
        if (error.code === 'COORDINATOR_LOAD_IN_PROGRESS') saw('a request found a coordinator that loads')
        if (error.code === 'COORDINATOR_NOT_AVAILABLE') saw('a log had no room')
        note('refuses', api, call.from, error.code)
        call.refuse(error.code)
      },
    )
  }

  /** What is new in the cluster. */
  follow(delta: MetadataDelta): void {
    this.#image = delta.image
    this.#led?.runtime.tell((shard, { nowMs }) => shard.metadataChanged(delta, nowMs))
  }

  hostGone(host: string): void {
    if (!this.isActive) this.#world.saw('a thread died while the coordinator moved')
    this.#isHostGone = true
    this.#led?.runtime.tell((shard, { nowMs }) => shard.clientHostGone(host, nowMs))
    this.#isHostGone = false
  }

  noRoom(ms: number): void {
    if (this.#haveFilesFailed) return
    this.log.refusal = 'COORDINATOR_NOT_AVAILABLE'
    this.#world.queue.setTimer(ms, () => this.makeRoom())
  }

  makeRoom(): void {
    if (!this.#haveFilesFailed) this.log.refusal = undefined
  }

  /** Nothing more is written until another takes the partition over. */
  failFiles(): void {
    const led = this.#led
    if (led?.runtime.isActive !== true || this.#haveFilesFailed) return
    this.log.refusal = 'KAFKA_STORAGE_ERROR'
    this.#world.queue.setTimer(this.#world.random.below(200), () => {
      if (this.#led !== led || !led.runtime.isActive) return
      if (led.runtime.isWaiting) this.#world.saw('files failed under answers that waited')
      this.#haveFilesFailed = true
      led.runtime.fail()
    })
    this.#world.queue.setTimer(200 + this.#world.random.below(500), () => {
      if (this.#led === led) this.move(true)
    })
  }

  /** Another broker leads the partition from now on. `hasDied`: what this one had not published is lost. */
  move(hasDied: boolean): void {
    const { random, queue, note, model, saw, swarm } = this.#world
    const led = this.#led
    if (led === undefined) return
    const wasActive = led.runtime.isActive
    if (!wasActive) saw('a coordinator moved while it loaded')
    led.runtime.close()
    if (wasActive) {
      const offset = led.registry.latestAtOrBelow(this.log.highWatermark)
      led.registry.revertTo(offset)
      this.#leftBehind = { offset, state: shardState(led.shard), image: this.#image }
    }
    this.#led = undefined
    this.log.refusal = undefined
    this.#haveFilesFailed = false
    const lost = hasDied ? this.log.truncate(random.below(4)) : 0
    if (lost > 0) {
      saw('a coordinator died with records that were lost')
      model.truncate(this.log.endOffset)
    }
    if (random.fraction() < swarm.compactedShare && this.log.highWatermark > 0) this.log.compact(this.#leftBehind?.offset ?? 0)
    note('coordinator', hasDied ? 'dies' : 'moves', lost)
    const delayMs = this.#world.isCalm ? 5 : random.below(4) === 0 ? random.below(1_500) : random.below(20)
    queue.setTimer(delayMs, () => this.start())
  }

  /** Begins to load. */
  start(): void {
    const { queue, random, note } = this.#world
    if (this.#led !== undefined) return
    const registry = new SnapshotRegistry()
    const number = ++this.#moves
    const shard = new GroupCoordinator({
      registry,
      config: this.#config,
      image: () => this.#image,
      random: seededRandom(random.uint32()),
      partition: 0,
      compilePattern: (text) => {
        const pattern = new RegExp(`^(?:${text})$`)
        return { matches: (name) => pattern.test(name) }
      },
    })
    const runtime: Runtime = new CoordinatorRuntime({
      name: `coordinator ${number}`,
      registry,
      shard,
      log: this.log,
      clock: queue,
      onFenced: (host) => this.#fence(host),
    })
    const led: Led = { runtime, registry, shard }
    this.#led = led
    note('coordinator', number, 'loads')
    if (this.log.cleanedTo > 0) this.#world.saw('a compacted log was loaded')
    this.#publishSoon()
    this.#load(led, 0, 1 + random.below(3))
    const { isCalm, swarm } = this.#world
    if (!isCalm && swarm.rates.coordinatorMove !== undefined && random.below(10) === 0) {
      queue.setTimer(random.below(10), () => !led.runtime.isActive && this.#led === led && this.move(true))
    }
  }

  #load(led: Led, from: number, chunks: number): void {
    if (this.#led !== led) return
    const { queue, random, isCalm } = this.#world
    const end = this.log.endOffset
    const to = chunks <= 1 ? end : Math.floor((from + end) / 2)
    const at = this.#leftBehind?.offset ?? -1
    if (at >= from && at < to) {
      for (const record of this.log.read(from, at)) led.runtime.replay(record)
      this.#compare(led)
      for (const record of this.log.read(at, to)) led.runtime.replay(record)
    } else for (const record of this.log.read(from, to)) led.runtime.replay(record)
    if (at === to && to === end) this.#compare(led)
    if (to < end) queue.setTimer(isCalm ? 0 : random.below(20), () => this.#load(led, to, chunks - 1))
    else this.#activate(led)
  }

  #activate(led: Led): void {
    if (this.#led !== led) return
    const { queue, note, threads } = this.#world
    if (!this.log.isCommitted) {
      queue.setTimer(1, () => this.#activate(led))
      return
    }
    note('coordinator', this.#moves, 'is active')
    const difference = classicDifference(led.shard, this.#world.model)
    if (difference !== undefined) this.#world.violate(difference)
    led.runtime.activate()
    const gone = new Set(threads.filter(({ isGone }) => isGone).map(({ host }) => host))
    led.runtime.tell((shard, { nowMs, wallMs }) =>
      shard.loaded(nowMs, (host) => localThreadOf(host) === undefined || !gone.has(host), wallMs),
    )
  }

  #compare({ shard }: Led): void {
    const { offset, state, image } = this.#leftBehind!
    const imageNow = this.#image
    this.#image = image
    const now = shardState(shard)
    this.#image = imageNow
    this.#world.saw('a state was compared after a move')
    const i = Array.from({ length: Math.max(state.length, now.length) }, (_, at) => at).find((at) => state[at] !== now[at])
    if (i === undefined) return
    this.#world.violate(`the state that was loaded is another at ${offset}:\n  was ${state[i] ?? 'nothing'}\n  is  ${now[i] ?? 'nothing'}`)
  }

  #onAppended(records: readonly GroupRecord[]): void {
    const { model, swarm, queue } = this.#world
    this.#seePutOut(records)
    model.append(records, swarm.retentionMs, queue.nowMs())
    if (records.some(({ type, value }) => type === 'OffsetCommit' && value === null) && model.cause === undefined)
      this.#world.saw('offsets expired')
    this.#publishSoon()
  }

  /** Members that are out without a request, and whose thread has not ended: they took too long. */
  #seePutOut(records: readonly GroupRecord[]): void {
    const { model, saw } = this.#world
    if (model.cause !== undefined || this.#isHostGone) return
    for (const { type, key, value } of records) {
      if (type !== 'ConsumerGroupMemberMetadata' || value !== null) continue
      const member = model.member(key.groupId, key.memberId)
      if (member !== undefined) saw(member.pending.size > 0 ? 'a rebalance took too long' : 'a session ended')
    }
  }

  #publishSoon(): void {
    const { queue, random, swarm, isCalm } = this.#world
    const end = this.log.endOffset
    const lagMs = isCalm ? 0.2 : random.fraction() * swarm.watermarkLagMs
    // Sometimes it stops short of the end of the batch.
    if (swarm.watermarkLagMs > 1 && random.below(10) === 0) queue.setTimer(lagMs / 2, () => this.#publish(end - 1))
    queue.setTimer(lagMs, () => this.#publish(end))
  }

  #publish(offset: number): void {
    if (this.log.refusal === 'KAFKA_STORAGE_ERROR') return
    this.log.advanceTo(offset)
    this.#led?.runtime.advance()
  }

  #fence(host: string): void {
    const thread = this.#world.threads.find((each) => each.host === host)
    if (thread === undefined) return this.#world.violate(`${host} is fenced, and is no thread`)
    thread.fenceCount++
    this.#world.note(host, 'is fenced')
  }

  /** What is given is what the log says, below what is committed. */
  #checkFetch(response: OffsetFetchResponse, committed: number): void {
    const { model, violate, saw } = this.#world
    if (committed > this.log.highWatermark) violate(`offsets are read at ${committed}, above the watermark, ${this.log.highWatermark}`)
    for (const { groupId, topics, errorCode } of response.groups) {
      if (errorCode !== 0) continue
      for (const { name, partitions } of topics) {
        const topic = this.#image.topic(name)
        for (const partition of partitions) {
          if (partition.errorCode !== 0) continue
          const found = model.committed(groupId, name, partition.partitionIndex, committed)
          const isOther = found?.offset !== undefined && (topic === undefined || found.topicKey !== formatTopicId(topic.topicId))
          if (isOther) saw('an offset of a deleted topic was not given')
          const expected = isOther ? -1 : (found?.offset ?? -1)
          if (partition.committedOffset === expected) continue
          violate(
            `of ${groupId} ${name}-${partition.partitionIndex} offset ${partition.committedOffset} is given, not ${expected}, at ${committed}`,
          )
        }
      }
    }
  }

  #acknowledged(request: OffsetCommitRequest, { topics }: OffsetCommitResponse, decidedAt: number, appended: number): void {
    const isMember = request.generationIdOrMemberEpoch >= 0
    if (topics.some(({ partitions }) => partitions.some(({ errorCode }) => errorCode === 0))) {
      this.#world.model.acknowledge(decidedAt - appended, decidedAt, isMember)
    }
  }
}

/** Of a heartbeat: the epoch that the member has, and what it says it has. */
function heartbeatWords(request: unknown): (string | number)[] {
  const { memberEpoch, topicPartitions } = request as Partial<ConsumerGroupHeartbeatRequest>
  if (memberEpoch === undefined) return []
  const owned = topicPartitions?.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId[0]}:${partition}`))
  return ['at', memberEpoch, owned === undefined ? '' : `with ${owned.join(' ')}`]
}
