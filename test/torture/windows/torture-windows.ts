// Windows under kills: `npm run torture:windows -- --kills 200 --seed 7`. Three threads of a group count
// pages by window, through an internal topic, and are killed at random.
//
//   --kills N          how many threads die (default 200)
//   --seed S           of what is sent and who dies when (default: one of the clock, printed)
//   --forget-origins   what a crash sends twice is counted twice: this must be found
//
// Ends with 1 when a count is wrong, missing, or comes with two values.

import { parseArgs } from 'node:util'
import { runWindowsRound } from './windows-round.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({ options: { kills: string, seed: string, 'forget-origins': { type: 'boolean' } } })
const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000)
console.log(`torture of windows, seed ${seed}`)
const { kills, bit, windows, clicks, again, late, faults } = await runWindowsRound({
  seed,
  kills: Number(values.kills ?? 200),
  forgetsOrigins: values['forget-origins'] === true,
})
console.log(
  `${kills} kills, ${bit} of threads at work · ${windows} windows of ${clicks} records · ${again} results came again, the same · ${late} late`,
)
console.log(`${faults.length} faults`)
if (faults.length > 0) console.log(faults.slice(0, 20).join('\n'))
process.exitCode = faults.length > 0 ? 1 : 0
