// A consumer that reads on while brokers die: it must see every offset once, in order.

import type { Consumer } from '../../src/client/consumer/consumer.ts'
import type { Overtaken } from '../../src/client/consumer/partition-fetcher.ts'
import type { Millrace } from '../../src/client/millrace.ts'
import { decode } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'

export class LiveReader {
  readonly overtaken: Overtaken[] = []
  readonly #topic: BytesTopic
  readonly #consumer: Consumer
  readonly #next: number[]
  readonly #over: Promise<void>
  #moved: (() => void)[] = []
  #records = 0

  constructor(millrace: Millrace, topic: BytesTopic) {
    this.#topic = topic
    this.#consumer = millrace.consumer()
    this.#next = new Array<number>(topic.partitions).fill(0)
    this.#consumer.on('overtaken', (event) => {
      this.overtaken.push(event)
      if (event.from !== this.#next[event.partition])
        throw new Error(`overtaken at ${event.from}, read up to ${this.#next[event.partition]}`)
      this.#next[event.partition] = event.to
    })
    this.#over = this.#read()
    // Looked at by `caughtUp` and `stop`.
    this.#over.catch(() => undefined)
  }

  get records(): number {
    return this.#records
  }

  /** Resolves when all that is in the log now was read. */
  async caughtUp(millrace: Millrace): Promise<void> {
    const { partitions } = await millrace.admin.describeTopic(this.#topic.name)
    while (partitions.some(({ partition, endOffset }) => (this.#next[partition] ?? 0) < endOffset)) {
      await Promise.race([new Promise<void>((look) => this.#moved.push(look)), this.#over])
    }
  }

  async stop(): Promise<void> {
    await this.#consumer.close()
    await this.#over
  }

  async #read(): Promise<void> {
    for await (const batch of this.#consumer.batches(this.#topic)) {
      const cursor = batch.cursor()
      while (cursor.next()) {
        const expected = this.#next[batch.partition] ?? 0
        if (cursor.offset !== expected)
          throw new Error(`${batch.topic}-${batch.partition}: offset ${cursor.offset} was read instead of ${expected}`)
        decode(cursor.bytes, cursor.valueStart, cursor.valueEnd)
        this.#next[batch.partition] = expected + 1
        this.#records++
      }
      for (const look of this.#moved.splice(0)) look()
    }
  }
}
