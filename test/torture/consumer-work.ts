// The work of a consumer's thread under torture: reads one topic as it grows, and writes
// down every record. Runs on that thread.

import type { Consumer } from '../../src/index.ts'
import { MARK_START } from './history.ts'
import type { ReadTape } from './history.ts'
import type { BoundTopic, WorkContext } from './producer-work.ts'
import { hashOf, wordAt } from './record-value.ts'
import type { ConsumerTask } from './torture-tasks.ts'

/** Of a batch: the leader epoch, 12 bytes in (Kafka: partitionLeaderEpoch). */
const LEADER_EPOCH_AT = 12
const SEEKS_BACK_MAX = 1_000

/** Notes on the tape what the consumer is told it has missed. */
export function noteOvertaken(consumer: Consumer, topics: readonly BoundTopic[], tape: ReadTape): void {
  consumer.on('overtaken', ({ topic, partition, from, to, missed }) => {
    const { firstLog } = topics.find(({ name }) => name === topic)!
    tape.overtaken(firstLog + partition, from, to, missed)
  })
}

/** What a batch gives: its records, on the tape, as long as it has room. */
export interface TapedBatch {
  readonly partition: number
  cursor(): { next(): boolean; offset: number; bytes: Uint8Array; valueStart: number; valueEnd: number; batchStart: number }
}

/** The offset behind the last record that was written down. */
export function tapeBatch(batch: TapedBatch, firstLog: number, tape: ReadTape): number {
  const cursor = batch.cursor()
  let next = -1
  while (!tape.isFull && cursor.next()) {
    const { bytes, valueStart, valueEnd, batchStart, offset } = cursor
    const producer = wordAt(bytes, valueStart, valueEnd, 0)
    const number = wordAt(bytes, valueStart, valueEnd, 4)
    const epoch = wordAt(bytes, batchStart + LEADER_EPOCH_AT, bytes.length, 0) | 0
    tape.read(firstLog + batch.partition, offset, producer, number | 0, hashOf(bytes, valueStart, valueEnd), epoch)
    next = offset + 1
  }
  return next
}

export class ConsumerWork {
  readonly #context: WorkContext
  readonly #task: ConsumerTask
  readonly #tape: ReadTape
  readonly #topic: BoundTopic
  readonly #consumer: Consumer

  constructor(context: WorkContext, task: ConsumerTask, tape: ReadTape) {
    this.#context = context
    this.#task = task
    this.#tape = tape
    this.#topic = context.topics[task.topic]!
    this.#consumer = context.millrace.consumer(task.options)
  }

  async run(): Promise<void> {
    const { firstLog, partitions } = this.#topic
    noteOvertaken(this.#consumer, this.#context.topics, this.#tape)
    for (let partition = 0; partition < partitions; partition++) this.#tape.mark(MARK_START, firstLog + partition, -1)
    void this.#context.words.toFinish().then(() => this.#consumer.close())
    if (this.#task.mode === 'batches') await this.#readBatches()
    else await this.#readRecords()
    await this.#consumer.close()
  }

  async #readBatches(): Promise<void> {
    const { words, round, random } = this.#context
    const { seeksEvery } = this.#task
    const { bound, firstLog } = this.#topic
    for await (const batch of this.#consumer.batches(bound)) {
      const before = this.#tape.rows
      const next = tapeBatch(batch, firstLog, this.#tape)
      words.addDone(this.#tape.rows - before)
      round.progressed()
      if (this.#tape.isFull) return
      if (seeksEvery > 0 && random.below(seeksEvery) === 0 && !words.isToFinish) {
        const offset = Math.max(0, next - random.below(SEEKS_BACK_MAX))
        this.#consumer.seek(bound, batch.partition, offset)
        this.#tape.mark(MARK_START, firstLog + batch.partition, offset)
      }
    }
  }

  async #readRecords(): Promise<void> {
    const { words, round } = this.#context
    const { bound, firstLog } = this.#topic
    for await (const { partition, offset, value } of this.#consumer.records(bound)) {
      if (this.#tape.isFull) return
      const { length } = value
      this.#tape.read(firstLog + partition, offset, wordAt(value, 0, length, 0), wordAt(value, 0, length, 4) | 0, hashOf(value))
      words.addDone()
      round.progressed()
    }
  }
}
