// Reads one partition for a consumer, from shared log memory into private memory
// (Kafka: Fetcher, for a fetch that needs no request). Runs on the consumer's thread.
//
//   position    reset ──▶ known ◀── earliest, latest: seekToBeginning and seekToEnd, until they are looked at
//                 └─▶ looking up ──┘  by_duration: the leader is asked
//
// Holds: batches come in order of offset, none twice; what retention took before it
// was read is counted and said, never passed over in silence; what holds no record for
// users (control batches, what compaction emptied, deleted records) is passed over.

import { MillraceError } from '../../errors.ts'
import type { ControlBlock } from '../../log/control-block.ts'
import { READ_DELETED, READ_EMPTY, READ_IN_FILES, READ_OK, SharedLogReader } from '../../log/shared-log-reader.ts'
import type { ReadTarget } from '../../log/shared-log-reader.ts'
import type { LogMemory } from '../../log/log-memory.ts'
import { decompressFetched, hasCompressedBatch } from './decompressed-fetch.ts'
import type { FetchBound } from '../../partition/list-offsets.ts'
import { baseOffset, batchSizeInBytes, isControlBatch, lastOffsetDelta, recordCount } from '../../record/record-batch.ts'
import { RecordCursor } from '../../record/record-cursor.ts'
import type { BoundTopic } from '../topic.ts'
import { ColdFetch } from './cold-fetch.ts'
import type { ColdReads } from './cold-reads.ts'
import type { AutoOffsetReset } from './offset-reset.ts'
import type { RecordSource } from './record-source.ts'

/** The offset that was to be read is not there: retention took it before, or it lay beyond the end. */
export interface Overtaken {
  readonly topic: string
  readonly partition: number
  /** Records that retention took before they were read; 0 when the offset lay beyond the end. */
  readonly missed: number
  /** The offset that was wanted, and where reading goes on. */
  readonly from: number
  readonly to: number
}

export interface FetcherOptions {
  readonly autoOffsetReset: AutoOffsetReset
  /** Up to where it reads. */
  readonly bound: FetchBound
  readonly maxBytes: number
  /** The offset by which `by_duration` starts, undefined: the end. */
  readonly lookUp: (fetcher: PartitionFetcher) => Promise<number | undefined>
  /** A look-up has ended, well or not. */
  readonly onLookedUp: () => void
  readonly onOvertaken: (event: Overtaken) => void
  /** What reads below memory share; when a chunk has come it makes the loop look again. */
  readonly coldReads: ColdReads
}

type PositionState = 'reset' | 'earliest' | 'latest' | 'looking up' | 'known'

export class PartitionFetcher {
  /** As it was bound for the reading that runs. */
  topic: BoundTopic
  /** What its records are told to come from: their serdes, and who commits them. */
  source: RecordSource
  readonly partition: number
  readonly control: ControlBlock
  /** The position of the last fetch that found records. */
  fetchedFrom = 0
  readonly #memory: LogMemory
  readonly #reader: SharedLogReader
  readonly #cold: ColdFetch
  /** Decided when the data directory was opened. */
  readonly #areFilesDamaged: boolean
  readonly #options: FetcherOptions
  #isPaused = false
  #isHeld = false
  #state: PositionState = 'reset'
  /** The next offset to be handed out; the reader may be ahead of it. */
  #position = 0
  /** Counts what moved the position beside reading: a look-up that was overtaken by it is void. */
  #moves = 0
  #failure: Error | undefined
  #cursor: RecordCursor | undefined
  // Runs ahead of the position and counts bytes, for whoever waits for many.
  #scout: SharedLogReader | undefined
  #scoutedFrom = -1
  #scoutedBytes = 0

  constructor(topic: BoundTopic, partition: number, control: ControlBlock, memory: LogMemory, options: FetcherOptions) {
    this.topic = topic
    this.source = topic
    this.partition = partition
    this.control = control
    this.#memory = memory
    this.#options = options
    this.#reader = new SharedLogReader(memory, control.slot, options.bound)
    this.#areFilesDamaged = control.areFilesDamaged
    this.#cold = new ColdFetch(topic.name, partition, control, options.coldReads)
  }

