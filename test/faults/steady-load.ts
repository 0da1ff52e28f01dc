// Sends without pause to every partition of a topic, while brokers die under it.

import type { Producer } from '../../src/client/producer/producer.ts'
import type { MillraceError } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import type { BytesTopic, SentLedger } from './sent-ledger.ts'

export interface LoadOptions {
  readonly producer: Producer
  readonly topic: BytesTopic
  readonly ledger: SentLedger
  readonly seed?: number
  /** Sends on their way to each partition. */
  readonly inFlight?: number
  readonly bytesMax?: number
  readonly producerNumber?: number
}

export class SteadyLoad {
  readonly #options: LoadOptions
  readonly #random: Random
  readonly #acked: number[]
  readonly #loops: Promise<void>[] = []
  #stopped = false
  #progressed: (() => void)[] = []

  constructor(options: LoadOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed ?? 1)
    this.#acked = new Array<number>(options.topic.partitions).fill(0)
    for (let partition = 0; partition < options.topic.partitions; partition++) {
      for (let i = 0; i < (options.inFlight ?? 2); i++) this.#loops.push(this.#loop(partition))
    }
  }

  /** Resolves when every partition has acknowledged `records` more than now. */
  async progress(records = 2): Promise<void> {
    const wanted = this.#acked.map((acked) => acked + records)
    while (this.#acked.some((acked, partition) => acked < wanted[partition]!))
      await new Promise<void>((look) => this.#progressed.push(look))
  }

  /** Sends no more; resolves when every send has its outcome. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  async #loop(partition: number): Promise<void> {
    const { producer, topic, ledger, bytesMax = 2_000, producerNumber = 0 } = this.#options
    while (!this.#stopped) {
      const outcome: number | MillraceError = await ledger.send(producer, topic, partition, this.#random.below(bytesMax), producerNumber)
      if (typeof outcome !== 'number') {
        if (!outcome.retriable) throw outcome
        continue
      }
      this.#acked[partition]!++
      for (const look of this.#progressed.splice(0)) look()
    }
  }
}
