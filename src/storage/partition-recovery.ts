// The recovery of one partition, as a function of its job: what is looked at, scanned, cut and made
// again in its directory, and what is known of it then. A job and its answer are plain data, so the
// I/O thread does it, or a thread of a pool while others do others.
//
// Holds: both do the same. When it returns, what is left in the directory survives a power cut, and
// no descriptor is open.

import type { Disk } from '../disk/disk.ts'
import type { TopicId } from '../ids.ts'
import { damagedFile } from './file-errors.ts'
import type { EpochStart } from './leader-epoch-checkpoint.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { loadFiles } from './log-loader.ts'
import type { LoadOptions } from './log-loader.ts'
import { parseLogDirectory, logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { PartitionDirectory } from './partition-directory.ts'
import { checkTopicId } from './partition-topic-id.ts'
import type { ProducerSnapshotEntry } from './producer-snapshot.ts'
import type { IndexState } from './segment-indexes.ts'

/** What is known of a partition before its files are looked at. */
export interface RecoveryJob extends Omit<LoadOptions, 'directory' | 'log'> {
  /** The path of the partition's directory. */
  readonly directory: string
  readonly topicId: TopicId | undefined
}

export interface RecoveredPartition {
  /** Oldest first. None: the log is empty, and its first segment is to be made. */
  readonly segments: readonly LogSegment[]
  /** Of the last segment. */
  readonly indexState: IndexState | undefined
  readonly leaderEpochs: readonly EpochStart[]
  readonly producers: readonly ProducerSnapshotEntry[]
  /** Of the newest producer snapshot, -1 without one. */
  readonly snapshotOffset: number
  readonly startOffset: number
  readonly syncedEndOffset: number
  /** There is no directory yet. */
  readonly isNew: boolean
  /** Whether the resume point was used: it stays true. */
  readonly isResumed: boolean
  /** What was cut, and what was made again: a sentence each. */
  readonly messages: readonly string[]
}

/** Throws KAFKA_STORAGE_ERROR for a partition that is damaged, which is left as it is; INCONSISTENT_TOPIC_ID for that of another topic. */
export function recoverPartition(disk: Disk, job: RecoveryJob): RecoveredPartition {
  const directory = new PartitionDirectory(disk, job.directory)
  const messages: string[] = []
  const recovered = recoverDirectory(directory, job, (message) => messages.push(message))
  directory.sync()
  return { ...recovered, messages }
}

function recoverDirectory(
  directory: PartitionDirectory,
  job: RecoveryJob,
  log: (message: string) => void,
): Omit<RecoveredPartition, 'messages'> {
  const startOffset = job.logStartOffset ?? 0
  if (!directory.disk.exists(directory.path)) {
    const mark = Math.max(job.durableEnd, job.recoveryPoint)
    if (mark > startOffset) {
      throw damagedFile(directory.path, `nothing, where all offsets below ${mark} were synced`, 'Put back a copy of it.')
    }
    return { ...EMPTY, startOffset, syncedEndOffset: startOffset, isNew: true }
  }
  checkTopicId(directory, job.topicId)
  const loaded = loadFiles({ ...job, directory, log })
  if (loaded !== undefined) {
    const { segments, snapshotOffset, syncedEndOffset, isResumed } = loaded
    const common = { segments, snapshotOffset, syncedEndOffset, isResumed, isNew: false }
    const leaderEpochs = loaded.epochs.entries
    return {
      ...common,
      startOffset: loaded.startOffset,
      leaderEpochs,
      producers: [...loaded.producers.entries()],
      indexState: loaded.indexes.state,
    }
  }
  const epochs = new LeaderEpochs(
    directory,
    LeaderEpochs.read(directory, (error) => log(error.message)),
  )
  epochs.cutEnd(startOffset)
  epochs.cutStart(startOffset)
  return { ...EMPTY, leaderEpochs: epochs.entries, startOffset, syncedEndOffset: startOffset }
}

const EMPTY = {
  segments: [],
  indexState: undefined,
  leaderEpochs: [],
  producers: [],
  snapshotOffset: -1,
  isNew: false,
  isResumed: false,
} as const

/** About so many bytes of .log files a recovery will read: those of segments that may not be synced, from the resume point on. */
export function bytesToScan(disk: Disk, { directory, isClean, hasRebooted, recoveryPoint, resumePoint }: RecoveryJob): number {
  if (isClean || !disk.exists(directory)) return 0
  const { segments } = parseLogDirectory(directory, disk.list(directory))
  let bytes = 0
  for (const [i, { baseOffset }] of segments.entries()) {
    const next = segments[i + 1]
    if (next !== undefined && next.baseOffset < recoveryPoint) continue
    bytes += disk.stat(`${directory}/${logFileName(baseOffset, 'log')}`).sizeInBytes
    if (resumePoint?.baseOffset === baseOffset && !hasRebooted) bytes -= Math.min(bytes, resumePoint.position)
  }
  return bytes
}
