// A broker thread dies at each named point of its work, under load: what was acknowledged
// is there, offsets go on without a gap under a higher leader epoch, sends and readers go on.

import { afterAll, describe, expect, test } from 'vitest'
import { bytes } from '../../src/index.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { readAll, SentLedger } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0x6b11
const UNLIMITED = { maxRestarts: 10_000 }
const WAYS: readonly FaultAction[] = ['park', 'throw', 'exit']

let kills = 0
let acked = 0
let failed = 0

afterAll(() => console.log(`kill points, seed ${SEED}: ${kills} kills that bit, ${acked} records acknowledged, ${failed} failed retriably`))

async function leaderOf(faulty: FaultyMillrace, topic: string, partition: number): Promise<number> {
  const { partitions } = await faulty.millrace.admin.describeTopic(topic)
  return partitions[partition]!.leader
}

/** Kills the leader of a partition again and again at the point, and holds the log against what producers were told. */
async function killLeaders(
  faulty: FaultyMillrace,
  topic: BytesTopic,
  point: KillPoint,
  options: { rounds: readonly FaultAction[]; passingMax: number; bytesMax?: number },
): Promise<void> {
  const { millrace, faults } = faulty
  const random = seededRandom(SEED)
  const ledger = new SentLedger()
  const load = new SteadyLoad({
    producer: millrace.producer(),
    topic,
    ledger,
    ...(options.bytesMax === undefined ? {} : { bytesMax: options.bytesMax }),
  })
  await load.progress()
  for (const [round, action] of options.rounds.entries()) {
    const partition = round % topic.partitions
    const before = (await millrace.admin.describeTopic(topic.name)).partitions[partition]!
    const victim = before.leader
    const { incarnation } = faulty.broker(victim)
    const seen = faults.bites(victim)
    faults.arm(victim, point, action, 1 + random.below(options.passingMax))
    await faults.bitten(victim, seen)
    if (action === 'park') await faulty.kill(victim)
    await faulty.died(victim, incarnation)
    kills++
    await load.progress()
    const after = (await millrace.admin.describeTopic(topic.name)).partitions[partition]!
    expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch)
    expect(after.endOffset).toBeGreaterThan(before.endOffset)
  }
  await load.stop()
  await ledger.verify(millrace, topic)
  for (const failure of ledger.failures) {
    expect(failure).toMatchObject({ code: 'NETWORK_EXCEPTION', retriable: true, message: expect.stringMatching(/^broker \d died/) as string })
  }
  acked += ledger.acked
  failed += ledger.failures.length
}

describe.each([
  { brokers: 3, rounds: [...WAYS, ...WAYS] },
  { brokers: 1, rounds: WAYS },
])('with $brokers broker(s)', ({ brokers, rounds }) => {
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
    const topic = await faulty.millrace.topic('load', { partitions: 4, value: bytes() })
    await killLeaders(faulty, topic, point, { rounds, passingMax })
    await faulty.close()
  })

  test.each<{ point: KillPoint }>([{ point: 'log.trim.started' }, { point: 'log.trim.unlinked' }, { point: 'log.trim.marked' }])(
    'at $point',
    async ({ point }) => {
      const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
      const config = { 'retention.bytes': 50_000 }
      const topic = await faulty.millrace.topic('trimmed', { partitions: 4, value: bytes(), config })
      await killLeaders(faulty, topic, point, { rounds, passingMax: 3, bytesMax: 6_000 })
      await faulty.close()
    },
  )
})