  /** Not read; its position stays: its user has paused it, or whoever works on its records has enough of them. */
  get isAtRest(): boolean {
    return this.#isPaused || this.#isHeld
  }

  get paused(): boolean {
    return this.#isPaused
  }

  /** By its user. */
  set paused(isPaused: boolean) {
    this.#isPaused = isPaused
    if (isPaused) this.rest()
  }

  /** By whoever works on its records. */
  set isHeld(isHeld: boolean) {
    this.#isHeld = isHeld
    if (isHeld) this.rest()
  }

  /** Nobody reads it now: no file is kept open. */
  rest(): void {
    this.#cold.rest()
  }

  /** The next offset to be handed out. Throws OFFSET_NOT_AVAILABLE while it is looked up, OFFSET_OUT_OF_RANGE under 'none'. */
  get position(): number {
    if (this.#isPositioned()) return this.#position
    const where = `${this.topic.name}-${this.partition}`
    throw new MillraceError(
      'OFFSET_NOT_AVAILABLE',
      `the position of ${where} is being looked up by its leader: ask again, or begin to read`,
    )
  }

  /** As `position`, where it is known without looking. */
  get knownPosition(): number | undefined {
    return this.#state === 'known' ? this.#position : undefined
  }

  /** Nobody has said yet where it is to be read. */
  get isUnset(): boolean {
    return this.#state === 'reset'
  }

  /**
   * Reading waits until it is told where the group goes on. Gives what tells it: an offset, or undefined
   * where none was committed; whoever has moved the position meanwhile has the last word.
   */
  awaitCommitted(): (offset: number | undefined) => void {
    this.#failure = undefined
    this.#state = 'looking up'
    const move = ++this.#moves
    return (offset) => {
      if (move !== this.#moves) return
      if (offset === undefined) this.#state = 'reset'
      else this.seek(offset)
    }
  }

  seek(offset: number): void {
    this.#moves++
    this.#state = 'known'
    this.#position = offset
    this.#reader.seek(offset)
  }

  /** To be done when the position is next looked at. */
  seekLazily(to: 'earliest' | 'latest'): void {
    this.#moves++
    this.#state = to
  }

  /** It is about to be read: where that is to begin at the end, it is this end. */
  beginAtEnd(): void {
    const to = this.#state === 'reset' ? this.#options.autoOffsetReset : this.#state
    if (to === 'latest') this.#startAt(this.endOffset, undefined)
  }

  /** Of what was fetched, records from `offset` on were not handed out. */
  returnTo(offset: number): void {
    this.#position = offset
  }

  isAt(offset: number): boolean {
    return this.#state === 'known' && this.#position === offset
  }

  hasReached(limit: number): boolean {
    return this.#state === 'known' && this.#position >= limit
  }

  /** Whether a fetch has something else to tell than records: the position is not in the log, or the log is gone. */
  get isOutOfLog(): boolean {
    if (this.#state !== 'known') return false
    const { logStartOffset, logEndOffset } = this.control
    return this.#reader.isDeleted || this.#position < logStartOffset || this.#position > logEndOffset
  }

  /** The end that a reader may see now: the high watermark, or the last stable offset. */
  get endOffset(): number {
    return this.control[this.#options.bound]
  }

  /** Offsets from the position to the end; errors as `position`. */
  get lag(): number {
    return Math.max(0, this.endOffset - this.position)
  }

  /**
   * Copies the next committed batches below `limit` into the target; false when there are no records for users now, or
   * they are being read from files. Throws OFFSET_OUT_OF_RANGE under 'none', UNKNOWN_TOPIC_ID, CORRUPT_MESSAGE,
   * RECORD_LIST_TOO_LARGE and KAFKA_STORAGE_ERROR; the position stays then.
   */
  fetch(limit: number, target: ReadTarget): boolean {
    if (this.#areFilesDamaged) throw this.#damaged()
    if (!this.#isPositioned()) return false
    if (this.#reader.position === this.#position && !this.#reader.mayHaveNews) return false
    for (;;) {
      const from = this.#position
      if (from >= limit) {
        this.rest()
        return false
      }
      if (this.#reader.position !== from) this.#reader.seek(from)
      const status = this.#reader.read(target, this.#options.maxBytes)
      if (status === READ_OK || status === READ_EMPTY || status === READ_IN_FILES) {
        const next = status === READ_IN_FILES ? this.#takeCold(from, limit, target) : this.#reader.position
        if (next < 0) return false
        if (status !== READ_IN_FILES) this.rest()
        let behind = this.#cutAt(limit, target, next)
        const isCompressed = status === READ_IN_FILES ? hasCompressedBatch(target) : status === READ_OK && this.#reader.hasCompressed
        if (isCompressed) behind = this.#decompress(target, behind)
        const hasRecords = this.#hasRecords(target, from)
        // Without records too: what compaction took is passed over.
        this.#position = behind
        if (hasRecords) {
          this.fetchedFrom = from
          return true
        }
        // A read gives up when the log is trimmed under it again and again: there may be records all the same.
        if (status !== READ_IN_FILES && !this.#reader.hasNews) return false
      } else if (status === READ_DELETED) {
        throw this.#deleted()
      } else if (!this.#resetPosition(from)) {
        return false
      }
    }
  }

  /** Bytes that fetches would find now, counted up to `enough`; Infinity where there is something else to be told. */
  availableBytes(enough: number): number {
    if (!this.#isPositioned()) return 0
    // The scout is past what retention takes of that which it counted.
    if (this.isOutOfLog) return Number.POSITIVE_INFINITY
    this.#scout ??= new SharedLogReader(this.#memory, this.control.slot, this.#options.bound)
    // What was counted in memory may have gone to files since.
    if (this.#scoutedFrom !== this.#position || this.#position < this.control.memoryStartOffset) {
      this.#scoutedFrom = this.#position
      this.#scoutedBytes = 0
      this.#scout.seek(this.#position)
    }
    while (this.#scoutedBytes < enough) {
      const status = this.#scout.pass(enough - this.#scoutedBytes)
      if (status === READ_OK) this.#scoutedBytes += this.#scout.passedBytes
      else if (status === READ_IN_FILES) {
        // What is read from files may be dropped again: it is counted anew each time.
        this.#scoutedFrom = -1
        const bytes = this.#coldBytes(this.#scout.position)
        if (bytes < 0) break
        this.#scoutedBytes += bytes
        if (this.#scoutedBytes < enough) this.#scout.seek(this.#cold.nextOffset)
      } else if (status !== READ_EMPTY) return Number.POSITIVE_INFINITY
      else if (!this.#scout.hasNews) break
    }
    return this.#scoutedBytes
  }

  /** Up to where files are read: behind that memory holds all. */
  get #filesEnd(): number {
    return Math.min(this.control.memoryStartOffset, this.endOffset)
  }

  /** The offset behind the batches that were read from files; -1: there are none now. */
  #takeCold(from: number, limit: number, target: ReadTarget): number {
    const endOffset = Math.min(this.#filesEnd, limit)
    return endOffset > from ? this.#cold.take(from, endOffset, target) : -1
  }

  /**
   * Bytes that were read from files, -1 while they are read. Infinity where more are behind them: Kafka does not
   * delay a fetch from an older segment either.
   */
  #coldBytes(from: number): number {
    const endOffset = this.#filesEnd
    const bytes = from === this.#position && endOffset > from ? this.#cold.readyBytes(from, endOffset) : -1
    return bytes >= 0 && this.#cold.nextOffset < endOffset ? Number.POSITIVE_INFINITY : bytes
  }

  /**
   * Whole batches at or above the limit are not handed out: the next fetch finds them again. Gives the offset
   * behind those that are, `next` when it is all.
   */
  #cutAt(limit: number, target: ReadTarget, next: number): number {
    if (next <= limit) return next
    let position = 0
    while (position < target.length && baseOffset(target.bytes, position) < limit) position += batchSizeInBytes(target.bytes, position)
    if (position >= target.length) return next
    target.length = position
    return baseOffset(target.bytes, position)
  }

  /** What there is no room for, the next fetch finds again. Gives the offset behind what is there, `next` when it is all. */
  #decompress(target: ReadTarget, next: number): number {
    const rest = decompressFetched(target, this.#options.maxBytes, `${this.topic.name}-${this.partition}`)
    return rest < 0 ? next : rest
  }

  /** Whether there is a record for users at or above `from`: the first header tells, where nothing was taken out. */
  #hasRecords({ bytes, length }: ReadTarget, from: number): boolean {
    if (length === 0) return false
    const count = recordCount(bytes, 0)
    if (count > 0 && lastOffsetDelta(bytes, 0) === count - 1 && !isControlBatch(bytes, 0)) return true
    const cursor = (this.#cursor ??= new RecordCursor())
    cursor.reset(bytes, 0, length, from)
    return cursor.next()
  }

  #isPositioned(): boolean {
    const failure = this.#failure
    if (failure !== undefined) {
      this.#failure = undefined
      throw failure
    }
    if (this.#state === 'known') return true
    if (this.#state === 'looking up') return false
    const to = this.#state === 'reset' ? this.#options.autoOffsetReset : this.#state
    if (to === 'none') {
      const where = `${this.topic.name}-${this.partition} has no position yet, and autoOffsetReset 'none' gives it none`
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `${where}: seek to an offset first, or set autoOffsetReset`)
    }
    return this.#start(to, undefined)
  }

  /** False: where reading goes on is being looked up. */
  #resetPosition(from: number): boolean {
    const { autoOffsetReset } = this.#options
    if (autoOffsetReset !== 'none') return this.#start(autoOffsetReset, from)
    const start = this.control.logStartOffset
    const gone = from < start ? `${start - from} record(s) went by retention before they were read` : 'it is beyond the end of the log'
    const remedy = 'seek to an offset that is there, read faster, keep more (logMemoryBytes, retention.bytes), or set autoOffsetReset'
    const where = `${this.topic.name}-${this.partition}`
    throw new MillraceError('OFFSET_OUT_OF_RANGE', `offset ${from} of ${where} cannot be read: ${gone}; ${remedy}`)
  }

  #start(policy: Exclude<AutoOffsetReset, 'none'>, overtakenAt: number | undefined): boolean {
    if (policy === 'earliest' || policy === 'latest') {
      this.#startAt(policy === 'earliest' ? this.control.logStartOffset : this.endOffset, overtakenAt)
      return true
    }
    this.#state = 'looking up'
    const move = ++this.#moves
    this.#options.lookUp(this).then(
      (offset) => this.#lookedUp(move, () => this.#startAt(offset ?? this.endOffset, overtakenAt)),
      (error: unknown) =>
        this.#lookedUp(move, () => {
          throw error
        }),
    )
    return false
  }

  #startAt(to: number, overtakenAt: number | undefined): void {
    this.seek(to)
    if (overtakenAt === undefined) return
    const missed = Math.max(0, to - overtakenAt)
    this.#options.onOvertaken({ topic: this.topic.name, partition: this.partition, missed, from: overtakenAt, to })
  }

  /** What goes wrong here is told to the next fetch. */
  #lookedUp(move: number, start: () => void): void {
    if (move !== this.#moves) return
    try {
      start()
    } catch (error) {
      if (this.#state === 'looking up') this.#state = 'reset'
      this.#failure = error as Error
    }
    this.#options.onLookedUp()
  }

  #damaged(): MillraceError {
    const where = `the files of ${this.topic.name}-${this.partition} are damaged, and nothing of them is served`
    const remedy = "millrace's log said at open which file, where, and what to do; other partitions can be read"
    return new MillraceError('KAFKA_STORAGE_ERROR', `${where}: ${remedy}`, { retriable: false })
  }

  #deleted(): MillraceError {
    return new MillraceError('UNKNOWN_TOPIC_ID', `topic ${this.topic.name} was deleted while it was read: bind it again`, {
      retriable: false,
    })
  }
}
