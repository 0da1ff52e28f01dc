// `npm run torture:overload -- --minutes 1`: the long form of overload.ts.

import { parseArgs } from 'node:util'
import { OVERLOAD, overload, overloadLine, overloadProblems } from './overload.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not "${values.minutes}"`)
const options = { ...OVERLOAD, runMs: minutes * 60_000 }
const result = await overload(options)
const problems = overloadProblems(result, options)
console.log([overloadLine(result, options), ...problems].join('\n'))
process.exitCode = problems.length === 0 ? 0 : 1
