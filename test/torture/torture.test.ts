// The everyday form of R1 and R9: some rounds of every kind of fault, until two hundred
// threads have died under load, and failovers one after the other, with the main thread
// free and blocked. Safety is asserted, times are printed. The long form: npm run torture.

import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { FAULT_KINDS, KILLS, planRound } from './round-plan.ts'
import type { FaultKind, PlanOptions } from './round-plan.ts'
import { TortureTotals, roundLine } from './torture-report.ts'
import { TortureRound } from './torture-round.ts'

const SEED = Number(process.env['MILLRACE_TORTURE_SEED'] ?? 0x70a7)
const KILLS_WANTED = 200
const ROUNDS_MAX = 12
const lines: string[] = []

afterAll(() => console.log([`torture, seed ${SEED}`, ...lines].join('\n')))

/** Rounds until enough threads have died; every one of them must be right. */
async function torture(seed: number, killsWanted: number, options: PlanOptions): Promise<TortureTotals> {
  const random = seededRandom(seed)
  const totals = new TortureTotals()
  while (totals.kills < killsWanted && totals.rounds < ROUNDS_MAX) {
    const plan = planRound(random.uint32(), options)
    const result = await TortureRound.run(plan)
    totals.add(result)
    lines.push(roundLine(totals.rounds, result))
    expect(result.problems, `seed ${plan.seed}`).toEqual([])
    expect(result.anomalies.cases, `seed ${plan.seed}`).toEqual([])
  }
  lines.push(totals.toString())
  return totals
}

test(`${KILLS_WANTED} threads die under load, in every way: nothing lost, doubled, reordered, changed or invented`, async () => {
  const totals = await torture(SEED, KILLS_WANTED, { faults: 25, durability: 'mixed' })
  expect(totals.kills).toBeGreaterThanOrEqual(KILLS_WANTED)
  const bitten = new Set(totals.bites.keys())
  expect((Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => !bitten.has(kind))).toEqual([])
  expect([...KILLS].every((kind) => totals.bites.get(kind)! > 0)).toBe(true)
  // Rounds ended in both ways, and what they read again lay in files.
  expect([...totals.endings.keys()].sort()).toEqual(['closed', 'killed'])
  expect(totals.reread).toBeGreaterThan(1_000)
  expect(totals.trimmedLogs).toBeGreaterThan(0)
  // Most of what was sent was acknowledged, and read.
  expect(totals.acked).toBeGreaterThan(totals.sent / 2)
  expect(totals.read).toBeGreaterThan(totals.acked)
}, 600_000)

test('failover: from the last ack of a dead leader to the next, with the main thread free and blocked for a second', async () => {
  const kinds: FaultKind[] = ['exit', 'terminate', 'throw', 'mainBlocked']
  const totals = await torture(SEED + 1, 16, { faults: 16, kinds, brokersMin: 2, brokersMax: 3, blockedMs: 1_000 })
  expect(totals.failoverMs.length).toBeGreaterThan(10)
  expect(totals.blockedFailoverMs.length).toBeGreaterThan(3)
}, 300_000)
