// Hands out what one fetch has copied in batches of so many records at most (Kafka:
// max.poll.records). Private to the consumer's thread. Only a consumer with such a bound
// has one: its records are copied once more, since a batch's header says how many follow.
//
//   chunk    header │ 0 │ 1 │ 2 │ 3 │ 4 │ header │ 5 │ 6 │
//   slices   header'│ 0 │ 1 │ 2 │   header'│ 3 │ 4 │ header'│ 5 │   …        of 3 records
//
// Holds: the position of the partition is behind the last record that was handed out, so
// whoever seeks, pauses or leaves loses nothing; what is left of a chunk is then read again.

import type { ReadTarget } from '../../log/shared-log-reader.ts'
import { BATCH_HEADER_BYTES, BATCH_LENGTH, BATCH_LENGTH_OVERHEAD_BYTES, RECORD_COUNT } from '../../record/record-batch-layout.ts'
import { writeInt32 } from '../../record/record-batch.ts'
import { RecordCursor } from '../../record/record-cursor.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FetchBuffer } from './fetch-buffer.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'

export class RecordSlices {
  /** What a fetch copies into. */
  readonly chunk: ReadTarget
  readonly #maxRecords: number
  readonly #cursor = new RecordCursor()
  #fetcher: PartitionFetcher | undefined
  #position = 0
  #endOffset = 0
  // The record that the cursor stands on.
  #batchStart = -1
  #recordEnd = 0

  constructor(maxRecords: number, chunkBytes: number) {
    this.#maxRecords = maxRecords
    this.chunk = { bytes: new Uint8Array(chunkBytes), length: 0 }
  }

  /** The chunk holds what this fetcher has found. */
  begin(fetcher: PartitionFetcher): void {
    this.#fetcher = fetcher
    this.#position = fetcher.fetchedFrom
    this.#endOffset = fetcher.position
    this.#batchStart = -1
    this.#cursor.reset(this.chunk.bytes, 0, this.chunk.length, 0)
    fetcher.returnTo(this.#position)
  }

  /** The next batch of the chunk; undefined when nothing is left of it, or when the partition is not to be read on from there. */
  next(buffer: FetchBuffer): ConsumerBatch | undefined {
    const fetcher = this.#fetcher
    if (fetcher === undefined) return undefined
    if (fetcher.isAtRest || !fetcher.isAt(this.#position)) {
      this.#fetcher = undefined
      return undefined
    }
    const firstOffset = this.#position
    const nextOffset = this.#copy(buffer)
    fetcher.returnTo(nextOffset)
    this.#position = nextOffset
    if (nextOffset >= this.#endOffset) this.#fetcher = undefined
    return buffer.length === 0 ? undefined : buffer.hold(fetcher.source, fetcher.partition, firstOffset, nextOffset)
  }

  /** What is left is not handed out, if it is of that partition. */
  drop(fetcher: PartitionFetcher): void {
    if (this.#fetcher === fetcher) this.#fetcher = undefined
  }

  /** Copies up to so many records, as batches of their own; gives the offset behind them. */
  #copy(buffer: FetchBuffer): number {
    const cursor = this.#cursor
    buffer.reserve(this.chunk.length)
    buffer.length = 0
    const run: Run = { batchStart: -1, start: 0, end: 0, count: 0, lastOffset: this.#position - 1 }
    for (let count = 0; count < this.#maxRecords; ) {
      const step = this.#step(count)
      if (step !== 'record') {
        if (step === 'end') run.lastOffset = this.#endOffset - 1
        break
      }
      const { batchStart, headersEnd } = cursor
      const recordStart = batchStart === this.#batchStart ? this.#recordEnd : batchStart + BATCH_HEADER_BYTES
      this.#batchStart = batchStart
      this.#recordEnd = headersEnd
      if (cursor.offset < this.#position) continue
      if (run.batchStart !== batchStart) {
        this.#write(buffer, run)
        run.batchStart = batchStart
        run.start = recordStart
        run.count = 0
      }
      run.end = headersEnd
      run.lastOffset = cursor.offset
      run.count++
      count++
    }
    const nextOffset = run.lastOffset + 1
    this.#write(buffer, run)
    return nextOffset
  }

  /** A damaged record is told when it comes first: those before it are handed out. */
  #step(count: number): 'record' | 'end' | 'damaged' {
    try {
      return this.#cursor.next() ? 'record' : 'end'
    } catch (error) {
      if (count > 0) return 'damaged'
      this.#fetcher = undefined
      throw error
    }
  }

  /** Writes the records of a run behind what the buffer has, under a header that says how many they are. */
  #write(buffer: FetchBuffer, { batchStart, start, end, count }: Run): void {
    if (count === 0) return
    const { bytes: chunk } = this.chunk
    const { bytes, length: at } = buffer
    const size = BATCH_HEADER_BYTES + end - start
    bytes.set(chunk.subarray(batchStart, batchStart + BATCH_HEADER_BYTES), at)
    bytes.set(chunk.subarray(start, end), at + BATCH_HEADER_BYTES)
    writeInt32(bytes, at + BATCH_LENGTH, size - BATCH_LENGTH_OVERHEAD_BYTES)
    writeInt32(bytes, at + RECORD_COUNT, count)
    buffer.length += size
  }
}

/** Records of one batch that are copied in one go. */
interface Run {
  batchStart: number
  start: number
  end: number
  count: number
  lastOffset: number
}
