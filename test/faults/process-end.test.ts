// Processes of users that end by themselves, each in its own: what keeps one alive is what
// was not done yet, and nothing else.
//
// What is decided: an offer that was taken is sent and acknowledged before the process ends,
// though nobody flushes or closes; a loop that waits for records keeps the process alive
// until it is closed or aborted; brokers, attached threads at rest, timers and ports do not.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** None of these takes a second on an idle machine; one that hangs is ended. */
const HANGS_AFTER_MS = 20_000

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string[]
  readonly err: string
}

function run(script: string, ...args: string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(`./scripts/${script}.ts`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { timeout: HANGS_AFTER_MS, killSignal: 'SIGKILL' })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, out: out.split('\n').filter((line) => line !== ''), err }))
  })
}

test.each<{ what: string; script: string; args?: string[]; out: string[] }>([
  { what: 'the hello of the README', script: 'hello', out: ['hello'] },
  { what: 'one that forgets to close', script: 'forgets-close', out: ['one'] },
  { what: 'one that forgets to flush and to close', script: 'forgets-flush', args: ['0'], out: ['1000 records in the log'] },
  { what: 'the same, where batches linger', script: 'forgets-flush', args: ['250'], out: ['1000 records in the log'] },
  { what: 'a consumer that waits, until it is closed', script: 'waits', out: ['closing', 'the loop has ended'] },
  { what: 'a callback that throws in a loop', script: 'throws-in-loop', out: ['the user’s own', 'the user’s own', 'a', 'b', 'c'] },
  { what: 'calls that were aborted', script: 'aborts', out: ['over', 'over', 'ABORTED', 'ABORTED', 'ABORTED'] },
  {
    what: 'a worker that forgets to close',
    script: 'attached-forgets-close',
    out: ['from the worker', 'and forgotten', 'worker ended with 0'],
  },
  { what: 'members of groups', script: 'group-member', out: ['a and left', 'b was waited for', 'one in hand'] },
  { what: 'a broker that dies', script: 'broker-dies', out: ['one'] },
])('$what: ends by itself, with 0', async ({ script, args = [], out }) => {
  expect(await run(script, ...args)).toEqual({ code: 0, signal: null, out, err: '' })
})

test('a callback that throws, caught by nobody: ends by itself, with that error', async () => {
  const { code, signal, err } = await run('throws-uncaught')
  expect({ code, signal }).toEqual({ code: 1, signal: null })
  expect(err).toContain('cannot use a')
})
