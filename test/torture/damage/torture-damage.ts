// Damaged files of data directories: `npm run torture:damage -- --rounds 10000 --seed 7`. Directories are
// written on a simulated disk, one file of a copy is damaged, the copy is opened and all of it is read.
//
//   --rounds N      how many (default 10000)       --minutes N   or so long
//   --seed S        of all of them (default: one of the clock, printed)
//   --directory S   one directory again, by its own seed; with --round N one round of it
//
// Prints what became of each kind of damage in each kind of file, and ends with 1 after the first
// directory with a fault.

import { parseArgs } from 'node:util'
import { seededRandom } from '../../../src/random.ts'
import { ROUNDS_A_DIRECTORY, newCounts, outcomesInWords, runDirectory } from '../../io/damage-round.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({ options: { rounds: string, minutes: string, seed: string, directory: string, round: string } })
const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000)
const roundsMax = Number(values.rounds ?? (values.minutes === undefined ? 10_000 : Number.POSITIVE_INFINITY))
const untilMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + 60_000 * Number(values.minutes)
const counts = newCounts()

if (values.directory === undefined) {
  console.log(`torture by damage, seed ${seed}`)
  const random = seededRandom(seed)
  while (counts.rounds < roundsMax && performance.now() < untilMs && counts.faults.length === 0)
    await runDirectory(random.uint32(), Math.min(ROUNDS_A_DIRECTORY, roundsMax - counts.rounds), counts)
} else {
  await runDirectory(Number(values.directory), ROUNDS_A_DIRECTORY, counts, values.round === undefined ? undefined : Number(values.round))
}
console.log(outcomesInWords(counts))
console.log(`${counts.rounds} round(s) · ${counts.faults.length} faults`)
if (counts.faults.length > 0) console.log(counts.faults.slice(0, 20).join('\n'))
process.exitCode = counts.faults.length > 0 ? 1 : 0
