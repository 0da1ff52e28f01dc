// The work of `process` in one partition that is assigned: batches that are not taken to
// their end, records that are in flight, and what is settled. Pure; private to the
// consumer's thread. Assigned anew, a partition begins with a new one.
//
//   batches  │ taken │ taken, next ▸ … │ not begun │          in flight: waiting behind its key,
//              └── records ──▸ work ──▸ settled offsets        ready, running, backing off, or dead
//
// Holds: a record is in flight from when it is taken until it is settled; a batch's memory
// is counted until it was taken to its end and no record in flight lies in it.

import { SettledOffsets } from './settled-offsets.ts'

/** A record as its order and its settling see it. */
export interface WorkRecord {
  readonly offset: number
}

/** Records of one partition, in order. */
export interface WorkBatch<R extends WorkRecord> {
  readonly firstOffset: number
  /** One past the last: offsets below that no record of it has hold none. */
  readonly nextOffset: number
  /** Of the memory that its records keep. */
  readonly sizeInBytes: number
  /** The next record; undefined behind the last. */
  take(): R | undefined
}

interface OpenBatch<R extends WorkRecord> {
  readonly batch: WorkBatch<R>
  /** In flight, and in its memory. */
  records: number
  isTaken: boolean
}

export type WorkState = 'waiting' | 'ready' | 'running' | 'backing off' | 'dead' | 'settled'

/** One record on its way to being settled. */
export class Work<R extends WorkRecord> {
  record: R
  readonly offset: number
  readonly partition: PartitionWork<R>
  /** What orders it: its key, as text; null: nothing does. */
  readonly key: string | null
  /** From 1. */
  attempt = 1
  state: WorkState = 'ready'
  /** The next record with its key, which waits for it. */
  follower: Work<R> | undefined = undefined
  /** Undefined: it has memory of its own. */
  batch: OpenBatch<R> | undefined
  /** Of memory of its own. */
  ownBytes = 0
  #controller: AbortController | undefined = undefined

  constructor(record: R, partition: PartitionWork<R>, key: string | null, batch: OpenBatch<R>) {
    this.record = record
    this.offset = record.offset
    this.partition = partition
    this.key = key
    this.batch = batch
  }

  /** Fires when the partition goes to another consumer, or on close. Made when it is asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      const { dropped, signalled } = this.partition
      if (dropped !== undefined) this.#controller.abort(dropped)
      else signalled.add(this)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason)
  }

  /** Nobody waits for its signal any more. */
  rest(): void {
    if (this.#controller !== undefined) this.partition.signalled.delete(this)
  }
}

export class PartitionWork<R extends WorkRecord> {
  readonly partition: number
  readonly settled: SettledOffsets
  /** By key, the last record in flight that has it: the next one will wait for that. */
  readonly lanes = new Map<string, Work<R>>()
  /** Works whose signal somebody has. */
  readonly signalled = new Set<Work<R>>()
  /** Records in flight. */
  inFlight = 0
  /** Of batches that are not done with, and of records that have memory of their own. */
  bytes = 0
  /** In the queue's list of those to take from, or of those that hold enough. */
  list: 'available' | 'parked' | undefined = undefined
  /** Under order by partition: a record of it is in flight. */
  isBusy = false
  /** Why it is not this consumer's any more. */
  dropped: Error | undefined = undefined
  /** One past the last offset of the batches so far. */
  endOffset: number
  #open: OpenBatch<R>[] = []

  constructor(partition: number, position: number) {
    this.partition = partition
    this.settled = new SettledOffsets(position)
    this.endOffset = position
  }

  /** Whether a batch is not taken to its end, as far as is known. */
  get hasBatch(): boolean {
    return this.#open.length > 0
  }

  addBatch(batch: WorkBatch<R>): void {
    this.#open.push({ batch, records: 0, isTaken: false })
    this.bytes += batch.sizeInBytes
    this.endOffset = batch.nextOffset
  }

  /** The next record, in flight from now on; undefined when all batches are taken to their ends. */
  take(keyOf: ((record: R) => string | null) | undefined): Work<R> | undefined {
    for (;;) {
      const open = this.#open[0]
      if (open === undefined) return undefined
      const record = open.batch.take()
      if (record !== undefined) {
        this.settled.handedOut(record.offset, record.offset + 1)
        this.inFlight++
        open.records++
        return new Work(record, this, keyOf === undefined ? null : keyOf(record), open)
      }
      this.settled.handedOut(open.batch.nextOffset, open.batch.nextOffset)
      open.isTaken = true
      this.#open.shift()
      this.#letGo(open)
    }
  }

  /** The work's record is in this much memory of its own from now on, and not in its batch's. */
  detach(work: Work<R>, record: R, bytes: number): void {
    const { batch } = work
    if (batch === undefined) return
    work.record = record
    work.batch = undefined
    work.ownBytes = bytes
    this.bytes += bytes
    batch.records--
    this.#letGo(batch)
  }

  settle(work: Work<R>): void {
    this.settled.settle(work.offset)
    this.inFlight--
    this.bytes -= work.ownBytes
    if (work.batch === undefined) return
    work.batch.records--
    this.#letGo(work.batch)
  }

  drop(reason: Error): void {
    this.dropped = reason
    this.#open = []
    this.lanes.clear()
    for (const work of this.signalled) work.abort(reason)
    this.signalled.clear()
  }

  #letGo(open: OpenBatch<R>): void {
    if (open.isTaken && open.records === 0) this.bytes -= open.batch.sizeInBytes
  }
}
