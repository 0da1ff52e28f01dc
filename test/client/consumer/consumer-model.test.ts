// A consumer against a model of what must be handed out next, while partitions are sought,
// paused, resumed, cut from below and led by one broker after the other, as chance has it.

import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import type { Overtaken } from '../../../src/client/consumer/partition-fetcher.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { HandDrivenLog, emptiedBatch, markerBatch, settle, textBatch } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

const SEED = 0xc0de
const PARTITIONS = 3
const STEPS = 250
const MAX_WAIT_MS = 20

type Answer = { batch: ConsumerBatch | undefined } | { error: unknown }

/** What is known of a partition. */
interface Model {
  /** All records that were ever committed, deleted ones too, by offset. */
  readonly records: Map<number, string>
  /** The first offset that may come next. */
  position: number
  /** The position is that of the log start when it is looked at. */
  isLazy: boolean
  paused: boolean
}

class Run {
  readonly world = new HandDrivenLog({ brokers: 2 })
  readonly topic: TextTopic = this.world.topic(PARTITIONS)
  readonly counts = { batches: 0, records: 0, overtaken: 0, failOvers: 0, waits: 0 }
  readonly #models: Model[] = Array.from({ length: PARTITIONS }, () => ({ records: new Map(), position: 0, isLazy: true, paused: false }))
  readonly #random: Random
  readonly #options: ConsumerOptions
  readonly #consumer: Consumer
  readonly #batches: AsyncIterator<ConsumerBatch, undefined, void>
  #answer: Answer | undefined
  #isAsked = false
  #values = 0

  constructor(options: ConsumerOptions, random: Random) {
    this.#options = options
    this.#random = random
    this.#consumer = this.world.consumer(options)
    this.#consumer.on('overtaken', (event) => this.#onOvertaken(event))
    this.#batches = this.#consumer.batches(this.topic)
  }

