// How the files of a partition come to be open: made, or found and recovered (Kafka: UnifiedLog.create).
// Runs on the thread that has them then.

import type { Clock } from '../clock.ts'
import type { Disk } from '../disk/disk.ts'
import type { TopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogSegment } from './log-segment.ts'
import { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import type { RecoveredPartition } from './partition-recovery.ts'
import { recordTopicId } from './partition-topic-id.ts'
import { ProducerTable } from './producer-table.ts'
import { SegmentIndexes } from './segment-indexes.ts'
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

/** A partition that was recovered, here or on another thread, and that nobody has changed since. */
export function openRecovered(options: PartitionFilesOptions, recovered: RecoveredPartition): OpenedPartition {
  const { segments, startOffset, syncedEndOffset, snapshotOffset, isNew } = recovered
  if (isNew) return createPartition(options, startOffset)
  const { config, clock, random } = options
  const directory = new PartitionDirectory(options.disk, options.directory)
  const epochs = new LeaderEpochs(directory, recovered.leaderEpochs)
  const last = segments.at(-1)
  if (last === undefined) return begin(directory, options, startOffset, epochs)
  const indexes = new SegmentIndexes(last.baseOffset, config.indexIntervalBytes, recovered.indexState)
  const writer = new SegmentWriter(directory, last, indexes, clock.nowMs(), segmentJitterMs(config, random))
  const producers = new ProducerTable(recovered.producers)
  return { directory, segments: [...segments], writer, producers, epochs, startOffset, syncedEndOffset, snapshotOffset }
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
