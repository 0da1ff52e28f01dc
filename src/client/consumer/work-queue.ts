// What `process` runs when: a handler's records, some at a time, in the order that is asked
// for, with retries. Pure: time is a number, chance is injected, and the shell runs what
// `next` gives. Private to the consumer's thread.
//
//   waiting ──▶ ready ──▶ running ──▶ settled
//   behind its    ▲          │ failed ──▶ dead (given up: the shell makes a dead letter of it) ──▶ settled
//   key           └─ backing off
//
// Holds: never more than `concurrency` run, nor are more than `maxInFlight` in flight. Of
// one key (order by key) or one partition (order by partition) one record is in flight
// behind the other: a record that backs off holds up those, and nobody else. Partitions
// that are held up leave the others room: half of `maxInFlight` is shared out among all, and
// only the other half is for whoever comes.

import { assert } from '../../assert.ts'
import { DueHeap } from '../../log/due-heap.ts'
import type { Random } from '../../random.ts'
import { Fifo } from './fifo.ts'
import { PartitionWork } from './partition-work.ts'
import type { Work, WorkBatch, WorkRecord } from './partition-work.ts'
import { retryBackoffMs } from './retry-backoff.ts'
import type { RetryPolicy } from './retry-backoff.ts'

/** What is kept in order: all of a partition, the records of one key in it, or nothing. */
export type ProcessOrder = 'partition' | 'key' | 'none'

export interface WorkQueueOptions<R extends WorkRecord> {
  readonly concurrency: number
  readonly order: ProcessOrder
  /** Records. */
  readonly maxInFlight: number
  /** Of batches that records in flight lie in. */
  readonly maxInFlightBytes: number
  readonly retry: RetryPolicy
  /** Of the topic. */
  readonly partitions: number
  readonly random: Random
  /** What orders a record; null: nothing does. */
  readonly keyOf: (record: R) => string | null
  /** The record in memory of its own, and how much that is. */
  detach(record: R): { readonly record: R; readonly bytes: number }
  /** Everything below the position is settled. */
  onSettled(partition: number, position: number): void
  /** All of a partition's batches are taken to their ends. */
  onTaken(partition: number): void
}

/** What becomes of a record whose handler failed; 'dropped': it is not this consumer's to settle any more. */
export type Failure = { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'dead' } | { readonly kind: 'dropped' }

/** Up to where partitions have to be settled. */
export type SettledMark<R extends WorkRecord> = readonly (readonly [PartitionWork<R>, number])[]

export class WorkQueue<R extends WorkRecord> {
  readonly #options: WorkQueueOptions<R>
  readonly #keyOf: ((record: R) => string | null) | undefined
  readonly #partitions = new Map<number, PartitionWork<R>>()
  /** Those to take records from, turn about. */
  readonly #available = new Fifo<PartitionWork<R>>()
  /** Those that hold enough. */
  readonly #parked = new Set<PartitionWork<R>>()
  readonly #ready = new Fifo<Work<R>>()
  readonly #backoffs = new DueHeap()
  readonly #backingOff = new Map<number, Work<R>>()
  /** Records in flight beyond the shares, of all together, at the most. */
  readonly #free: number
  /** Records that each partition may have in flight, whatever the others have. */
  readonly #share: number
  /** In flight beyond the shares. */
  #beyond = 0
  #nextBackoff = 0
  #running = 0
  #inFlight = 0
  #bytes = 0
  #stopped = false
  /** Nothing is started. */
  isPaused = false

  constructor(options: WorkQueueOptions<R>) {
    this.#options = options
    this.#keyOf = options.order === 'key' ? options.keyOf : undefined
    this.#share = Math.max(1, Math.floor(options.maxInFlight / 2 / options.partitions))
    this.#free = Math.max(0, options.maxInFlight - this.#share * options.partitions)
  }

  get running(): number {
    return this.#running
  }

  /** Records taken and not settled. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Bytes of memory that is kept for records in flight, or not taken yet. */
  get bytes(): number {
    return this.#bytes
  }

  /** When the first retry is due, on the clock of `fail`; Infinity: none waits. */
  get dueMs(): number {
    return this.#backoffs.dueMs
  }

