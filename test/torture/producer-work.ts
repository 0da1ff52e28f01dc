// The work of a producer's thread under torture. It writes each send down before it makes
// it, and its outcome when it is told. Runs on that thread.

import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../src/errors.ts'
import type { ErrorName } from '../../src/errors.ts'
import type { Millrace, Producer, RecordMetadata } from '../../src/index.ts'
import type { Random } from '../../src/random.ts'
import type { BytesTopic } from '../faults/sent-ledger.ts'
import { ACKED, DOUBT, REFUSED } from './history.ts'
import type { SendTape } from './history.ts'
import { hashOf, makeValue, valueSize } from './record-value.ts'
import type { ProducerTask, TortureTopic } from './torture-tasks.ts'
import type { RoundWords, ThreadWords } from './torture-words.ts'

/** A failure that leaves open whether the record is in the log: only for those that do not try again. */
const IN_DOUBT: ReadonlySet<ErrorName> = new Set<ErrorName>(['NETWORK_EXCEPTION'])
const KEYS = 40

export interface BoundTopic extends TortureTopic {
  readonly bound: BytesTopic
}

export interface WorkContext {
  readonly millrace: Millrace
  readonly topics: readonly BoundTopic[]
  readonly round: RoundWords
  readonly words: ThreadWords
  readonly random: Random
}

export class ProducerWork {
  readonly #context: WorkContext
  readonly #task: ProducerTask
  readonly #number: number
  readonly #tape: SendTape
  readonly #producer: Producer
  /** By topic and key: equal keys go to one partition. */
  readonly #partitionOf = new Map<string, number>()

  constructor(context: WorkContext, task: ProducerTask, number: number, tape: SendTape) {
    this.#context = context
    this.#task = task
    this.#number = number
    this.#tape = tape
    this.#producer = context.millrace.producer(task.options)
  }

