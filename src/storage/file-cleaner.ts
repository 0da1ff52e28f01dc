// Which of a data directory's compacted partitions is cleaned next, a few at a time (Kafka:
// LogCleaner, LogCleanerManager). One object an I/O thread, on that thread: it chooses and puts in
// place; the work itself is done elsewhere, by `runJob`.
//
//   tick ── the filthiest that is due ──▶ runJob, on another thread ──▶ tick ── segments put in place
//
// Holds: a partition has one job at a time, and there are `threads` of them at most. A job that
// fails changes nothing; it is tried again after the back-off, but for a log in which something is
// no batch: that one is left alone until it is added anew. What comes back for a partition that
// was removed meanwhile is dropped.

import { assert } from '../assert.ts'
import type { CleanJob, CleanResult } from './clean-job.ts'
import { cleanableRange } from './cleanable-segments.ts'
import type { CleanableRange, CompactionConfig } from './cleanable-segments.ts'
import type { PartitionFiles } from './partition-files.ts'

/** What is damaged, or holds more than a cleaner gives memory for, does not get better. */
const UNCLEANABLE: ReadonlySet<unknown> = new Set(['CORRUPT_MESSAGE', 'RECORD_LIST_TOO_LARGE', 'UNSUPPORTED_COMPRESSION_TYPE'])

export interface CleanedPartition {
  readonly topic: string
  readonly partition: number
  readonly files: Pick<PartitionFiles, 'path' | 'segments' | 'startOffset' | 'endOffset' | 'failure' | 'producers' | 'replaceSegments'>
  /** As it is now. */
  config(): CompactionConfig
  /** All below is committed, and the transactions that began there have ended. */
  stableEndOffset(): number
}

export interface FileCleanerOptions {
  /** `log.cleaner.enable`. */
  readonly isEnabled: boolean
  /** `log.cleaner.threads`: jobs at a time. */
  readonly threads: number
  /** `log.cleaner.backoff.ms`: how long nothing is looked at when nothing was due. */
  readonly backoffMs: number
  /** `log.cleaner.dedupe.buffer.size`, shared by the threads. */
  readonly dedupeBufferBytes: number
  /** Runs `cleanSegments` on another thread. */
  readonly runJob: (job: CleanJob) => Promise<CleanResult>
  /** A job has ended: `tick` has something to do. */
  readonly onResult: () => void
  /** A partition was cleaned: its offset is to be written down. */
  readonly onCleaned: (partition: CleanedPartition, result: CleanResult) => void
  readonly log: (message: string) => void
}

interface Entry {
  readonly partition: CleanedPartition
  cleanedOffset: number
  isRunning: boolean
  isUncleanable: boolean
  retryMs: number
}

type Outcome = { readonly result: CleanResult } | { readonly error: unknown }

export class FileCleaner {
  readonly #options: FileCleanerOptions
  readonly #entries = new Map<CleanedPartition, Entry>()
  readonly #jobs = new Set<Promise<void>>()
  readonly #outcomes: { readonly entry: Entry; readonly outcome: Outcome }[] = []
  #nextLookMs = Number.NEGATIVE_INFINITY
  #cleanings = 0

  constructor(options: FileCleanerOptions) {
    assert(options.threads >= 0 && options.backoffMs >= 0, 'a cleaner has threads and a back-off')
    this.#options = options
  }

  /** Compactions whose segments were put in place. */
  get cleanings(): number {
    return this.#cleanings
  }

  get jobs(): number {
    return this.#jobs.size
  }

