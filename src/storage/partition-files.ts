// The files of one partition (Kafka: UnifiedLog on its directory): batches are appended to the last
// of its segments, and old segments go. Runs on the one thread that has them, and may block there.
//
//   <topic>-<partition>/
//     <base offset>.log .index .timeindex .txnindex   a segment: batches, and where they are
//     <offset>.snapshot                               what producers wrote below that offset
//     leader-epoch-checkpoint, partition.metadata
//     <offset>.torn                                   a tail that was cut off, torn-tail.ts
//
// Holds: what `append` returned for survives the process; what `sync` returned for survives a power
// cut, names too. After one failed write or sync nobody knows what is on the disk: from then on
// every call but `close` throws, and `close` does not say that the log was closed.
// A batch costs a look at its header; nothing is allocated a record.

import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { batchSizeWithin, looseInt64, looseLastOffset, looseMaxTimestamp } from '../log/batch-walk.ts'
import type { Random } from '../random.ts'
import { leaderEpoch } from '../record/record-batch.ts'
import type { CleanedSegment } from './clean-job.ts'
import { DeletedFiles } from './deleted-files.ts'
import { FailureFence } from './failure-fence.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { EpochStart } from './leader-epoch-checkpoint.ts'
import { logFileName } from './log-file-names.ts'
import { segmentIndexOf } from './log-segment.ts'
import type { LogSegment } from './log-segment.ts'
import { truncateFiles } from './log-truncation.ts'
import { createPartition, openRecovered, segmentJitterMs } from './open-partition.ts'
import type { OpenedPartition, PartitionFilesOptions } from './open-partition.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import type { RecoveredPartition } from './partition-recovery.ts'
import { encodeProducers, snapshotOffsets, writeSnapshot } from './producer-snapshots.ts'
import type { ProducerSnapshotEntry } from './producer-snapshot.ts'
import type { ProducerTable } from './producer-table.ts'
import type { ResumePoint } from './resume-point.ts'
import { findBatchByOffset, findBatchByTimestamp } from './segment-lookup.ts'
import type { BatchPlace } from './segment-lookup.ts'
import { retentionStart } from './segment-retention.ts'
import { discardCleaned, isCleanedThere, swapSegments } from './segment-swap.ts'
import { SegmentWriter } from './segment-writer.ts'
import { SyncProgress } from './sync-progress.ts'

export class PartitionFiles {
  readonly #directory: PartitionDirectory
  readonly #clock: Clock
  readonly #random: Random
  #config: PartitionFilesConfig
  readonly #segments: LogSegment[]
  #writer: SegmentWriter
  #producers: ProducerTable
  readonly #epochs: LeaderEpochs
  readonly #deleted: DeletedFiles
  #startOffset: number
  #endOffset: number
  readonly synced: SyncProgress
  #snapshotOffset: number
  readonly #fence: FailureFence
  readonly #nowMs = (): number => this.#clock.nowMs()

  /** A new partition, empty, that begins at `startOffset`, 0 when left out. Its directory must not be there. */
  static create(options: PartitionFilesOptions & { readonly startOffset?: number }): PartitionFiles {
    return new PartitionFiles(options, createPartition(options, options.startOffset ?? 0))
  }

  /** A partition that `recoverPartition` recovered, and that nobody has changed since. */
  static openRecovered(options: PartitionFilesOptions, recovered: RecoveredPartition): PartitionFiles {
    return new PartitionFiles(options, openRecovered(options, recovered))
  }

