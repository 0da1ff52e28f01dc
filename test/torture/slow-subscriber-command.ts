// `npm run torture:rxjs -- --minutes 10`: the long form of slow-subscriber.ts.

import { parseArgs } from 'node:util'
import { slowSubscriber, slowSubscriberLine, slowSubscriberProblems } from './slow-subscriber.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not "${values.minutes}"`)
const result = await slowSubscriber({ records: 1, runMs: minutes * 60_000, samples: 200 })
const problems = slowSubscriberProblems(result)
console.log([slowSubscriberLine(result), `alive, MiB: ${result.alive.map((each) => each.toFixed(1)).join(' ')}`, ...problems].join('\n'))
process.exitCode = problems.length === 0 ? 0 : 1
