// Processes that write to a data directory and are killed, one after the other on the same directory; what each
// was told, held against the files by a reader that has nothing of millrace's. (TARGETS R2.)

import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { fileDisk } from '../../src/disk/file-disk.ts'
import type { Random } from '../../src/random.ts'
import { readValues } from '../io/directory-reader.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'

const script = fileURLToPath(await bundledEntry(new URL('./scripts/writes-until-killed.ts', import.meta.url)))

export interface Acknowledged {
  readonly partition: string
  readonly offset: number
  readonly value: string
}

export interface KilledProcess {
  readonly acknowledged: readonly Acknowledged[]
  /** Why it ended by itself; undefined: it was killed. */
  readonly failure: string | undefined
}

/** Lets a process write until it has told of `lines` acknowledgements and `afterMs` more have gone, then kills it. */
export async function writeAndKill(
  dataDir: string,
  brokers: number,
  generation: number,
  lines: number,
  afterMs: number,
): Promise<KilledProcess> {
  const child = spawn(process.execPath, [script, dataDir, String(brokers), String(generation)])
  let out = ''
  let err = ''
  let isArmed = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (isArmed || out.split('\n').length <= lines) return
    isArmed = true
    setTimeout(() => child.kill('SIGKILL'), afterMs)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const signal = await new Promise<string | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, by) => resolve(by))
  })
  // A line that is cut may be of an acknowledgement, but nobody was told.
  const whole = out.slice(0, out.lastIndexOf('\n') + 1)
  const acknowledged = whole.split('\n').flatMap((line) => {
    const [topic, partition, offset, value] = line.split(' ')
    return value === undefined ? [] : [{ partition: `${topic}-${partition}`, offset: Number(offset), value }]
  })
  return { acknowledged, failure: signal === 'SIGKILL' ? undefined : err }
}

/** What is wrong with the directory, of everything that was ever acknowledged. */
export function faultsOf(dataDir: string, acknowledged: readonly Acknowledged[]): { lost: string[]; wrong: string[] } {
  const lost: string[] = []
  const wrong: string[] = []
  const logs = new Map<string, ReadonlyMap<number, string>>()
  for (const broker of readdirSync(dataDir).filter((name) => name.startsWith('broker-'))) {
    for (const name of readdirSync(join(dataDir, broker)).filter((each) => /^(cache|disk)-\d$/.test(each))) {
      logs.set(name, readValues(fileDisk(), join(dataDir, broker, name)))
    }
  }
  for (const { partition, offset, value } of acknowledged) {
    const found = logs.get(partition)?.get(offset)
    if (found === undefined) lost.push(`${partition}@${offset}: ${value.slice(0, 30)}`)
    else if (found !== value) wrong.push(`${partition}@${offset} is ${found.slice(0, 30)}, not ${value.slice(0, 30)}`)
  }
  for (const [partition, values] of logs) {
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const [offset, value] of values) {
      const [name, generation, number, filler] = value.split('/') as [string, string, string, string]
      if (name !== partition || filler?.length !== (Number(number) + 1) % 500)
        wrong.push(`${partition}@${offset} holds ${value.slice(0, 40)}`)
      if (seen.has(`${generation}/${number}`)) wrong.push(`${partition}@${offset} holds ${value.slice(0, 30)} again`)
      if (Number(number) < (last.get(generation) ?? -1)) wrong.push(`${partition}@${offset} holds ${value.slice(0, 30)} behind later ones`)
      seen.add(`${generation}/${number}`)
      last.set(generation, Number(number))
    }
  }
  return { lost, wrong }
}

/** Generations of processes on one directory, each killed; what was found wrong ends it. */
export async function killGenerations(
  dataDir: string,
  random: Random,
  generations: number,
): Promise<{ kills: number; acknowledged: number; faults: string[] }> {
  const all: Acknowledged[] = []
  const brokers = 1 + random.below(3)
  for (let generation = 0; generation < generations; generation++) {
    const killed = await writeAndKill(dataDir, brokers, generation, 1 + random.below(200), random.below(120))
    if (killed.failure !== undefined) return { kills: generation, acknowledged: all.length, faults: [killed.failure] }
    all.push(...killed.acknowledged)
    const { lost, wrong } = faultsOf(dataDir, all)
    const faults = [...lost.map((each) => `lost: ${each}`), ...wrong]
    if (faults.length > 0) return { kills: generation + 1, acknowledged: all.length, faults: faults.slice(0, 10) }
  }
  return { kills: generations, acknowledged: all.length, faults: existsSync(dataDir) ? [] : ['no directory'] }
}
