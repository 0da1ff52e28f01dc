// One compaction of the files of one partition (Kafka: Cleaner.doClean). A function of a job and
// a disk, which may take long and block: for a thread that has nothing else to do.
//
//   map       walk the dirty part: key ─▶ last offset, until the map is full
//   rewrite   group by group, oldest first: what is left of its segments goes into one new one,
//             `.cleaned`; a segment that is a group of its own, and loses nothing, stays as it is
//
// Nobody else is disturbed: segments are read that no one writes, and files made that no one
// reads. Whoever has the partition puts them in place (segment-swap.ts); what a job leaves that
// dies is removed by the next one, or when the log is opened. No two work on one partition at once.
//
// Holds: offsets, and where batches begin and end, do not change. The last batch of a group stays,
// empty if need be: the new segment ends where the last of the old ones did, which recovery goes
// by. What is damaged is CORRUPT_MESSAGE, and nothing of it is written anew.

import type { Disk } from '../disk/disk.ts'
import { looseLastOffset } from '../log/batch-walk.ts'
import { OffsetMap } from '../log/offset-map.ts'
import { BATCH_CHANGED, BATCH_DROPPED, BATCH_KEPT, RecordFilter } from '../log/record-filter.ts'
import { DECOMPRESSED_BYTES_MAX, appendDecompressed } from '../record/batch-compression.ts'
import type { GrowingBytes } from '../record/batch-compression.ts'
import { NO_PRODUCER_ID } from '../record/record-batch-layout.ts'
import { compressionType, isControlBatch, nextOffset, producerEpoch, producerId } from '../record/record-batch.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import type { CleanJob, CleanResult, CleanedProducer, CleanedSegment } from './clean-job.ts'
import { segmentGroups } from './cleanable-segments.ts'
import type { SegmentToClean } from './cleanable-segments.ts'
import { CleanedSegmentWriter } from './cleaned-segment-writer.ts'
import { CleanedTransactions, readAbortedTransactions } from './cleaned-transactions.ts'
import { logFileName, parseLogDirectory } from './log-file-names.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { BATCH_BYTES_MAX, walkWholeBatches } from './whole-batches.ts'
import type { VisitBatch } from './whole-batches.ts'

const INT32_MAX = 0x7fff_ffff
/** No key lies in log memory here. */
const NO_ARENA = new Uint8Array(0)

/** Throws CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR; once a group is done, what failed behind it is only told. */
export function cleanSegments(disk: Disk, job: CleanJob): CleanResult {
  return new SegmentCleaner(disk, job).clean()
}

class SegmentCleaner {
  readonly #disk: Disk
  readonly #job: CleanJob
  readonly #aborted: readonly AbortedTransaction[]
  readonly #producers: ReadonlyMap<number, CleanedProducer>
  /** The last offset in the dirty part of producers whose last batch may yet be cut. */
  readonly #lastMapped = new Map<number, number>()
  readonly #map: OffsetMap
  readonly #buffer = CleanedSegmentWriter.buffer()
  #mappedEnd: number
  #readBytes = 0
  #writtenBytes = 0
  /** Where the group that is rewritten ends. */
  #groupEnd = 0

  constructor(disk: Disk, job: CleanJob) {
    this.#disk = disk
    this.#job = job
    this.#mappedEnd = job.from
    this.#producers = new Map(job.producers.map((producer) => [producer.producerId, producer]))
    // Half for the slots, half for the bytes of keys.
    this.#map = new OffsetMap(NO_ARENA, job.to - job.from, job.dedupeBufferBytes / 2)
    const { leftovers } = parseLogDirectory(job.directory, disk.list(job.directory))
    for (const { name, state } of leftovers) if (state === 'cleaned') disk.remove(`${job.directory}/${name}`)
    this.#aborted = readAbortedTransactions(disk, job.directory, job.segments[0]?.baseOffset ?? 0)
  }

