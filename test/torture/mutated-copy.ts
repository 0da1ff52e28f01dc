// A copy of the project with one seeded bug in it, in a folder of the project that git
// ignores, so that packages resolve; and a run of what must find the bug.

import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BUNDLES_VARIABLE } from '../setup/bundled-entry.ts'
import type { SeededBug } from './seeded-bugs.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const COPIES = join(PROJECT, '.seeded-bugs')
/** A run that takes longer has hung, and so found something. */
const RUN_MS_MAX = 150_000
/** A round of torture that does not move for so long hangs. */
const HANG_S = 15
/** A test that does not end within so long has found a hang. */
const TEST_MS_MAX = 60_000

export interface Finding {
  readonly bug: string
  readonly found: boolean
  /** What must find it, and the seed. */
  readonly by: string
  /** In its own words. */
  readonly finding: string
  readonly seconds: number
}

export class MutatedCopy {
  readonly #folder: string
  #restore = (): void => undefined
  readonly #removed = (): void => rmSync(this.#folder, { recursive: true, force: true })

  constructor() {
    mkdirSync(COPIES, { recursive: true })
    this.#folder = mkdtempSync(join(COPIES, 'copy-'))
    for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
      cpSync(join(PROJECT, name), join(this.#folder, name), { recursive: true })
    }
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#folder, 'node_modules'), 'dir')
    process.on('exit', this.#removed)
  }

  remove(): void {
    process.off('exit', this.#removed)
    this.#removed()
    try {
      rmdirSync(COPIES)
    } catch {
      // Another copy is there.
    }
  }

  /** Puts the bug in; throws when its place is not there any more. */
  apply({ name, file, find, replace }: SeededBug): void {
    const path = join(this.#folder, 'src', file)
    const text = readFileSync(path, 'utf8')
    const parts = text.split(find)
    if (parts.length !== 2) throw new Error(`"${name}": ${file} has ${parts.length - 1} places like "${find}", not one`)
    writeFileSync(path, parts.join(replace))
    this.#restore = () => writeFileSync(path, text)
  }

  /** Takes it out again. */
  restore(): void {
    this.#restore()
  }

  /** Runs what must find the bug. */
  async run({ name, foundBy }: SeededBug): Promise<Finding> {
    const startMs = performance.now()
    const { code, output } = await this.#node(argsOf(foundBy))
    const by = nameOf(foundBy)
    return {
      bug: name,
      found: code !== 0,
      by,
      finding: code === 0 ? '' : firstFinding(output),
      seconds: (performance.now() - startMs) / 1_000,
    }
  }

  #node(args: readonly string[]): Promise<{ code: number | null; output: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
        cwd: this.#folder,
        env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined, [BUNDLES_VARIABLE]: undefined },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const chunks: Buffer[] = []
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        resolve({ code, output: Buffer.concat(chunks).toString('utf8') })
      })
    })
  }
}

function argsOf(finds: SeededBug['foundBy']): string[] {
  if ('test' in finds) return testArgs(finds)
  return 'simulation' in finds ? simulationArgs(finds) : tortureArgs(finds)
}

function nameOf(finds: SeededBug['foundBy']): string {
  if ('simulation' in finds) return `simulation of ${finds.simulation}, seeds ${finds.from} to ${finds.from + finds.seeds - 1}`
  if ('only' in finds) return `torture, seed ${finds.seed}`
  return [finds.test, ...(finds.named === undefined ? [] : [`"${finds.named}"`])].join(' ')
}

function simulationArgs({ from, seeds }: Extract<SeededBug['foundBy'], { simulation: unknown }>): string[] {
  return ['test/coordinator/simulation/run.ts', '--from', String(from), '--seeds', String(seeds)]
}

function tortureArgs(finds: Extract<SeededBug['foundBy'], { only: unknown }>): string[] {
  const { only, seed, faults, rounds, brokers, small, durability = 'memory' } = finds
  const numbers = { seed, faults, rounds, hang: HANG_S, ...(brokers === undefined ? {} : { brokers }) }
  const options = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
  return ['test/torture/torture.ts', '--only', only.join(), '--durability', durability, ...options, ...(small === true ? ['--small'] : [])]
}

function testArgs({ test, named }: Extract<SeededBug['foundBy'], { test: string }>): string[] {
  const pattern = named === undefined ? [] : ['-t', named.replaceAll(/[()]/g, '\\$&')]
  return ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--bail', '1', '--testTimeout', String(TEST_MS_MAX), ...pattern, test]
}

/** The first line that says what is wrong. */
function firstFinding(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  const saying =
    /^(\d+ )?(lost|unseen|doubled|reordered|holed|changed|invented|refusedButRead|inconsistent|misplaced|skipped|reread|miscounted|gap|regressed|epochBack|backdated|trimmed|hung|undrained)[: ]|hangs for|^seed \d+ |Error:|died of|^(producer|consumer) |^FAIL/
  return (lines.find((line) => saying.test(line)) ?? lines.at(-1) ?? '').slice(0, 160)
}
