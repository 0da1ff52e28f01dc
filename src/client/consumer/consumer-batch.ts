// hot path 8/8 · What a consumer hands out: committed records of one partition, in
// order, in memory private to this thread. They are decoded only where they are touched.
// Holds: a cursor is borrowed until the next batch, for its memory is then used again;
// memory that records were made from is never used again.

import { MillraceError } from '../../errors.ts'
import { RecordCursor } from '../../record/record-cursor.ts'
import { ConsumerRecord } from './consumer-record.ts'
import { noGroupError } from './group-errors.ts'
import type { RecordSource } from './record-source.ts'

/** The reader's memory that a batch lies in. */
export interface BatchMemory {
  /** Called before records are made: the memory belongs to them from now on. */
  keep(): Uint8Array<ArrayBuffer>
}

/** Records of one partition, offsets in order: `for (const record of batch)`, or `batch.cursor()` without an allocation. */
export class ConsumerBatch<K = unknown, V = unknown> implements Iterable<ConsumerRecord<K, V>> {
  readonly partition: number
  /** Offset of the first record that may be in it; compaction leaves gaps. */
  readonly firstOffset: number
  /** One past the last offset: where the next batch begins. */
  readonly nextOffset: number
  private readonly source: RecordSource
  readonly #memory: BatchMemory
  readonly #cursor: RecordCursor
  #bytes: Uint8Array<ArrayBuffer>
  #length: number
  #expired = false
  #kept = false

  /** Made by the consumer. */
  constructor(
    source: RecordSource,
    partition: number,
    range: { firstOffset: number; nextOffset: number; bytes: Uint8Array<ArrayBuffer>; length: number },
    memory: BatchMemory,
    cursor: RecordCursor,
  ) {
    this.partition = partition
    this.firstOffset = range.firstOffset
    this.nextOffset = range.nextOffset
    this.source = source
    this.#bytes = range.bytes
    this.#length = range.length
    this.#memory = memory
    this.#cursor = cursor
  }

  get topic(): string {
    return this.source.name
  }

  /** Bytes of the record batches in it, without compression. */
  get sizeInBytes(): number {
    return this.#length
  }

  /**
   * Walks the records without allocating: `cursor.next()`, then `cursor.bytes` between
   * `valueStart` and `valueEnd` (-1 both: null). Borrowed: when the next batch is asked
   * for, it ends, and another cursor of this batch is refused with INVALID_REQUEST.
   */
  cursor(): RecordCursor {
    if (this.#expired) throw this.#gone()
    this.#cursor.reset(this.#bytes, 0, this.#length, this.firstOffset)
    return this.#cursor
  }

  /**
   * The records, decoded on first touch. They may be kept, and then keep the memory of
   * this batch. A batch that was not iterated before the next one was asked for is gone:
   * INVALID_REQUEST.
   */
  [Symbol.iterator](): Iterator<ConsumerRecord<K, V>, undefined> {
    if (this.#expired && !this.#kept) throw this.#gone()
    return new RecordIterator<K, V>(this.source, this.partition, this.#keep(), this.#length, this.firstOffset)
  }

  /**
   * Settles all records of the batch and commits, now: one past the highest offset below
   * which all is settled (Kafka: commitSync). Rejects with STALE_MEMBER_EPOCH when the
   * partition is not this consumer's any more, INVALID_REQUEST without a group,
   * UNKNOWN_TOPIC_ID, REQUEST_TIMED_OUT, CLOSED.
   */
  async commit(): Promise<void> {
    const { commits } = this.source
    if (commits === undefined) throw noGroupError('batch.commit()')
    await commits.commitBelow(this.nextOffset)
  }

  /** The next batch was asked for: the memory is used again, unless records were made from it. */
  expire(): void {
    if (this.#expired) return
    this.#expired = true
    this.#cursor.reset(this.#bytes, 0, 0, 0)
  }

  #gone(): MillraceError {
    const message =
      `the batch of ${this.topic}-${this.partition} from offset ${this.firstOffset} on is gone, for the next one was asked for: ` +
      'read it before, and keep records, not batches'
    return new MillraceError('INVALID_REQUEST', message)
  }

  #keep(): Uint8Array<ArrayBuffer> {
    if (!this.#kept) {
      this.#kept = true
      this.#bytes = this.#memory.keep()
    }
    return this.#bytes
  }
}

/** What its records come from: in a group, its partition for as long as that is this consumer's. */
export function sourceOf(batch: ConsumerBatch): RecordSource {
  return batch['source']
}

/** One result object for the whole walk: `for…of` reads it before it asks again. */
class RecordIterator<K, V> implements Iterator<ConsumerRecord<K, V>, undefined> {
  readonly #source: RecordSource
  readonly #partition: number
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #cursor = new RecordCursor()
  readonly #result: { value: ConsumerRecord<K, V> | undefined; done: boolean } = { value: undefined, done: false }

  constructor(source: RecordSource, partition: number, bytes: Uint8Array<ArrayBuffer>, length: number, firstOffset: number) {
    this.#source = source
    this.#partition = partition
    this.#bytes = bytes
    this.#cursor.reset(bytes, 0, length, firstOffset)
  }

  next(): IteratorResult<ConsumerRecord<K, V>, undefined> {
    const result = this.#result
    if (this.#cursor.next()) {
      result.value = new ConsumerRecord<K, V>(this.#source, this.#partition, this.#bytes, this.#cursor)
    } else {
      result.value = undefined
      result.done = true
    }
    return result as IteratorResult<ConsumerRecord<K, V>, undefined>
  }
}