  clean(): CleanResult {
    const { segments, config, directory } = this.#job
    this.#mapKeys()
    const transactions = new CleanedTransactions(this.#aborted)
    const filter = this.#filter(transactions)
    const cleaned: CleanedSegment[] = []
    let failure: string | undefined
    for (const group of segmentGroups(
      segments.filter(({ baseOffset }) => baseOffset < this.#mappedEnd),
      config,
    )) {
      try {
        const one = this.#rewrite(group, filter, transactions)
        if (one !== undefined) cleaned.push(one)
      } catch (error) {
        // What is done is worth having: on a full disk it makes room.
        if (cleaned.length === 0) throw error
        failure = error instanceof Error ? error.message : String(error)
        break
      }
    }
    if (cleaned.length > 0) this.#disk.syncDirectory(directory)
    return {
      cleaned,
      cleanedOffset: failure === undefined ? this.#mappedEnd : undefined,
      failure,
      readBytes: this.#readBytes,
      writtenBytes: this.#writtenBytes,
    }
  }

  #mapKeys(): void {
    const { segments, from, to } = this.#job
    const transactions = new CleanedTransactions(this.#aborted)
    const cursor = new RecordCursor()
    const image: GrowingBytes = { bytes: new Uint8Array(0), length: 0 }
    let isFull = false
    for (const segment of segments) {
      if (segment.nextBaseOffset <= from || isFull) continue
      this.#walk(segment, (bytes, at, size) => {
        const isDiscardable = transactions.isDiscardable(bytes, at)
        if (looseLastOffset(bytes, at) < from) return true
        if (!isControlBatch(bytes, at)) this.#noteProducer(bytes, at)
        if (!isControlBatch(bytes, at) && !isDiscardable) {
          if (compressionType(bytes, at) === 0) cursor.reset(bytes, at, at + size, this.#mappedEnd)
          else {
            image.length = 0
            appendDecompressed(bytes, at, at + size, image, DECOMPRESSED_BYTES_MAX)
            cursor.reset(image.bytes, 0, image.length, this.#mappedEnd)
          }
          if (!this.#mapRecords(cursor)) {
            isFull = true
            return false
          }
        }
        this.#mappedEnd = nextOffset(bytes, at)
        return true
      })
    }
    if (!isFull) this.#mappedEnd = to
  }

  /** False: the map is full, and all below `#mappedEnd` is in it. */
  #mapRecords(cursor: RecordCursor): boolean {
    while (cursor.next()) {
      const { bytes, offset, keyStart, keyEnd } = cursor
      if (keyStart >= 0 && !this.#map.put(bytes, keyStart, keyEnd, offset)) return false
      this.#mappedEnd = offset + 1
    }
    return true
  }

  #noteProducer(bytes: Uint8Array, at: number): void {
    const id = producerId(bytes, at)
    if (id === NO_PRODUCER_ID) return
    const producer = this.#producers.get(id)
    if (producer !== undefined && producer.lastOffset >= this.#job.stableEndOffset) this.#lastMapped.set(id, looseLastOffset(bytes, at))
  }

  /** What is left of the group in a new segment; undefined when that would be what is there. */
  #rewrite(group: readonly SegmentToClean[], filter: RecordFilter, transactions: CleanedTransactions): CleanedSegment | undefined {
    const { directory } = this.#job
    const first = group[0]!
    this.#groupEnd = Math.max(...group.map(({ endOffset }) => endOffset))
    let bytesLeft = group.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
    let writer = group.length > 1 ? this.#writer(first.baseOffset) : undefined
    try {
      for (const segment of group) {
        this.#walk(segment, (bytes, at, size, position) => {
          filter.begin(at, size, bytes)
          while (!filter.decide()) continue
          const outcome = filter.outcome()
          bytesLeft -= size
          if (outcome !== BATCH_KEPT && writer === undefined) {
            writer = this.#writer(first.baseOffset)
            this.#copy(segment, position, writer)
          }
          if (outcome === BATCH_DROPPED || writer === undefined) return true
          if (outcome === BATCH_CHANGED) {
            while (!filter.write()) continue
            // A horizon takes room, and so may compressing it again: where there is none all of it stays.
            if (writer.sizeInBytes + filter.length + bytesLeft <= INT32_MAX) {
              writer.add(filter.bytes, 0, filter.length)
              return true
            }
          }
          writer.add(bytes, at, size)
          return true
        })
      }
      const aborted = transactions.takeKept()
      if (writer === undefined) return undefined
      const hasTransactionIndex = aborted.length > 0 || this.#disk.exists(`${directory}/${logFileName(first.baseOffset, 'txnindex')}`)
      const segment = writer.finish(aborted, hasTransactionIndex)
      this.#writtenBytes += segment.sizeInBytes
      const replaces = group.map(({ baseOffset, sizeInBytes }) => ({ baseOffset, sizeInBytes }))
      return { segment, replaces, hasTransactionIndex, abortedTransactions: aborted.length }
    } catch (error) {
      writer?.discard()
      throw error
    }
  }

  /** The batches before `position` as they are. */
  #copy(segment: SegmentToClean, position: number, writer: CleanedSegmentWriter): void {
    this.#walk({ ...segment, sizeInBytes: position }, (bytes, at, size) => {
      writer.add(bytes, at, size)
      return true
    })
  }

  #writer(baseOffset: number): CleanedSegmentWriter {
    const { directory, config } = this.#job
    return new CleanedSegmentWriter(this.#disk, directory, baseOffset, config.indexIntervalBytes, this.#buffer)
  }

  #walk({ baseOffset, sizeInBytes }: SegmentToClean, visit: VisitBatch): void {
    const file = this.#disk.open(`${this.#job.directory}/${logFileName(baseOffset, 'log')}`, 'read')
    try {
      walkWholeBatches(file, sizeInBytes, visit)
      this.#readBytes += sizeInBytes
    } finally {
      file.close()
    }
  }

  #filter(transactions: CleanedTransactions): RecordFilter {
    return new RecordFilter(NO_ARENA, {
      map: this.#map,
      mappedEnd: this.#mappedEnd,
      nowMs: Math.floor(this.#job.nowMs),
      deleteRetentionMs: this.#job.config.deleteRetentionMs,
      isLastOfProducer: this.#isNeeded,
      isDiscardable: (bytes, at) => transactions.isDiscardable(bytes, at),
      batchBytesMax: BATCH_BYTES_MAX,
      decompressedBytesMax: DECOMPRESSED_BYTES_MAX,
      hasCrcs: true,
    })
  }

  /** Whether a batch that lost its records stays, for where the group ends or for what it says of its producer. */
  readonly #isNeeded = (bytes: Uint8Array, at: number): boolean => {
    if (nextOffset(bytes, at) >= this.#groupEnd) return true
    const id = producerId(bytes, at)
    const producer = id === NO_PRODUCER_ID ? undefined : this.#producers.get(id)
    if (producer === undefined) return false
    // Its last data went before, or there never was any: the marker is all that tells its epoch.
    if (producer.lastOffset < 0) return isControlBatch(bytes, at) && producerEpoch(bytes, at) === producer.producerEpoch
    if (isControlBatch(bytes, at)) return false
    if (producer.lastOffset < this.#job.stableEndOffset) return looseLastOffset(bytes, at) === producer.lastOffset
    const lastMapped = this.#lastMapped.get(id)
    return lastMapped === undefined || lastMapped === looseLastOffset(bytes, at)
  }
}
