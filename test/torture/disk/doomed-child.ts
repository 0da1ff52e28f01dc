// The side of who kills a doomed-process.ts: starts it, hears what it tells, ends it at random or at
// the n-th call of a kind, and says how it went.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Random } from '../../../src/random.ts'
import { bundledEntry } from '../../setup/bundled-entry.ts'
import type { DoomedTask } from './told-lines.ts'

/** A process that tells nothing more for so long hangs. */
const HANGS_AFTER_MS = 30_000
/** The I/O thread's calls that change what is on the disk. */
const CALLS = ['pwrite64', 'pwritev', 'fdatasync', 'fsync', 'ftruncate', '/^rename', '/^unlink', '/^mkdir'] as const

const entry = await bundledEntry(new URL('./doomed-process.ts', import.meta.url))

/** When a process comes to its end. */
export type End =
  /** While it opens the directory, while it works, while it closes; so many ms after that has begun. */
  | { readonly phase: 'opening' | 'working' | 'closing'; readonly afterMs: number }
  /** By strace, as the I/O thread makes the n-th call of a kind. */
  | { readonly phase: 'call'; readonly call: string; readonly nth: number }
  /** Nobody ends it: it is asked to close. */
  | { readonly phase: 'asked' }

export function drawEnd(random: Random): End {
  const chance = random.below(10)
  if (chance < 2) return { phase: 'opening', afterMs: random.below(200) }
  if (chance < 9) return { phase: 'working', afterMs: random.below(250) }
  return { phase: 'closing', afterMs: random.below(40) }
}

export function drawCall(random: Random): End {
  return { phase: 'call', call: CALLS[random.below(CALLS.length)]!, nth: 1 + random.below(2 ** random.below(6)) }
}

/** Why no process can be killed at a call; undefined: it can be. */
export function whyNoCalls(): string | undefined {
  const { status, error } = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fsync', '-o', '/dev/null', 'true'], {
    stdio: 'ignore',
  })
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : 'strace may not trace here'
}

export interface Ended {
  /** The fault bit: it was ended before it came to its end. */
  readonly wasKilled: boolean
  /** How far it had come. */
  readonly phase: 'starting' | 'opening' | 'working' | 'closing' | 'closed'
  readonly problems: readonly string[]
}

export interface Surroundings {
  /** A command that runs what stands behind it. */
  readonly before?: readonly string[]
  /** Done at the end, to a process that stands still, before SIGKILL: it tells nothing of what comes then. */
  readonly strike?: () => void
}

export async function runDoomed(
  task: DoomedTask,
  end: End,
  hear: (line: string) => void,
  { before = [], strike }: Surroundings = {},
): Promise<Ended> {
  const script = [...before, process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(entry), JSON.stringify(task)]
  const { call, nth } = end.phase === 'call' ? end : { call: '', nth: 0 }
  const traced = [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=SIGKILL:when=${nth}`,
  ]
  const [command, ...args] = end.phase === 'call' ? [...traced, ...script] : script
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  let phase: Ended['phase'] = 'starting'
  let wasKilled = false
  let err = ''
  const kill = async (afterMs: number): Promise<void> => {
    await sleep(afterMs)
    if (child.exitCode !== null || child.signalCode !== null) return
    if (strike !== undefined) {
      // A machine without power tells nothing any more. A process that ran on would: a sync that is under way when ext4 is shut down
      // may end without an error though its transaction is gone.
      signalGroup(child, 'SIGSTOP')
      strike()
    }
    signalGroup(child, 'SIGKILL')
    wasKilled = true
  }
  const come = (to: Ended['phase']): void => {
    phase = to
    if (to === end.phase && 'afterMs' in end) void kill(end.afterMs)
    // Who is to be killed at a call that it never makes, or while it closes, is asked to end.
    if (to === 'working' && (end.phase === 'call' || end.phase === 'closing' || end.phase === 'asked')) {
      void sleep(300).then(() => {
        child.stdin.end()
        come('closing')
      })
    }
  }
  let rest = ''
  child.stdin.on('error', () => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (line === 'b') come('opening')
      else if (line === 'o') come('working')
      else if (line === 'c') phase = 'closed'
      else hear(line)
    }
  })
  const problems: string[] = []
  const hang = setTimeout(() => {
    problems.push(`hangs while it is ${phase}`)
    signalGroup(child, 'SIGKILL')
  }, HANGS_AFTER_MS)
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  clearTimeout(hang)
  if (end.phase === 'call') wasKilled = (phase as string) !== 'closed' && problems.length === 0 && err === ''
  if (!wasKilled && (phase as string) !== 'closed' && problems.length === 0) problems.push(`ended by itself while it was ${phase}: ${err}`)
  return { wasKilled, phase, problems }
}

/** strace and what it traces, too. */
function signalGroup({ pid }: ChildProcess, signal: 'SIGKILL' | 'SIGSTOP'): void {
  try {
    process.kill(-pid!, signal)
  } catch {
    // It has ended.
  }
}
