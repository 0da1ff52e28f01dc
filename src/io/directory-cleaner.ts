// Compaction of the partitions of a data directory: which of them a FileCleaner looks at, on what
// threads it works, and what is written down of it (Kafka: LogCleaner, LogCleanerManager). Runs on
// the I/O thread, which puts all new segments in place.
//
//   written, configs altered ─▶ synced, looked at ─▶ job on a thread of the pool ─▶ put in place ─▶ leader told
//
// Holds: what takes the place of others lies below what is committed and synced, so a power cut
// takes no value away that a later one had taken away before. Before a log gets a hole, it is
// written down that it may have some, and how far it is synced: by that it is opened, whatever its
// topic says then.

import type { Clock } from '../clock.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { LOG_SETTINGS } from '../config/broker-log-settings.ts'
import { DiskError } from '../disk/disk-error.ts'
import { CLUSTER_METADATA_SLOT } from '../metadata/metadata-records.ts'
import type { CleanJob, CleanResult, CleanedSegment } from '../storage/clean-job.ts'
import type { CompactionConfig } from '../storage/cleanable-segments.ts'
import { FileCleaner } from '../storage/file-cleaner.ts'
import type { CleanedPartition } from '../storage/file-cleaner.ts'
import type { LogDirectories } from './log-directories.ts'
import type { PartitionWriter } from './partition-writer.ts'

/** Threads that compact segment files. */
export interface CleanerPool {
  run(job: CleanJob): Promise<CleanResult>
  /** Ends what runs: its `run` rejects. */
  close(): Promise<void>
}

export interface DirectoryCleanerOptions {
  readonly directories: LogDirectories
  readonly clock: Clock
  readonly cleanerPool: (threads: number) => CleanerPool
  /** A job has ended: `tick` has something to do. */
  readonly onResult: () => void
  /** A partition was compacted, or has failed. */
  readonly onChanged: (writer: PartitionWriter) => void
  /** Its closed segments are to be synced before they can be compacted. */
  readonly onSyncWanted: (writer: PartitionWriter) => void
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

type CleanerConfig =
  | 'log.cleaner.enable'
  | 'log.cleaner.threads'
  | 'log.cleaner.backoff.ms'
  | 'log.cleaner.dedupe.buffer.size'
  | 'log.cleaner.io.max.bytes.per.second'

export class DirectoryCleaner {
  readonly #options: DirectoryCleanerOptions
  readonly #cleaner: FileCleaner
  readonly #partitions = new Map<number, CompactedPartition>()
  #pool: { readonly threads: number; readonly jobs: CleanerPool } | undefined
  #isStopped = false

