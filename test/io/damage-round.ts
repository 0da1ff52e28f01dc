// Rounds of damage: directories are written, one file of a copy is damaged, the copy is opened.

import type { Disk } from '../../src/disk/disk.ts'
import type { Random } from '../../src/random.ts'
import { seededRandom } from '../../src/random.ts'
import { baselineOf, openDamaged } from './damaged-directory.ts'
import { DAMAGES, LOG_DAMAGES, damageFile } from './file-damages.ts'
import type { DamageKind, FileDamage, Target } from './file-damages.ts'
import { BROKER_DIR, filesIn, writeDirectory } from './written-directory.ts'

/** Rounds on copies of one directory. */
export const ROUNDS_A_DIRECTORY = 40

export interface DamageCounts {
  rounds: number
  /** `target, kind: outcome` */
  readonly outcomes: Map<string, number>
  /** By kind of damage, those that something noticed. */
  readonly bitten: Map<DamageKind, number>
  /** With the seed that runs the round again. */
  readonly faults: string[]
}

export async function runDamageRounds(seed: number, rounds: number, counts: DamageCounts = newCounts()): Promise<DamageCounts> {
  const random = seededRandom(seed)
  for (let done = 0; done < rounds; done += ROUNDS_A_DIRECTORY)
    await runDirectory(random.uint32(), Math.min(ROUNDS_A_DIRECTORY, rounds - done), counts)
  return counts
}

export function newCounts(): DamageCounts {
  return { rounds: 0, outcomes: new Map(), bitten: new Map(), faults: [] }
}

/** A line for each kind of file: what became of its damages. */
export function outcomesInWords({ outcomes }: DamageCounts): string {
  const lines = new Map<string, string[]>()
  for (const [name, count] of [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [target, what] = name.split(', ') as [string, string]
    lines.set(target, [...(lines.get(target) ?? []), `${what} ${count}`])
  }
  return [...lines].map(([target, whats]) => `  ${target}: ${whats.join(' · ')}`).join('\n')
}

/** Rounds on one directory; `only`: the number of the one that is to be run again. */
export async function runDirectory(seed: number, rounds: number, counts: DamageCounts, only?: number): Promise<void> {
  const random = seededRandom(seed)
  const written = writeDirectory(random)
  const files = filesIn(written.disk, BROKER_DIR)
  const baselines = { 'boot 1': baselineOf(written.disk, written, 'boot 1'), 'boot 2': baselineOf(written.disk, written, 'boot 2') }
  for (let round = 0; round < rounds; round++) {
    const own = seededRandom(random.uint32())
    if (only !== undefined && round !== only) continue
    const bootId = own.below(2) === 0 ? 'boot 1' : 'boot 2'
    const disk = written.disk.killState()
    const damage = drawDamage(disk, files, written.olderFiles, own)
    const where = `directory ${seed} round ${round}, ${written.isClean ? 'closed' : 'killed'}, ${bootId}, ${damage.description}`
    const { outcome, faults } = await openDamaged(disk, written, { bootId, random: own, damage, baseline: baselines[bootId] })
    counts.rounds++
    const name = `${damage.target}, ${damage.kind}: ${outcome}`
    counts.outcomes.set(name, (counts.outcomes.get(name) ?? 0) + 1)
    if (outcome !== 'unseen') counts.bitten.set(damage.kind, (counts.bitten.get(damage.kind) ?? 0) + 1)
    counts.faults.push(...faults.map((fault) => `${where}: ${fault}`))
  }
}

function drawDamage(
  disk: Disk,
  files: ReadonlyMap<string, Uint8Array>,
  older: readonly ReadonlyMap<string, Uint8Array>[],
  random: Random,
): FileDamage {
  const byTarget = new Map<Target, string[]>()
  for (const path of files.keys()) {
    const target = targetOf(path, files)
    if (target !== undefined) byTarget.set(target, [...(byTarget.get(target) ?? []), path])
  }
  const targets = [...byTarget.keys()]
  const logs: readonly Target[] = targets.filter((target) => target === 'closed segment' || target === 'active segment')
  for (;;) {
    const target = random.below(2) === 0 ? logs[random.below(logs.length)]! : targets[random.below(targets.length)]!
    const paths = byTarget.get(target)!
    const path = paths[random.below(paths.length)]!
    const kinds: readonly DamageKind[] = path.endsWith('.log') ? LOG_DAMAGES : DAMAGES
    const kind = kinds[random.below(kinds.length)]!
    const alike = [...files].filter(([each]) => each !== path && extension(each) === extension(path)).map(([, bytes]) => bytes)
    const stale = { older: [files.get(path)!, ...older.flatMap((each) => each.get(path) ?? [])], others: alike }
    const damage = damageFile(disk, { path, target, kind }, files.get(path)!, stale, random)
    if (damage !== undefined) return damage
  }
}

function targetOf(path: string, files: ReadonlyMap<string, Uint8Array>): Target | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const directory = path.slice(0, path.lastIndexOf('/'))
  if (name.endsWith('-offset-checkpoint')) return 'offset checkpoint'
  if (name === 'durable-ends') return 'durable ends'
  if (name === 'resume-points') return 'resume points'
  if (name === '.kafka_cleanshutdown') return 'clean mark'
  if (name === '.millrace') return 'boot file'
  if (name === 'meta.properties') return name
  const isMetadata = directory.includes('__cluster_metadata')
  if (name === 'partition.metadata') return isMetadata ? 'metadata' : 'topic id'
  if (name === 'leader-epoch-checkpoint') return 'leader epochs'
  if (name.endsWith('.timeindex')) return 'timeindex'
  if (name.endsWith('.index')) return 'index'
  if (name.endsWith('.snapshot')) return 'snapshot'
  if (!name.endsWith('.log') && !name.endsWith('.checkpoint')) return undefined
  if (isMetadata) return 'metadata'
  const behind = [...files.keys()].some((each) => each.startsWith(`${directory}/`) && each.endsWith('.log') && each > path)
  return behind ? 'closed segment' : 'active segment'
}

function extension(path: string): string {
  return path.slice(path.lastIndexOf('.'))
}
