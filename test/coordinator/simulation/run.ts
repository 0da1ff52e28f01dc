// `npm run simulate:groups -- --seeds N --from S`: so many seeds of the simulation of groups.
//
//   --seeds N      so many seeds (default 1,000)     --from S     the first of them (default 1)
//   --events N     seeds until there were so many events, instead
//   --twice        each seed twice: its trace must be the same
//   --situations   says which situations came about, and how often
//   --pace N       one mix with so many events in a virtual second, and how many of those go by in a second (pace.ts)
//
// Ends with 1 at the first seed that is not right, with its last events and how to run it again.

import { parseArgs } from 'node:util'
import { GroupSimulation } from './group-simulation.ts'
import { runPaced } from './pace.ts'

/** Virtual seconds that are measured. */
const PACED_SECONDS = 100_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    events: { type: 'string' },
    twice: { type: 'boolean' },
    situations: { type: 'boolean' },
    pace: { type: 'string' },
  },
})

if (values.pace !== undefined) {
  const { seeds, events, virtualSeconds, seconds, failure } = await runPaced(Number(values.pace), PACED_SECONDS, Number(values.from))
  console.log(
    failure ??
      `${seeds} seeds from ${values.from}: all holds. ${Math.round(virtualSeconds)} virtual seconds in ${seconds.toFixed(1)} s, ` +
        `${Math.round(virtualSeconds / seconds)} a second, at ${(events / virtualSeconds).toFixed(1)} events in each`,
  )
  process.exit(failure === undefined ? 0 : 1)
}

const startMs = performance.now()
const situations = new Map<string, number>()
let events = 0
let virtualMs = 0
let seeds = 0
const isDone = (): boolean => (values.events === undefined ? seeds >= Number(values.seeds) : events >= Number(values.events))
while (!isDone()) {
  const seed = Number(values.from) + seeds++
  const result = await new GroupSimulation(seed).run()
  events += result.events
  virtualMs += result.virtualMs
  for (const [situation, count] of result.situations) situations.set(situation, (situations.get(situation) ?? 0) + count)
  if (result.failure !== undefined) {
    console.log(result.failure)
    process.exit(1)
  }
  if (values.twice !== true) continue
  const again = await new GroupSimulation(seed).run()
  if (again.hash !== result.hash || again.events !== result.events) {
    console.log(`seed ${seed} is not the same twice: ${result.hash} after ${result.events} events, ${again.hash} after ${again.events}`)
    process.exit(1)
  }
}
const seconds = (performance.now() - startMs) / 1_000
console.log(
  `${seeds} seeds from ${values.from}: all holds. ${events} events in ${seconds.toFixed(1)} s, ${Math.round(events / seconds)} a second; ` +
    `${Math.round(virtualMs / 1_000)} virtual seconds, ${Math.round(virtualMs / 1_000 / seconds)} a second, ` +
    `${((events / virtualMs) * 1_000).toFixed(1)} events in each`,
)
if (values.situations === true) {
  for (const [situation, count] of [...situations].sort(([, a], [, b]) => a - b)) console.log(`${String(count).padStart(9)}  ${situation}`)
}
