// A partition's files as the I/O thread opens them: recovered, and then taken as they were left.

import { PartitionFiles } from '../../src/storage/partition-files.ts'
import type { PartitionFilesOptions } from '../../src/storage/open-partition.ts'
import { recoverPartition } from '../../src/storage/partition-recovery.ts'
import type { RecoveryJob } from '../../src/storage/partition-recovery.ts'

export interface OpenFilesOptions extends PartitionFilesOptions, Omit<RecoveryJob, 'topicId' | 'nowMs' | 'holesBelow' | 'resumePoint'> {
  /** Anywhere in a compacted topic, nowhere in another, when left out. */
  readonly holesBelow?: number
  readonly resumePoint?: RecoveryJob['resumePoint']
  /** Is told what was cut, and what was made again. */
  readonly log?: (message: string) => void
}

export function openFiles({ log, ...options }: OpenFilesOptions): PartitionFiles {
  const { disk, clock, random: _, topicId, resumePoint, ...known } = options
  const holesBelow = options.holesBelow ?? (options.config.isCompacted ? Number.POSITIVE_INFINITY : 0)
  const recovered = recoverPartition(disk, { ...known, topicId, nowMs: clock.nowMs(), holesBelow, resumePoint })
  for (const message of recovered.messages) log?.(message)
  return PartitionFiles.openRecovered(options, recovered)
}
