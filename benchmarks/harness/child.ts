// A process of its own for what must start fresh or be watched from outside. It speaks lines
// of JSON on its standard output, is told to end by the end of its standard input, and never
// outlives its deadline, the benchmark's interrupt or `kill`.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ChildOptions {
  readonly args?: readonly string[]
  readonly execArgv?: readonly string[]
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export interface Child {
  readonly pid: number
  /** The next line of its output, parsed. */
  json<T>(): Promise<T>
  /** Ends its standard input, which asks it to end. */
  finish(): void
  /** Resolves when it has ended with code 0; rejects, with what it printed to standard error, otherwise. */
  ended(): Promise<void>
  kill(): void
}

const STDERR_KEPT = 4_000

export function runChild(script: URL, options: ChildOptions): Child {
  const child = spawn(process.execPath, [...(options.execArgv ?? []), fileURLToPath(script), ...(options.args ?? [])], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    signal: options.signal,
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT)
  })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${fileURLToPath(script)} ended with ${signal ?? `code ${code}`}: ${stderr.trim()}`))
    })
  })
  ended.catch(() => {})
  return {
    pid: child.pid ?? -1,
    async json<T>(): Promise<T> {
      const line = await lines.next()
      if (line.done === true) {
        await ended
        throw new Error(`${fileURLToPath(script)} ended without an answer`)
      }
      return JSON.parse(line.value) as T
    },
    finish: () => child.stdin.end(),
    ended: () => ended,
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}
