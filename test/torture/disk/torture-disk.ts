// Torture of data directories: `npm run torture:disk -- --minutes 60 --seed 7`. Round after round,
// each on a directory of its own: a process opens it, sends, reads, and is killed; what its files hold
// is held against what it had told; the next process goes on from there.
//
//   --minutes N      so long (default 1)               --rounds N   or so many rounds
//   --seed S         of all rounds (default: one of the clock, printed)
//   --generations N  processes in a row on a directory (default 10)
//   --only a,b       kills (at any time), calls (at the n-th system call, by strace)
//
// Prints a line a round and the sums; ends with 1 at the first round that is not right, and leaves
// its directory.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../../src/random.ts'
import { bitesInWords, runDiskRound } from './disk-round.ts'
import { whyNoCalls } from './doomed-child.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({ options: { minutes: string, rounds: string, seed: string, generations: string, only: string } })
const kinds = (values.only ?? 'kills,calls').split(',')
for (const kind of kinds) if (kind !== 'kills' && kind !== 'calls') throw new Error(`--only takes kills, calls; not "${kind}"`)
const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000)
const roundsMax = Number(values.rounds ?? Number.POSITIVE_INFINITY)
const untilMs = performance.now() + 60_000 * Number(values.minutes ?? (values.rounds === undefined ? 1 : 1e6))
const generations = Number(values.generations ?? 10)
const random = seededRandom(seed)
const totals = { rounds: 0, kills: 0, sent: 0, acked: 0, read: 0, faults: 0 }

console.log(`torture of data directories, seed ${seed}`)
const why = kinds.includes('calls') ? whyNoCalls() : undefined
if (why !== undefined) console.log(`kills at system calls are skipped: ${why}`)
const possible = kinds.filter((kind) => kind !== 'calls' || why === undefined)

while (possible.length > 0 && totals.rounds < roundsMax && performance.now() < untilMs && totals.faults === 0) {
  const kind = possible[totals.rounds % possible.length]!
  const roundSeed = random.uint32()
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  const { kills, bites, sent, acked, read, records, cut, faults } = await runDiskRound({
    dataDir,
    random: seededRandom(roundSeed),
    generations,
    atCalls: kind === 'calls',
  })
  totals.rounds++
  totals.kills += kills
  totals.sent += sent
  totals.acked += acked
  totals.read += read
  totals.faults += faults.length
  console.log(
    `round ${totals.rounds}, ${kind}, seed ${roundSeed}: ${kills} of ${generations} killed (${bitesInWords(bites)}; ${cut} tails cut) · ` +
      `${sent} sent ${acked} acked ${read} read, ${records} in files · ${faults.length === 0 ? 'ok' : `${faults.length} faults`}`,
  )
  if (faults.length > 0) console.log(['', ...faults.slice(0, 20), `the directory is left: ${dataDir}`].join('\n  '))
  else rmSync(dataDir, { recursive: true, force: true })
}
const { rounds, kills, sent, acked, read, faults } = totals
console.log(`${rounds} round(s): ${kills} processes killed · ${sent} sent, ${acked} acknowledged, ${read} read · ${faults} faults`)
process.exitCode = faults > 0 ? 1 : 0
