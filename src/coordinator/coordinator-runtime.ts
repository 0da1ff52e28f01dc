// Runs one coordinator shard on its partition's leader (Kafka: CoordinatorRuntime): appends
// what it decides, replays that, answers when it is committed.
// Pure: log and clock are given. One event at a time, on the thread of the leader.
//
//   loading ──activate──▶ active ──close──▶ closed
//
// Holds: state is what the log says, and nothing else: records that found no room were never
// decided. An answer is given when the watermark has passed what was appended before it, so
// none tells of something that could still be lost. A reply goes out once.

import { assert } from '../assert.ts'
import type { Clock, Timer } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { ErrorName } from '../errors.ts'
import type { CoordinatorStep, RequestId } from './coordinator-shard.ts'
import { HeldRequests } from './held-requests.ts'
import type { Hold } from './held-requests.ts'
import type { SnapshotRegistry } from './timeline.ts'

/** The log of the shard's partition, as its leader appends to it. */
export interface CoordinatorLog<Record> {
  /** Appends them as one batch; one past their last offset, or why there is no room for them. */
  append(records: readonly Record[]): number | ErrorName
  readonly endOffset: number
  readonly highWatermark: number
}

/** What the runtime itself asks of a shard. */
export interface TimedShard<Record> {
  replay(record: Record): void
  timerFired(timer: string, nowMs: number, wallMs: number): CoordinatorStep<Record>
}

export interface CoordinatorRuntimeOptions<Record, Shard> {
  /** In errors: `the coordinator of __consumer_offsets-7`. */
  readonly name: string
  readonly registry: SnapshotRegistry
  readonly shard: Shard
  readonly log: CoordinatorLog<Record>
  readonly clock: Clock
  /** Members of this thread were put out of their group. */
  readonly onFenced: (clientHost: string) => void
}

/** Runs a handler of the shard. `committed`: the snapshot at which what only reads is read. */
export type Handler<Record, Shard> = (
  shard: Shard,
  requestId: RequestId,
  time: { readonly nowMs: number; readonly wallMs: number },
  committed: number,
) => CoordinatorStep<Record>

interface Caller {
  readonly resolve: (response: unknown) => void
  readonly reject: (error: MillraceError) => void
}

interface UncommittedReply {
  readonly offset: number
  readonly requestId: RequestId
  readonly response: unknown
}

export class CoordinatorRuntime<Record, Shard extends TimedShard<Record>> {
  readonly #options: CoordinatorRuntimeOptions<Record, Shard>
  readonly #callers = new Map<RequestId, Caller>()
  readonly #timers = new Map<string, Timer>()
  readonly #held: HeldRequests
  #state: 'loading' | 'active' | 'closed' = 'loading'
  #nextRequestId = 0
  /** Oldest first. */
  #uncommitted: UncommittedReply[] = []
  /** The latest snapshot that is committed. */
  #committed = -1
  /** Behind what the state holds: answers tell of it, so they wait until it is committed. */
  #decided = -1

  constructor(options: CoordinatorRuntimeOptions<Record, Shard>) {
    this.#options = options
    this.#held = new HeldRequests(options.clock, (requestId, response) => this.#answer(requestId, response))
  }

  get isActive(): boolean {
    return this.#state === 'active'
  }

  /** Whether answers wait for the watermark. */
  get isWaiting(): boolean {
    return this.#uncommitted.length > 0
  }

  /** Whether `advance` has anything to look for: something was decided that is not committed. */
  get isBehind(): boolean {
    return this.#decided > this.#committed || this.#uncommitted.length > 0
  }

