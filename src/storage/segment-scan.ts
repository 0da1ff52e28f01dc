// A walk over the batches of one .log: where it ends, and all that can be made again from it
// (Kafka: LogSegment.recover). A function of the bytes; any thread, so it runs on a pool too.
//
//   for each batch                          or the scan ends there, with a fault
//   a header lies within the file           'cut short': the file ends in it
//   magic 2, a size of at least a header    'no batch'
//   the whole batch lies within the file    'cut short'
//   offsets follow: none twice, none left   'out of order'
//     out but below `holesBelow`, leader
//     epochs never fall
//   the CRC is right                        'wrong CRC'; not looked at below `crcFrom`
//
// Holds: nothing is read outside the file, every step goes forward, nothing throws but the source.

import { looseInt64, looseLastOffset, looseMaxTimestamp } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2, NO_LEADER_EPOCH, NO_TIMESTAMP } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, isControlBatch, isCrcValid, lastOffsetDelta, leaderEpoch } from '../record/record-batch.ts'
import type { EpochStart } from './leader-epoch-checkpoint.ts'
import { INDEX_INTERVAL_BYTES } from './offset-index.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import type { IndexState } from './segment-indexes.ts'
import { HEADERS_WINDOW_BYTES, SegmentSource, WHOLE_BATCHES_WINDOW_BYTES } from './segment-source.ts'
import type { ByteSource } from './segment-source.ts'

const INT32_MAX = 0x7fff_ffff

export interface ScanOptions {
  readonly baseOffset: number
  /** Where the log before this segment ends; the base offset when left out. */
  readonly expectedOffset?: number
  /** The CRC of batches that end at or above this offset is checked: all by default. */
  readonly crcFrom?: number
  /** Below this offset compaction may have left holes: 0 by default. */
  readonly holesBelow?: number
  /** Of the batches before; -1 when there are none. */
  readonly leaderEpoch?: number
  readonly indexIntervalBytes?: number
  /** Where the walk begins, when that is known, and what is known of the batches before: none of them is looked at. */
  readonly from?: ScanStart
  /** Called with each sound batch: its header at least, all of it when its CRC is checked or when it is a control batch. */
  readonly onBatch?: (bytes: Uint8Array, at: number, sizeInBytes: number, position: number) => void
}

export interface ScanStart extends IndexState {
  readonly position: number
  readonly endOffset: number
  readonly leaderEpoch: number
  readonly firstTimestampMs: number
}

export type FaultKind = 'cut short' | 'no batch' | 'out of order' | 'wrong CRC'

export interface SegmentFault {
  readonly kind: FaultKind
  /** Of the first bad byte's batch. */
  readonly position: number
  /** The offset that should be there. */
  readonly offset: number
}

export interface SegmentScan {
  /** Behind the last sound batch, in bytes and as an offset. */
  readonly endPosition: number
  readonly endOffset: number
  readonly batches: number
  /** The max timestamp of the first batch, -1 without one: segments roll by it. */
  readonly firstTimestampMs: number
  /** The largest timestamp in ms, -1 without one. */
  readonly maxTimestampMs: number
  /** The entries of both indexes, from the start of the walk on, without the last one of a full segment's time index. */
  readonly indexes: SegmentIndexes
  /** The leader epochs that begin here, rising. */
  readonly epochs: readonly EpochStart[]
  /** Of the last batch. */
  readonly leaderEpoch: number
  /** undefined when the file ends with its last sound batch. */
  readonly fault: SegmentFault | undefined
}

export function scanSegment(source: ByteSource, options: ScanOptions): SegmentScan {
  const { baseOffset, crcFrom = 0, holesBelow = 0, onBatch, from } = options
  const windowBytes = crcFrom === Number.POSITIVE_INFINITY ? HEADERS_WINDOW_BYTES : WHOLE_BATCHES_WINDOW_BYTES
  const file = new SegmentSource(source, windowBytes, from?.position)
  const indexes = new SegmentIndexes(baseOffset, options.indexIntervalBytes ?? INDEX_INTERVAL_BYTES, from)
  const epochs: EpochStart[] = []
  let epoch = Math.max(options.leaderEpoch ?? NO_LEADER_EPOCH, from?.leaderEpoch ?? NO_LEADER_EPOCH)
  let position = from?.position ?? 0
  let offset = from?.endOffset ?? options.expectedOffset ?? baseOffset
  let batches = 0
  let firstTimestampMs = from?.firstTimestampMs ?? NO_TIMESTAMP
  let kind: FaultKind | undefined
  while (position < file.sizeInBytes) {
    let at = file.at(position, BATCH_HEADER_BYTES)
    kind = headerFault(file, at, position)
    if (kind !== undefined) break
    const size = batchSizeInBytes(file.bytes, at)
    const first = looseInt64(file.bytes, at)
    const last = looseLastOffset(file.bytes, at)
    const batchEpoch = leaderEpoch(file.bytes, at)
    if (!follows(first, last, offset, baseOffset, holesBelow) || batchEpoch < epoch) {
      kind = 'out of order'
      break
    }
    const isChecked = last >= crcFrom
    if (isChecked || isControlBatch(file.bytes, at)) at = file.at(position, size)
    if (isChecked && !isCrcValid(file.bytes, at, at + size)) {
      kind = 'wrong CRC'
      break
    }
    if (batchEpoch > epoch) {
      epochs.push({ epoch: batchEpoch, startOffset: first })
      epoch = batchEpoch
    }
    const maxTimestampMs = looseMaxTimestamp(file.bytes, at)
    if (position === 0) firstTimestampMs = maxTimestampMs
    indexes.note(last, position, size, maxTimestampMs)
    onBatch?.(file.bytes, at, size, position)
    batches++
    offset = last + 1
    position += size
  }
  const fault = kind === undefined ? undefined : { kind, position, offset }
  const { maxTimestampMs } = indexes
  return {
    endPosition: position,
    endOffset: offset,
    batches,
    firstTimestampMs,
    maxTimestampMs,
    indexes,
    epochs,
    leaderEpoch: epoch,
    fault,
  }
}

/** What is wrong with the header at `at` of the window, which stands at `position` of the file. */
export function headerFault(file: SegmentSource, at: number, position: number): 'cut short' | 'no batch' | undefined {
  if (at < 0) return 'cut short'
  const size = batchSizeInBytes(file.bytes, at)
  if (file.bytes[at + MAGIC] !== MAGIC_V2 || size < BATCH_HEADER_BYTES || lastOffsetDelta(file.bytes, at) < 0) return 'no batch'
  return position + size > file.sizeInBytes ? 'cut short' : undefined
}

/** Written so that what is no number at all is refused too. */
function follows(first: number, last: number, expected: number, baseOffset: number, holesBelow: number): boolean {
  if (!(last - baseOffset <= INT32_MAX) || !Number.isSafeInteger(first)) return false
  return first === expected || (first > expected && first <= holesBelow)
}
