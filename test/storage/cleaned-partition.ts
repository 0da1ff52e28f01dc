// A partition in files with a cleaner, and what is found of it.

import { VirtualClock } from '../../src/clock.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { batchSizeInBytes, stampBatch, nextOffset } from '../../src/record/record-batch.ts'
import type { CleanJob, CleanResult } from '../../src/storage/clean-job.ts'
import { compactionConfigOf } from '../../src/storage/cleanable-segments.ts'
import { FileCleaner } from '../../src/storage/file-cleaner.ts'
import type { CleanedPartition } from '../../src/storage/file-cleaner.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { cleanSegments } from '../../src/storage/segment-cleaner.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { keyedBatch, keyedBatches } from '../log/keyed-batches.ts'
import type { KeyedBatchOptions, KeyedRecord, SeenKeyedBatch } from '../log/keyed-batches.ts'
import { create, logBytes, newDisk } from './partition-fixture.ts'

export interface CleanedOptions {
  readonly disk?: Disk
  readonly files?: PartitionFiles
  readonly config?: Record<string, string>
  readonly segmentBytes?: number
  readonly indexIntervalBytes?: number
  readonly dedupeBufferBytes?: number
  readonly maxBytesPerSecond?: number
  readonly threads?: number
  readonly startMs?: number
  readonly cleanedOffset?: number
  readonly runJob?: (job: CleanJob) => Promise<CleanResult>
}

export class CleanedFiles {
  readonly clock: VirtualClock
  readonly disk: Disk
  readonly files: PartitionFiles
  readonly partition: CleanedPartition
  readonly cleaner: FileCleaner
  readonly log: string[] = []
  readonly results: CleanResult[] = []
  stableEndOffset = Number.POSITIVE_INFINITY

  constructor(options: CleanedOptions = {}) {
    const { segmentBytes = 4_000, indexIntervalBytes = 300, config = {} } = options
    this.clock = new VirtualClock(options.startMs ?? 1_800_000_000_000)
    this.disk = options.disk ?? newDisk()
    const sizes = { segmentBytes, indexIntervalBytes }
    this.files = options.files ?? create(this.disk, { ...sizes, isCompacted: true })
    const compaction = { ...compactionConfigOf({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', ...config }), ...sizes }
    this.partition = {
      topic: 't',
      partition: 0,
      files: this.files,
      config: () => compaction,
      stableEndOffset: () => Math.min(this.stableEndOffset, this.files.endOffset),
    }
    this.cleaner = new FileCleaner({
      isEnabled: true,
      threads: options.threads ?? 1,
      backoffMs: 15_000,
      dedupeBufferBytes: options.dedupeBufferBytes ?? 1024 * 1024,
      maxBytesPerSecond: options.maxBytesPerSecond ?? Number.MAX_VALUE,
      runJob: options.runJob ?? ((job) => Promise.resolve().then(() => cleanSegments(anotherOf(this.disk), job))),
      onResult: () => {},
      onCleaned: (_, result) => this.results.push(result),
      log: (message) => this.log.push(message),
    })
    this.cleaner.add(this.partition, options.cleanedOffset ?? 0)
  }

  append(records: readonly KeyedRecord[], options: KeyedBatchOptions = {}): number {
    return this.appendBatch(keyedBatch(records, { withCrc: true, ...options }))
  }

  appendBatch(bytes: Uint8Array): number {
    const offset = this.files.endOffset
    stampBatch(bytes, 0, offset, 0)
    this.files.append(bytes, 0, bytes.length)
    return offset
  }

  /** Until nothing is due: each compaction that is waited for, the back-off not. */
  async clean(): Promise<void> {
    this.cleaner.remove(this.partition)
    this.cleaner.add(this.partition, this.cleanedOffset)
    for (let i = 0; i < 100; i++) {
      this.cleaner.tick(this.clock.nowMs())
      this.cleanedOffset = this.cleaner.cleanedOffset(this.partition)!
      if (this.cleaner.jobs === 0 && this.cleaner.dueInMs(this.clock.nowMs()) > 0) return
      await this.cleaner.idle()
    }
    throw new Error(`the cleaner does not end: ${this.log.join('\n')}`)
  }

  cleanedOffset = 0

  read(): SeenKeyedBatch[] {
    return readPartition(this.disk)
  }
}

/** What another thread has of it. */
function anotherOf(disk: Disk): Disk {
  return disk instanceof SimulatedDisk ? disk.another() : disk
}

/** All batches in the .log files, in their order. */
export function readPartition(disk: Disk): SeenKeyedBatch[] {
  const bytes = logBytes(disk)
  return keyedBatches(bytes, bytes.length, 0)
}

/** What stands for each key at the end: its last value and where it is; null values too. */
export function lastOfKeys(batches: readonly SeenKeyedBatch[]): Map<string, string> {
  const last = new Map<string, string>()
  for (const { records } of batches) for (const { key, value, offset } of records) last.set(key!, `${offset} ${value}`)
  return last
}

/** The offset behind the last of the whole batches in these bytes. */
export function endOf(bytes: Uint8Array): number {
  let end = 0
  for (let at = 0; at < bytes.length; at += batchSizeInBytes(bytes, at)) end = nextOffset(bytes, at)
  return end
}