  /** While it is loaded. */
  replay(record: Record): void {
    assert(this.#state === 'loading', `${this.#options.name} replays a log only while it loads`)
    this.#options.shard.replay(record)
  }

  /** All that the log holds was replayed, and is committed. */
  activate(): void {
    const { log, registry } = this.#options
    assert(this.#state === 'loading' && log.highWatermark >= log.endOffset, `${this.#options.name} has loaded what is committed`)
    registry.snapshot(log.endOffset)
    this.#committed = log.endOffset
    this.#decided = log.endOffset
    this.#state = 'active'
  }

  /**
   * Rejects with NOT_COORDINATOR once it is closed, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE when the log has
   * no room: all of them retriable, with nothing done.
   */
  ask<Response>(handler: Handler<Record, Shard>, hold?: Hold<Response>): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (this.#state !== 'active')
        return reject(this.#error(this.#state === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR'))
      const requestId = this.#nextRequestId++
      this.#callers.set(requestId, { resolve: resolve as (response: unknown) => void, reject })
      if (hold !== undefined) this.#held.end(hold.key)
      this.#take(this.#handle(handler, requestId), requestId, handler, hold as Hold<unknown> | undefined)
    })
  }

  /** An event that nobody asked for: metadata, the end of a thread. */
  tell(event: (shard: Shard, time: { readonly nowMs: number; readonly wallMs: number }) => Iterable<CoordinatorStep<Record>>): void {
    if (this.#state !== 'active') return
    for (const step of event(this.#options.shard, this.#time())) this.#take(step)
  }

  /** The watermark may have moved: gives the answers that waited for it. */
  advance(): void {
    if (this.#state !== 'active') return
    const { log, registry } = this.#options
    const { highWatermark } = log
    // What was appended has a snapshot at its end, and the watermark may stand between two of them.
    const committed = registry.latestAtOrBelow(highWatermark)
    if (committed > this.#committed) {
      this.#committed = committed
      registry.deleteBelow(committed)
    }
    let given = 0
    while (given < this.#uncommitted.length && this.#uncommitted[given]!.offset <= highWatermark) given++
    if (given === 0) return
    for (const { requestId, response } of this.#uncommitted.splice(0, given)) this.#answer(requestId, response)
  }

  /**
   * What is not committed never will be: it is taken back, and who waits for it is told. What is committed is still answered;
   * whether more can be decided, the log says.
   */
  fail(): void {
    if (this.#state !== 'active' || this.#uncommitted.length === 0) return
    this.#options.registry.revertTo(this.#committed)
    this.#decided = this.#committed
    for (const { requestId } of this.#uncommitted.splice(0)) {
      this.#callers.get(requestId)?.reject(this.#error('KAFKA_STORAGE_ERROR'))
      this.#callers.delete(requestId)
    }
  }

  /** Another leads the partition, or nobody: who waits is to ask there. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#held.close()
    this.#uncommitted = []
    for (const { reject } of this.#callers.values()) reject(this.#error('NOT_COORDINATOR'))
    this.#callers.clear()
  }

  #handle(handler: Handler<Record, Shard>, requestId: RequestId): CoordinatorStep<Record> {
    return handler(this.#options.shard, requestId, this.#time(), this.#committed)
  }

  #take(step: CoordinatorStep<Record>, requestId?: RequestId, handler?: Handler<Record, Shard>, hold?: Hold<unknown>): void {
    const { records = [], replies = [], timers = [], news = [], fenced = [] } = step
    if (records.length > 0) {
      const appended = this.#append(records)
      if (typeof appended !== 'number') return this.#refuse(step, appended, requestId)
    }
    step.applied?.()
    // Before anybody else hears of it.
    for (const host of fenced) this.#options.onFenced(host)
    for (const { timer, atMs } of timers) this.#setTimer(timer, atMs)
    const { highWatermark } = this.#options.log
    for (const reply of replies) {
      const isHeld =
        reply.requestId === requestId && records.length === 0 && hold !== undefined && hold.holdMs > 0 && hold.isNothingNew(reply.response)
      if (isHeld) this.#held.hold(hold, reply.requestId, reply.response, () => this.#again(handler!, reply.requestId))
      else if (this.#decided <= highWatermark) this.#answer(reply.requestId, reply.response)
      else this.#uncommitted.push({ offset: this.#decided, requestId: reply.requestId, response: reply.response })
    }
    for (const key of news) this.#held.lookAgain(key)
  }

  /** There may be news for one that was held back. */
  #again(handler: Handler<Record, Shard>, requestId: RequestId): void {
    if (this.#callers.has(requestId)) this.#take(this.#handle(handler, requestId), requestId)
  }

  #append(records: readonly Record[]): number | ErrorName {
    const { log, shard, registry } = this.#options
    const appended = log.append(records)
    if (typeof appended !== 'number') return appended
    for (const record of records) shard.replay(record)
    registry.snapshot(appended)
    this.#decided = appended
    return appended
  }

  #refuse(step: CoordinatorStep<Record>, error: ErrorName, requestId: RequestId | undefined): void {
    const then = step.failed?.(error)
    // The shard may say it to who has asked in the words of its response.
    const isSaid = then?.replies?.some((reply) => reply.requestId === requestId) === true
    const caller = isSaid || requestId === undefined ? undefined : this.#callers.get(requestId)
    if (caller !== undefined) {
      this.#callers.delete(requestId!)
      caller.reject(this.#error(error))
    }
    if (then !== undefined) this.#take(then)
  }

  #answer(requestId: RequestId, response: unknown): void {
    // One that was refused, or whose thread is gone, is not there any more.
    const caller = this.#callers.get(requestId)
    this.#callers.delete(requestId)
    caller?.resolve(response)
  }

  #setTimer(name: string, atMs: number | undefined): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
    if (atMs === undefined) return
    const { clock, shard } = this.#options
    const timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => {
      this.#timers.delete(name)
      const { nowMs, wallMs } = this.#time()
      this.#take(shard.timerFired(name, nowMs, wallMs))
    })
    this.#timers.set(name, timer)
  }

  #time(): { nowMs: number; wallMs: number } {
    const { clock } = this.#options
    return { nowMs: Math.floor(clock.monotonicMs()), wallMs: clock.nowMs() }
  }

  #error(code: ErrorName): MillraceError {
    const { name } = this.#options
    return new MillraceError(code, `${name} ${WHY[code] ?? 'found no room in its log: ask again, or raise logMemoryBytes'}`)
  }
}

const WHY: Partial<Record<ErrorName, string>> = {
  COORDINATOR_LOAD_IN_PROGRESS: 'is still reading its log',
  NOT_COORDINATOR: 'is not here any more: ask the leader of its partition',
  KAFKA_STORAGE_ERROR: 'could not write its log: the files of its partition have failed',
  RECORD_LIST_TOO_LARGE: "would have written a batch larger than its topic's max.message.bytes: ask for less at a time",
}
