// One compaction of one log, a piece at a time (Kafka: Cleaner.doClean). Runs on the thread
// of the broker that leads the log, between its appends, readers and trims.
//
//   note    walk all headers: the last batch of each producer
//   map     walk the dirty part: key ─▶ last offset, until the map is full
//   rewrite walk the extents from the oldest on; what is left of a run of them goes into new
//           extents, which take their place by one store; the old ones are given back
//
// Between two pieces the log may have been appended to, which does no harm, and trimmed from
// its front: if the run was hit, what was written of it is given back, and the rewriting goes
// on with what is now the oldest. An extent in which nothing changes is left as it is.
//
// Holds: at most one run is there twice, and a run ends where 1 MiB was written or the extent
// that passed it ends, so the memory it needs is bounded; where there is none it waits, and
// holds up nobody. Readers find the old run or the new one, whole, and each tells the same.
// Aborted transactions are not told from others: there are none yet.

import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import { corruptBatch } from '../record/batch-errors.ts'
import { MAX_TIMESTAMP, PRODUCER_ID } from '../record/record-batch-layout.ts'
import { compressionType, isControlBatch } from '../record/record-batch.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import { batchSizeWithin, extentStart, looseInt64, looseLastOffset } from './batch-walk.ts'
import type { CleanableRange } from './cleanable-range.ts'
import { DecompressedBatch } from './decompressed-batch.ts'
import type { ExtentAllocator } from './extent-allocator.ts'
import { ExtentWriter } from './extent-writer.ts'
import type { LogMemory } from './log-memory.ts'
import type { MemoryLog } from './memory-log.ts'
import { OffsetMap } from './offset-map.ts'
import { BATCH_CHANGED, BATCH_KEPT, RecordFilter } from './record-filter.ts'

const DEDUPE_BUFFER_BYTES = 24 * 1024 * 1024
/** So many producers are told apart; of others, every last batch that is left empty stays. */
const PRODUCERS_MAX = 65_536
/** Kafka's producer.id.expiration.ms: the sequence of a producer that sent nothing for so long is forgotten. */
const PRODUCER_EXPIRES_MS = 86_400_000
const BATCHES_A_LOOK = 32
const RECORDS_A_LOOK = 256

/** It can go on at once. */
export const COMPACTION_WORKING = 0
/** It waits for log memory. */
export const COMPACTION_WAITING = 1
export const COMPACTION_DONE = 2

export type CompactionState = typeof COMPACTION_WORKING | typeof COMPACTION_WAITING | typeof COMPACTION_DONE
type Pause = typeof COMPACTION_WORKING | typeof COMPACTION_WAITING

export interface CompactionOptions {
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
  readonly clock: Clock
  /** Kafka's log.cleaner.dedupe.buffer.size, 24 MiB unless said; more keys than fit take another compaction. */
  readonly dedupeBufferBytes?: number
}

export class LogCompaction {
  readonly log: MemoryLog
  readonly #memory: LogMemory
  readonly #clock: Clock
  readonly #range: CleanableRange
  readonly #nowMs: number
  readonly #map: OffsetMap
  readonly #writer: ExtentWriter
  readonly #producers = new Map<number, number>()
  readonly #pieces: Generator<Pause, void, undefined>
  #mappedEnd: number
  #untilMs = 0
  // The extent that is worked on, and the oldest of the run that it is of.
  #granule = -1
  #generation = 0
  #runFirst = -1
  #runGeneration = 0

  constructor(log: MemoryLog, range: CleanableRange, options: CompactionOptions) {
    this.log = log
    this.#memory = options.memory
    this.#clock = options.clock
    this.#range = range
    this.#nowMs = Math.floor(options.clock.nowMs())
    this.#map = new OffsetMap(options.memory.arena, range.to - range.from, options.dedupeBufferBytes ?? DEDUPE_BUFFER_BYTES)
    this.#writer = new ExtentWriter(options.memory, options.allocator, log.slot)
    this.#mappedEnd = range.from
    this.#pieces = this.#compact()
  }

  /** Works until that instant of the monotonic clock. Throws CORRUPT_MESSAGE. */
  step(untilMs: number): CompactionState {
    this.#untilMs = untilMs
    const { done, value } = this.#pieces.next()
    return done === true ? COMPACTION_DONE : value
  }

  /** Gives back what is in no chain yet; what is done already stays done. */
  abandon(): void {
    this.#pieces.return()
    this.#writer.discard()
  }

  *#compact(): Generator<Pause, void, undefined> {
    yield* this.#noteProducers()
    yield* this.#mapKeys()
    yield* this.#rewrite()
    this.log.setCleanedOffset(this.#mappedEnd)
  }

