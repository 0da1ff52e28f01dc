// Runs an example as its user does: in a process of its own, on this runtime.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ExampleRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningExample {
  readonly finished: Promise<ExampleRun>
  write(text: string | Uint8Array): void
  endInput(): void
  /** Resolves when standard output holds `text`; rejects when the process ends before. */
  printed(text: string): Promise<void>
  interrupt(): void
}

export function startExample(path: string, args: readonly string[]): RunningExample {
  const entry = fileURLToPath(new URL(`../../examples/${path}`, import.meta.url))
  const child = spawn(process.execPath, [entry, ...args], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {}) // it may end before it has read all
  const finished = new Promise<ExampleRun>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    finished,
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    interrupt: () => void child.kill('SIGINT'),
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve()
        }
        look()
        child.stdout.on('data', look)
        child.on('close', () => reject(new Error(`it ended without "${text}": ${stdout}${stderr}`)))
      }),
  }
}

export async function runExample(path: string, args: readonly string[] = [], input: string | Uint8Array = ''): Promise<ExampleRun> {
  const example = startExample(path, args)
  example.write(input)
  example.endInput()
  return await example.finished
}