  /** Partitions that are left alone because something in them is no batch. */
  get uncleanablePartitions(): number {
    return [...this.#entries.values()].filter(({ isUncleanable }) => isUncleanable).length
  }

  /** `cleanedOffset`: what the cleaner's checkpoint says, 0 when nothing. */
  add(partition: CleanedPartition, cleanedOffset: number): void {
    this.#entries.set(partition, { partition, cleanedOffset, isRunning: false, isUncleanable: false, retryMs: Number.NEGATIVE_INFINITY })
    this.#nextLookMs = Number.NEGATIVE_INFINITY
  }

  /** Its job, if it has one, goes on, and is for nothing: see `idle`. */
  remove(partition: CleanedPartition): void {
    this.#entries.delete(partition)
  }

  /** All below is compacted; undefined for a partition that is not here. For the checkpoint. */
  cleanedOffset(partition: CleanedPartition): number | undefined {
    return this.#entries.get(partition)?.cleanedOffset
  }

  /** When no job runs any more: before a partition's files go to another thread. Never rejects. */
  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs)
  }

  /** Milliseconds until `tick` has something to do; Infinity while it waits for jobs. */
  dueInMs(nowMs: number): number {
    if (this.#outcomes.length > 0) return 0
    const { isEnabled, threads } = this.#options
    if (!isEnabled || this.#entries.size === 0 || this.#jobs.size >= threads) return Number.POSITIVE_INFINITY
    return Math.min(this.#options.backoffMs, Math.max(0, this.#nextLookMs - nowMs))
  }

  /** Puts in place what came back, and begins what is due. Throws where a disk fails: the partition says so from then on. */
  tick(nowMs: number): void {
    for (let next = this.#outcomes.shift(); next !== undefined; next = this.#outcomes.shift()) this.#settle(next.entry, next.outcome, nowMs)
    const { isEnabled, threads, backoffMs } = this.#options
    // A clock that was set back would else keep it waiting.
    const isLookDue = nowMs >= this.#nextLookMs || this.#nextLookMs - nowMs > backoffMs
    while (isEnabled && isLookDue && this.#jobs.size < threads) {
      const found = this.#filthiest(nowMs)
      if (found === undefined) {
        this.#nextLookMs = nowMs + backoffMs
        return
      }
      this.#start(found.entry, found.range, nowMs)
    }
  }

  #filthiest(nowMs: number): { entry: Entry; range: CleanableRange } | undefined {
    let found: { entry: Entry; range: CleanableRange } | undefined
    for (const entry of this.#entries.values()) {
      const { files } = entry.partition
      const config = entry.partition.config()
      if (!config.isCompacted || entry.isRunning || entry.isUncleanable || nowMs < entry.retryMs || files.failure !== undefined) continue
      const range = cleanableRange(
        files.segments,
        {
          startOffset: files.startOffset,
          endOffset: files.endOffset,
          cleanedOffset: entry.cleanedOffset,
          stableEndOffset: entry.partition.stableEndOffset(),
        },
        config,
        nowMs,
      )
      if (range.isDue && (found === undefined || range.dirtyRatio > found.range.dirtyRatio)) found = { entry, range }
    }
    return found
  }

  #start(entry: Entry, range: CleanableRange, nowMs: number): void {
    entry.isRunning = true
    const ended = (outcome: Outcome): void => {
      this.#jobs.delete(job)
      this.#outcomes.push({ entry, outcome })
      this.#options.onResult()
    }
    const job: Promise<void> = this.#options.runJob(this.#jobOf(entry.partition, range, nowMs)).then(
      (result) => ended({ result }),
      (error: unknown) => ended({ error }),
    )
    this.#jobs.add(job)
  }

  #jobOf(partition: CleanedPartition, range: CleanableRange, nowMs: number): CleanJob {
    const { files } = partition
    const segments = files.segments.slice(0, range.segments).map((segment, i) => ({
      baseOffset: segment.baseOffset,
      nextBaseOffset: files.segments[i + 1]!.baseOffset,
      endOffset: segment.endOffset,
      sizeInBytes: segment.sizeInBytes,
      offsetEntries: segment.offsetEntries,
      timeEntries: segment.timeEntries,
    }))
    const producers = Array.from(files.producers(), ({ producerId, producerEpoch, lastOffset }) => ({
      producerId,
      producerEpoch,
      lastOffset,
    }))
    return {
      directory: files.path,
      segments,
      from: range.from,
      to: range.to,
      config: partition.config(),
      nowMs,
      stableEndOffset: partition.stableEndOffset(),
      producers,
      dedupeBufferBytes: Math.floor(this.#options.dedupeBufferBytes / Math.max(1, this.#options.threads)),
    }
  }

  #settle(entry: Entry, outcome: Outcome, nowMs: number): void {
    const { partition } = entry
    // It may have been added anew, with files of another life.
    if (this.#entries.get(partition) !== entry || partition.files.failure !== undefined) return
    entry.isRunning = false
    this.#nextLookMs = Number.NEGATIVE_INFINITY
    const { backoffMs, log, onCleaned } = this.#options
    if ('error' in outcome) {
      const { error } = outcome
      entry.isUncleanable = UNCLEANABLE.has((error as { code?: unknown } | null | undefined)?.code)
      entry.retryMs = nowMs + backoffMs
      const next = entry.isUncleanable ? 'it is compacted no more until it is opened again' : 'it is tried again'
      log(`compaction of ${partition.files.path} failed: ${error instanceof Error ? error.message : String(error)}; ${next}`)
      return
    }
    const { cleaned, cleanedOffset, failure } = outcome.result
    // In order; what was made of segments that changed meanwhile, and all behind it, is for nothing.
    const isWhole = cleaned.every((one) => partition.files.replaceSegments(one, nowMs))
    if (failure !== undefined) log(`compaction of ${partition.files.path} ended early: ${failure}; it is tried again`)
    if (!isWhole || cleanedOffset === undefined) {
      entry.retryMs = nowMs + backoffMs
      return
    }
    entry.cleanedOffset = cleanedOffset
    this.#cleanings++
    onCleaned(partition, outcome.result)
  }
}
