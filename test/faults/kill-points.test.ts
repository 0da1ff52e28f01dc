// A broker thread dies at each named point of its work, under load: what was acknowledged
// is there, offsets go on without a gap under a higher leader epoch, sends and readers go on.

import { afterAll, describe, expect, test } from 'vitest'
import { KILL_POINTS } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { UNLIMITED, expectNoFailure, killAt, killLeaders, report, tally } from './fault-rounds.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

const SEED = 0x6b11
const WAYS: readonly FaultAction[] = ['park', 'throw', 'exit']
/** Memory-only retention may take nothing: what is gone is lost. */
const KEEPS_ALL = { 'retention.bytes': -1 }
/** The points at which a broker has died here. */
const killedAt = new Set<KillPoint>()

afterAll(() => console.log(report('kill points', SEED)))

describe.each([
  { brokers: 3, rounds: 6 },
  { brokers: 1, rounds: 3 },
])('under load, with $brokers broker(s)', ({ brokers, rounds }) => {
  test.each<{ point: KillPoint; passingMax: number }>([
    { point: 'lane.reader.taken', passingMax: 20 },
    { point: 'lane.ack.written', passingMax: 20 },
    { point: 'log.append.claimed', passingMax: 20 },
    { point: 'log.append.copied', passingMax: 20 },
    { point: 'log.append.ended', passingMax: 20 },
    { point: 'log.append.published', passingMax: 20 },
    { point: 'log.roll.allocated', passingMax: 3 },
    { point: 'log.roll.linked', passingMax: 3 },
    { point: 'log.extent.described', passingMax: 3 },
  ])('at $point', async ({ point, passingMax }) => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
    const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 4, config: KEEPS_ALL })
    await killLeaders(faulty, topic, {
      seed: SEED,
      rounds,
      kill: (round, leader, random) => killAt(faulty, leader, point, WAYS[round % 3]!, 1 + random.below(passingMax)),
    })
    killedAt.add(point)
    await faulty.close()
  })

  test.each<{ point: KillPoint }>([{ point: 'log.trim.started' }, { point: 'log.trim.unlinked' }, { point: 'log.trim.marked' }])(
    'at $point',
    async ({ point }) => {
      const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
      const topic = await bytesTopic(faulty.millrace, 'trimmed', { partitions: 4, config: { 'retention.bytes': 50_000 } })
      await killLeaders(faulty, topic, {
        seed: SEED,
        rounds,
        bytesMax: 6_000,
        kill: (round, leader, random) => killAt(faulty, leader, point, WAYS[round % 3]!, 1 + random.below(3)),
      })
      killedAt.add(point)
      await faulty.close()
    },
  )
})

describe.each(WAYS)('memory between brokers, the thread ends by: %s', (way) => {
  test('at log.block.claimed, for the first append of a broker', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    const death = killAt(faulty, 1, 'log.block.claimed', way)
    expect(await ledger.send(producer, topic, 1)).toBe(0)
    await death
    for (let i = 0; i < 9; i++) await ledger.send(producer, topic, i % 3)
    expectNoFailure(ledger)
    await ledger.verify(faulty.millrace, topic)
    killedAt.add('log.block.claimed')
    await faulty.close()
  })

  test('at log.block.claimed, while it adopts the memory of another that died', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    for (let i = 0; i < 30; i++) await ledger.send(producer, topic, i % 3, 3_000)
    const death = killAt(faulty, 0, 'log.block.claimed', way)
    await faulty.kill(1)
    await death
    for (let i = 0; i < 30; i++) await ledger.sendUntilAcked(producer, topic, i % 3, 3_000)
    await ledger.verify(faulty.millrace, topic)
    await faulty.close()
  })

  test('at log.adopt.cut, while it cuts off what another had not published', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    await ledger.send(producer, topic, 1, 3_000)
    // The leader dies with a second extent in its chain and nothing of it published; who opens the log after it, dies of that.
    const cutter = killAt(faulty, 0, 'log.adopt.cut', way)
    const leader = killAt(faulty, 1, 'log.roll.linked', 'exit')
    let dead = false
    const deaths = Promise.all([leader, cutter]).then(() => (dead = true))
    while (!dead) await ledger.send(producer, topic, 1, 3_000)
    await deaths
    for (let i = 0; i < 9; i++) await ledger.send(producer, topic, i % 3)
    expectNoFailure(ledger)
    await ledger.verify(faulty.millrace, topic)
    killedAt.add('log.adopt.cut')
    await faulty.close()
  })

  test("at log.extent.returned, when it gives back an extent of another's block", async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 4, config: { 'retention.bytes': 40_000 } })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    for (let i = 0; i < 40; i++) await ledger.send(producer, topic, i % 4, 3_000)
    // Broker 0 leads the controller's log and adopts the memory; broker 2, which leads least, adopts the log.
    await faulty.kill(1)
    await ledger.sendUntilAcked(producer, topic, 1, 3_000)
    const { partitions } = await faulty.millrace.admin.describeTopic('t')
    expect(partitions[1]!.leader).toBe(2)
    let dead = false
    const death = killAt(faulty, 2, 'log.extent.returned', way).then(() => (dead = true))
    while (!dead) await ledger.send(producer, topic, 1, 3_000)
    await death
    for (let i = 0; i < 80; i++) await ledger.sendUntilAcked(producer, topic, i % 4, 3_000)
    await ledger.verify(faulty.millrace, topic)
    killedAt.add('log.extent.returned')
    await faulty.close()
  })

  test('at log.block.released, when it hands memory over to a broker that wants some', async () => {
    // Two blocks: one is broker 0's, one broker 1's; broker 2 asks for memory when it is written to.
    const faulty = await FaultyMillrace.open({ brokers: 3, logMemoryBytes: 16 * 1024 * 1024 })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 3 })
    const ledger = new SentLedger()
    const producer = faulty.millrace.producer()
    await ledger.send(producer, topic, 0)
    await ledger.send(producer, topic, 1)
    const { faults } = faulty
    const seen = [faults.bites(0), faults.bites(1)]
    for (const id of [0, 1]) faults.arm(id, 'log.block.released', way)
    const waiting = ledger.send(producer, topic, 2)
    const giver = await Promise.race([0, 1].map((id) => faults.bitten(id, seen[id]!).then(() => id)))
    // The other may have been about to give some as well, and stand still by now.
    faults.disarm(1 - giver)
    faults.go(1 - giver)
    if (way === 'park') await faulty.kill(giver)
    await faulty.died(giver, 1)
    tally.kills++
    expect(await waiting).toBe(0)
    for (let i = 0; i < 30; i++) await ledger.sendUntilAcked(producer, topic, i % 3, 3_000)
    await ledger.verify(faulty.millrace, topic)
    killedAt.add('log.block.released')
    await faulty.close()
  })
})

test('no point that a broker passes was left out', () => {
  // Of the others: producers' threads in client-death, the controller in controller-death, brokers that hand over or delete in moving-leaders and deleting, the cleaner in compaction.
  const starts = ['lane.writer.', 'controller.', 'broker.', 'log.clean.']
  expect(KILL_POINTS.filter((point) => !killedAt.has(point) && !starts.some((start) => point.startsWith(start)))).toEqual([])
})
