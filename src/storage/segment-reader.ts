// Reads committed batches of one partition out of its segment files, asynchronously, on
// the reader's own thread (Kafka: LocalLog.read). For offsets that log memory no longer
// holds; one object a reader and partition, one read at a time.
//
//   position ─▶ segment with the last base offset not above it ─▶ index ─▶ headers ─▶ chunk of whole batches
//                  ▲ listing, kept                                              │ CRC of each
//                  └──── list again ◀── the file is gone (ENOENT), or none is behind ◀┘
//
// Whoever changes the set of segments holds: at every instant each offset lies in the
// segment with the last base offset not above it. So a segment is made before the one
// before it is left, and compaction puts a segment that holds more in the place of its
// first by one rename, and only then removes the others. Then a listing is right or old.
// An old one names more segments than there are: one that is gone is found to be so, and
// one that is there still holds what it held, and a file that is open keeps its bytes. So
// what lies between the end of one segment and the next of a listing that was made before
// the first was opened went by compaction, and may be passed over.
//
// Holds: a batch is handed out only whole, with its CRC right and its offsets behind those
// before; what is no batch is CORRUPT_MESSAGE, and never passed over. No offset below
// `endOffset` is taken for gone because a file ends early. A file that is not found is
// looked for a bounded number of times. One file is open at a time; none after `close`.

import type { Clock } from '../clock.ts'
import { looseInt64 } from '../log/batch-walk.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2 } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, isCrcValid, lastOffsetDelta } from '../record/record-batch.ts'
import { OpenSegment } from './open-segment.ts'
import { corruptSegment, isGone, missingSegment, unreadableSegment } from './segment-errors.ts'
import type { SegmentFiles } from './segment-files.ts'
import { findSegment, listedBaseOffsets } from './segment-listing.ts'
import { MillraceError } from '../errors.ts'

export interface SegmentReaderOptions {
  readonly files: SegmentFiles
  readonly clock: Clock
  /** Where the partition's files are now; it may move with its leader. Undefined: not known now. */
  readonly directory: () => string | undefined
  /** The first offset of the log: below it nothing is looked for any more. */
  readonly startOffset: () => number
}

/** A window is at least so long: headers are read through it. */
const WINDOW_BYTES_MIN = 4096
/** How often a file that should be there is looked for again, after 1, 2, 4 … ms: a directory is soon renamed. */
const ATTEMPTS_MAX = 10

/** What was read at once, from the beginning of a batch on. */
interface Window {
  /** Bytes of all batches but the first. */
  readonly budget: number
  /** Whether the file ends with it. */
  readonly isEnd: boolean
}

interface Listing {
  readonly directory: string
  readonly baseOffsets: readonly number[]
}

export class SegmentReader {
  readonly #options: SegmentReaderOptions
  #listing: Listing | undefined
  /** Whether the listing was made during the read that runs. */
  #isFresh = false
  #segment: OpenSegment | undefined
  /** Where in the open segment the batch of `#nextOffset` is, or would be. */
  #filePosition = 0
  #nextOffset = -1
  /** Where the next batch begins, unless some before it went by compaction: never below. */
  #lowestOffset = 0
  #closed = false
  #wakeUp: (() => void) | undefined
  #running: Promise<unknown> | undefined

  constructor(options: SegmentReaderOptions) {
    this.#options = options
  }

  /**
   * Reads whole batches from `position` on into the target, up to `maxBytes`, one batch at
   * least; none that begins at or above `endOffset`, up to which all must be in files. The
   * first may begin below the position. Gives the offset behind them: `endOffset` or more
   * when nothing is left to read here, `position` itself when the log start is above it,
   * or the reader was closed. Rejects with CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
   */
  read(position: number, endOffset: number, target: ReadTarget, maxBytes: number): Promise<number> {
    target.length = 0
    const reading = this.#readAttempts(position, endOffset, target, maxBytes)
    this.#running = reading
    return reading
  }

