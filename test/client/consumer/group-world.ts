// Consumers of groups on one thread, over logs that the test drives by hand: the coordinator is
// the real one, its log is a list, and time is virtual. A heartbeat may be held back, until there
// is news for its member.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import type { Timer } from '../../../src/clock.ts'
import type { CoordinatorStep } from '../../../src/coordinator/coordinator-shard.ts'
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts'
import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../../../src/coordinator/group/group-requests.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { memberKey } from '../../../src/coordinator/group/member-names.ts'
import { SnapshotRegistry } from '../../../src/coordinator/timeline.ts'
import type { GroupCallOptions, GroupCalls } from '../../../src/engine/group-calls.ts'
import { MillraceError } from '../../../src/errors.ts'
import { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import { MetadataImage } from '../../../src/metadata/metadata-image.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { DEFAULT_CONFIG, compileForTests, threadContext, throughBytes } from '../../coordinator/group/coordinator-fixture.ts'
import { HandDrivenLog } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

const THREAD = 1

interface Call {
  readonly api: GroupApi
  readonly request: unknown
  readonly holdMs: number
  readonly answer: (response: unknown) => void
  readonly fail: (error: Error) => void
}

export class GroupWorld implements Pick<GroupCalls, 'ask' | 'fenceCount' | 'fenceWord'> {
  readonly logs: HandDrivenLog
  readonly log: GroupRecord[] = []
  /** What was asked, as `api member epoch`. */
  readonly asked: string[] = []
  /** Sees each request before the coordinator does; what it gives is the answer. */
  intercept: (api: GroupApi, request: unknown) => unknown = () => undefined
  /** Whether the answer to what was done just now goes astray. */
  isLost: (api: GroupApi) => boolean = () => false
  readonly #registry = new SnapshotRegistry()
  readonly #shard: GroupCoordinator
  readonly #held = new Map<string, { readonly call: Call; readonly timer: Timer }>()
  readonly #timers = new Map<string, Timer>()
  readonly fenceWord = { words: new Int32Array(1), at: 0 }
  #told = MetadataImage.EMPTY
  #requests = 0

  constructor(random: Random = seededRandom(1)) {
    this.logs = new HandDrivenLog({ groups: this, random })
    this.#shard = new GroupCoordinator({
      registry: this.#registry,
      config: DEFAULT_CONFIG,
      image: () => this.logs.image,
      random,
      partition: 0,
      compilePattern: compileForTests,
    })
    this.#registry.snapshot(0)
  }

  consumer(options: ConsumerOptions = {}): Consumer {
    return this.logs.consumer({ groupId: 'g', ...options })
  }

  fenceCount(): number {
    return this.fenceWord.words[0]!
  }

  /** Heartbeats that are held back now. */
  get held(): number {
    return this.#held.size
  }

  async ask<Api extends GroupApi>(
    api: Api,
    _groupId: string,
    request: GroupRequestOf<Api>,
    { signal, holdMs = 0 }: GroupCallOptions = {},
  ): Promise<GroupResponseOf<Api>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    promise.catch(() => undefined)
    const onAbort = (): void => reject(new MillraceError('ABORTED', 'the call was aborted'))
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    // It is on its way to another thread.
    await nextTurn()
    this.asked.push(lineOf(api, request))
    const given = this.intercept(api, request)
    if (given === undefined) this.#take({ api, request, holdMs, answer: resolve, fail: reject })
    else resolve(given)
    try {
      const response = await promise
      await nextTurn()
      if (this.isLost(api)) throw new MillraceError('REQUEST_TIMED_OUT', 'its answer did not arrive')
      return response as GroupResponseOf<Api>
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** What the group has committed of the topic, by partition. */
  committed(topic: TextTopic, groupId = 'g'): (number | undefined)[] {
    const offsets: (number | undefined)[] = Array.from({ length: topic.partitions })
    for (const record of this.log) {
      if (record.type !== 'OffsetCommit' || record.key.group !== groupId || record.key.topic !== topic.name) continue
      offsets[record.key.partition] = record.value === null ? undefined : Number(record.value.offset)
    }
    return offsets
  }

  /** The thread stands still, and its sessions end, as the coordinator sees it. */
  fence(memberId: string, groupId = 'g'): void {
    const timer = `session/${memberKey(groupId, memberId)}`
    this.#step(this.#shard.timerFired(timer, this.logs.clock.monotonicMs() + 10_000_000, this.logs.clock.nowMs() + 10_000_000))
  }

  /** Topics were made or deleted: consumers and the coordinator hear of it. */
  tell(): void {
    const { image, clock } = this.logs
    const delta = MetadataDelta.between(this.#told, image)
    this.#told = image
    for (const step of this.#shard.metadataChanged(delta, clock.monotonicMs())) this.#step(step)
    this.logs.tell(delta)
  }

  /** Timers that are not the coordinator's. */
  get clientTimers(): number {
    return this.logs.clock.pending - this.#timers.size - this.#held.size
  }

  memberIds(groupId = 'g'): string[] {
    const requestId = ++this.#requests
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const step = this.#shard.request('consumerGroupDescribe', requestId, request, threadContext(THREAD), 0, 0, this.#registry.latestEpoch)
    const response = step.replies![0]!.response as GroupResponseOf<'consumerGroupDescribe'>
    return response.groups[0]!.members.map(({ memberId }) => memberId)
  }

  #take(call: Call): void {
    const { clock } = this.logs
    const key = call.api === 'consumerGroupHeartbeat' ? keyOf(call.request as ConsumerGroupHeartbeatRequest) : undefined
    if (key !== undefined) this.#letGo(key)
    const requestId = ++this.#requests
    const context = threadContext(THREAD)
    const committed = this.#registry.latestEpoch
    const step = this.#shard.request(call.api, requestId, call.request as never, context, clock.monotonicMs(), clock.nowMs(), committed)
    const reply = step.replies?.find((each) => each.requestId === requestId)?.response
    const isHeld = key !== undefined && call.holdMs > 0 && (step.records ?? []).length === 0 && saysNothing(reply)
    if (isHeld) {
      const timer = clock.setTimer(call.holdMs, () => {
        this.#held.delete(key)
        call.answer(reply)
      })
      this.#held.set(key, { call, timer })
    }
    this.#step(step)
    if (!isHeld) call.answer(reply)
  }

  #step(step: CoordinatorStep<GroupRecord>): void {
    const { clock } = this.logs
    const { records = [], timers = [], news = [], fenced = [] } = step
    this.fenceWord.words[0]! += fenced.length
    for (const record of records) {
      const read = throughBytes(record)
      this.log.push(read)
      this.#shard.replay(read)
    }
    if (records.length > 0) {
      this.#registry.snapshot(this.log.length)
      this.#registry.deleteBelow(this.log.length)
    }
    step.applied?.()
    for (const { timer: name, atMs } of timers) {
      this.#timers.get(name)?.cancel()
      this.#timers.delete(name)
      if (atMs === undefined) continue
      const fire = (): void => {
        this.#timers.delete(name)
        this.#step(this.#shard.timerFired(name, clock.monotonicMs(), clock.nowMs()))
      }
      this.#timers.set(name, clock.setTimer(atMs - clock.monotonicMs(), fire))
    }
    for (const key of news) {
      const held = this.#held.get(key)
      if (held === undefined) continue
      held.timer.cancel()
      this.#held.delete(key)
      this.#take({ ...held.call, holdMs: 0 })
    }
  }

  /** A later request ends the hold of the one before. */
  #letGo(key: string): void {
    const held = this.#held.get(key)
    if (held === undefined) return
    held.timer.cancel()
    this.#held.delete(key)
    held.call.fail(new MillraceError('ABORTED', 'a later heartbeat has come'))
  }
}

function keyOf({ groupId, memberId }: ConsumerGroupHeartbeatRequest): string {
  return memberKey(groupId, memberId)
}

function saysNothing(reply: unknown): boolean {
  const { errorCode, assignment } = reply as ConsumerGroupHeartbeatResponse
  return errorCode === 0 && assignment === null
}

function lineOf(api: GroupApi, request: unknown): string {
  const { memberEpoch, generationIdOrMemberEpoch } = request as { memberEpoch?: number; generationIdOrMemberEpoch?: number }
  return `${api} ${memberEpoch ?? generationIdOrMemberEpoch ?? ''}`.trim()
}

/** Lets everything that is under way go on until nothing is, without time. */
export async function settled(turns = 60): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn()
}
