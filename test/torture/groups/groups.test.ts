// The everyday form of R8: members of groups on threads of their own join, leave, die, stand
// still and come again, in memory and with files, until there were five hundred rebalances.
// Safety is asserted, times are printed: the machine is shared with other tests. The long form: npm run torture:groups.

import { afterAll, expect, test } from 'vitest'
import { seededRandom } from '../../../src/random.ts'
import { GROUP_FAULT_KINDS, planGroupRound } from './group-plan.ts'
import type { GroupFaultKind } from './group-plan.ts'
import { GroupTotals, groupRoundLine } from './group-report.ts'
import { GroupRound } from './group-round.ts'
import { ENDINGS } from './group-tasks.ts'

const SEED = Number(process.env['MILLRACE_TORTURE_SEED'] ?? 0x96)
const REBALANCES_WANTED = 500
const ROUNDS_MAX = 8
/** Of each round; the next has the others. */
const KINDS: readonly (readonly GroupFaultKind[])[] = [
  ['terminate', 'shortStall', 'broker'],
  ['twoThreads', 'longStall', 'restart'],
]
const FAULTS = 5
const lines: string[] = []

afterAll(() => console.log([`churn in groups, seed ${SEED}`, ...lines].join('\n')))

test(`${REBALANCES_WANTED} rebalances under churn: no dual owner, nothing skipped, lost, doubled or reordered, no commit lost`, async () => {
  const random = seededRandom(SEED)
  const totals = new GroupTotals()
  while (totals.rounds < 2 || (totals.rebalances < REBALANCES_WANTED && totals.rounds < ROUNDS_MAX)) {
    const isEven = totals.rounds % 2 === 0
    const kinds = KINDS[totals.rounds % KINDS.length]!
    const plan = planGroupRound(random.uint32(), { faults: FAULTS, files: isEven ? 'none' : 'all', kinds })
    const result = await GroupRound.run(plan)
    totals.add(result)
    lines.push(groupRoundLine(totals.rounds, result))
    expect(result.problems, `seed ${plan.seed}`).toEqual([])
    expect(result.anomalies.cases, `seed ${plan.seed}`).toEqual([])
  }
  lines.push(totals.toString())
  expect(totals.rebalances).toBeGreaterThanOrEqual(REBALANCES_WANTED)
  expect([...totals.bites.keys()].sort()).toEqual(Object.keys(GROUP_FAULT_KINDS).sort())
  // Members died with partitions, and others took them; some were put out and learned of it.
  expect(totals.memberDeaths).toBeGreaterThan(10)
  expect(totals.takeOverMs.length).toBeGreaterThan(10)
  expect(totals.counts.get('lost')).toBeGreaterThan(0)
  for (const ending of ENDINGS) expect(totals.counts.get(ending), ending).toBeGreaterThan(0)
  for (const count of ['statics', 'commits'] as const) expect(totals.counts.get(count), count).toBeGreaterThan(10)
  expect(totals.handedOut).toBeGreaterThan(totals.acked)
}, 300_000)
