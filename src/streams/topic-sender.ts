// What a stream to a topic sends with: a producer of its own, without a promise or an object a
// record. Runs on the stream's thread.
// Holds: records that are not acknowledged take at most `bufferMemory` bytes, whatever their
// number; the event loop has its turn at least every 5 ms.

import { TurnYield } from '../client/event-loop.ts'
import type { Producer } from '../client/producer/producer.ts'
import type { ProducerOptions } from '../client/producer/producer-config.ts'
import { checkRecord } from '../client/producer/producer-errors.ts'
import type { AnyRecord, RecordOptions } from '../client/producer/producer-record.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { ownerOf } from './bound-owner.ts'

type AnyTopic = Topic<unknown, unknown, unknown, unknown>

/** A source that is awaited gives each record in a job of its own, and at 0 each would be a batch of its own. */
const LINGER_MS = 1
/** How long what was taken may take to be acknowledged, after a stream has failed. */
const CLOSE_TIMEOUT_MS = 5_000

export class TopicSender {
  readonly #topic: AnyTopic
  readonly #producer: Producer
  readonly #turnYield: TurnYield
  #records = 0

  /** `onFailure`: the log does not have what was taken before. Throws INVALID_CONFIG, INVALID_REQUEST, CLOSED. */
  constructor(topic: Topic<unknown, unknown, never, never>, options: ProducerOptions, onFailure: (error: Error) => void) {
    const bound = asBoundTopic(topic)
    this.#topic = topic as AnyTopic
    this.#producer = ownerOf(bound).producer({ ...options, lingerMs: options.lingerMs ?? LINGER_MS })
    this.#producer.on('error', onFailure)
    this.#turnYield = new TurnYield(bound.engine.clock)
  }

  /** How many were taken. */
  get records(): number {
    return this.#records
  }

  /** Undefined: it is taken, go on; otherwise wait. Throws and rejects as `producer.offer` and `drained`. */
  send(record: unknown): Promise<void> | undefined {
    if (!this.#offer(record)) return this.#sendWhenRoom(record)
    return this.#turnYield.isDueAfterWork() ? this.#turnYield.turn() : undefined
  }

  /** Resolves when all is acknowledged and the producer closed; rejects with the first failure. */
  async finish(): Promise<void> {
    await this.#producer.flush()
    await this.#producer.close()
  }

  /** Nothing more is taken; what was is sent, but for an abort, or a broker that does not answer. Always ends, and rejects with nothing. */
  async close(isAborted: boolean): Promise<void> {
    try {
      await this.#producer.close({ timeoutMs: isAborted ? 0 : CLOSE_TIMEOUT_MS })
    } catch {
      // Whoever closes it knows of a failure, or does not care.
    }
  }

  async #sendWhenRoom(record: unknown): Promise<void> {
    do await this.#producer.drained()
    while (!this.#offer(record))
  }

  #offer(record: unknown): boolean {
    checkRecord(record)
    const { key, value } = record as AnyRecord
    const isTaken = this.#producer.offer(this.#topic, key, value, optionsOf(record as AnyRecord))
    if (isTaken) this.#records++
    return isTaken
  }
}

/** Of a record that was read the partition does not carry over: it is the partitioner's to choose. */
function optionsOf(record: AnyRecord): RecordOptions | undefined {
  const { headers, timestamp, partition } = record
  if ((record as { offset?: unknown }).offset !== undefined && headers !== undefined && timestamp !== undefined)
    return { headers, timestamp }
  return headers === undefined && timestamp === undefined && partition === undefined ? undefined : record
}
