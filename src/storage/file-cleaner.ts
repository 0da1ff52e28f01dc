// Which of a data directory's compacted partitions is cleaned next, a few at a time (Kafka:
// LogCleaner, LogCleanerManager). One object an I/O thread, on that thread: it chooses and puts in
// place; the work itself is done elsewhere, by `runJob`.
//
//   tick ── the filthiest that is due ──▶ runJob, on another thread ──▶ tick ── segments put in place
//
// Holds: a directory has one job at a time, and there are `threads` of them at most. A job that
// fails changes nothing; it is tried again after the back-off, but for a log in which something is
// no batch: that one is left alone until it is added anew. What comes back for a partition that
// was removed meanwhile is dropped. A tick is bounded, and where nothing changes there is none.

import { assert } from '../assert.ts'
import type { CleanJob, CleanResult } from './clean-job.ts'
import { cleanableRange } from './cleanable-segments.ts'
import type { CleanableRange, CompactionConfig } from './cleanable-segments.ts'
import type { PartitionFiles } from './partition-files.ts'

/** A tick puts so many new segments in place: each takes a few syncs of the directory. */
const SWAPS_A_TICK = 8

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

/** What may be altered is read anew each time. */
export interface FileCleanerOptions {
  /** `log.cleaner.enable`. */
  readonly isEnabled: boolean
  /** `log.cleaner.threads`: jobs at a time. */
  readonly threads: number
  /** `log.cleaner.backoff.ms`: how long nothing is looked at when nothing was due. */
  readonly backoffMs: number
  /** `log.cleaner.dedupe.buffer.size`, shared by the threads. */
  readonly dedupeBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second`, read and written, over the time: after a job that was faster nothing begins for a while. */
  readonly maxBytesPerSecond: number
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

interface Ended {
  readonly entry: Entry
  readonly outcome: Outcome
  readonly startedMs: number
  /** Of its segments, so many are in place. */
  swapped: number
}

export class FileCleaner {
  readonly #options: FileCleanerOptions
  readonly #entries = new Map<CleanedPartition, Entry>()
  readonly #jobs = new Set<Promise<void>>()
  /** Directories in which a job works, also one that is for nothing by now. */
  readonly #busy = new Set<string>()
  readonly #ended: Ended[] = []
  #lookedMs = Number.NEGATIVE_INFINITY
  #nextLookMs = Number.NEGATIVE_INFINITY
  /** Nothing begins before: what was read and written takes its time. */
  #restUntilMs = Number.NEGATIVE_INFINITY
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

  /** It may be due earlier than it was: something was appended to it, or its configs are others. */
  consider(partition: CleanedPartition): void {
    if (this.#entries.has(partition)) this.#nextLookMs = Math.min(this.#nextLookMs, this.#lookedMs + this.#options.backoffMs)
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

  /** Milliseconds until `tick` has something to do; Infinity while it waits for jobs, or for something to be considered. */
  dueInMs(nowMs: number): number {
    if (this.#ended.length > 0) return 0
    const { isEnabled, threads } = this.#options
    if (!isEnabled || this.#entries.size === 0 || this.#jobs.size >= threads) return Number.POSITIVE_INFINITY
    // A clock that was set back would else keep it waiting.
    if (nowMs < this.#lookedMs) return 0
    return Math.max(0, this.#nextLookMs - nowMs, this.#restUntilMs - nowMs)
  }

  /** Puts in place what came back, and begins what is due; 0: nothing. Throws where a disk fails: the partition says so from then on. */
  tick(nowMs: number): number {
    let swaps = SWAPS_A_TICK
    let done = 0
    for (let ended = this.#ended[0]; ended !== undefined && swaps > 0; ended = this.#ended[0]) {
      const before = ended.swapped
      done++
      // What throws is not tried again.
      this.#ended.shift()
      if (!this.#settle(ended, swaps, nowMs)) this.#ended.unshift(ended)
      swaps -= ended.swapped - before
    }
    if (this.#ended.length > 0 || this.dueInMs(nowMs) > 0) return done
    const { threads } = this.#options
    while (this.#jobs.size < threads) {
      this.#lookedMs = nowMs
      const found = this.#filthiest(nowMs)
      if (found === undefined) break
      this.#start(found.entry, found.range, nowMs)
      done++
    }
    return done
  }

  /** Undefined, and when to look again: not before the back-off, and not while nothing can have changed. */
  #filthiest(nowMs: number): { entry: Entry; range: CleanableRange } | undefined {
    let found: { entry: Entry; range: CleanableRange } | undefined
    let quietMs = Number.POSITIVE_INFINITY
    for (const entry of this.#entries.values()) {
      const { files } = entry.partition
      const config = entry.partition.config()
      if (!config.isCompacted || entry.isRunning || entry.isUncleanable || files.failure !== undefined) continue
      const stableEndOffset = entry.partition.stableEndOffset()
      const { startOffset, endOffset } = files
      const range = cleanableRange(
        files.segments,
        { startOffset, endOffset, cleanedOffset: entry.cleanedOffset, stableEndOffset },
        config,
        nowMs,
      )
      const isBusy = nowMs < entry.retryMs || this.#busy.has(files.path)
      if (range.isDue && !isBusy && (found === undefined || range.dirtyRatio > found.range.dirtyRatio)) found = { entry, range }
      // Nobody says when the end of what is stable moves.
      const isUnstable = stableEndOffset < files.segments.at(-1)!.baseOffset
      quietMs = Math.min(quietMs, isBusy || isUnstable ? 0 : range.dueInMs)
    }
    if (found === undefined) this.#nextLookMs = nowMs + Math.max(this.#options.backoffMs, quietMs)
    return found
  }

  #start(entry: Entry, range: CleanableRange, startedMs: number): void {
    const { path } = entry.partition.files
    entry.isRunning = true
    this.#busy.add(path)
    const ended = (outcome: Outcome): void => {
      this.#jobs.delete(job)
      this.#busy.delete(path)
      this.#ended.push({ entry, outcome, startedMs, swapped: 0 })
      this.#options.onResult()
    }
    const job: Promise<void> = this.#options.runJob(this.#jobOf(entry.partition, range, startedMs)).then(
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

  /** Puts up to `swaps` segments in place; false: there are more. */
  #settle(ended: Ended, swaps: number, nowMs: number): boolean {
    const { entry, outcome } = ended
    const { partition } = entry
    // It may have been added anew, with files of another life.
    if (this.#entries.get(partition) !== entry || partition.files.failure !== undefined) return true
    const { log, onCleaned } = this.#options
    if ('error' in outcome) {
      const { error } = outcome
      entry.isUncleanable = UNCLEANABLE.has((error as { code?: unknown } | null | undefined)?.code)
      const next = entry.isUncleanable ? 'it is compacted no more until it is opened again' : 'it is tried again'
      log(`compaction of ${partition.files.path} failed: ${error instanceof Error ? error.message : String(error)}; ${next}`)
      return this.#finish(entry, nowMs, false)
    }
    const { cleaned, cleanedOffset, failure } = outcome.result
    if (ended.swapped === 0) this.#rest(outcome.result, ended.startedMs, nowMs)
    // In order; what was made of segments that changed meanwhile, and all behind it, is for nothing.
    for (; ended.swapped < cleaned.length; ended.swapped++) {
      if (swaps-- === 0) return false
      if (!partition.files.replaceSegments(cleaned[ended.swapped]!, nowMs)) return this.#finish(entry, nowMs, false)
    }
    if (failure !== undefined) log(`compaction of ${partition.files.path} ended early: ${failure}; it is tried again`)
    if (cleanedOffset === undefined) return this.#finish(entry, nowMs, false)
    entry.cleanedOffset = cleanedOffset
    this.#cleanings++
    onCleaned(partition, outcome.result)
    return this.#finish(entry, nowMs, true)
  }

  #finish(entry: Entry, nowMs: number, isCleaned: boolean): true {
    entry.isRunning = false
    this.#nextLookMs = Number.NEGATIVE_INFINITY
    if (!isCleaned) entry.retryMs = nowMs + this.#options.backoffMs
    return true
  }

  #rest({ readBytes, writtenBytes }: CleanResult, startedMs: number, nowMs: number): void {
    const takesMs = ((readBytes + writtenBytes) / this.#options.maxBytesPerSecond) * 1_000
    // A clock that was set meanwhile does not make it longer.
    this.#restUntilMs = nowMs + Math.min(takesMs, Math.max(0, startedMs + takesMs - nowMs))
  }
}
