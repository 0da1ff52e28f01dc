// One segment file that is open for reading, and the way into it: through its sparse
// index to a batch not far before an offset, and on by the headers (Kafka: LogSegment).
// Runs on the reader's thread.
//
//   .index   … │ offset 57 at 0x3f40 │ offset 115 at 0x7e80 │ …     last offset of the batch at that position
//                       │ the last entry not above the offset
//   .log     ═══════════╪══════╪══════╪══╪══════  headers are walked from there
//                       ▲ trusted only if a batch that ends with that offset begins there
//
// Holds: the index only shortens the way: a missing or bad one costs a walk from the
// beginning, never a wrong answer. A length that a file gives is held against the file's
// size before anything is allocated or passed over for it.

import { looseInt64, looseLastOffset } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2 } from '../record/record-batch-layout.ts'
import { batchSizeInBytes } from '../record/record-batch.ts'
import { OFFSET_INDEX_ENTRY_BYTES, findOffsetIndexEntry, offsetIndexEntryCount } from './offset-index.ts'
import { offsetIndexPosition, offsetIndexRelativeOffset } from './offset-index.ts'
import { corruptSegment, isGone } from './segment-errors.ts'
import type { SegmentFile, SegmentFiles } from './segment-files.ts'
import { segmentPath } from './segment-listing.ts'

/** An index is read in steps that double from here: Kafka allocates 10 MiB ahead, of which little may be used. */
const INDEX_STEP_BYTES = 16 * 1024
/** More of an index is not read: what lies behind is found by walking on from there. */
const INDEX_BYTES_MAX = 4 * 1024 * 1024

const NOTHING = new Uint8Array(0)

/** Where a batch was found. */
export interface LocatedBatch {
  readonly filePosition: number
  readonly offset: number
}

export class OpenSegment {
  readonly baseOffset: number
  readonly path: string
  readonly #files: SegmentFiles
  readonly #directory: string
  readonly #file: SegmentFile
  /** The entries of the index; undefined until they are needed. */
  #index: Uint8Array | undefined

  static async open(files: SegmentFiles, directory: string, baseOffset: number): Promise<OpenSegment> {
    const path = segmentPath(directory, baseOffset, 'log')
    return new OpenSegment(files, directory, baseOffset, path, await files.open(path))
  }

  private constructor(files: SegmentFiles, directory: string, baseOffset: number, path: string, file: SegmentFile) {
    this.#files = files
    this.#directory = directory
    this.baseOffset = baseOffset
    this.path = path
    this.#file = file
  }

  /** As `SegmentFile.read`. */
  read(into: Uint8Array, length: number, filePosition: number): Promise<number> {
    return this.#file.read(into, 0, length, filePosition)
  }

  sizeInBytes(): Promise<number> {
    return this.#file.sizeInBytes()
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /**
   * The first batch whose last offset is not below `offset`, or the end of the file: its position, and the offset
   * behind what lies before, where it begins unless compaction was here. `scratch` is overwritten. Throws CORRUPT_MESSAGE for what is no
   * chain of batches up to there.
   */
  async locate(offset: number, scratch: Uint8Array): Promise<LocatedBatch> {
    if (offset <= this.baseOffset) return { filePosition: 0, offset: this.baseOffset }
    const index = (this.#index ??= await this.#readIndex())
    const entries = index.length / OFFSET_INDEX_ENTRY_BYTES
    const entry = findOffsetIndexEntry(index, entries, this.baseOffset, offset)
    if (entry >= 0) {
      const filePosition = offsetIndexPosition(index, entry)
      const lastOffset = this.baseOffset + offsetIndexRelativeOffset(index, entry)
      const length = filePosition > 0 ? await this.read(scratch, BATCH_HEADER_BYTES, filePosition) : 0
      const isTrue = length === BATCH_HEADER_BYTES && scratch[MAGIC] === MAGIC_V2 && looseLastOffset(scratch, 0) === lastOffset
      // What says where it ends says where it begins: how long it is stands under its CRC.
      if (isTrue && lastOffset <= offset) return this.#walk(offset, { filePosition, offset: looseInt64(scratch, 0) }, scratch)
      // It does not tell the truth: no entry of it is believed again.
      this.#index = NOTHING
    }
    return this.#walk(offset, { filePosition: 0, offset: this.baseOffset }, scratch)
  }

  /** Goes on over whole batches from `start`, where one begins. */
  async #walk(offset: number, start: LocatedBatch, scratch: Uint8Array): Promise<LocatedBatch> {
    let from = start.filePosition
    let next = start.offset
    let fileSize = -1
    for (;;) {
      const length = await this.read(scratch, scratch.length, from)
      let at = 0
      while (length - at >= BATCH_HEADER_BYTES) {
        const size = batchSizeInBytes(scratch, at)
        const lastOffset = looseLastOffset(scratch, at)
        const place = { path: this.path, filePosition: from + at, offset: next }
        if (size < BATCH_HEADER_BYTES || scratch[at + MAGIC] !== MAGIC_V2) throw corruptSegment('no header of a batch', place)
        const baseOffset = looseInt64(scratch, at)
        if (!(baseOffset >= next && lastOffset >= baseOffset))
          throw corruptSegment(`a batch of offsets ${baseOffset} to ${lastOffset}`, place)
        if (lastOffset >= offset) return { filePosition: from + at, offset: next }
        if (size > length - at) {
          if (fileSize < from + at + size) fileSize = await this.sizeInBytes()
          if (size > fileSize - from - at)
            throw corruptSegment(`a batch of ${size} bytes, ${fileSize - from - at} of which are there`, place)
        }
        next = lastOffset + 1
        at += size
      }
      if (length < scratch.length) return { filePosition: from + at, offset: next }
      // A batch that reaches beyond what was read is passed over without being read.
      from += at
    }
  }

  /** Its entries up to the first empty one; nothing where there is no index. */
  async #readIndex(): Promise<Uint8Array> {
    let file: SegmentFile
    try {
      file = await this.#files.open(segmentPath(this.#directory, this.baseOffset, 'index'))
    } catch (error) {
      if (isGone(error)) return NOTHING
      throw error
    }
    try {
      return await readEntries(file)
    } finally {
      await file.close()
    }
  }
}

async function readEntries(file: SegmentFile): Promise<Uint8Array> {
  const size = Math.min(INDEX_BYTES_MAX, await file.sizeInBytes())
  let bytes = new Uint8Array(Math.min(size, INDEX_STEP_BYTES))
  let length = 0
  for (;;) {
    length += await file.read(bytes, length, bytes.length - length, length)
    const used = offsetIndexEntryCount(bytes.subarray(0, length)) * OFFSET_INDEX_ENTRY_BYTES
    const isAll = length < bytes.length || length >= size || used + OFFSET_INDEX_ENTRY_BYTES <= length
    if (isAll) return used === bytes.length ? bytes : bytes.slice(0, used)
    const longer = new Uint8Array(Math.min(size, bytes.length * 2))
    longer.set(bytes)
    bytes = longer
  }
}
