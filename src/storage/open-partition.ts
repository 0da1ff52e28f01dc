// How the files of a partition come to be open: made, or found and recovered (Kafka: UnifiedLog.create).
// Runs on the thread that has them then.

import type { Clock } from '../clock.ts'
import type { Disk } from '../disk/disk.ts'
import type { TopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { damagedFile } from './file-errors.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { loadFiles } from './log-loader.ts'
import type { LogSegment } from './log-segment.ts'
import { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import { checkTopicId, recordTopicId } from './partition-topic-id.ts'
import { ProducerTable } from './producer-table.ts'
import { SegmentWriter } from './segment-writer.ts'

export interface PartitionFilesOptions {
  readonly disk: Disk
  /** The path of the partition's directory; what is above it is there. */
  readonly directory: string
  /** Left out for logs that have none. */
  readonly topicId?: TopicId
  readonly config: PartitionFilesConfig
  readonly clock: Clock
  readonly random: Random
}

export interface OpenPartitionFilesOptions extends PartitionFilesOptions {
  /** All below was synced: scanning begins here. */
  readonly recoveryPoint: number
  /** Where the log begins, as it was written down: segments wholly below go. undefined where it was not: with the first segment. */
  readonly logStartOffset: number | undefined
  /** The log was closed, and nothing was written since. */
  readonly isClean: boolean
  /** The machine was started again since it was written. To be so until all partitions are open. */
  readonly hasRebooted: boolean
  /** The mark of what was synced: a log that ends below it is damaged. Before `truncateTo` below it, it is to be lowered. */
  readonly durableEnd: number
  /** Below this offset compaction may have left holes; anywhere in a compacted topic, nowhere in another, when left out. */
  readonly holesBelow?: number
  /** Is told what was cut, and what was made again. */
  readonly log?: (message: string) => void
}

export interface OpenedPartition {
  readonly directory: PartitionDirectory
  readonly segments: LogSegment[]
  /** Of the last segment. */
  readonly writer: SegmentWriter
  readonly producers: ProducerTable
  readonly epochs: LeaderEpochs
  readonly startOffset: number
  readonly syncedEndOffset: number
  /** Of the newest producer snapshot, -1 without one. */
  readonly snapshotOffset: number
}

export function createPartition(options: PartitionFilesOptions, startOffset: number): OpenedPartition {
  const directory = new PartitionDirectory(options.disk, options.directory)
  directory.make()
  if (options.topicId !== undefined) recordTopicId(directory, options.topicId)
  return begin(directory, options, startOffset, new LeaderEpochs(directory))
}

export function openPartition(options: OpenPartitionFilesOptions): OpenedPartition {
  const { disk, config, clock, log = () => {} } = options
  const logStartOffset = options.logStartOffset ?? 0
  if (!disk.exists(options.directory)) {
    const mark = Math.max(options.durableEnd, options.recoveryPoint)
    if (mark > logStartOffset) {
      throw damagedFile(options.directory, `nothing, where all offsets below ${mark} were synced`, 'Put back a copy of it.')
    }
    return createPartition(options, logStartOffset)
  }
  const directory = new PartitionDirectory(disk, options.directory)
  checkTopicId(directory, options.topicId)
  const holesBelow = options.holesBelow ?? (config.isCompacted ? Number.POSITIVE_INFINITY : 0)
  const loaded = loadFiles({ ...options, directory, holesBelow, log })
  if (loaded !== undefined) {
    const jitterMs = segmentJitterMs(config, options.random)
    const writer = new SegmentWriter(directory, loaded.segments.at(-1)!, loaded.indexes, clock.nowMs(), jitterMs)
    return { directory, writer, ...loaded }
  }
  const epochs = new LeaderEpochs(
    directory,
    LeaderEpochs.read(directory, (error) => log(error.message)),
  )
  epochs.cutEnd(logStartOffset)
  epochs.cutStart(logStartOffset)
  return begin(directory, options, logStartOffset, epochs)
}

function begin(directory: PartitionDirectory, options: PartitionFilesOptions, startOffset: number, epochs: LeaderEpochs): OpenedPartition {
  const { config, clock, random } = options
  const writer = SegmentWriter.create(directory, startOffset, config, clock.nowMs(), segmentJitterMs(config, random))
  return {
    directory,
    segments: [writer.segment],
    writer,
    producers: new ProducerTable(),
    epochs,
    startOffset,
    syncedEndOffset: startOffset,
    snapshotOffset: -1,
  }
}

/** A part of `segment.ms` that differs by chance (Kafka: randomSegmentJitter). */
export function segmentJitterMs(config: PartitionFilesConfig, random: Random): number {
  const bound = Math.min(config.segmentJitterMs, config.segmentMs)
  return bound > 0 ? random.below(bound) : 0
}
