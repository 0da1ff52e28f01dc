// `npm run torture:bugs [-- PART…]`: puts every seeded bug, or those whose names or files have a PART,
// into a copy of the source, one at a time, and says what found it and how soon.

import { MutatedCopy } from './mutated-copy.ts'
import type { Finding } from './mutated-copy.ts'
import { SEEDED_BUGS } from './seeded-bugs.ts'

const wanted = process.argv.slice(2)
const copy = new MutatedCopy()
const bugs = SEEDED_BUGS.filter(
  ({ name, file }) => wanted.length === 0 || wanted.some((part) => name.includes(part) || file.includes(part)),
)
// What finds them must find nothing where there is nothing.
for (const foundBy of new Map(bugs.map((bug) => [JSON.stringify(bug.foundBy), bug.foundBy])).values()) {
  const { found, by, finding, seconds } = await copy.run({ name: 'none', file: '', find: '', replace: '', foundBy })
  console.log(`${found ? 'WRONG' : 'passes'}    ${seconds.toFixed(1).padStart(6)} s  no bug | ${by} | ${finding}`)
  if (found) process.exit(1)
}
const findings: Finding[] = []
for (const bug of bugs) {
  copy.apply(bug)
  const finding = await copy.run(bug)
  copy.restore()
  findings.push(finding)
  const verdict = finding.found ? 'found' : 'NOT FOUND'
  console.log(`${verdict.padEnd(9)} ${finding.seconds.toFixed(1).padStart(6)} s  ${finding.bug} | ${finding.by} | ${finding.finding}`)
}
copy.remove()
const found = findings.filter((finding) => finding.found).length
console.log(`${found} of ${findings.length} seeded bugs found`)
process.exitCode = found === findings.length ? 0 : 1
