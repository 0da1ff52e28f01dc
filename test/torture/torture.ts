// Torture: `npm run torture -- --minutes 60 --seed 7`. Round after round, each with a
// millrace of its own and a plan of its own, all from one seed.
//
//   --minutes N    so long (default 1)            --rounds N   or so many rounds
//   --seed S       of all rounds (default: one of the clock, printed)
//   --faults N     in each round (default 25)     --only a,b   faults of these kinds alone
//   --brokers N    in each round (default: 1 to 5)
//   --small        log memory is nearly full in every round
//   --hang N       so many seconds without a move are a hang (default 45)
//   --replay S     the one round with this seed of its own
//   --durability D memory: nothing has files; cache, disk: all topics are that deep, in a temporary
//                  directory; mixed: each round draws, and each topic (default)
//   --keep         the data directory of a round that is not right stays
//
// Prints a line a round and the sums; ends with 1 at the first round that is not right,
// and says how to run it again; and when a kind of fault was tried often and never bit.

import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/random.ts'
import { DURABILITIES } from './file-plan.ts'
import type { RunDurability } from './file-plan.ts'
import { FAULT_KINDS, planRound } from './round-plan.ts'
import type { FaultKind, PlanOptions } from './round-plan.ts'
import { TortureTotals, roundLine } from './torture-report.ts'
import { HANG_MS, TortureRound } from './torture-round.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    minutes: string,
    rounds: string,
    seed: string,
    faults: string,
    only: string,
    brokers: string,
    hang: string,
    replay: string,
    durability: string,
    small: { type: 'boolean' },
    keep: { type: 'boolean' },
  },
})

function number(name: Exclude<keyof typeof values, 'small' | 'keep'>): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} takes a number, not "${text}"`)
  return value
}

const kinds = Object.keys(FAULT_KINDS) as FaultKind[]
const only = values.only?.split(',')
for (const kind of only ?? []) {
  if (!kinds.includes(kind as FaultKind)) throw new Error(`--only takes ${kinds.join(', ')}; not "${kind}"`)
}
const durability = (values.durability ?? 'mixed') as RunDurability
if (!DURABILITIES.includes(durability)) throw new Error(`--durability takes ${DURABILITIES.join(', ')}; not "${durability}"`)
const brokers = number('brokers')
const options: PlanOptions = {
  faults: number('faults') ?? 25,
  kinds: only as FaultKind[] | undefined,
  durability,
  ...(values.small === true ? { isSmall: true } : {}),
  ...(brokers === undefined ? {} : { brokersMin: brokers, brokersMax: brokers }),
}

const seed = number('seed') ?? Date.now() % 0x1_0000_0000
const replay = number('replay')
const roundsMax = replay === undefined ? (number('rounds') ?? Number.POSITIVE_INFINITY) : 1
const untilMs = performance.now() + 60_000 * (number('minutes') ?? (roundsMax === Number.POSITIVE_INFINITY ? 1 : 1e6))
const hangMs = 1_000 * (number('hang') ?? HANG_MS / 1_000)
const random = seededRandom(seed)
const totals = new TortureTotals()

console.log(`torture, seed ${seed}`)
while (totals.rounds < roundsMax && performance.now() < untilMs) {
  const roundSeed = replay ?? random.uint32()
  const again = `npm run torture -- ${process.argv.slice(2).join(' ')} --replay ${roundSeed}`
  try {
    const result = await TortureRound.run(planRound(roundSeed, options), { hangMs, keepsFiles: values.keep === true })
    totals.add(result)
    console.log(roundLine(totals.rounds, result))
    if (result.anomalies.total + result.problems.length > 0) {
      console.log([...result.problems, result.anomalies.toString(), `again: ${again}`].join('\n  '))
      process.exitCode = 1
      break
    }
  } catch (error) {
    console.log(`round ${totals.rounds + 1}, seed ${roundSeed}: ${(error as Error).stack}\n  again: ${again}`)
    process.exit(1)
  }
}
console.log(totals.toString())
if (totals.isBiteless) process.exitCode = 1
