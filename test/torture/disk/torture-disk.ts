// Torture of data directories: `npm run torture:disk -- --minutes 60 --seed 7`. Round after round,
// each on a directory of its own: a process opens it, sends, reads, and is killed; what its files hold
// is held against what it had told; the next process goes on from there.
//
//   --minutes N      so long (default 1)               --rounds N   or so many rounds
//   --seed S         of all rounds (default: one of the clock, printed)
//   --generations N  processes in a row on a directory (default 10)
//   --only a,b       kills (at any time), calls (at the n-th system call, by strace), cuts (power cuts of an
//                    ext4 file system; after them a topic of cache must have lost something: the control)
//
// What is not possible here is skipped, and says why. Prints a line a round and the sums; ends with 1 at the first round that is not right, and leaves
// its directory, or the image of its file system.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../../src/random.ts'
import { bitesInWords, runDiskRound } from './disk-round.ts'
import { whyNoCalls } from './doomed-child.ts'
import { Ext4Image, whyNoPowerCuts } from './ext4-image.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({ options: { minutes: string, rounds: string, seed: string, generations: string, only: string } })
const KINDS: Readonly<Record<string, () => string | undefined>> = {
  kills: () => undefined,
  calls: whyNoCalls,
  cuts: whyNoPowerCuts,
}
const kinds = (values.only ?? Object.keys(KINDS).join(',')).split(',')
for (const kind of kinds) if (!(kind in KINDS)) throw new Error(`--only takes ${Object.keys(KINDS).join(', ')}; not "${kind}"`)
const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000)
const roundsMax = Number(values.rounds ?? Number.POSITIVE_INFINITY)
const untilMs = performance.now() + 60_000 * Number(values.minutes ?? (values.rounds === undefined ? 1 : 1e6))
const generations = Number(values.generations ?? 10)
const random = seededRandom(seed)
const totals = { rounds: 0, kills: 0, sent: 0, acked: 0, read: 0, faults: 0, cuts: 0, lostOfCache: 0 }

console.log(`torture of data directories, seed ${seed}`)
const possible = kinds.filter((kind) => {
  const why = KINDS[kind]!()
  if (why !== undefined) console.log(`${kind} skipped: ${why}`)
  return why === undefined
})
// What is mounted is unmounted when the process ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

while (possible.length > 0 && totals.rounds < roundsMax && performance.now() < untilMs && totals.faults === 0) {
  const kind = possible[totals.rounds % possible.length]!
  const roundSeed = random.uint32()
  const power = kind === 'cuts' ? new Ext4Image() : undefined
  const dataDir = power === undefined ? mkdtempSync(join(tmpdir(), 'millrace-disk-')) : join(power.path, 'data')
  const { kills, bites, sent, acked, read, records, cut, lost, faults } = await runDiskRound({
    dataDir,
    random: seededRandom(roundSeed),
    generations,
    atCalls: kind === 'calls',
    ...(power === undefined ? {} : { power }),
  })
  const lostOfCache = power === undefined ? 0 : lost.get('cache')!
  totals.cuts += power === undefined ? 0 : kills
  totals.lostOfCache += lostOfCache
  totals.rounds++
  totals.kills += kills
  totals.sent += sent
  totals.acked += acked
  totals.read += read
  totals.faults += faults.length
  console.log(
    `round ${totals.rounds}, ${kind}, seed ${roundSeed}: ${kills} of ${generations} ended (${bitesInWords(bites)}; ${cut} tails cut) · ` +
      `${sent} sent ${acked} acked ${read} read, ${records} in files${power === undefined ? '' : `, ${lostOfCache} of cache lost`} · ${faults.length === 0 ? 'ok' : `${faults.length} faults`}`,
  )
  const isRight = faults.length === 0
  if (!isRight) console.log(['', ...faults.slice(0, 20), `left: ${power === undefined ? dataDir : power.image}`].join('\n  '))
  if (power !== undefined) power.close({ keepImage: !isRight })
  else if (isRight) rmSync(dataDir, { recursive: true, force: true })
}
const { rounds, kills, sent, acked, read, faults, cuts, lostOfCache } = totals
const isControlBlind = cuts > 0 && lostOfCache === 0
console.log(
  `${rounds} round(s): ${kills} processes ended, ${cuts} of them by power cuts · ${sent} sent, ${acked} acknowledged, ${read} read · ${faults} faults`,
)
if (cuts > 0)
  console.log(`${lostOfCache} acknowledged records of cache lost${isControlBlind ? ': power cuts that take nothing prove nothing' : ''}`)
process.exitCode = faults > 0 || isControlBlind ? 1 : 0
