// A compacted topic under load, with a reader, while its brokers die: at any instant, and
// in the middle of what compaction does. In the end it holds the last value of each key.

import { afterAll, describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { nullable, string } from '../../src/client/serde.ts'
import type { Millrace } from '../../src/client/millrace.ts'
import type { Topic } from '../../src/client/topic-definition.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { UNLIMITED, killAt, tally } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'

const SEED = 0xc0de
const KEYS = 60
const PARTITIONS = 4
const CONFIG = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': 0.2 } as const

type Table = Topic<string, string | null>

let compacted = 0
afterAll(() => console.log(`compaction, seed ${SEED}: ${tally.kills} kills that bit, ${compacted} records compacted away`))

/** Sends ever new values of some keys, and knows what each send was answered. */
class TableLoad {
  sent = 0
  readonly #millrace: Millrace
  readonly #topic: Table
  readonly #random: Random
  readonly #loops: Promise<void>[]
  #stopped = false
  #progressed: (() => void)[] = []

  constructor(millrace: Millrace, topic: Table, random: Random) {
    this.#millrace = millrace
    this.#topic = topic
    this.#random = random
    this.#loops = Array.from({ length: 8 }, () => this.#loop())
  }

  async progress(records: number): Promise<void> {
    const wanted = this.sent + records
    while (this.sent < wanted) await new Promise<void>((look) => this.#progressed.push(look))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  async #loop(): Promise<void> {
    const producer = this.#millrace.producer()
    while (!this.#stopped) {
      const value = this.#random.below(6) === 0 ? null : `${this.#random.uint32()}`.padEnd(500 + this.#random.below(2_000))
      await sendRetriably(() => producer.send(this.#topic, { key: `k${this.#random.below(KEYS)}`, value }))
      this.sent++
      for (const look of this.#progressed.splice(0)) look()
    }
    await producer.close()
  }
}

async function sendRetriably(send: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await send()
      return
    } catch (error) {
      if (!(error instanceof MillraceError) || !error.retriable) throw error
    }
  }
}

interface TableRead {
  readonly values: Map<string, string>
  records: number
}

/** Folds the topic into a table, up to its end; throws when offsets of a partition do not go up. */
async function readTable(millrace: Millrace, topic: Table): Promise<TableRead> {
  const read: TableRead = { values: new Map(), records: 0 }
  const last = new Array<number>(PARTITIONS).fill(-1)
  for await (const { key, value, offset, partition } of millrace.consumer().records(topic, { until: 'end' })) {
    expect(offset).toBeGreaterThan(last[partition]!)
    last[partition] = offset
    if (value === null) read.values.delete(key)
    else read.values.set(key, value)
    read.records++
  }
  return read
}

async function open(brokers: number): Promise<{ faulty: FaultyMillrace; topic: Table }> {
  const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED, logMemoryBytes: 64 * 1024 * 1024 })
  const topic: Table = await faulty.millrace.topic('table', {
    partitions: PARTITIONS,
    key: string(),
    value: nullable(string()),
    config: CONFIG,
  })
  return { faulty, topic }
}

/** Kills under load, and reads the whole of it meanwhile; in the end each key has its last value, and no other. */
async function compactUnder(
  brokers: number,
  rounds: number,
  kill: (faulty: FaultyMillrace, round: number) => Promise<void>,
): Promise<void> {
  const { faulty, topic } = await open(brokers)
  const { millrace } = faulty
  const random = seededRandom(SEED)
  const load = new TableLoad(millrace, topic, random)
  await load.progress(500)
  for (let round = 0; round < rounds; round++) {
    const [read] = await Promise.all([readTable(millrace, topic), kill(faulty, round)])
    expect(read.records).toBeGreaterThan(0)
    await load.progress(300)
  }
  await load.stop()
  const expected = new Map<string, string>()
  const producer = millrace.producer()
  for (let key = 0; key < KEYS; key++) {
    const value = key % 4 === 0 ? null : `final ${key}`
    await sendRetriably(() => producer.send(topic, { key: `k${key}`, value }))
    if (value !== null) expected.set(`k${key}`, value)
  }
  const { values, records } = await readTable(millrace, topic)
  expect(values).toEqual(expected)
  const { partitions } = await millrace.admin.describeTopic('table')
  const offsets = partitions.reduce((sum, { endOffset }) => sum + endOffset, 0)
  expect(partitions.every(({ startOffset, trimmedRecords, expiredRecords }) => startOffset + trimmedRecords + expiredRecords === 0)).toBe(
    true,
  )
  // Compaction was at work all the time.
  expect(records).toBeLessThan(offsets * 0.8)
  compacted += offsets - records
  await faulty.close()
}

describe.each([{ brokers: 3 }, { brokers: 1 }])('with $brokers broker(s)', ({ brokers }) => {
  test('a leader dies at any instant', async () => {
    await compactUnder(brokers, 5, async (faulty, round) => {
      const { partitions } = await faulty.millrace.admin.describeTopic('table')
      await faulty.kill(partitions[round % PARTITIONS]!.leader)
      tally.kills++
    })
  })

  test.each<KillPoint>(['log.clean.written', 'log.clean.linked', 'log.trim.marked'])('a leader dies at %s', async (point) => {
    await compactUnder(brokers, 3, async (faulty, round) => {
      const { partitions } = await faulty.millrace.admin.describeTopic('table')
      await killAt(faulty, partitions[round % PARTITIONS]!.leader, point, (['park', 'throw', 'exit'] as const)[round % 3]!, 1 + round)
    })
  })
})
