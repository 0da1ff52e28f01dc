// hot path 7/8 · Reads committed batches of one partition straight out of log memory, on the reader's own thread (Kafka: a
// fetch; here no broker takes part in it). One object a reader and partition; several may read the same one on any threads.
//
//   high watermark ─▶ walk headers in shared memory to find the cut ─▶ one bulk copy
//        ▲                                                               │
//        └──────── start again by offset ◀── changed ── generation? ◀────┘
//                                                          │ the same
//                                                          ▼ hand out what was copied
//
// Why a reader never hands out torn bytes. It knows an extent by its first granule and the generation g, odd, that
// the granule had then. The leader's broker frees an extent as a whole: it unlinks it, adds 1 to the generation of
// its first granule, lets it rest a millisecond and a duty cycle, and only then is any byte of it overwritten. So
// the first granule speaks for all of them: no granule of the extent is part of another extent before that addition.
// (1) The reader copies, then adds 0 to the generation. A read-modify-write is not done before the reads that
// precede it in program order, on arm64 too, which is not true of a load. (2) All changes of one word are in one
// order. If the reader's addition yields g, it comes before the addition that ends the extent, and so do the reads
// before it. (3) The overwriting stores come after that addition, by the rest even where a processor may make stores
// visible before the read-modify-write that precedes them. Hence all that was read was the extent's own.
// Compaction puts other extents in the place of a run by one store, and then frees the run in the same way: who
// stands in an extent of it reads on there, which tells the same, or finds that it is gone, and finds its position
// by offset in what took its place.
// The model of this, and of mutants without one of the three, is in test/log.
//
// Holds: no length, position or link read from shared memory is trusted before the generation is re-checked; each is
// bounded before it is used, so that garbage costs at most a wasted walk. Nothing at or beyond the bound (the high
// watermark) is looked at. A read retries a bounded number of times, then says READ_EMPTY: look again.
// A log with files keeps its tail in memory: where it begins there is said before anything goes, so a position that
// is not found and lies below is READ_IN_FILES, and one that is found is read here.
// Offsets that compaction took are passed over, at the end of the log too: the bound is read before the chain, so
// what is then not in the chain is nowhere below the bound.

import { MillraceError } from '../errors.ts'
import { ATTRIBUTES, ATTRIBUTE_COMPRESSION_MASK } from '../record/record-batch-layout.ts'
import { batchSizeWithin, extentStart, findBatch, looseLastOffset } from './batch-walk.ts'
import { ControlBlock } from './control-block.ts'
import { copyBytes } from './copy-bytes.ts'
import type { LogMemory } from './log-memory.ts'
import { ORDER_MAX, extentBytes } from './log-memory-layout.ts'

/** Nothing committed at the position yet. */
export const READ_EMPTY = 0
/** target.bytes[0, target.length) holds whole batches. */
export const READ_OK = 1
/** What the reader was about to read was trimmed; its position did not move. */
export const READ_OVERTAKEN = 2
/** The position that was sought lies below the log start or beyond the log end. */
export const READ_OUT_OF_RANGE = 3
/** The partition was deleted; this reader is of no more use. */
export const READ_DELETED = 4
/** What is at the position is in the log's files, and not in memory any more. */
export const READ_IN_FILES = 5

export type ReadResult =
  | typeof READ_EMPTY
  | typeof READ_OK
  | typeof READ_OVERTAKEN
  | typeof READ_OUT_OF_RANGE
  | typeof READ_DELETED
  | typeof READ_IN_FILES

/** Up to where a reader reads: consumers to the watermark, followers to the leader's log end. */
export type ReadBound = 'highWatermark' | 'lastStableOffset' | 'logEndOffset'

export interface ReadTarget {
  /** Private memory; the reader replaces it by a larger one when a batch does not fit. */
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

const ATTEMPTS_MAX = 8
const RETRY = -1

export class SharedLogReader {
  readonly #memory: LogMemory
  readonly #control: ControlBlock
  readonly #incarnation: number
  readonly #hasFiles: boolean
  readonly #bound: ReadBound
  #position = 0
  /** Whether the position was in range since it was sought: then losing it is being overtaken. */
  #wasInRange = false

