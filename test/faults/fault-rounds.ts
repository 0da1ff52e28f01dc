// What the rounds of fault tests share: one death, and what must be so after it.

import { expect } from 'vitest'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import type { FaultAction } from './fault-words.ts'
import type { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

export const UNLIMITED = { maxRestarts: 10_000 }

/** How the threads of a test died, all that bit counted. */
export const tally = { kills: 0, acked: 0, read: 0 }

/** One line for the end of a test file. */
export function report(what: string, seed: number): string {
  const { kills, acked, read } = tally
  return `${what}, seed ${seed}: ${kills} kills that bit, ${acked} records acknowledged, no send failed, ${read} records read meanwhile`
}

/** Makes a broker fail at a point of its work, and waits for its thread's end. */
export async function killAt(faulty: FaultyMillrace, victim: number, point: KillPoint, action: FaultAction, passing = 1): Promise<void> {
  const { faults } = faulty
  const { incarnation } = faulty.broker(victim)
  const seen = faults.bites(victim)
  faults.arm(victim, point, action, passing)
  await faults.bitten(victim, seen)
  if (action === 'park') await faulty.kill(victim)
  await faulty.died(victim, incarnation)
  tally.kills++
}

export interface RoundsOptions {
  readonly seed: number
  /** One death; gets the partition whose leader is to die. */
  readonly kill: (round: number, leader: number, random: ReturnType<typeof seededRandom>) => Promise<void>
  readonly rounds: number
  readonly bytesMax?: number
}

/**
 * Under load, kills the leaders of a topic's partitions one after the other. After each: sends
 * to every partition go on, under a higher leader epoch. At the end the log is held against
 * what producers were told, and a reader has seen every offset.
 */
export async function killLeaders(faulty: FaultyMillrace, topic: BytesTopic, options: RoundsOptions): Promise<SentLedger> {
  const { millrace } = faulty
  const random = seededRandom(options.seed)
  const ledger = new SentLedger()
  const reader = new LiveReader(millrace, topic)
  const { bytesMax = 2_000 } = options
  const load = new SteadyLoad({ producer: millrace.producer(), topic, ledger, bytesMax, seed: random.uint32() })
  await load.progress()
  for (let round = 0; round < options.rounds; round++) {
    const partition = round % topic.partitions
    const before = (await millrace.admin.describeTopic(topic.name)).partitions[partition]!
    await options.kill(round, before.leader, random)
    // An ack that was waited for may have been given before the death, and be read after it.
    let after: typeof before
    do {
      await load.progress()
      after = (await millrace.admin.describeTopic(topic.name)).partitions[partition]!
    } while (after.leaderEpoch === before.leaderEpoch || after.endOffset === before.endOffset)
    expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch)
    expect(after.endOffset).toBeGreaterThan(before.endOffset)
  }
  await load.stop()
  await ledger.verify(millrace, topic)
  await reader.caughtUp(millrace)
  await reader.stop()
  expectNoFailure(ledger)
  tally.acked += ledger.acked
  tally.read += reader.records
  return ledger
}

/** A broker's death fails no send: what it had not answered goes to the leader after it, and is in the log once. */
export function expectNoFailure(ledger: SentLedger): void {
  expect(ledger.failures.map(({ message }) => message)).toEqual([])
}
