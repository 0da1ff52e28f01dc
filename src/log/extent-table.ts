// The rows that describe the extents of log memory; see log-memory-layout.ts.
// Any thread reads them. An ALLOCATED row is written only by the leader of its slot,
// a FREE or RETURNED one only by the owner of its block; the generation is raised
// when an extent comes to life and when it is freed, and readers add zero to it.

import {
  EXTENT_BASE_OFFSET_LONG,
  EXTENT_BEGUN_LONG,
  EXTENT_END,
  EXTENT_GENERATION,
  EXTENT_INDEX_COUNT,
  EXTENT_MAX_TIMESTAMP_LONG,
  EXTENT_NEXT,
  EXTENT_ORDER,
  EXTENT_ROW_LONGS_SHIFT,
  EXTENT_ROW_WORDS_SHIFT,
  EXTENT_SLOT,
  EXTENT_STATE,
  STATE_ALLOCATED,
  STATE_FREE,
  STATE_RETURNED,
} from './log-memory-layout.ts'
import { killPoint } from '../kill-points.ts'

export class ExtentTable {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly longs: BigInt64Array<SharedArrayBuffer>
  readonly floats: Float64Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer)
    this.longs = new BigInt64Array(buffer)
    this.floats = new Float64Array(buffer)
  }

  state(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_STATE)
  }

  order(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_ORDER)
  }

  slot(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_SLOT)
  }

  next(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_NEXT)
  }

  linkNext(granule: number, next: number): void {
    Atomics.store(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_NEXT, next)
  }

  end(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_END)
  }

  /**
   * A plain store: the seq-cst store of the log end or of the watermark that follows
   * publishes it. A reader that sees it earlier does no harm, for a reader stops at
   * the watermark, and whoever adopts the log at the log end.
   */
  setEnd(granule: number, end: number): void {
    this.words[(granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_END] = end
  }

  indexCount(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_INDEX_COUNT)
  }

  /** Seq-cst: a reader that sees the count sees the entries. */
  setIndexCount(granule: number, count: number): void {
    Atomics.store(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_INDEX_COUNT, count)
  }

  baseOffset(granule: number): number {
    return Number(Atomics.load(this.longs, (granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_BASE_OFFSET_LONG))
  }

  /** Only for the leader of the slot: it is written plainly. */
  maxTimestamp(granule: number): number {
    return this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_MAX_TIMESTAMP_LONG]!
  }

  setMaxTimestamp(granule: number, timestampMs: number): void {
    this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_MAX_TIMESTAMP_LONG] = timestampMs
  }

  /** When it came to life, on the monotonic clock; only for the leader of the slot. */
  begunMs(granule: number): number {
    return this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_BEGUN_LONG]!
  }

  /** For one that takes the place of others. */
  setBegun(granule: number, begunMs: number): void {
    this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_BEGUN_LONG] = begunMs
  }

  generation(granule: number): number {
    return Atomics.load(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_GENERATION)
  }

  /**
   * Whether the extent is still the one that had `generation`. A read-modify-write,
   * never a load: only that keeps the reads before it from being done after it.
   */
  isStill(granule: number, generation: number): boolean {
    return Atomics.add(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_GENERATION, 0) === generation
  }

  /** Brings a free extent to life, for the owner of its block. */
  describe(granule: number, order: number, slot: number, baseOffset: number, begunMs: number): void {
    const row = granule << EXTENT_ROW_WORDS_SHIFT
    Atomics.store(this.words, row + EXTENT_ORDER, order)
    Atomics.store(this.words, row + EXTENT_SLOT, slot)
    Atomics.store(this.words, row + EXTENT_NEXT, -1)
    Atomics.store(this.words, row + EXTENT_END, 0)
    Atomics.store(this.words, row + EXTENT_INDEX_COUNT, 0)
    Atomics.store(this.longs, (granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_BASE_OFFSET_LONG, BigInt(baseOffset))
    this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_MAX_TIMESTAMP_LONG] = -1
    this.floats[(granule << EXTENT_ROW_LONGS_SHIFT) + EXTENT_BEGUN_LONG] = begunMs
    Atomics.store(this.words, row + EXTENT_STATE, STATE_ALLOCATED)
    killPoint('log.extent.described')
    // Odd from here on: until then readers take the row for that of a dead extent.
    Atomics.add(this.words, row + EXTENT_GENERATION, 1)
  }

  /** Ends the extent's life for readers; its memory stays as it is. Repeating it does nothing. */
  retire(granule: number): void {
    const at = (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_GENERATION
    if ((Atomics.load(this.words, at) & 1) === 1) Atomics.add(this.words, at, 1)
  }

  /** For the owner of its block, after `retire`. */
  markFree(granule: number): void {
    Atomics.store(this.words, (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_STATE, STATE_FREE)
  }

  /** For the leader of its slot when the block is another broker's, after `retire`. */
  markReturned(granule: number): boolean {
    const at = (granule << EXTENT_ROW_WORDS_SHIFT) + EXTENT_STATE
    return Atomics.compareExchange(this.words, at, STATE_ALLOCATED, STATE_RETURNED) === STATE_ALLOCATED
  }
}
