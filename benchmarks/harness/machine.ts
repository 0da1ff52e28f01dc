// What a figure depends on and must be printed with: machine, runtime, commit, date.

import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, freemem, loadavg, release, totalmem, type as osType } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly freeMemoryBytes: number
  /** Processes that wanted a core in the minute before the run: 0 on a machine that does nothing else. */
  readonly loadBefore: number
  readonly kernel: string
  readonly node: string
  readonly v8: string
  readonly platform: string
  /** `(none)` outside a git checkout; ends in `+changes` when the tree is not clean. */
  readonly commit: string
  readonly date: string
}

const PROJECT = new URL('../../', import.meta.url)

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: PROJECT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

function commit(): string {
  const head = git('rev-parse', '--short=12', 'HEAD')
  if (head === undefined) return '(none)'
  return git('status', '--porcelain') === '' ? head : `${head}+changes`
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    loadBefore: loadavg()[0] ?? 0,
    kernel: `${osType()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    commit: commit(),
    date: new Date().toISOString(),
  }
}

export function nodeMajor(machine: Machine): number {
  return Number.parseInt(machine.node.replace(/^v/, ''), 10)
}
