// Cuts the end of a log: batches that another leader has otherwise, or that nobody was told of
// (Kafka: UnifiedLog.truncateTo). Runs on the thread that has the partition's files.
//
// Holds: the last segment goes first and the .log is cut last, so after the death of the process in
// between the log is whole, and longer than asked.

import { findBatchByOffset } from './segment-lookup.ts'
import { logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import { keepSnapshots, loadProducers, snapshotOffsets } from './producer-snapshots.ts'
import type { ProducerTable } from './producer-table.ts'
import { removeSegment, truncateLog, writeIndexes } from './segment-repair.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import { scanSegment } from './segment-scan.ts'
import type { SegmentScan } from './segment-scan.ts'
import type { SegmentWriter } from './segment-writer.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { looseLastOffset } from '../log/batch-walk.ts'

export interface TruncationOptions {
  readonly directory: PartitionDirectory
  /** Is cut, too. */
  readonly segments: LogSegment[]
  /** Of the last segment; not to be used after. */
  readonly writer: SegmentWriter
  readonly offset: number
  readonly config: PartitionFilesConfig
  readonly nowMs: number
}

export function truncateFiles(options: TruncationOptions): { indexes: SegmentIndexes; producers: ProducerTable } {
  const { directory, segments, writer, offset, config, nowMs } = options
  writer.flushIndexes()
  writer.closeFiles()
  while (segments.length > 1 && segments.at(-1)!.baseOffset > offset) {
    removeSegment(directory, segments.pop()!.baseOffset)
    directory.syncNames()
  }
  const { baseOffset } = segments.at(-1)!
  const place = findBatchByOffset(directory, segments.at(-1)!, offset)
  if (place !== undefined) truncateLog(directory, baseOffset, place.position)
  const { producers, offset: stateOffset } = loadProducers(
    directory,
    snapshotOffsets(directory),
    baseOffset,
    nowMs,
    config.producerIdExpirationMs,
    () => {},
  )
  const aborted: AbortedTransaction[] = []
  let scan: SegmentScan | undefined
  for (const segment of segments) {
    if (segment.endOffset <= stateOffset && segment.baseOffset !== baseOffset) continue
    const file = directory.read(logFileName(segment.baseOffset, 'log'))
    try {
      scan = scanSegment(file, {
        baseOffset: segment.baseOffset,
        crcFrom: Number.POSITIVE_INFINITY,
        holesBelow: Number.POSITIVE_INFINITY,
        indexIntervalBytes: config.indexIntervalBytes,
        onBatch: (bytes, at, size) => {
          if (looseLastOffset(bytes, at) < stateOffset) return
          const transaction = producers.append(bytes, at, size)
          if (transaction !== undefined && segment.baseOffset === baseOffset) aborted.push(transaction)
        },
      })
    } finally {
      file.close()
    }
  }
  const indexes = scan!.indexes
  segments[segments.length - 1] = writeIndexes(directory, baseOffset, scan!, aborted, { isSealed: false, isDurable: false })
  keepSnapshots(
    directory,
    segments.map((segment) => segment.baseOffset),
    segments.at(-1)!.endOffset,
    stateOffset,
  )
  return { indexes, producers }
}
