// A Node.js stream of a topic's records. Runs on its user's thread.
// Holds: its buffer is empty unless a record came later than it was asked for, and then it
// holds that one; however it ends, its consumer is closed before `close` is emitted.

import { Readable } from 'node:stream'
import { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { Pulled } from '../client/consumer/record-iterator.ts'
import type { Topic } from '../client/topic-definition.ts'
import { onAbort } from './stream-options.ts'
import type { ReadStreamOptions } from './stream-options.ts'
import { TopicReader } from './topic-reader.ts'

/** A Node.js `Readable` in object mode; what `for await` gives has the types of the topic. */
export interface TopicReadable<K, V> extends Readable {
  /** Records one by one; leaving the loop destroys the stream. */
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<ConsumerRecord<K, V>>
}

/**
 * A Node.js stream of a topic's records, for `for await`, `pipe` and `pipeline`; reads no faster
 * than its reader takes. With a `groupId` a record is settled when the next one is asked for, or
 * the end: by `read()`, by the return of a 'data' listener that did not pause, by a stream behind
 * it that has room. What a stream behind it has taken and keeps is settled, then: where it must
 * not be lost, use `consumer.process` or `fromTopic`. `read()` until it gives null, as with any
 * stream. Destroying it closes its consumer; a record that was taken last, or waits, comes again.
 * It ends when `until: 'end'` is reached, or millrace closes. Throws INVALID_CONFIG,
 * INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, CLOSED; fails with ABORTED by its signal, and as
 * `consumer.records` does.
 */
export function readableFrom<K, V>(topic: Topic<K, V, never, never>, options?: ReadStreamOptions): TopicReadable<K, V> {
  return new RecordReadable(new TopicReader(topic, options))
}

class RecordReadable<K, V> extends Readable {
  readonly #reader: TopicReader<K, V>
  #stopListening: () => void = () => undefined

  constructor(reader: TopicReader<K, V>) {
    // With a buffer it would ask for records before its reader does.
    super({ objectMode: true, highWaterMark: 0 })
    this.#reader = reader
    this.#stopListening = onAbort(reader.signal, (error) => this.destroy(error))
  }

  override _read(): void {
    const pulled = this.#reader.pull()
    if (pulled instanceof ConsumerRecord) this.push(pulled)
    else void this.#pushWhenThere(pulled)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopListening()
    this.#reader.close().then(
      () => callback(error),
      (closeError: unknown) => callback(error ?? (closeError as Error)),
    )
  }

  async #pushWhenThere(pulled: Exclude<Pulled<K, V>, ConsumerRecord>): Promise<void> {
    try {
      const { done, value } = await pulled
      if (!this.destroyed) this.push(done === true ? null : value)
    } catch (error) {
      this.destroy(error as Error)
    }
  }
}