  /** Ends the read that is under way, and closes the file. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wakeUp?.()
    try {
      await this.#running
    } catch {
      // Whoever reads is told.
    }
    await this.#forget()
  }

  async #readAttempts(position: number, endOffset: number, target: ReadTarget, maxBytes: number): Promise<number> {
    this.#isFresh = false
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#readOn(position, endOffset, target, maxBytes)
      } catch (error) {
        target.length = 0
        const path = this.#segment?.path ?? this.#listing?.directory ?? 'the directory'
        await this.#forget()
        if (this.#isOver(position)) return position
        if (error instanceof MillraceError) throw error
        if (!isGone(error)) throw unreadableSegment(path, position, error)
        if (attempt === ATTEMPTS_MAX)
          throw error instanceof Unsettled ? error.meaning : missingSegment(this.#options.directory(), position, error)
        // The first time the listing was merely old.
        if (attempt > 0) await this.#pause(2 ** (attempt - 1))
      }
    }
  }

  async #readOn(position: number, endOffset: number, target: ReadTarget, maxBytes: number): Promise<number> {
    const windowBytes = Math.max(WINDOW_BYTES_MIN, maxBytes)
    if (target.bytes.length < windowBytes) target.bytes = allocate(windowBytes)
    let next = position
    while (!this.#isOver(position)) {
      const segment = await this.#enter(next, target.bytes)
      if (await this.#readBatches(segment, endOffset, target, maxBytes)) return this.#nextOffset
      // The end of this file.
      const following = this.#following(segment)
      if (following === undefined) {
        if (this.#isFresh) throw endsEarly(segment, this.#filePosition, next, endOffset)
        await this.#forget()
        continue
      }
      // What is between went by compaction.
      next = Math.max(this.#nextOffset, following)
      if (next >= endOffset) return endOffset
      await this.#leave()
    }
    return position
  }

  #isOver(position: number): boolean {
    return this.#closed || position < this.#options.startOffset()
  }

  /** The open segment, standing at the first batch that ends at or above the offset. */
  async #enter(offset: number, scratch: Uint8Array): Promise<OpenSegment> {
    if (this.#segment !== undefined && this.#nextOffset === offset) return this.#segment
    const { directory, baseOffsets } = (this.#listing ??= await this.#list())
    const at = findSegment(baseOffsets, offset)
    if (at < 0) throw gone(`no segment of ${directory} begins at or below ${offset}`)
    const baseOffset = baseOffsets[at]!
    if (this.#segment?.baseOffset !== baseOffset) {
      await this.#leave()
      this.#segment = await OpenSegment.open(this.#options.files, directory, baseOffset)
    }
    this.#nextOffset = -1
    const place = await this.#segment.locate(offset, scratch)
    this.#filePosition = place.filePosition
    this.#nextOffset = offset
    // The first batch may begin below the offset that it was found by.
    this.#lowestOffset = place.offset
    return this.#segment
  }

  async #list(): Promise<Listing> {
    const directory = this.#options.directory()
    if (directory === undefined) throw gone('the directory is not known')
    const baseOffsets = listedBaseOffsets(await this.#options.files.list(directory))
    this.#isFresh = true
    return { directory, baseOffsets }
  }

  /**
   * Reads one window; false where the file ends before `endOffset` with nothing read. A larger
   * batch than the target has room for gets a larger target.
   */
  async #readBatches(segment: OpenSegment, endOffset: number, target: ReadTarget, maxBytes: number): Promise<boolean> {
    for (let budget = maxBytes; ; ) {
      const wanted = Math.min(target.bytes.length, Math.max(WINDOW_BYTES_MIN, budget))
      const length = await segment.read(target.bytes, wanted, this.#filePosition)
      if (length === 0) return false
      const missing = this.#take(segment, endOffset, target, length, { budget, isEnd: length < wanted })
      if (missing === 0) return true
      const left = (await segment.sizeInBytes()) - this.#filePosition
      const size = missing - BATCH_HEADER_BYTES
      if (size > left) throw corruptSegment(`a batch of ${size} bytes, ${left} of which are there`, this.#place(segment))
      if (missing > target.bytes.length) target.bytes = allocate(2 ** Math.ceil(Math.log2(missing)))
      budget = missing
    }
  }

  /** Takes the whole batches of what was read; 0, or the bytes that are needed for the first of them and the next header. */
  #take(segment: OpenSegment, endOffset: number, target: ReadTarget, length: number, window: Window): number {
    const { bytes } = target
    let at = 0
    while (this.#nextOffset < endOffset) {
      const left = length - at
      const isFirst = at === 0
      if (!isFirst && left < BATCH_HEADER_BYTES) break
      const size = left < BATCH_HEADER_BYTES ? BATCH_HEADER_BYTES : batchSizeInBytes(bytes, at)
      const needed = looseInt64(bytes, at) > this.#lowestOffset ? size + BATCH_HEADER_BYTES : size
      if (!isFirst && (needed > left || at + size > window.budget)) break
      if (needed > left && !window.isEnd) return size + BATCH_HEADER_BYTES
      const fault = size > left ? `a batch of ${size} bytes, ${left} of which are there` : faultOf(bytes, at, size)
      if (fault !== undefined) {
        // What is right before it is handed out first.
        if (!isFirst) break
        throw corruptSegment(fault, this.#place(segment))
      }
      const behind = needed <= left ? looseInt64(bytes, at + size) : this.#following(segment)
      const next = this.#nextBehind(segment, bytes, at, endOffset, behind)
      if (looseInt64(bytes, at) >= endOffset) {
        // What lies up to there went by compaction.
        this.#nextOffset = endOffset
        break
      }
      this.#nextOffset = next
      this.#lowestOffset = next
      at += size
      this.#filePosition += size
    }
    target.length = at
    return 0
  }

  /**
   * The offset behind a batch that is whole. Offsets are not under the CRC: where they leave some out, what lies
   * behind the batch must agree, or the batch would hide others; `behind` is the offset of that.
   */
  #nextBehind(segment: OpenSegment, bytes: Uint8Array, at: number, endOffset: number, behind: number | undefined): number {
    const baseOffset = looseInt64(bytes, at)
    const next = baseOffset + lastOffsetDelta(bytes, at) + 1
    const following = this.#following(segment)
    const isInOrder = baseOffset >= this.#lowestOffset && next > this.#nextOffset && next > baseOffset && Number.isSafeInteger(next)
    // A chain without holes may reach over the next segment: compaction has put that one into this.
    const isWithin = following === undefined || next <= following
    const isVouchedFor = isWithin && (behind === undefined ? next === endOffset : behind >= next)
    if (isInOrder && (baseOffset === this.#lowestOffset || isVouchedFor)) return next
    const corrupt = corruptSegment(`a batch of offsets ${baseOffset} to ${next - 1}`, this.#place(segment))
    // With a hole before it the same is looked at again, until the listing tells; and what lies behind the last
    // batch that is to be read may just be written.
    const isUnsettled = isInOrder && (!isWithin || next === endOffset)
    throw isUnsettled ? new Unsettled(corrupt) : corrupt
  }

  /** The base offset of the segment behind this one, undefined for the last. */
  #following({ baseOffset }: OpenSegment): number | undefined {
    const { baseOffsets } = this.#listing!
    return baseOffsets[findSegment(baseOffsets, baseOffset) + 1]
  }

  #place(segment: OpenSegment): { path: string; filePosition: number; offset: number } {
    return { path: segment.path, filePosition: this.#filePosition, offset: this.#nextOffset }
  }

  async #leave(): Promise<void> {
    const segment = this.#segment
    this.#segment = undefined
    this.#nextOffset = -1
    await segment?.close()
  }

  /** No listing outlives the segment that was found by it. */
  async #forget(): Promise<void> {
    this.#listing = undefined
    await this.#leave()
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(delayMs, () => this.#wakeUp?.())
      this.#wakeUp = () => {
        timer.cancel()
        this.#wakeUp = undefined
        resolve()
      }
    })
  }
}

/** What is wrong with the bytes of a batch, undefined: nothing. Its offsets are not under the CRC. */
function faultOf(bytes: Uint8Array, at: number, size: number): string | undefined {
  if (size < BATCH_HEADER_BYTES || bytes[at + MAGIC] !== MAGIC_V2) return 'no header of a batch'
  return isCrcValid(bytes, at, at + size) ? undefined : 'a CRC that is not that of the batch'
}

/** What would be damage, unless compaction is just putting segments in each other's place: to be looked at again. */
class Unsettled extends Error {
  readonly code = 'ENOENT'
  readonly meaning: MillraceError

  constructor(meaning: MillraceError) {
    super(meaning.message)
    this.meaning = meaning
  }
}

/** An error as of a file that is gone. */
function gone(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOENT' })
}

function endsEarly(segment: OpenSegment, filePosition: number, offset: number, endOffset: number): MillraceError {
  return corruptSegment(`the end of the last segment, though the log goes on to offset ${endOffset}`, {
    path: segment.path,
    filePosition,
    offset,
  })
}

/** Memory that is not zeroed first: only what was read into it is ever handed out. */
function allocate(capacity: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(capacity)
  return new Uint8Array(buffer, byteOffset, capacity)
}
