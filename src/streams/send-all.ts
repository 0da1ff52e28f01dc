// Sends what an iterator gives to a topic. Runs on its caller's thread.
// Holds: the iterator is asked for a record only when there is room for it; after the first
// failure it is asked no more, and is closed. The call always ends, also where the iterator
// does not answer any more.

import type { ProducerRecord } from '../client/producer/producer-record.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { SEND_ALL_CONFIG, onAbort, splitOptions } from './stream-options.ts'
import type { SendAllOptions } from './stream-options.ts'
import { TopicSender } from './topic-sender.ts'

/** What `sendAll` has sent. */
export interface SentCounts {
  /** Records that are acknowledged. */
  readonly records: number
}

type AnyTopic = Topic<unknown, unknown, never, never>

/**
 * Sends all that an iterable or async iterable gives, with a producer of its own, and resolves when
 * all is acknowledged: of any number, for at most `bufferMemory` bytes are on their way, and the
 * iterator is asked for more when there is room. Takes what `producer.send` takes, and records that
 * were read, whose partition is chosen anew. The first failure ends it and closes the iterator;
 * records before it may be in the log, and none follows. Rejects with what the iterator throws,
 * INVALID_CONFIG, INVALID_REQUEST, CLOSED, ABORTED by its signal, and as `producer.offer`,
 * `drained` and `flush` do.
 */
export async function sendAll<KIn, VIn>(
  topic: Topic<unknown, unknown, KIn, VIn>,
  records: Iterable<ProducerRecord<NoInfer<KIn>, NoInfer<VIn>>> | AsyncIterable<ProducerRecord<NoInfer<KIn>, NoInfer<VIn>>>,
  options?: SendAllOptions,
): Promise<SentCounts> {
  const { own, client } = splitOptions(SEND_ALL_CONFIG, options)
  checkIterable(records)
  const sending = new Sending((onFailure) => new TopicSender(topic as unknown as AnyTopic, client, onFailure))
  const stopListening = onAbort(own.signal, (error) => sending.fail(error, true))
  try {
    return { records: await sending.run(records) }
  } finally {
    stopListening()
  }
}

class Sending {
  readonly #sender: TopicSender
  #iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined
  /** The iterator has not answered yet. */
  #isAsked = false
  #failure: Error | undefined
  #isAborted = false
  #interrupt: ((error: Error) => void) | undefined

  constructor(open: (onFailure: (error: Error) => void) => TopicSender) {
    this.#sender = open((error) => this.fail(error, false))
  }

  /** Something happened beside the iterator; the first one counts. */
  fail(error: Error, isAborted: boolean): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#isAborted = isAborted
    this.#interrupt?.(error)
  }

  async run(records: Iterable<unknown> | AsyncIterable<unknown>): Promise<number> {
    try {
      await this.#unlessFailed(() => (Symbol.asyncIterator in records ? this.#sendLater(records) : this.#sendNow(records)))
      await this.#unlessFailed(() => this.#sender.finish())
      return this.#sender.records
    } catch (error) {
      await Promise.all([this.#leaveIterator(), this.#sender.close(this.#isAborted)])
      throw this.#failure ?? error
    }
  }

  async #sendNow(records: Iterable<unknown>): Promise<void> {
    // It closes its iterator by itself.
    for (const record of records) {
      const waits = this.#sender.send(record)
      if (waits !== undefined) await waits
      if (this.#failure !== undefined) return
    }
  }

  async #sendLater(records: AsyncIterable<unknown>): Promise<void> {
    const iterator = records[Symbol.asyncIterator]()
    for (;;) {
      this.#isAsked = true
      this.#iterator = iterator
      const result: IteratorResult<unknown, unknown> = await iterator.next()
      this.#isAsked = false
      // What comes now has nobody to send it.
      if (this.#failure !== undefined) return
      if (result.done === true) break
      const waits = this.#sender.send(result.value)
      if (waits !== undefined) await waits
      if (this.#failure !== undefined) return
    }
    this.#iterator = undefined
  }

  /** `for await` cannot be left while it waits for its iterator. */
  async #leaveIterator(): Promise<void> {
    // One that has failed by itself is over.
    if (this.#isAsked && this.#failure === undefined) return
    try {
      const left = this.#iterator?.return?.()
      if (!this.#isAsked) await left
      else void Promise.resolve(left).catch(() => undefined)
    } catch {
      // As with `for await`: the first failure is the one that counts.
    }
  }

  /** As what `begin` promises, or the first failure before that. One promise for all records: none of them pays for it. */
  #unlessFailed(begin: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure
      this.#interrupt = reject
      begin().then(resolve, reject)
    })
  }
}

function checkIterable(records: unknown): void {
  if (typeof records === 'object' && records !== null && (Symbol.asyncIterator in records || Symbol.iterator in records)) return
  throw new MillraceError(
    'INVALID_REQUEST',
    'sendAll takes an array, or anything else to iterate over, also with await, of records: [{ key, value }, …]',
  )
}
