// A web stream of a topic's records. Runs on its user's thread.
// Holds: it keeps no record in its queue; however it ends, its consumer is closed before its
// reader is told.

import { ConsumerRecord } from '../client/consumer/consumer-record.ts'
import type { Topic } from '../client/topic-definition.ts'
import { onAbort } from './stream-options.ts'
import type { ReadStreamOptions } from './stream-options.ts'
import { TopicReader } from './topic-reader.ts'

/**
 * A web stream of a topic's records, for `for await`, `pipeTo` and `pipeThrough`; as `readableFrom`:
 * with a `groupId` a record is settled when the next one is asked for, or the end, by `read()` or by
 * a stream behind it that has room. Cancelling it closes its consumer. Throws and fails as
 * `readableFrom`.
 */
export function readableStreamFrom<K, V>(
  topic: Topic<K, V, never, never>,
  options?: ReadStreamOptions,
): ReadableStream<ConsumerRecord<K, V>> {
  return new ReadableStream(new RecordSource(new TopicReader(topic, options)), { highWaterMark: 0 })
}

type Controller<K, V> = ReadableStreamDefaultController<ConsumerRecord<K, V>>

class RecordSource<K, V> {
  readonly #reader: TopicReader<K, V>
  #stopListening: () => void = () => undefined
  #isOver = false

  constructor(reader: TopicReader<K, V>) {
    this.#reader = reader
  }

  start(controller: Controller<K, V>): void {
    this.#stopListening = onAbort(this.#reader.signal, (error) => {
      void this.#close()
      controller.error(error)
    })
  }

  pull(controller: Controller<K, V>): Promise<void> | undefined {
    const pulled = this.#reader.pull()
    if (!(pulled instanceof ConsumerRecord)) return this.#enqueueWhenThere(pulled, controller)
    controller.enqueue(pulled)
    return undefined
  }

  async cancel(): Promise<void> {
    await this.#close()
  }

  async #enqueueWhenThere(pulled: Promise<IteratorResult<ConsumerRecord<K, V>, undefined>>, controller: Controller<K, V>): Promise<void> {
    try {
      const { done, value } = await pulled
      if (this.#isOver) return
      if (done !== true) {
        controller.enqueue(value)
        return
      }
      await this.#close()
      controller.close()
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async #close(): Promise<void> {
    this.#isOver = true
    this.#stopListening()
    await this.#reader.close()
  }
}