  constructor(options: DirectoryCleanerOptions) {
    this.#options = options
    const config = <Name extends CleanerConfig>(name: Name): BrokerConfig[Name] => this.#config(name)
    const { onResult, log } = options
    this.#cleaner = new FileCleaner({
      get isEnabled() {
        return config('log.cleaner.enable')
      },
      get threads() {
        return config('log.cleaner.threads')
      },
      get backoffMs() {
        return config('log.cleaner.backoff.ms')
      },
      get dedupeBufferBytes() {
        return config('log.cleaner.dedupe.buffer.size')
      },
      get maxBytesPerSecond() {
        return config('log.cleaner.io.max.bytes.per.second')
      },
      runJob: (job) => this.#jobs().run(job),
      onResult,
      onCleaned: (partition, result) => this.#onCleaned(partition as CompactedPartition, result),
      log: (message) => log('warn', message),
    })
  }

  /** The partition is there, or its topic has other configs. */
  follow(writer: PartitionWriter): void {
    const { slot } = writer
    // Only a snapshot says what of the metadata log may go.
    if (slot === CLUSTER_METADATA_SLOT || writer.failure !== undefined) return
    if (!this.#options.directories.compactionOf(writer).isCompacted) return this.remove(slot)
    const known = this.#partitions.get(slot)
    if (known !== undefined) return this.#cleaner.consider(known)
    const partition = new CompactedPartition(writer, this.#options, () => this.remove(slot))
    this.#partitions.set(slot, partition)
    this.#cleaner.add(partition, partition.checkpointedOffset)
  }

  /** Something was written to it. */
  consider({ slot }: PartitionWriter): void {
    const partition = this.#partitions.get(slot)
    if (partition !== undefined) this.#cleaner.consider(partition)
  }

  /** It is not compacted any more, is deleted, or has failed. A job of it is for nothing. */
  remove(slot: number): void {
    const partition = this.#partitions.get(slot)
    if (partition === undefined) return
    this.#partitions.delete(slot)
    this.#cleaner.remove(partition)
  }

  /** Milliseconds until `tick` has something to do. */
  dueInMs(): number {
    return this.#isStopped ? Number.POSITIVE_INFINITY : this.#cleaner.dueInMs(this.#options.clock.nowMs())
  }

  /** Puts in place what is ready, and begins what is due; 0 when that was nothing. */
  tick(): number {
    if (this.dueInMs() > 0) return 0
    for (const { writer } of this.#partitions.values()) this.#syncSealed(writer)
    return this.#cleaner.tick(this.#options.clock.nowMs())
  }

  /** When no job runs. Never rejects. */
  idle(): Promise<void> {
    return this.#cleaner.idle()
  }

  /** For good: jobs are broken off, what they made is left for who opens the directory next. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#pool?.jobs.close().catch(() => undefined)
    await this.idle()
  }

  /** Segments that nothing is appended to are synced, for the next look: only such are compacted. */
  #syncSealed(writer: PartitionWriter): void {
    const { files } = writer
    if (writer.failure !== undefined || files.syncedEndOffset >= files.segments.at(-1)!.baseOffset) return
    this.#options.onSyncWanted(writer)
  }

  #onCleaned({ writer }: CompactedPartition, { cleaned, cleanedOffset }: CleanResult): void {
    const { directories, log, onChanged } = this.#options
    try {
      directories.checkpointCleaned(writer, cleanedOffset!)
    } catch (error) {
      // The one before still holds: some of it is compacted again after the next start.
      if (!(error instanceof DiskError)) throw error
      log('error', `how far ${writer.files.path} is compacted was not written down: ${error.message}`)
    }
    // What is still in memory of it is not compacted: readers find it in the files from now on.
    if (cleaned.length > 0) writer.control.setCleanedOffset(cleanedOffset!)
    onChanged(writer)
  }

  /** The pool that is as large as is configured now. */
  #jobs(): CleanerPool {
    const threads = this.#config('log.cleaner.threads')
    if (this.#pool?.threads !== threads) {
      const old = this.#pool?.jobs
      this.#pool = { threads, jobs: this.#options.cleanerPool(threads) }
      if (old !== undefined) void this.idle().then(() => old.close().catch(() => undefined))
    }
    return this.#pool.jobs
  }

  #config<Name extends CleanerConfig>(name: Name): BrokerConfig[Name] {
    return (this.#options.directories.brokerConfig[name] ?? LOG_SETTINGS[name].default) as BrokerConfig[Name]
  }
}

/** What a FileCleaner sees of a partition: its failures are the writer's. */
class CompactedPartition implements CleanedPartition {
  readonly topic: string
  readonly partition: number
  readonly writer: PartitionWriter
  readonly files: CleanedPartition['files']
  readonly #options: DirectoryCleanerOptions
  readonly #onGivenUp: () => void

  /** `onGivenUp`: it cannot be compacted until it is opened again. */
  constructor(writer: PartitionWriter, options: DirectoryCleanerOptions, onGivenUp: () => void) {
    const { files } = writer
    this.#onGivenUp = onGivenUp
    this.writer = writer
    this.#options = options
    ;({ topic: this.topic, partition: this.partition } = options.directories.nameOf(writer))
    const replaceSegments = (cleaned: CleanedSegment, nowMs: number): boolean => this.#replaceSegments(cleaned, nowMs)
    this.files = {
      path: files.path,
      get segments() {
        return files.segments
      },
      get startOffset() {
        return files.startOffset
      },
      get endOffset() {
        return files.endOffset
      },
      get failure() {
        return writer.failure
      },
      producers: () => files.producers(),
      replaceSegments,
    }
  }

  /** 0 for one that was never compacted, and for what is of another life of the log. */
  get checkpointedOffset(): number {
    const offset = this.#options.directories.cleanedOffset(this.writer) ?? 0
    return offset > this.writer.files.endOffset ? 0 : offset
  }

  config(): CompactionConfig {
    return this.#options.directories.compactionOf(this.writer)
  }

  stableEndOffset(): number {
    return Math.min(this.writer.control.lastStableOffset, this.writer.files.syncedEndOffset)
  }

  #replaceSegments(cleaned: CleanedSegment, nowMs: number): boolean {
    const { directories, log, onChanged } = this.#options
    const { writer } = this
    try {
      directories.checkpointCleaned(writer, directories.cleanedOffset(writer) ?? 0)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      log('error', `${writer.files.path} is not compacted, for that could not be written down: ${error.message}`)
      // A disk that is full may have room again.
      if (error.reason !== 'no-space') this.#onGivenUp()
      return false
    }
    let isReplaced = false
    if (writer.guard(() => (isReplaced = writer.files.replaceSegments(cleaned, nowMs)))) return isReplaced
    onChanged(writer)
    return false
  }
}