  // The extent that holds the position, -1 when it must be found, its generation, and
  // where in it the next batch starts. All but the granule count only with the generation.
  #granule = -1
  #generation = 0
  #order = 0
  #bytePosition = 0
  /** Bytes that the last `pass` passed over, and where in the arena they begin: for who knows that the extent is not given up meanwhile. */
  passedBytes = 0
  passedFrom = 0
  /** The attributes of the batches that were read last, each bit that any of them has. */
  #attributes = 0
  /** The last read came to the bound, whose low half was this before. */
  #wasAtEnd = false
  #endLow = 0

  constructor(memory: LogMemory, slot: number, bound: ReadBound = 'highWatermark') {
    this.#memory = memory
    this.#control = new ControlBlock(memory, slot)
    this.#incarnation = this.#control.incarnation
    this.#hasFiles = this.#control.hasFiles
    this.#bound = bound
  }

  /** The next offset to read. */
  get position(): number {
    return this.#position
  }

  get logStartOffset(): number {
    return this.#control.logStartOffset
  }

  /** One past the last offset that this reader may read now. */
  get endOffset(): number {
    return this.#boundOffset()
  }

  /** Whether the partition is gone, and this reader of no more use. */
  get isDeleted(): boolean {
    const { incarnation } = this.#control
    return incarnation !== this.#incarnation || (incarnation & 1) === 0 || this.#control.isDeleting
  }

  /** Whether a read would say anything but READ_EMPTY: look at this after waiting was announced. */
  get hasNews(): boolean {
    const { position } = this
    return this.#boundOffset() > position || this.#control.logStartOffset > position || this.isDeleted
  }

  /** A cheap look: false where a read would say READ_EMPTY, as the last one did, and `hasNews` too. */
  get mayHaveNews(): boolean {
    return !this.#wasAtEnd || this.#boundLow() !== this.#endLow || this.isDeleted
  }

