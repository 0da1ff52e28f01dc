// Which segments may go (Kafka: UnifiedLog.deleteOldSegments). Pure; any thread.
//
//   by age     the largest timestamp of a segment, or when it was last written where its records
//              have none, is older than `retention.ms`
//   by size    what stays without it is still at least `retention.bytes`
//
// Whole segments, oldest first; the first that stays keeps all behind it. The last one too, unless
// it is empty: whoever lets it go begins another first.

import type { LogSegment } from './log-segment.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'

type RetentionConfig = Pick<PartitionFilesConfig, 'isDeleted' | 'retentionMs' | 'retentionBytes'>

/** Where the log may begin, at least at `startOffset`. `modifiedMs` is asked for segments without timestamps. */
export function retentionStart(
  segments: readonly LogSegment[],
  startOffset: number,
  config: RetentionConfig,
  nowMs: number,
  modifiedMs: (segment: LogSegment) => number,
): number {
  if (!config.isDeleted) return startOffset
  let gone = 0
  if (config.retentionMs >= 0) {
    for (; gone < segments.length; gone++) {
      const segment = segments[gone]!
      if (segment.sizeInBytes === 0 && gone === segments.length - 1) break
      const lastMs = segment.maxTimestampMs >= 0 ? segment.maxTimestampMs : modifiedMs(segment)
      if (!(nowMs - lastMs > config.retentionMs)) break
    }
  }
  if (config.retentionBytes >= 0) {
    let excess = -config.retentionBytes
    for (const segment of segments.slice(gone)) excess += segment.sizeInBytes
    for (; gone < segments.length; gone++) {
      const { sizeInBytes } = segments[gone]!
      if ((sizeInBytes === 0 && gone === segments.length - 1) || excess < sizeInBytes) break
      excess -= sizeInBytes
    }
  }
  if (gone === 0) return startOffset
  const next = segments[gone]
  return Math.max(startOffset, next === undefined ? segments.at(-1)!.endOffset : next.baseOffset)
}
