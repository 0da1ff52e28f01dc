// A web stream to a topic. Runs on its user's thread.
// Holds: `close()` of its writer resolves when all is acknowledged; however it ends, its producer
// is closed.

import type { ProducerOptions } from '../client/producer/producer-config.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import type { Topic } from '../client/topic-definition.ts'
import { WRITE_STREAM_CONFIG, onAbort, splitOptions } from './stream-options.ts'
import type { FilledWriteStreamOptions, WriteStreamOptions } from './stream-options.ts'
import { TopicSender } from './topic-sender.ts'

type AnyTopic = Topic<unknown, unknown, never, never>

/**
 * A web stream that sends records to a topic, for `pipeTo`; as `writableTo`: a producer of its own,
 * and while `bufferMemory` bytes are not acknowledged it takes `highWaterMark` records more, and
 * `ready` of its writer waits. `close()` resolves when all is acknowledged. What fails errors the
 * stream. Throws and fails as `writableTo`.
 */
export function writableStreamTo<KIn, VIn>(
  topic: Topic<unknown, unknown, KIn, VIn>,
  options?: WriteStreamOptions,
): WritableStream<ProducerRecord<KIn, VIn>> {
  const { own, client } = splitOptions(WRITE_STREAM_CONFIG, options)
  return new WritableStream(new RecordSink(topic as unknown as AnyTopic, client, own), { highWaterMark: own.highWaterMark })
}

class RecordSink {
  readonly #sender: TopicSender
  readonly #signal: AbortSignal | undefined
  #stopListening: () => void = () => undefined
  #controller: WritableStreamDefaultController | undefined

  constructor(topic: AnyTopic, client: ProducerOptions, { signal }: FilledWriteStreamOptions) {
    this.#signal = signal
    this.#sender = new TopicSender(topic, client, (error) => this.#fail(error, false))
  }

  start(controller: WritableStreamDefaultController): void {
    this.#controller = controller
    this.#stopListening = onAbort(this.#signal, (error) => this.#fail(error, true))
  }

  async write(record: unknown): Promise<void> {
    try {
      const waits = this.#sender.send(record)
      if (waits !== undefined) await waits
    } catch (error) {
      await this.#close(false)
      throw error
    }
  }

  async close(): Promise<void> {
    try {
      await this.#sender.finish()
    } finally {
      await this.#close(false)
    }
  }

  async abort(): Promise<void> {
    await this.#close(true)
  }

  #fail(error: Error, isAborted: boolean): void {
    this.#controller?.error(error)
    void this.#close(isAborted)
  }

  async #close(isAborted: boolean): Promise<void> {
    this.#stopListening()
    await this.#sender.close(isAborted)
  }
}