  async run(): Promise<void> {
    const { mode, inFlight } = this.#task
    const { topics } = this.#context
    const loops: Promise<void>[] = []
    if (mode === 'steady') {
      for (const topic of topics) {
        for (let partition = 0; partition < topic.partitions; partition++) loops.push(this.#loop(() => this.#send(topic, partition)))
      }
    } else if (mode === 'offer') {
      loops.push(this.#loop(() => this.#offerSome()))
    } else if (mode === 'sendAll') {
      loops.push(this.#loop(() => this.#sendAll()))
    } else {
      for (let i = 0; i < inFlight; i++) loops.push(this.#loop(() => this.#sendOne()))
    }
    await Promise.all(loops)
    await this.#producer.close()
  }

  async #loop(job: () => Promise<void>): Promise<void> {
    const { words } = this.#context
    while (!words.isToFinish && !this.#tape.isFull) {
      await job()
      if (this.#task.pauseMs > 0) await sleep(this.#task.pauseMs)
    }
  }

  // --- one by one -----------------------------------------------------------------

  #sendOne(): Promise<void> {
    const topic = this.#anyTopic()
    const { mode } = this.#task
    if (mode === 'unkeyed') return this.#send(topic, undefined)
    if (mode === 'keyed') return this.#send(topic, undefined, this.#anyKey())
    return this.#send(topic, this.#context.random.below(topic.partitions))
  }

  async #send(topic: BoundTopic, partition: number | undefined, key: string | null = null): Promise<void> {
    const { number, value } = this.#next(topic, partition)
    const record = partition === undefined ? { key, value } : { key, value, partition }
    try {
      this.#acked(topic, number, await this.#producer.send(topic.bound, record), key)
    } catch (error) {
      const outcome = this.#failed(error, 1)
      this.#tape.complete(number, outcome, this.#context.round.tick())
      if (outcome === REFUSED && partition !== undefined) this.#context.round.acked(topic.firstLog + partition)
    }
    this.#context.round.progressed()
  }

  // --- many with one promise ------------------------------------------------------

  async #sendAll(): Promise<void> {
    const { random, round } = this.#context
    const topic = this.#anyTopic()
    const count = Math.min(1 + random.below(this.#task.recordsAJob), this.#tape.rowsMax - this.#tape.rows)
    const first = this.#tape.rows
    const keys = Array.from({ length: count }, () => (random.below(2) === 0 ? null : this.#anyKey()))
    const records = keys.map((key) => ({ key, value: this.#next(topic, undefined).value }))
    try {
      const all = await this.#producer.sendAll(topic.bound, records)
      for (const [i, metadata] of all.entries()) this.#acked(topic, first + i, metadata, keys[i]!)
    } catch (error) {
      // Some may have been acknowledged, and nobody says which.
      this.#failed(error, count)
      for (let i = 0; i < count; i++) this.#tape.complete(first + i, DOUBT, round.tick())
    }
    round.progressed()
  }

  // --- without a promise ----------------------------------------------------------

  async #offerSome(): Promise<void> {
    const { random, round, words } = this.#context
    const first = this.#tape.rows
    let doubtful = first
    /** What was offered so far may be in the log or not. */
    const doubt = (error: unknown): void => {
      this.#failed(error, this.#tape.rows - doubtful)
      for (; doubtful < this.#tape.rows; doubtful++) this.#tape.complete(doubtful, DOUBT, round.tick())
    }
    const count = 1 + random.below(this.#task.recordsAJob)
    for (let i = 0; i < count && !this.#tape.isFull; i++) {
      const topic = this.#anyTopic()
      const partition = random.below(topic.partitions)
      const { number, value } = this.#next(topic, partition)
      try {
        if (this.#producer.offer(topic.bound, null, value, { partition })) continue
        this.#tape.revoke(number)
        await this.#producer.drained()
      } catch (error) {
        if (number < this.#tape.rows) this.#tape.revoke(number)
        doubt(error)
      }
    }
    try {
      await this.#producer.flush()
    } catch (error) {
      doubt(error)
    }
    const tick = round.tick()
    for (let number = doubtful; number < this.#tape.rows; number++) {
      this.#tape.complete(number, ACKED, tick)
      round.acked(this.#tape.log[number]!)
    }
    words.addDone(this.#tape.rows - doubtful)
    round.progressed()
  }

  // --------------------------------------------------------------------------------

  /** Writes down the send of the next record. */
  #next(topic: BoundTopic, partition: number | undefined): { number: number; value: Uint8Array<ArrayBuffer> } {
    const { random, round, words } = this.#context
    const value = makeValue(this.#number, this.#tape.rows, valueSize(random, this.#task.bytesMax))
    const log = partition === undefined ? -1 : topic.firstLog + partition
    words.addBytes(value.length)
    return { number: this.#tape.invoke(log, hashOf(value), round.tick()), value }
  }

  #acked(topic: BoundTopic, number: number, { partition, offset }: RecordMetadata, key: string | null): void {
    const { round, words } = this.#context
    const log = topic.firstLog + partition
    if (key !== null) this.#checkPartition(`${topic.name} ${key}`, partition)
    // With acks 0 nobody says where it is, nor whether.
    this.#tape.complete(number, offset < 0 ? DOUBT : ACKED, round.tick(), offset, log)
    words.addDone()
    round.acked(log)
  }

  #checkPartition(key: string, partition: number): void {
    const before = this.#partitionOf.get(key) ?? partition
    if (before !== partition) throw new Error(`key ${key} went to partition ${before}, and now to ${partition}`)
    this.#partitionOf.set(key, partition)
  }

  /** What a failure says of the records; throws what is no answer for this task. */
  #failed(error: unknown, records: number): typeof DOUBT | typeof REFUSED {
    if (!(error instanceof MillraceError)) throw error
    this.#context.words.addFailed(records)
    // Retention took all that the producer had written there while the leader was dead. The topic that keeps all never says so.
    if (error.code === 'UNKNOWN_PRODUCER_ID' && !error.message.includes(' of kept-')) return DOUBT
    const { isHasty, options } = this.#task
    if (options.retries === 0 && IN_DOUBT.has(error.code)) return DOUBT
    // Without sequence numbers nobody knows what became of an attempt before.
    if (isHasty && error.code === 'KAFKA_STORAGE_ERROR') return options.acks === 1 && options.retries !== 0 ? DOUBT : REFUSED
    if (isHasty && error.code === 'REQUEST_TIMED_OUT') return DOUBT
    if (isHasty && error.code === 'BUFFER_EXHAUSTED') return REFUSED
    throw error
  }

  #anyTopic(): BoundTopic {
    const { topics, random } = this.#context
    return topics[random.below(topics.length)]!
  }

  #anyKey(): string {
    return `key-${this.#context.random.below(KEYS)}`
  }
}
