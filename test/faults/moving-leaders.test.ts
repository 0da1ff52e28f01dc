// Leaders that are moved between living brokers while several producers write and readers
// read: nothing is lost, doubled or out of order, and no send fails. Then either of the two
// brokers dies in the middle of it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { string } from '../../src/client/serde.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import { UNLIMITED, report, tally } from './fault-rounds.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0x30e
const KEEPS_ALL = { 'retention.bytes': -1 }
let moves = 0

afterAll(() => console.log(`${report('moving leaders', SEED)}; ${moves} moves`))

test('at random, under load from several producers', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3 })
  const { millrace, engine } = faulty
  const random = seededRandom(SEED)
  const topic = await bytesTopic(millrace, 'load', { partitions: 4, config: KEEPS_ALL })
  const ledger = new SentLedger()
  const reader = new LiveReader(millrace, topic)
  const loads = [0, 1, 2].map(
    (producerNumber) =>
      new SteadyLoad({ producer: millrace.producer(), topic, ledger, bytesMax: 2_000, seed: random.uint32(), producerNumber }),
  )
  for (let i = 0; i < 60; i++) {
    const [partition, brokerId] = [random.below(4), random.below(3)]
    const { leaderEpoch, leader } = (await engine.describeTopic('load'))!.partitions[partition]!
    await engine.moveLeader({ topic: 'load', partition, brokerId })
    const control = engine.controlBlock(topic.partitions === 4 ? (await engine.describeTopic('load'))!.partitions[partition]!.slot : -1)
    expect([control.leaderBroker, control.leaderEpoch]).toEqual([brokerId, leader === brokerId ? leaderEpoch : leaderEpoch + 1])
    if (leader !== brokerId) moves++
    if (random.below(4) === 0) await loads[random.below(3)]!.progress()
  }
  await Promise.all(loads.map((load) => load.progress()))
  await Promise.all(loads.map((load) => load.stop()))
  expect(ledger.failures).toEqual([])
  await ledger.verify(millrace, topic)
  await reader.caughtUp(millrace)
  await reader.stop()
  tally.acked += ledger.acked
  expect(faulty.events).toEqual([])
  await faulty.close()
})

test('one that stands still keeps what it leads until it goes on', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, attach: { controlTimeoutMs: 300 } })
  const topic = await bytesTopic(faulty.millrace, 't', { partitions: 3 })
  const ledger = new SentLedger()
  const producer = faulty.millrace.producer()
  for (let i = 0; i < 9; i++) await ledger.send(producer, topic, i % 3)
  const seen = faulty.faults.bites(1)
  faulty.faults.arm(1, 'log.append.copied', 'park')
  const waiting = ledger.send(producer, topic, 1)
  await faulty.faults.bitten(1, seen)
  await expect(faulty.engine.moveLeader({ topic: 't', partition: 1, brokerId: 2 })).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  const control = faulty.engine.controlBlock((await faulty.engine.describeTopic('t'))!.partitions[1]!.slot)
  expect(control.leaderBroker).toBe(1)
  faulty.faults.go(1)
  expect(await waiting).toBe(3)
  await faulty.engine.moveLeader({ topic: 't', partition: 1, brokerId: 2 })
  expect([control.leaderBroker, control.leaderEpoch]).toEqual([2, 1])
  for (let i = 0; i < 9; i++) await ledger.send(producer, topic, i % 3)
  await ledger.verify(faulty.millrace, topic)
  await faulty.close()
})

test('of a topic on disk, while batches wait for syncs longer than their producer waits for them: none is there twice', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-moves-'))
  const faulty = await FaultyMillrace.open({ brokers: 3, dataDir })
  const { millrace, engine } = faulty
  const random = seededRandom(SEED)
  const topic = await millrace.topic('load', { value: string(), partitions: 1, config: { ...KEEPS_ALL, 'millrace.durability': 'disk' } })
  // Some are overdue when their leader lets go, and some behind them are not.
  const producer = millrace.producer({ deliveryTimeoutMs: 12, batchSize: 0 })
  const acked = new Map<string, number>()
  let sent = 0
  let isOver = false
  const send = async (): Promise<void> => {
    while (!isOver) {
      for (let turns = random.below(100); turns > 0; turns--) await nextTurn()
      const value = `${sent++}`
      try {
        acked.set(value, (await producer.send(topic, { value })).offset)
      } catch (error) {
        expect(error).toMatchObject({ code: 'REQUEST_TIMED_OUT' })
      }
    }
  }
  const sends = Array.from({ length: 8 }, send)
  for (let i = 0; i < 150; i++, moves++) await engine.moveLeader({ topic: 'load', partition: 0, brokerId: (i + 1) % 3 })
  isOver = true
  await Promise.all(sends)
  await producer.close()
  const offsets = new Map<string, number[]>()
  for await (const { value, offset } of millrace.consumer().records(topic, { until: 'end' })) {
    offsets.set(value, [...(offsets.get(value) ?? []), offset])
  }
  expect([...offsets].filter(([, all]) => all.length > 1)).toEqual([])
  expect([...acked].filter(([value, offset]) => offsets.get(value)?.[0] !== offset)).toEqual([])
  expect(acked.size).toBeGreaterThan(0)
  tally.acked += acked.size
  await faulty.close()
  rmSync(dataDir, { recursive: true, force: true })
})

describe.each<{ point: KillPoint; who: 'old' | 'new' }>([
  { point: 'broker.handover.published', who: 'old' },
  { point: 'broker.handover.resigned', who: 'old' },
  { point: 'broker.lead.taken', who: 'new' },
])('the $who leader dies at $point', ({ point, who }) => {
  test.each<FaultAction>(['park', 'throw', 'exit'])('by: %s', async (action) => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
    const { millrace, engine } = faulty
    const topic = await bytesTopic(millrace, 'load', { partitions: 3, config: KEEPS_ALL })
    const ledger = new SentLedger()
    const reader = new LiveReader(millrace, topic)
    const load = new SteadyLoad({ producer: millrace.producer(), topic, ledger, bytesMax: 2_000, seed: SEED })
    await load.progress()
    // From and to each broker once, the controller's too.
    for (const [round, partition] of [1, 2, 0].entries()) {
      const { leader } = (await engine.describeTopic('load'))!.partitions[partition]!
      const brokerId = (leader + 1) % 3
      const victim = who === 'old' ? leader : brokerId
      const { incarnation } = faulty.broker(victim)
      const seen = faulty.faults.bites(victim)
      faulty.faults.arm(victim, point, action)
      const moved = engine.moveLeader({ topic: 'load', partition, brokerId })
      await faulty.faults.bitten(victim, seen)
      if (action === 'park') await faulty.kill(victim)
      await faulty.died(victim, incarnation)
      tally.kills++
      await moved
      await load.progress()
      await faulty.happened('brokerRestarted', round + 1)
    }
    await load.stop()
    expect(ledger.failures).toEqual([])
    await ledger.verify(millrace, topic)
    await reader.caughtUp(millrace)
    await reader.stop()
    tally.acked += ledger.acked
    await faulty.close()
  })
})
