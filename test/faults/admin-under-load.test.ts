// What an admin changes while producers send and readers read: configs, partitions,
// topics, leaders. Nothing that was acknowledged is lost, doubled or moved.

import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0xad41
const counts = { moves: 0, kills: 0, acked: 0 }

afterAll(() => console.log(`admin under load, seed ${SEED}: ${counts.moves} moves, ${counts.kills} kills, ${counts.acked} acked`))

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('retention.bytes, altered while the topic is full and while it is written to', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const { admin } = faulty.millrace
  const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = faulty.millrace.producer()
  const fill = (): Promise<unknown> =>
    Promise.all([0, 1].flatMap((partition) => Array.from({ length: 30 }, () => ledger.send(producer, topic, partition, 100_000))))
  await fill()
  expect((await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)).toEqual([0, 0])
  await admin.incrementalAlterConfigs({ type: 'topic', name: 't', set: { 'retention.bytes': 1_000_000 } })
  // What is there goes without a record more.
  for (;;) {
    const { partitions } = await admin.describeTopic('t')
    if (partitions.every(({ heldBytes }) => heldBytes < 2_500_000)) break
    await turn()
  }
  await fill()
  const bounded = await admin.describeTopic('t')
  expect(bounded.config).toEqual({ 'retention.bytes': '1000000' })
  for (const { startOffset, expiredRecords } of bounded.partitions) {
    expect(startOffset).toBeGreaterThan(20)
    expect(expiredRecords).toBe(startOffset)
  }
  // Taken back, nothing goes any more.
  await admin.incrementalAlterConfigs({ type: 'topic', name: 't', delete: ['retention.bytes'] })
  for (;;) {
    const before = (await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)
    await fill()
    const after = (await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)
    if (after.join() === before.join()) break
  }
  await ledger.verify(faulty.millrace, topic)
  await faulty.close()
})

test('leaders moved under several producers and a reader, while brokers die', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
  const { millrace } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 3, config: { 'retention.bytes': -1 } })
  const random = seededRandom(SEED)
  const ledger = new SentLedger()
  const reader = new LiveReader(millrace, topic)
  const loads = [0, 1, 2].map(
    (producerNumber) => new SteadyLoad({ producer: millrace.producer(), topic, ledger, seed: random.uint32(), producerNumber }),
  )
  for (let round = 0; round < 15; round++) {
    const partition = round % 3
    const before = (await millrace.admin.describeTopic('t')).partitions[partition]!
    const target = (before.leader + 1 + random.below(2)) % 3
    const killed = round % 5 === 4 ? faulty.kill(before.leader) : undefined
    if (killed === undefined) {
      await millrace.admin.moveLeader('t', partition, target)
      const after = (await millrace.admin.describeTopic('t')).partitions[partition]!
      expect(after.leader).toBe(target)
      expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch)
      counts.moves++
    } else {
      await killed
      counts.kills++
      await faulty.happened('brokerRestarted', counts.kills)
    }
    for (const load of loads) await load.progress()
  }
  for (const load of loads) await load.stop()
  await ledger.verify(millrace, topic)
  await reader.caughtUp(millrace)
  await reader.stop()
  counts.acked += ledger.acked
  // Producers are idempotent: nothing that was sent is lost.
  expect(ledger.failures).toEqual([])
  await faulty.close()
  expect(faulty.count('brokerDied')).toBe(counts.kills)
})