  /** Partitions with batches that are not taken to their ends: more of them is not wanted yet. */
  *openPartitions(): Iterable<number> {
    for (const [partition, work] of this.#partitions) if (work.hasBatch) yield partition
  }

  /** Whether another batch is wanted, when `next` had nothing to give. */
  get wantsBatch(): boolean {
    if (this.#stopped || this.isPaused || this.#running >= this.#options.concurrency) return false
    return this.#inFlight < this.#options.maxInFlight && this.#bytes < this.#options.maxInFlightBytes
  }

  /** A batch behind the one before; one from further back begins the partition anew, as after a seek. */
  addBatch(partition: number, batch: WorkBatch<R>, rewound: () => Error): void {
    if (this.#stopped) return
    let work = this.#partitions.get(partition)
    if (work !== undefined && batch.firstOffset < work.endOffset) {
      this.drop(partition, rewound())
      work = undefined
    }
    if (work === undefined) {
      work = new PartitionWork(partition, batch.firstOffset)
      this.#partitions.set(partition, work)
    }
    work.addBatch(batch)
    this.#bytes += batch.sizeInBytes
    if (work.list === undefined && !work.isBusy) this.#offer(work)
  }

  /** The next record to run the handler with, which counts as running now; undefined: none may, or none is there. */
  next(): Work<R> | undefined {
    const { concurrency, order } = this.#options
    if (this.#running >= concurrency || this.#stopped || this.isPaused) return undefined
    for (;;) {
      const ready = this.#ready.shift()
      if (ready !== undefined) {
        if (ready.partition.dropped !== undefined) continue
        return this.#start(ready)
      }
      const partition = this.#nextPartition()
      if (partition === undefined) return undefined
      const work = this.#take(partition)
      if (work === undefined) continue
      if (order === 'partition') partition.isBusy = true
      else this.#offer(partition)
      if (!this.#isBehindItsKey(work)) return this.#start(work)
    }
  }

  /** The record is done with: its handler has succeeded, or its dead letter is written. */
  settle(work: Work<R>): void {
    if (work.state === 'running') this.#running--
    assert(work.state === 'running' || work.state === 'dead', 'a record is settled once')
    work.state = 'settled'
    work.rest()
    const { partition, follower } = work
    if (partition.dropped !== undefined) return
    const [position, bytes] = [partition.settled.position, partition.bytes]
    if (partition.inFlight > this.#share) this.#beyond--
    partition.settle(work)
    this.#inFlight--
    this.#bytes += partition.bytes - bytes
    if (work.key !== null) {
      if (follower === undefined) partition.lanes.delete(work.key)
      else this.#makeReady(follower)
    }
    partition.isBusy = false
    if (partition.list === 'parked') {
      if (partition.inFlight < this.#share) this.#unpark(partition)
    } else if (partition.list === undefined && partition.hasBatch) {
      this.#offer(partition)
    }
    this.#report(partition, position)
  }

  /** The handler has failed. Dead ones stay in flight until they are settled. */
  fail(work: Work<R>, mayRetry: boolean, nowMs: number): Failure {
    assert(work.state === 'running', 'only what runs can fail')
    this.#running--
    const { retry, random } = this.#options
    if (work.partition.dropped !== undefined) return { kind: 'dropped' }
    if (!mayRetry || work.attempt >= retry.attempts) {
      work.state = 'dead'
      return { kind: 'dead' }
    }
    if (this.#stopped) return { kind: 'dropped' }
    const delayMs = retryBackoffMs(retry, work.attempt, random)
    work.attempt++
    work.state = 'backing off'
    // However long it takes, what waits keeps no batch.
    for (let each: Work<R> | undefined = work; each !== undefined; each = each.follower) this.#detach(each)
    const backoff = this.#nextBackoff++
    this.#backingOff.set(backoff, work)
    this.#backoffs.schedule(backoff, nowMs + delayMs)
    return { kind: 'retry', delayMs }
  }

  /** Retries that are due by now are ready. */
  fire(nowMs: number): void {
    while (this.#backoffs.dueMs <= nowMs) {
      const { first } = this.#backoffs
      this.#backoffs.remove(first)
      this.#makeReady(this.#backingOff.get(first)!)
      this.#backingOff.delete(first)
    }
  }

  /** The partition is not this consumer's any more: what waits is forgotten, signals of what runs fire. */
  drop(partition: number, reason: Error): void {
    const work = this.#partitions.get(partition)
    if (work === undefined) return
    this.#partitions.delete(partition)
    this.#parked.delete(work)
    this.#inFlight -= work.inFlight
    this.#beyond -= Math.max(0, work.inFlight - this.#share)
    this.#bytes -= work.bytes
    this.#forgetBackoffs((each) => each.partition === work)
    work.drop(reason)
  }

  /** Nothing is started any more, what runs may end and be settled. */
  stop(): void {
    this.#stopped = true
    this.#forgetBackoffs(() => true)
  }

  /** Signals of all that runs fire, and nothing is settled any more. */
  abort(reason: Error): void {
    this.stop()
    for (const partition of [...this.#partitions.keys()]) this.drop(partition, reason)
  }

  /** Up to where the batches so far go. */
  mark(): SettledMark<R> {
    return [...this.#partitions.values()].map((partition) => [partition, partition.endOffset] as const)
  }

  /** Whether all is settled up to there, or not this consumer's any more. */
  isSettled(mark: SettledMark<R>): boolean {
    return mark.every(([{ dropped, settled }, endOffset]) => dropped !== undefined || settled.position >= endOffset)
  }

  /** One of those to take from, as far as what is in flight allows. */
  #nextPartition(): PartitionWork<R> | undefined {
    if (this.#inFlight >= this.#options.maxInFlight) return undefined
    const isRoomBeyond = this.#beyond < this.#free
    if (isRoomBeyond) {
      for (const partition of this.#parked) {
        this.#unpark(partition)
        break
      }
    }
    for (;;) {
      const partition = this.#available.shift()
      if (partition === undefined) return undefined
      if (partition.dropped !== undefined) continue
      if (isRoomBeyond || partition.inFlight < this.#share) return partition
      partition.list = 'parked'
      this.#parked.add(partition)
    }
  }

  #unpark(partition: PartitionWork<R>): void {
    this.#parked.delete(partition)
    this.#offer(partition)
  }

  #offer(partition: PartitionWork<R>): void {
    partition.list = 'available'
    this.#available.push(partition)
  }

  #take(partition: PartitionWork<R>): Work<R> | undefined {
    partition.list = undefined
    const [position, bytes] = [partition.settled.position, partition.bytes]
    const work = partition.take(this.#keyOf)
    this.#bytes += partition.bytes - bytes
    if (work !== undefined) {
      this.#inFlight++
      if (partition.inFlight > this.#share) this.#beyond++
      return work
    }
    // Offsets without a record behind the last one.
    this.#report(partition, position)
    this.#options.onTaken(partition.partition)
    return undefined
  }

  #isBehindItsKey(work: Work<R>): boolean {
    if (work.key === null) return false
    const { lanes } = work.partition
    const before = lanes.get(work.key)
    lanes.set(work.key, work)
    if (before === undefined) return false
    before.follower = work
    work.state = 'waiting'
    // Behind one that has memory of its own, nobody keeps a batch.
    if (before.batch === undefined) this.#detach(work)
    return true
  }

  #start(work: Work<R>): Work<R> {
    work.state = 'running'
    this.#running++
    return work
  }

  #makeReady(work: Work<R>): void {
    work.state = 'ready'
    this.#ready.push(work)
  }

  #detach(work: Work<R>): void {
    if (work.batch === undefined) return
    const { partition } = work
    const before = partition.bytes
    const { record, bytes } = this.#options.detach(work.record)
    partition.detach(work, record, bytes)
    this.#bytes += partition.bytes - before
  }

  #forgetBackoffs(isForgotten: (work: Work<R>) => boolean): void {
    for (const [backoff, work] of this.#backingOff) {
      if (!isForgotten(work)) continue
      this.#backoffs.remove(backoff)
      this.#backingOff.delete(backoff)
    }
  }

  #report({ partition, settled }: PartitionWork<R>, before: number): void {
    if (settled.position !== before) this.#options.onSettled(partition, settled.position)
  }
}