  // --- looking through the log ------------------------------------------------------

  *#noteProducers(): Generator<Pause, void, undefined> {
    const { arena } = this.#memory
    // What is not committed may yet be cut off: it does not stand for what was before it.
    const { lastStableOffset } = this.log
    this.#enter(this.log.chain.first)
    while (this.#granule >= 0) {
      const end = this.#endOfExtent()
      let left = BATCHES_A_LOOK
      for (let at = extentStart(this.#granule); at < end; at += this.#sizeAt(at, end)) {
        const producerId = looseInt64(arena, at + PRODUCER_ID)
        if (looseInt64(arena, at) >= lastStableOffset) break
        if (producerId >= 0 && (this.#producers.size < PRODUCERS_MAX || this.#producers.has(producerId))) {
          this.#producers.set(producerId, looseLastOffset(arena, at))
        }
        if (--left > 0) continue
        left = BATCHES_A_LOOK
        if (this.#isSpent) yield COMPACTION_WORKING
        if (!this.#isThere) break
      }
      this.#enterNext()
    }
  }

  *#mapKeys(): Generator<Pause, void, undefined> {
    const { arena, extents } = this.#memory
    const { to } = this.#range
    const cursor = new RecordCursor()
    const image = new DecompressedBatch()
    this.#enter(this.log.chain.first)
    while (this.#granule >= 0 && extents.baseOffset(this.#granule) < to) {
      const next = extents.next(this.#granule)
      const isMapped = next >= 0 && extents.baseOffset(next) <= this.#mappedEnd
      const end = isMapped ? 0 : this.#endOfExtent()
      for (let at = extentStart(this.#granule); at < end && this.#isThere; at += this.#sizeAt(at, end)) {
        const lastOffset = looseLastOffset(arena, at)
        if (lastOffset < this.#mappedEnd) continue
        if (!isControlBatch(arena, at)) {
          const batchEnd = at + this.#sizeAt(at, end)
          if (compressionType(arena, at) === 0) cursor.reset(arena, at, batchEnd, this.#mappedEnd)
          else {
            image.take(arena, at, batchEnd)
            cursor.reset(image.bytes, 0, image.length, this.#mappedEnd)
          }
          for (let isOver = false; !isOver && this.#isThere; ) {
            isOver = this.#mapSome(cursor)
            if (this.#isMapFull) return
            if (this.#isSpent) yield COMPACTION_WORKING
          }
          if (!this.#isThere) break
        }
        this.#mappedEnd = lastOffset + 1
      }
      this.#enterNext()
    }
    this.#mappedEnd = to
  }

  #isMapFull = false

  /** Maps the keys of the next records; true when there are no more, or the map is full. */
  #mapSome(cursor: RecordCursor): boolean {
    for (let left = RECORDS_A_LOOK; left > 0; left--) {
      if (!cursor.next()) return true
      const { bytes, offset, keyStart, keyEnd } = cursor
      if (keyStart >= 0 && !this.#map.put(bytes, keyStart, keyEnd, offset)) {
        this.#isMapFull = true
        return true
      }
      this.#mappedEnd = offset + 1
    }
    return false
  }

  // --- rewriting ----------------------------------------------------------------------

  *#rewrite(): Generator<Pause, void, undefined> {
    const { extents } = this.#memory
    const filter = new RecordFilter(this.#memory.arena, {
      map: this.#map,
      mappedEnd: this.#mappedEnd,
      nowMs: this.#nowMs,
      deleteRetentionMs: this.log.config.deleteRetentionMs,
      isLastOfProducer: this.#isLastOfProducer,
    })
    this.#enter(this.log.chain.first)
    while (this.#granule >= 0 && extents.baseOffset(this.#granule) < this.#mappedEnd) {
      if (this.#runFirst < 0) this.#beginRun()
      const isChanged = yield* this.#rewriteExtent(filter)
      const isOver = isChanged && this.#isThere && (yield* this.#endRun())
      if (!this.#isThere) {
        this.#writer.discard()
        this.#runFirst = -1
        this.#enter(this.log.chain.first)
        continue
      }
      const next = extents.next(this.#granule)
      if (isOver) {
        const { first, last } = this.#writer.written
        // Before they are linked: they must never be given back from here on.
        this.#writer.begin(0, 0)
        assert(!this.log.isClosed && next >= 0, `the log of slot ${this.log.slot} is open, and its last extent is not compacted`)
        this.log.chain.replace(this.#runFirst, next, first, last)
      }
      if (isOver || !isChanged) this.#runFirst = -1
      this.#enter(next)
    }
  }

  /** Gathers what is left of an extent, if something is to change in it; whether that is so. */
  *#rewriteExtent(filter: RecordFilter): Generator<Pause, boolean, undefined> {
    const { arena } = this.#memory
    const start = extentStart(this.#granule)
    const end = this.#endOfExtent()
    // An extent that follows others in its run is written with them.
    let isChanged = this.#runFirst !== this.#granule
    for (let at = start; at < end; ) {
      const size = this.#sizeAt(at, end)
      filter.begin(at, size)
      while (!filter.decide()) if (this.#isSpent && !(yield* this.#pause())) return true
      const outcome = filter.outcome()
      if (outcome !== BATCH_KEPT && !isChanged) {
        isChanged = true
        if (!(yield* this.#gather(start, at))) return true
      }
      if (outcome === BATCH_CHANGED) {
        while (!filter.write()) if (this.#isSpent && !(yield* this.#pause())) return true
        while (!this.#writer.add(filter.bytes, 0, filter.length)) if (!(yield* this.#flush())) return true
      } else if (outcome === BATCH_KEPT && isChanged) {
        while (!this.#writer.add(arena, at, at + size)) if (!(yield* this.#flush())) return true
      }
      at += size
      if (this.#isSpent && !(yield* this.#pause())) return true
    }
    return isChanged
  }

  /** Gathers the batches in [start, end) of the arena as they are; false when the extent went meanwhile. */
  *#gather(start: number, end: number): Generator<Pause, boolean, undefined> {
    for (let at = start; at < end; ) {
      const size = this.#sizeAt(at, end)
      while (!this.#writer.add(this.#memory.arena, at, at + size)) if (!(yield* this.#flush())) return false
      at += size
      if (this.#isSpent && !(yield* this.#pause())) return false
    }
    return true
  }

  /** Writes what is gathered, when there is memory for it; false when the extent that is worked on went meanwhile. */
  *#flush(): Generator<Pause, boolean, undefined> {
    while (!this.#writer.flush()) {
      yield COMPACTION_WAITING
      if (!this.#isThere) return false
    }
    return true
  }

  /** Whether the run ends here, with all that is left of it written: it is worth extents of its own, or the last of all. */
  *#endRun(): Generator<Pause, boolean, undefined> {
    const { extents } = this.#memory
    const next = extents.next(this.#granule)
    const isLast = next < 0 || extents.baseOffset(next) >= this.#mappedEnd
    if (!isLast && !this.#writer.isWorthLinking && !this.#writer.isEmpty) return false
    return yield* this.#flush()
  }

  #beginRun(): void {
    const { extents } = this.#memory
    this.#runFirst = this.#granule
    this.#runGeneration = this.#generation
    this.#writer.begin(extents.baseOffset(this.#granule), extents.begunMs(this.#granule))
  }

  readonly #isLastOfProducer = (bytes: Uint8Array, start: number): boolean => {
    const producerId = looseInt64(bytes, start + PRODUCER_ID)
    if (producerId < 0 || looseInt64(bytes, start + MAX_TIMESTAMP) < this.#nowMs - PRODUCER_EXPIRES_MS) return false
    const lastOffset = this.#producers.get(producerId)
    return lastOffset === undefined || lastOffset === looseLastOffset(bytes, start)
  }

  // --- standing in the chain ----------------------------------------------------------

  #enter(granule: number): void {
    this.#granule = granule
    this.#generation = granule < 0 ? 0 : this.#memory.extents.generation(granule)
  }

  /** Goes on behind the extent, or with the oldest where it is there no longer. */
  #enterNext(): void {
    this.#enter(this.#isThere ? this.#memory.extents.next(this.#granule) : this.log.chain.first)
  }

  /** Whether the extent that is worked on, and the run that it is of, are still in the chain. */
  get #isThere(): boolean {
    const { extents } = this.#memory
    if (this.log.isClosed || this.#granule < 0 || extents.generation(this.#granule) !== this.#generation) return false
    return this.#runFirst < 0 || extents.generation(this.#runFirst) === this.#runGeneration
  }

  get #isSpent(): boolean {
    return this.#clock.monotonicMs() >= this.#untilMs
  }

  /** Lets the broker have its turn; false when the extent that is worked on went meanwhile. */
  *#pause(): Generator<Pause, boolean, undefined> {
    yield COMPACTION_WORKING
    return this.#isThere
  }

  #endOfExtent(): number {
    return extentStart(this.#granule) + this.#memory.extents.end(this.#granule)
  }

  #sizeAt(at: number, end: number): number {
    const size = batchSizeWithin(this.#memory.arena, at, end)
    if (size < 0) throw corruptBatch('no batch where one must be', at)
    return size
  }
}