  private constructor(options: PartitionFilesOptions, opened: OpenedPartition) {
    this.#directory = opened.directory
    this.#fence = new FailureFence(options.directory)
    this.#clock = options.clock
    this.#random = options.random
    this.#config = options.config
    this.#segments = opened.segments
    this.#writer = opened.writer
    this.#producers = opened.producers
    this.#epochs = opened.epochs
    this.#deleted = new DeletedFiles(opened.directory)
    this.#startOffset = opened.startOffset
    this.#endOffset = opened.writer.segment.endOffset
    // What a recovery found behind the recovery point may not be synced: how much of it, is not known.
    const isSynced = opened.syncedEndOffset >= this.#endOffset
    this.synced = new SyncProgress(opened.syncedEndOffset, isSynced ? 0 : this.#writer.segment.sizeInBytes)
    this.#snapshotOffset = opened.snapshotOffset
  }

  get path(): string {
    return this.#directory.path
  }

  get startOffset(): number {
    return this.#startOffset
  }

  /** One past the last batch that is written. */
  get endOffset(): number {
    return this.#endOffset
  }

  get syncedEndOffset(): number {
    return this.synced.endOffset
  }

  /** Of all .log files. */
  get sizeInBytes(): number {
    let sum = 0
    for (const { sizeInBytes } of this.#segments) sum += sizeInBytes
    return sum
  }

  /** Oldest first; the last is appended to. */
  get segments(): readonly Readonly<LogSegment>[] {
    return this.#segments
  }

  get leaderEpochs(): readonly EpochStart[] {
    return this.#epochs.entries
  }

  producers(): Iterable<ProducerSnapshotEntry> {
    return this.#producers.entries()
  }

  /** Why only `close` is left to call. */
  get failure(): unknown {
    return this.#fence.failure
  }

  /** Takes effect at the next batch and the next segment. */
  setConfig(config: PartitionFilesConfig): void {
    this.#config = config
  }

  /**
   * Appends the whole batches in bytes[start, end), which may be shared memory: their offsets follow the end of the log,
   * their leader epochs do not fall, their CRCs are right. One write a segment.
   */
  append(bytes: Uint8Array, start: number, end: number): void {
    this.#fence.assertUsable()
    try {
      this.#append(bytes, start, end)
    } catch (error) {
      throw this.#fence.failed(error)
    }
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    let runStart = start
    let offset = this.#endOffset
    for (let at = start; at < end; ) {
      const size = batchSizeWithin(bytes, at, end)
      const baseOffset = looseInt64(bytes, at)
      const lastOffset = looseLastOffset(bytes, at)
      assert(size > 0, 'what is appended are no whole batches')
      assert(baseOffset >= offset && lastOffset >= baseOffset, 'a batch is appended below the end of the log')
      const maxTimestampMs = looseMaxTimestamp(bytes, at)
      if (this.#writer.isFullFor(lastOffset, size, maxTimestampMs, this.#config, this.#nowMs)) {
        this.#writeRun(bytes, runStart, at)
        runStart = at
        this.#roll(baseOffset)
      }
      // Before the batch is written: a batch never has an epoch that the file does not know.
      const epoch = leaderEpoch(bytes, at)
      if (epoch > this.#epochs.latest) this.#epochs.assign(epoch, baseOffset)
      this.#writer.noteBatch(lastOffset, size, maxTimestampMs)
      const aborted = this.#producers.append(bytes, at, size)
      if (aborted !== undefined) this.#writer.noteAborted(aborted)
      offset = lastOffset + 1
      at += size
    }
    this.#writeRun(bytes, runStart, end)
  }

  #writeRun(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    this.synced.noteAppended(end - start)
    this.#writer.writeRun(bytes, start, end)
    this.#endOffset = this.#writer.segment.endOffset
  }

  /** A leader begins at the end of the log; recorded before it appends. Not above a known epoch, it says nothing new. */
  assignEpoch(epoch: number): void {
    this.#fence.run(() => this.#epochs.assign(epoch, this.#endOffset))
  }

  /** All that was appended survives a power cut, and so do the names of its files. */
  sync(): void {
    this.#fence.run(() => {
      this.#writer.syncLog()
      this.#directory.sync()
      this.synced.all(this.#endOffset)
    })
  }

  /**
   * Starts a sync of what was appended so far, while more may be appended; one at a time. When `onEnd` is called, in a later
   * turn of the event loop, `syncedEndOffset` or `failure` tells. False, and it is not called: it was little, and is synced already.
   */
  startSync(onEnd: () => void): boolean {
    return this.#fence.run(() => {
      // Names and files that were closed: few, and not for long.
      this.#directory.sync()
      return this.synced.start(this.#endOffset, (onSynced) =>
        this.#writer.startSyncLog((failure) => {
          onSynced(failure === undefined)
          if (failure !== undefined) this.#fence.failed(failure)
          onEnd()
        }),
      )
    })
  }

  /** The next batch begins a segment; without effect on an empty one. */
  roll(): void {
    this.#fence.run(() => {
      if (this.#writer.segment.sizeInBytes > 0) this.#roll(this.#endOffset)
    })
  }

  #roll(baseOffset: number): void {
    this.#writer.seal()
    writeSnapshot(this.#directory, baseOffset, this.#producers)
    this.#snapshotOffset = baseOffset
    this.#writer = SegmentWriter.create(
      this.#directory,
      baseOffset,
      this.#config,
      this.#clock.nowMs(),
      segmentJitterMs(this.#config, this.#random),
    )
    this.#segments.push(this.#writer.segment)
  }

  /** Where `retention.ms` and `retention.bytes` would let the log begin, in whole segments. */
  retentionStartOffset(nowMs: number): number {
    return this.#fence.run(() =>
      retentionStart(this.#segments, this.#startOffset, this.#config, nowMs, ({ baseOffset }) => {
        const name = logFileName(baseOffset, 'log')
        return this.#directory.disk.stat(this.#directory.pathOf(name)).modifiedMs
      }),
    )
  }

  /**
   * The log begins at `startOffset`, not above its end: segments wholly below go, the last one too, for a new one that is
   * begun first. Their files stay for `file.delete.delay.ms`. The new start is to be written down before.
   */
  advanceStart(startOffset: number, nowMs: number): void {
    this.#fence.run(() => {
      assert(startOffset <= this.#endOffset, 'the log would begin behind its end')
      if (startOffset <= this.#startOffset) return
      this.#startOffset = startOffset
      if (startOffset === this.#endOffset && this.#writer.segment.sizeInBytes > 0) this.#roll(startOffset)
      let gone = 0
      while (gone + 1 < this.#segments.length && this.#segments[gone + 1]!.baseOffset <= startOffset) gone++
      for (const { baseOffset } of this.#segments.slice(0, gone)) {
        this.#deleted.add(baseOffset, nowMs + this.#config.fileDeleteDelayMs)
        // One by one: never is a later one gone from the disk and an earlier one still there.
        if (gone > 1) this.#directory.syncNames()
      }
      this.#segments.splice(0, gone)
      if (gone > 0) this.#epochs.cutStart(startOffset)
    })
  }

  /**
   * Puts what compaction left in the place of what it was made of, so that a power cut leaves one or the other; the old
   * files stay for `file.delete.delay.ms`. False, and it is removed, where the segments are not what they were.
   */
  replaceSegments(cleaned: CleanedSegment, nowMs: number): boolean {
    return this.#fence.run(() => {
      const { replaces } = cleaned
      const first = this.#segments.findIndex(({ baseOffset }) => baseOffset === replaces[0]!.baseOffset)
      const isAsItWas =
        first >= 0 &&
        first + replaces.length < this.#segments.length &&
        replaces.every(({ baseOffset, sizeInBytes }, i) => {
          const segment = this.#segments[first + i]!
          return segment.baseOffset === baseOffset && segment.sizeInBytes === sizeInBytes
        })
      if (!isAsItWas || !isCleanedThere(this.#directory, cleaned)) {
        discardCleaned(this.#directory, cleaned)
        return false
      }
      swapSegments(this.#directory, cleaned, this.#deleted, nowMs + this.#config.fileDeleteDelayMs)
      this.#segments.splice(first, replaces.length, cleaned.segment)
      return true
    })
  }

  /** Removes the files of segments that went long enough ago; the number of segments. */
  removeDue(nowMs: number): number {
    return this.#fence.run(() => this.#deleted.removeDue(nowMs))
  }

  /** Forgets producers that wrote nothing for `producer.id.expiration.ms`. */
  expireProducers(nowMs: number): void {
    this.#producers.expire(nowMs, this.#config.producerIdExpirationMs)
  }

  /** What producers wrote below the end, in the bytes of Kafka's snapshot. */
  producerSnapshot(): Uint8Array {
    return encodeProducers(this.#producers)
  }

  /** What a recovery need not read, once all that is appended now is synced; undefined where nothing new was appended. */
  resumePoint(): ResumePoint | undefined {
    const known = this.#fence.run(() => this.#writer.checkpoint())
    return known && { ...known, producers: this.producerSnapshot() }
  }

  /** The batch that holds `offset`, or the first behind it; undefined at the end of the log. Throws OFFSET_OUT_OF_RANGE outside. */
  lookUp(offset: number): BatchPlace | undefined {
    if (offset < this.#startOffset || offset > this.#endOffset) {
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `offset ${offset} is not in [${this.#startOffset}, ${this.#endOffset}]`)
    }
    return this.#fence.run(() => {
      this.#writer.flushIndexes()
      for (let i = segmentIndexOf(this.#segments, offset); i < this.#segments.length; i++) {
        const found = findBatchByOffset(this.#directory, this.#segments[Math.max(0, i)]!, offset)
        if (found !== undefined) return found
      }
      return undefined
    })
  }

  /** The first batch, at or behind the start of the log, with a timestamp not below `timestampMs`; undefined when there is none. */
  findByTimestamp(timestampMs: number): BatchPlace | undefined {
    return this.#fence.run(() => {
      this.#writer.flushIndexes()
      for (const segment of this.#segments) {
        if (segment.maxTimestampMs < timestampMs) continue
        const found = findBatchByTimestamp(this.#directory, segment, timestampMs, this.#startOffset)
        if (found !== undefined) return found
      }
      return undefined
    })
  }

  /** Cuts all batches that end at or above `offset`, which is not below the start; what is left is synced. */
  truncateTo(offset: number): void {
    this.#fence.run(() => {
      assert(offset >= this.#startOffset, 'the log would end before its begin')
      if (offset >= this.#endOffset) return
      const { indexes, producers } = truncateFiles({
        directory: this.#directory,
        segments: this.#segments,
        writer: this.#writer,
        offset,
        config: this.#config,
        nowMs: this.#clock.nowMs(),
      })
      const last = this.#segments.at(-1)!
      this.#writer = new SegmentWriter(this.#directory, last, indexes, this.#clock.nowMs(), segmentJitterMs(this.#config, this.#random))
      this.#producers = producers
      this.#endOffset = last.endOffset
      this.#epochs.cutEnd(this.#endOffset)
      this.#snapshotOffset = Math.max(-1, ...snapshotOffsets(this.#directory))
      this.#directory.sync()
      this.synced.restart(this.#endOffset)
    })
  }

  /** Lets go of all descriptors; what needs one opens it again. */
  closeFiles(): void {
    this.#fence.run(() => {
      this.#writer.flushIndexes()
      this.#writer.closeFiles()
    })
  }

  /** Closes the log for good. Whether all is synced and written down: only then may it be opened as closed. */
  close(): boolean {
    return this.#fence.close(
      () => {
        this.#writer.seal()
        if (this.#endOffset > this.#snapshotOffset && this.#endOffset > 0) writeSnapshot(this.#directory, this.#endOffset, this.#producers)
        this.#directory.sync()
        this.synced.all(this.#endOffset)
      },
      () => this.#writer.closeFiles(),
    )
  }
}
