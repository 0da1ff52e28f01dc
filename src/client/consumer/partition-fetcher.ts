// Reads one partition for a consumer, from shared log memory into private memory
// (Kafka: Fetcher, for a fetch that needs no request). Runs on the consumer's thread.
// Holds: batches come in order of offset, none twice; what retention took before it
// was read is counted and said, never passed over in silence.

import { MillraceError } from '../../errors.ts'
import type { ControlBlock } from '../../log/control-block.ts'
import { READ_DELETED, READ_EMPTY, READ_OK, SharedLogReader } from '../../log/shared-log-reader.ts'
import type { LogMemory } from '../../log/log-memory.ts'
import { baseOffset, batchSizeInBytes } from '../../record/record-batch.ts'
import type { BoundTopic } from '../topic.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import type { FetchBuffer } from './fetch-buffer.ts'

export type AutoOffsetReset = 'earliest' | 'latest' | 'none'

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
  readonly maxBytes: number
  readonly onOvertaken: (event: Overtaken) => void
}

export class PartitionFetcher {
  /** As it was bound for the reading that runs: its serdes decode the records. */
  topic: BoundTopic
  readonly partition: number
  readonly control: ControlBlock
  readonly #reader: SharedLogReader
  readonly #options: FetcherOptions
  #positioned = false

  constructor(topic: BoundTopic, partition: number, control: ControlBlock, memory: LogMemory, options: FetcherOptions) {
    this.topic = topic
    this.partition = partition
    this.control = control
    this.#options = options
    this.#reader = new SharedLogReader(memory, control.slot)
  }

  /** The next offset to be handed out. */
  get position(): number {
    this.#ensurePosition()
    return this.#reader.position
  }

  seek(offset: number): void {
    this.#positioned = true
    this.#reader.seek(offset)
  }

  /** The end that a reader may see now: the high watermark. */
  get endOffset(): number {
    return this.control.highWatermark
  }

  /** The next committed records below `limit`; undefined when there are none now. Throws OFFSET_OUT_OF_RANGE under 'none'. */
  fetch(limit: number, buffer: FetchBuffer): ConsumerBatch | undefined {
    this.#ensurePosition()
    for (;;) {
      const firstOffset = this.#reader.position
      if (firstOffset >= limit) return undefined
      const status = this.#reader.read(buffer, this.#options.maxBytes)
      if (status === READ_EMPTY) {
        // A read gives up when the log is trimmed under it again and again: there may be records all the same.
        if (this.#reader.hasNews) continue
        return undefined
      }
      if (status === READ_OK) {
        this.#cutAt(limit, buffer)
        return buffer.hold(this.topic, this.partition, firstOffset, this.#reader.position)
      }
      if (status === READ_DELETED) throw this.#deleted()
      this.#resetPosition(firstOffset)
    }
  }

  /** Whole batches at or above the limit are not handed out: the next fetch finds them again. */
  #cutAt(limit: number, target: FetchBuffer): void {
    if (this.#reader.position <= limit) return
    let position = 0
    while (position < target.length && baseOffset(target.bytes, position) < limit) position += batchSizeInBytes(target.bytes, position)
    if (position >= target.length) return
    this.#reader.seek(baseOffset(target.bytes, position))
    target.length = position
  }

  #ensurePosition(): void {
    if (this.#positioned) return
    if (this.#options.autoOffsetReset === 'none') {
      const where = `${this.topic.name}-${this.partition} has no position yet, and autoOffsetReset 'none' gives it none`
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `${where}: seek to an offset first, or set autoOffsetReset`)
    }
    this.#positioned = true
    this.#reader.seek(this.#options.autoOffsetReset === 'latest' ? this.control.highWatermark : this.control.logStartOffset)
  }

  #resetPosition(from: number): void {
    const { topic, partition } = this
    const to = this.#options.autoOffsetReset === 'latest' ? this.control.highWatermark : this.control.logStartOffset
    const start = this.control.logStartOffset
    const missed = Math.max(0, to - from)
    if (this.#options.autoOffsetReset === 'none') {
      const gone = from < start ? `${start - from} record(s) went by retention before they were read` : 'it is beyond the end of the log'
      const remedy = 'seek to an offset that is there, read faster, keep more (logMemoryBytes, retention.bytes), or set autoOffsetReset'
      throw new MillraceError('OFFSET_OUT_OF_RANGE', `offset ${from} of ${topic.name}-${partition} cannot be read: ${gone}; ${remedy}`)
    }
    this.#reader.seek(to)
    this.#options.onOvertaken({ topic: topic.name, partition, missed, from, to })
  }

  #deleted(): MillraceError {
    return new MillraceError('UNKNOWN_TOPIC_ID', `topic ${this.topic.name} was deleted while it was read: bind it again`, {
      retriable: false,
    })
  }
}