  /** Whether one of the batches that the last `read` copied is compressed. */
  get hasCompressed(): boolean {
    return (this.#attributes & ATTRIBUTE_COMPRESSION_MASK) !== 0
  }

  seek(offset: number): void {
    this.#position = offset
    this.#wasAtEnd = false
    this.#wasInRange = false
    this.#granule = -1
  }

  /**
   * Copies whole batches from the position on, up to `maxBytes`, one batch at least; the
   * first may begin below the position. After READ_OK the position is behind the last.
   */
  read(target: ReadTarget, maxBytes: number): ReadResult {
    target.length = 0
    return this.#readOn(target, maxBytes)
  }

  /** Passes over whole batches as `read` does, without a copy. For whoever waits for so many bytes, or writes them from where they are. */
  pass(maxBytes: number): ReadResult {
    this.passedBytes = 0
    return this.#readOn(undefined, maxBytes)
  }

  /** Whether the extent in which the last `pass` ended was not given up since. */
  get isPassedThere(): boolean {
    return this.#granule >= 0 && this.#memory.extents.isStill(this.#granule, this.#generation)
  }

  #readOn(target: ReadTarget | undefined, maxBytes: number): ReadResult {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (this.isDeleted) return READ_DELETED
      this.#wasAtEnd = false
      this.#endLow = this.#boundLow()
      // The bound first: all that lies below it is then visible.
      const bound = this.#boundOffset()
      if (this.#position < this.#control.logStartOffset) return this.#wasInRange ? READ_OVERTAKEN : READ_OUT_OF_RANGE
      if (this.#position >= bound) return this.#atEnd()
      this.#wasInRange = true
      if (this.#granule < 0 && (this.#isInFiles || !this.#locate())) {
        if (this.#isInFiles) return this.isDeleted ? READ_DELETED : READ_IN_FILES
        if (!this.#isChainEmpty) continue
        this.#position = bound
        return READ_EMPTY
      }
      const result = this.#readExtent(target, maxBytes, bound)
      if (result !== RETRY) return result
    }
    return READ_EMPTY
  }

  /** Whether memory begins behind the position, maybe inside an extent. Asked again after the chain: it moves before an extent goes. */
  get #isInFiles(): boolean {
    return this.#hasFiles && this.#position < this.#control.memoryStartOffset
  }

  #boundOffset(): number {
    if (this.#bound === 'highWatermark') return this.#control.highWatermark
    return this.#bound === 'logEndOffset' ? this.#control.logEndOffset : this.#control.lastStableOffset
  }

  /** Its low half: changes when the bound moves. */
  #boundLow(): number {
    if (this.#bound === 'highWatermark') return this.#control.highWatermarkLow
    return this.#bound === 'logEndOffset' ? this.#control.logEndLow : this.#control.lastStableLow
  }

  #atEnd(): ReadResult {
    if (this.#position > this.#control.logEndOffset) return READ_OUT_OF_RANGE
    this.#wasInRange = true
    this.#wasAtEnd = true
    return READ_EMPTY
  }

  #readExtent(target: ReadTarget | undefined, maxBytes: number, bound: number): ReadResult | typeof RETRY {
    const { extents, arena } = this.#memory
    const end = Math.min(extents.end(this.#granule), extentBytes(this.#order))
    if (this.#bytePosition >= end) return this.#enterNext(bound)
    const from = extentStart(this.#granule) + this.#bytePosition
    const limit = extentStart(this.#granule) + end
    const firstSize = batchSizeWithin(arena, from, limit)
    if (firstSize < 0) return this.#damagedOrGone(from)
    // Before memory is allocated for a length, the length is made sure of.
    if (target !== undefined && firstSize > target.bytes.length && !this.#growTarget(target, firstSize)) return RETRY
    const room = target === undefined ? maxBytes : Math.min(maxBytes, target.bytes.length)
    const cut = this.#findCut(from, limit, Math.max(firstSize, room), bound)
    if (cut < 0) return this.#damagedOrGone(from)
    const nextPosition = this.#cutOffset
    if (target !== undefined) copyBytes(target.bytes, 0, arena, from, cut)
    if (!extents.isStill(this.#granule, this.#generation)) return this.#lost()
    this.#bytePosition += cut - from
    this.#position = nextPosition
    this.passedFrom = from
    this.passedBytes = cut - from
    if (target !== undefined) target.length = cut - from
    return cut === from ? READ_EMPTY : READ_OK
  }

  /** The offset behind the batches before the cut; a field, so that finding the cut allocates nothing. */
  #cutOffset = 0

  /** Where the copy must end: behind the last whole batch below `bound` that the budget allows; -1: no batches. */
  #findCut(from: number, limit: number, budget: number, bound: number): number {
    const { arena } = this.#memory
    let at = from
    let next = this.#position
    let attributes = 0
    while (at < limit && next < bound) {
      const size = batchSizeWithin(arena, at, limit)
      if (size < 0) return -1
      if (at + size - from > budget) break
      const lastOffset = looseLastOffset(arena, at)
      // Offsets go up; all but the first batch begin where the one before ended, or behind.
      if (lastOffset < next) return -1
      if (lastOffset >= bound) break
      next = lastOffset + 1
      attributes |= arena[at + ATTRIBUTES + 1]!
      at += size
    }
    this.#cutOffset = next
    this.#attributes = attributes
    return at
  }

  /** Goes on to the extent behind this one; the next round reads it. */
  #enterNext(bound: number): ReadResult | typeof RETRY {
    const { extents, granuleCount } = this.#memory
    const granule = this.#granule
    const generation = this.#generation
    const next = extents.next(granule)
    if (next === -1 && extents.isStill(granule, generation)) {
      // The last extent ends below the bound: compaction took what was behind it.
      this.#position = bound
      return READ_EMPTY
    }
    if (next < 0 || next >= granuleCount || !this.#enter(next, extents.generation(next))) return this.#lost()
    // Looked at last: while this extent lives and has that next one, that one lives, so it was the
    // next one that was entered. (Otherwise it could have been freed and have come back as a later
    // extent: by trimming after this one, by compaction though this one lives.)
    if (extents.next(granule) !== next || !extents.isStill(granule, generation)) return this.#lost()
    // No extent begins below where the one before it ends. So the position was in it all the time, and
    // was not found there because, when it was looked at, compaction was putting others in its place.
    return extents.baseOffset(next) < this.#position ? this.#lost() : RETRY
  }

  /** Makes `granule` the current extent, as far as its row can be believed: a re-check decides. */
  #enter(granule: number, generation: number): boolean {
    const { extents } = this.#memory
    const order = extents.order(granule)
    if ((generation & 1) === 0 || extents.slot(granule) !== this.#control.slot || order < 0 || order > ORDER_MAX) return false
    this.#granule = granule
    this.#generation = generation
    this.#order = order
    this.#bytePosition = 0
    return true
  }

  /** Finds the extent and the batch of the position; false when the chain changed meanwhile. */
  #locate(): boolean {
    const { extents } = this.#memory
    const granule = this.#findExtent()
    if (granule < 0 || !this.#enter(granule, this.#foundGeneration)) return false
    const end = Math.min(extents.end(granule), extentBytes(this.#order))
    const baseOffset = extents.baseOffset(granule)
    const position = findBatch(this.#memory, granule, this.#order, baseOffset, this.#position, end)
    if (!extents.isStill(granule, this.#generation)) {
      this.#granule = -1
      return false
    }
    if (position < 0) throw this.#damaged(extentStart(granule))
    this.#bytePosition = position
    return true
  }

  /** The generation of the extent that was found; a field, so that finding allocates nothing. */
  #foundGeneration = 0

  /** Whether nothing was found because the chain holds nothing; a field, so that finding allocates nothing. */
  #isChainEmpty = false

  /** The last extent of the chain that begins at or below the position, or the first of all; -1 when there is none now. */
  #findExtent(): number {
    const { extents, granuleCount } = this.#memory
    this.#isChainEmpty = false
    const last = this.#control.lastExtent
    if (last >= 0 && last < granuleCount && this.#isCandidate(last)) return last
    let granule = this.#control.firstExtent
    if (granule === -1) this.#isChainEmpty = this.#isInRange()
    if (granule < 0 || granule >= granuleCount) return -1
    if (!this.#isCandidate(granule)) return this.#isFirstBehind(granule) ? granule : -1
    if (this.#control.firstExtent !== granule) return -1
    // No chain is longer than there are granules.
    for (let steps = 0; steps < granuleCount; steps++) {
      const generation = this.#foundGeneration
      const next = extents.next(granule)
      if (next < 0 || next >= granuleCount) break
      const isFurther = this.#isCandidate(next)
      if (!extents.isStill(granule, generation)) return -1
      if (!isFurther) {
        this.#foundGeneration = generation
        break
      }
      granule = next
    }
    return granule
  }

  /** Whether the granule starts a live extent of this log at or below the position; notes its generation. */
  #isCandidate(granule: number): boolean {
    const { extents } = this.#memory
    const generation = extents.generation(granule)
    if ((generation & 1) === 0 || extents.slot(granule) !== this.#control.slot) return false
    const baseOffset = extents.baseOffset(granule)
    if (!extents.isStill(granule, generation) || baseOffset > this.#position) return false
    this.#foundGeneration = generation
    return true
  }

  /** Whether the granule starts the first extent of this log, and the offsets from the position up to it went by compaction. */
  #isFirstBehind(granule: number): boolean {
    const { extents } = this.#memory
    const generation = extents.generation(granule)
    if ((generation & 1) === 0 || extents.slot(granule) !== this.#control.slot) return false
    if (extents.baseOffset(granule) <= this.#position || !extents.isStill(granule, generation)) return false
    this.#foundGeneration = generation
    return this.#control.firstExtent === granule && this.#isInRange()
  }

  /** To be asked after the chain: trimming moves the log start, and deleting marks the log, before either takes anything out of it. */
  #isInRange(): boolean {
    return this.#control.logStartOffset <= this.#position && !this.#isInFiles && !this.isDeleted
  }

  #growTarget(target: ReadTarget, sizeInBytes: number): boolean {
    if (!this.#memory.extents.isStill(this.#granule, this.#generation)) {
      this.#lost()
      return false
    }
    target.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(sizeInBytes)))
    return true
  }

  #damagedOrGone(at: number): typeof RETRY {
    if (this.#memory.extents.isStill(this.#granule, this.#generation)) throw this.#damaged(at)
    return this.#lost()
  }

  #damaged(at: number): MillraceError {
    const where = `slot ${this.#control.slot}, offset ${this.#position}, byte ${at} of log memory`
    return new MillraceError('CORRUPT_MESSAGE', `log memory does not hold a batch where one must be (${where}): some code wrote into it`, {
      retriable: false,
    })
  }

  /** The extent is not the reader's any more: the next round finds the position by its offset. */
  #lost(): typeof RETRY {
    this.#granule = -1
    return RETRY
  }
}
