// Churn in groups: `npm run torture:groups -- --minutes 30 --seed 7`. Round after round, each
// with a millrace of its own and a plan of its own, all from one seed.
//
//   --minutes N    so long (default 1)            --rounds N   or so many rounds
//   --seed S       of all rounds (default: one of the clock, printed)
//   --faults N     in each round (default 30)     --only a,b   faults of these kinds alone
//   --files F      none, some, all: which rounds have a data directory (default some)
//   --replay S     the one round with this seed of its own
//
// Prints a line a round and the sums; ends with 1 at the first round that is not right, and
// says how to run it again; and when a kind of fault was tried often and never bit.

import { parseArgs } from 'node:util'
import { seededRandom } from '../../../src/random.ts'
import { GROUP_FAULT_KINDS, planGroupRound } from './group-plan.ts'
import type { GroupFaultKind, GroupPlanOptions } from './group-plan.ts'
import { GroupTotals, groupRoundLine } from './group-report.ts'
import { GroupRound } from './group-round.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({
  options: { minutes: string, rounds: string, seed: string, faults: string, only: string, files: string, replay: string },
})

function number(name: 'minutes' | 'rounds' | 'seed' | 'faults' | 'replay'): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`)
  return value
}

const kinds = values.only?.split(',')
for (const kind of kinds ?? []) {
  if (!(kind in GROUP_FAULT_KINDS)) throw new Error(`--only takes ${Object.keys(GROUP_FAULT_KINDS).join(', ')}; not "${kind}"`)
}
const files = values.files ?? 'some'
if (!['none', 'some', 'all'].includes(files)) throw new Error(`--files takes none, some, all; not "${files}"`)
const options: GroupPlanOptions = {
  faults: number('faults') ?? 30,
  files: files as NonNullable<GroupPlanOptions['files']>,
  kinds: kinds as GroupFaultKind[] | undefined,
}

const seed = number('seed') ?? Date.now() % 0x1_0000_0000
const replay = number('replay')
const roundsMax = replay === undefined ? (number('rounds') ?? Number.POSITIVE_INFINITY) : 1
const untilMs = performance.now() + 60_000 * (number('minutes') ?? (roundsMax === Number.POSITIVE_INFINITY ? 1 : 1e6))
const random = seededRandom(seed)
const totals = new GroupTotals()

console.log(`churn in groups, seed ${seed}`)
while (totals.rounds < roundsMax && performance.now() < untilMs) {
  const roundSeed = replay ?? random.uint32()
  const again = `npm run torture:groups -- ${process.argv.slice(2).join(' ')} --replay ${roundSeed}`
  try {
    const result = await GroupRound.run(planGroupRound(roundSeed, options))
    totals.add(result)
    console.log(groupRoundLine(totals.rounds, result))
    if (result.anomalies.total + result.problems.length > 0) {
      console.log([...result.problems.slice(0, 20), result.anomalies.toString(), `again: ${again}`].join('\n  '))
      process.exitCode = 1
      break
    }
  } catch (error) {
    console.log(`round ${totals.rounds + 1}, seed ${roundSeed}: ${(error as Error).stack}\n  again: ${again}`)
    process.exit(1)
  }
}
console.log(totals.toString())
if (totals.biteless.length > 0) process.exitCode = 1
