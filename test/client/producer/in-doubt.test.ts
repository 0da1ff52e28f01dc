// Batches that may be in the log, behind one that was given up: under a new number they would
// be written twice, so they are sent as they are until a leader says that they are not there.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { DURABILITY_CACHE, DURABILITY_DISK, DURABILITY_MEMORY } from '../../../src/log/log-memory-layout.ts'
import type { Durability } from '../../../src/log/log-memory-layout.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

const TIMEOUT_MS = 1_000

let broker: HandDrivenBroker
let topic: ReturnType<HandDrivenBroker['topic']>
/** By value, what its send came to: an offset, or the code of an error. */
let outcomes: Record<string, number | string>

beforeEach(() => {
  broker = new HandDrivenBroker()
  outcomes = {}
})
afterEach(() => broker.close())

/** By value, epoch and sequence number. */
const numbersOf = (batches: readonly TakenBatch[]): string[] =>
  batches.map(({ values, producerEpoch, baseSequence }) => `${values[0]}:${producerEpoch}.${baseSequence}`)

async function taken(): Promise<TakenBatch[]> {
  await nextTurn()
  await nextTurn()
  return broker.take()
}

/** Two batches at their leader, which answers neither: `a` has waited too long, `b` has not. */
async function aIsOverdue(durability: Durability = DURABILITY_MEMORY): Promise<TakenBatch[]> {
  broker.durability = durability
  topic = broker.topic()
  const producer = broker.producer({ deliveryTimeoutMs: TIMEOUT_MS })
  for (const value of ['a', 'b']) {
    producer.send(topic, { value }).then(
      ({ offset }) => (outcomes[value] = offset),
      ({ code }: { code: string }) => (outcomes[value] = code),
    )
    await nextTurn()
    broker.clock.advance(TIMEOUT_MS / 2)
  }
  const batches = await taken()
  expect(numbersOf(batches)).toEqual(['a:0.0', 'b:0.1'])
  expect(outcomes).toEqual({ a: 'REQUEST_TIMED_OUT' })
  return batches
}

test.each<Durability>([DURABILITY_CACHE, DURABILITY_DISK])(
  'at a leader that was moved, of a topic in files (durability %i)',
  async (durability) => {
    for (const batch of await aIsOverdue(durability)) batch.refuse(KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER)
    await nextTurn()
    broker.elect(topic, 0, 1, 1)
    const again = await taken()
    expect(numbersOf(again)).toEqual(['b:0.1'])
    again[0]!.ack(1)
    await nextTurn()
    expect(outcomes).toMatchObject({ b: 1 })
  },
)

test('at a leader that was moved, of a topic in memory, there is none: what it appended it has answered', async () => {
  for (const batch of await aIsOverdue()) batch.refuse(KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER)
  await nextTurn()
  broker.elect(topic, 0, 1, 1)
  expect(numbersOf(await taken())).toEqual(['b:1.0'])
})

test('a leader that has no room for it has not looked whether it is there', async () => {
  await aIsOverdue()
  broker.kill(0)
  broker.elect(topic, 0, 1, 1)
  const [full] = await taken()
  expect(numbersOf([full!])).toEqual(['b:0.1'])
  full!.refuse(KAFKA_ERRORS.KAFKA_STORAGE_ERROR)
  await nextTurn()
  broker.clock.advance(250)
  const [again] = await taken()
  expect(numbersOf([again!])).toEqual(['b:0.1'])
  // This one has looked.
  again!.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
  const [last] = await taken()
  expect(numbersOf([last!])).toEqual(['b:1.0'])
  last!.ack(0)
  await nextTurn()
  expect(outcomes).toMatchObject({ b: 0 })
})