  /** Something happens, then what must come has come, and nothing else. */
  async step(): Promise<void> {
    this.#act(this.#random.below(PARTITIONS))
    // One that waits since an earlier step has met what was done just now.
    if (!this.#isAsked) this.#ask()
    await settle(2)
    this.world.clock.advance(MAX_WAIT_MS)
    await settle(2)
    const isDue = this.#models.some((_, partition) => this.#isDue(partition))
    if (this.#answer === undefined) {
      expect(isDue).toBe(false)
      this.counts.waits++
      return
    }
    if ('error' in this.#answer) throw this.#answer.error
    this.#check(this.#answer.batch!)
    this.#isAsked = false
    this.#answer = undefined
  }

  async end(): Promise<void> {
    if (!this.#isAsked) this.#ask()
    this.#consumer.resume(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: this.topic, partition })))
    for (let partition = 0; partition < PARTITIONS; partition++) this.world.delete(this.topic, partition)
    for (;;) {
      await settle(2)
      this.world.clock.advance(MAX_WAIT_MS)
      await settle(2)
      expect(this.#answer).toBeDefined()
      if ('error' in this.#answer!) break
      // What was fetched before is handed out still.
      this.#ask()
    }
    expect(this.#answer).toEqual({ error: expect.objectContaining({ code: 'UNKNOWN_TOPIC_ID' }) as Error })
    expect(this.world.isWaiting).toBe(false)
    this.world.close()
  }

  #ask(): void {
    this.#isAsked = true
    this.#answer = undefined
    this.#batches.next().then(
      ({ value }) => (this.#answer = { batch: value }),
      (error: unknown) => (this.#answer = { error }),
    )
  }

  #act(partition: number): void {
    const { topic, world } = this
    const model = this.#models[partition]!
    const log = world.log(topic, partition)
    const at = { topic, partition }
    switch (this.#random.below(11)) {
      case 0:
        model.position = this.#random.below(log.endOffset + 4)
        model.isLazy = false
        return this.#consumer.seek(topic, partition, model.position)
      case 1:
        model.position = log.startOffset
        model.isLazy = true
        return this.#consumer.seekToBeginning([at])
      case 2:
        this.#consumer.seekToEnd([at])
        model.position = log.highWatermark
        model.isLazy = false
        return void expect(this.#consumer.position(topic, partition)).toBe(model.position)
      case 3:
        model.paused = true
        return this.#consumer.pause([at])
      case 4:
        for (const each of this.#models) each.paused = false
        return this.#consumer.resume(this.#models.map((_, each) => ({ topic, partition: each })))
      case 5:
        return void log.deleteRecordsBefore(log.startOffset + this.#random.below(log.highWatermark - log.startOffset + 1))
      case 6:
        this.counts.failOvers++
        // What the dead leader had not published is gone.
        if (this.#random.below(2) === 0) world.appendBatch(topic, textBatch(['never seen']), partition, false)
        return world.failOver(topic, partition)
      default:
        return this.#append(partition)
    }
  }

  #append(partition: number): void {
    const { records } = this.#models[partition]!
    const { endOffset } = this.world.log(this.topic, partition)
    const kind = this.#random.below(6)
    if (kind === 0) return this.world.appendBatch(this.topic, markerBatch(), partition)
    if (kind === 1) return this.world.appendBatch(this.topic, emptiedBatch(1 + this.#random.below(5)), partition)
    const offsets = 1 + this.#random.below(12)
    const isCompacted = kind === 2
    const offsetDeltas = Array.from({ length: offsets }, (_, delta) => delta).filter(() => !isCompacted || this.#random.below(3) === 0)
    const values = offsetDeltas.map((delta) => {
      const value = `${this.#values++}`.padEnd(this.#random.below(60), '.')
      records.set(endOffset + delta, value)
      return value
    })
    this.world.appendBatch(this.topic, textBatch(values, [], { offsetDeltas, lastOffsetDelta: offsets - 1 }), partition)
  }

  /** Whether a record of this partition must be handed out. */
  #isDue(partition: number): boolean {
    const { records, position, isLazy, paused } = this.#models[partition]!
    const { startOffset, endOffset } = this.world.log(this.topic, partition)
    if (paused) return false
    const from = isLazy || position < startOffset || position > endOffset ? startOffset : position
    for (let offset = from; offset < endOffset; offset++) if (records.has(offset)) return true
    return false
  }

  #check(batch: ConsumerBatch): void {
    const { partition, firstOffset, nextOffset } = batch
    const model = this.#models[partition]!
    expect(model.paused).toBe(false)
    this.#passOver(model, partition, firstOffset)
    const read = [...batch].map(({ offset, value }): [number, unknown] => [offset, value])
    const expected: [number, unknown][] = []
    for (let offset = firstOffset; offset < nextOffset; offset++) {
      if (model.records.has(offset)) expected.push([offset, model.records.get(offset)])
    }
    expect(read).toEqual(expected)
    expect(read.length).toBeGreaterThan(0)
    expect(read.length).toBeLessThanOrEqual(this.#options.maxPollRecords ?? Number.POSITIVE_INFINITY)
    model.position = nextOffset
    model.isLazy = false
    expect(this.#consumer.position(this.topic, partition)).toBe(nextOffset)
    this.counts.batches++
    this.counts.records += read.length
  }

  #onOvertaken({ partition, missed, from, to }: Overtaken): void {
    const model = this.#models[partition]!
    const { startOffset, endOffset } = this.world.log(this.topic, partition)
    this.#passOver(model, partition, from)
    expect(from < startOffset || from > endOffset).toBe(true)
    expect([to, missed]).toEqual([startOffset, Math.max(0, to - from)])
    model.position = to
    model.isLazy = false
    this.counts.overtaken++
  }

  /** Reading has come to `offset`, and what it went past on the way was nothing for users. */
  #passOver(model: Model, partition: number, offset: number): void {
    expect(offset).toBeGreaterThanOrEqual(model.position)
    const { startOffset } = this.world.log(this.topic, partition)
    for (let each = model.isLazy ? Math.max(model.position, startOffset) : model.position; each < offset; each++) {
      expect(model.records.has(each), `offset ${each} of partition ${partition} was passed over`).toBe(false)
    }
  }
}

describe.each<ConsumerOptions>([
  {},
  { maxPartitionFetchBytes: 1 },
  { maxPartitionFetchBytes: 300, maxPollRecords: 1 },
  { maxPollRecords: 4 },
  { fetchMinBytes: 400, fetchMaxWaitMs: MAX_WAIT_MS },
  { fetchMinBytes: 400, fetchMaxWaitMs: MAX_WAIT_MS, maxPollRecords: 3, isolationLevel: 'read_committed' },
])('with %j', (options) => {
  test.each([0, 1, 2, 3])(`what must come next comes, round %i, seed ${SEED}`, async (round) => {
    const run = new Run(options, seededRandom(SEED + round))
    for (let step = 0; step < STEPS; step++) await run.step()
    await run.end()
    const { batches, failOvers, overtaken, waits } = run.counts
    expect(Math.min(batches, failOvers, overtaken, waits), JSON.stringify(run.counts)).toBeGreaterThan(0)
  })
})
