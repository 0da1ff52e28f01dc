// The lock of a data directory, among processes of the system.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { engineRandom } from '../../src/random.ts'
import { DataDirectoryInUseError, DataDirectoryLock } from '../../src/storage/data-directory-lock.ts'
import { runningProcess } from '../../src/storage/running-process.ts'

const CHILD = fileURLToPath(new URL('lock-child.ts', import.meta.url))
const ROUNDS = 50

class LockChild {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(path: string) {
    this.#process = spawn(process.execPath, [CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]()
  }

  static async start(path: string): Promise<LockChild> {
    const child = new LockChild(path)
    children.push(child)
    expect(await child.answer()).toBe('ready')
    return child
  }

  get pid(): number {
    return this.#process.pid!
  }

  tell(line: string): void {
    this.#process.stdin!.write(`${line}\n`)
  }

  async answer(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the process has ended')
    return value as string
  }

  /** When it returns, the process is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

let root: string
let path: string
let children: LockChild[]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'))
  path = join(root, 'data')
  mkdirSync(path)
  children = []
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()))
  rmSync(root, { recursive: true, force: true })
})

function refusal(): DataDirectoryInUseError {
  const disk = fileDisk()
  try {
    DataDirectoryLock.take({ disk, path, self: runningProcess(disk), random: engineRandom }).release()
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) return error
    throw error
  }
  throw new Error('not refused')
}

/** Leaves the lock of a process that has ended, and perhaps its claim on one before. */
function leaveStale(round: number): void {
  const dead = (nonce: number) => JSON.stringify({ ...self(), version: 1, pid: 2 ** 22 + 1, holder: 'x', nonce: hex(nonce) })
  const self = () => {
    const { bootId, host } = runningProcess(fileDisk())
    return { bootId, host, startedAt: '1' }
  }
  writeFileSync(join(path, '.lock'), dead(round))
  if (round % 2 === 0) return
  mkdirSync(join(path, `.lock.${hex(round)}`))
  writeFileSync(join(path, `.lock.${hex(round)}`, 'owner'), dead(round + 1000))
}

function hex(number: number): string {
  return number.toString(16).padStart(32, '0')
}

test(`of three that try at once exactly one wins, ${ROUNDS} times on a free directory and ${ROUNDS} on a stale lock`, async () => {
  const three = await Promise.all([1, 2, 3].map(() => LockChild.start(path)))
  const wins = new Map(three.map((child) => [child, 0]))
  for (let round = 0; round < 2 * ROUNDS; round++) {
    if (round >= ROUNDS) leaveStale(round)
    const gate = join(root, `gate-${round}`)
    for (const child of three) child.tell(`go ${gate}`)
    writeFileSync(gate, '')
    const answers = await Promise.all(three.map((child) => child.answer()))
    const winner = three[answers.indexOf('won')]
    expect(
      answers.filter((answer) => answer === 'won'),
      `round ${round}: ${answers.join(', ')}`,
    ).toHaveLength(1)
    expect(answers.filter((answer) => answer === `lost ${winner!.pid}`)).toHaveLength(2)
    expect(refusal().pid).toBe(winner!.pid)
    wins.set(winner!, wins.get(winner!)! + 1)
    winner!.tell('release')
    expect(await winner!.answer()).toBe('released')
  }
  expect([...wins.values()].reduce((sum, count) => sum + count)).toBe(2 * ROUNDS)
  expect(readdirSync(path)).toEqual([])
})

test('a process that was killed leaves its lock to the next one', async () => {
  const child = await LockChild.start(path)
  child.tell(`go ${root}`)
  expect(await child.answer()).toBe('won')
  expect(refusal()).toMatchObject({ pid: child.pid, path })
  await child.kill()
  const next = await LockChild.start(path)
  next.tell(`go ${root}`)
  expect(await next.answer()).toBe('won')
})

test('a process that has the pid of a dead holder is not taken for it', async () => {
  const child = await LockChild.start(path)
  child.tell(`go ${root}`)
  expect(await child.answer()).toBe('won')
  const lock = join(path, '.lock')
  const owner = JSON.parse(readFileSync(lock, 'utf8')) as { startedAt: string }
  // As if the child had been given the pid of the one that wrote it.
  expect(Number(owner.startedAt)).toBeGreaterThan(0)
  writeFileSync(lock, JSON.stringify({ ...owner, startedAt: String(Number(owner.startedAt) - 1) }))
  const next = await LockChild.start(path)
  next.tell(`go ${root}`)
  expect(await next.answer()).toBe('won')
})

test('a second one in this process is refused', () => {
  const disk = fileDisk()
  const self = runningProcess(disk)
  const lock = DataDirectoryLock.take({ disk, path, self, random: engineRandom })
  expect(refusal().message).toContain(`this process (pid ${process.pid})`)
  lock.release()
})
