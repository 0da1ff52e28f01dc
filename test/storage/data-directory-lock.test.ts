import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { MillraceError } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import { DataDirectoryInUseError, DataDirectoryLock } from '../../src/storage/data-directory-lock.ts'
import type { ProcessIdentity } from '../../src/storage/data-directory-lock.ts'
import { endBefore, hookedDisk, ProcessEnd } from './hooked-disk.ts'
import { Processes } from './processes.ts'

let path: string
let processes: Processes
const random = seededRandom(20_261_130)
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lock-'))
  processes = new Processes()
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

function take(self: ProcessIdentity, disk: Disk = fileDisk()): DataDirectoryLock {
  return DataDirectoryLock.take({ disk, path, self, random })
}

/** The lock, or the pid of who has it. */
function tryTake(self: ProcessIdentity, disk?: Disk): DataDirectoryLock | number {
  try {
    return take(self, disk)
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) return error.pid
    throw error
  }
}

function refusal(self: ProcessIdentity): DataDirectoryInUseError {
  try {
    take(self)
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) return error
    throw error
  }
  throw new Error('not refused')
}

/** Leaves the lock of a process that has ended. */
function leaveStale(): void {
  const dead = processes.start()
  take(dead)
  processes.end(dead)
}

describe('one process at a time', () => {
  test('the second is refused at once: who, which directory, what to do', () => {
    const [first, second] = [processes.start(), processes.start()]
    take(first)
    const error = refusal(second)
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: true, path, pid: first.pid })
    expect(error.message).toBe(`data directory ${path} is in use by process ${first.pid}: stop it, or give this one another \`dataDir\``)
  })

  test('a second one in the same process is refused', () => {
    const self = processes.start()
    take(self)
    expect(refusal(self).message).toContain(`this process (pid ${self.pid}): close the other millrace first`)
  })

  test('after a release the next one has it, and nothing else is left', () => {
    take(processes.start()).release()
    expect(readdirSync(path)).toEqual([])
    take(processes.start())
    expect(readdirSync(path)).toEqual(['.lock'])
  })

  test('what dead threads of a millrace left is let go of at once, and nothing of others', () => {
    const self = processes.start()
    const [mine, other] = [
      { ...self, holder: 'mine' },
      { ...self, holder: 'other' },
    ]
    take(mine)
    DataDirectoryLock.releaseLeft({ disk: fileDisk(), path, self: other, random })
    expect(refusal(other).message).toContain('this process')
    DataDirectoryLock.releaseLeft({ disk: fileDisk(), path, self: mine, random })
    expect(readdirSync(path)).toEqual([])
    // It died at any call.
    let at = 0
    for (let ended = true; ended; ) {
      const doomed = endBefore(fileDisk(), ++at)
      try {
        take(mine, doomed.disk)
      } catch (error) {
        expect(error).toBeInstanceOf(ProcessEnd)
      }
      ended = doomed.ended()
      DataDirectoryLock.releaseLeft({ disk: fileDisk(), path, self: mine, random })
      take(other).release()
    }
    expect(at).toBeGreaterThan(8)
  })

  test('who was replaced does not release the lock of its successor', () => {
    const dead = processes.start()
    const lock = take(dead)
    processes.end(dead)
    const next = processes.start()
    take(next)
    lock.release()
    expect(refusal(processes.start()).pid).toBe(next.pid)
  })
})

describe('a stale lock is taken over', () => {
  test('of a process that has ended', () => {
    leaveStale()
    take(processes.start())
  })

  test('of a pid that another process has now', () => {
    const dead = processes.start({ pid: 7, startedAt: 'early' })
    take(dead)
    processes.end(dead)
    const other = processes.start({ pid: 7, startedAt: 'late' })
    take(other)
    expect(refusal(processes.start()).pid).toBe(7)
  })

  test('of another start of the machine, whatever runs under its pid', () => {
    take(processes.start({ pid: 7, bootId: 'boot-0', host: 'elsewhere' }))
    take(processes.start())
  })

  test('of a thread of this process that died', () => {
    take(processes.start({ pid: 7, holder: 'millrace-1' }))
    expect(refusal(processes.start({ pid: 7, holder: 'millrace-2' })).pid).toBe(7)
    take(processes.start({ pid: 7, holder: 'millrace-1' }))
  })

  test.each([
    ['Kafka left', ''],
    ['a power cut tore', '{"version":1,"pid":'],
    ['a power cut zeroed', '\0\0\0\0'],
    ['says nothing', 'null'],
    ['names a path', JSON.stringify({ version: 1, pid: 1, startedAt: '', bootId: 'boot-1', host: 'host-1', holder: '', nonce: '../..' })],
  ])('one that %s', (_, text) => {
    writeFileSync(join(path, '.lock'), text)
    take(processes.start())
  })

  test('not of another host since the same start of the machine: a container sees no processes of another', () => {
    take(processes.start({ host: 'pod-1' }))
    const { message } = refusal(processes.start({ host: 'pod-2' }))
    expect(message).toContain('It runs on host pod-1, whose processes cannot be seen from here')
    expect(message).toContain(`remove ${path}/.lock`)
  })
})

// The other process does all of what it does before one call of the first: each call, one after the other.
describe('two at once: whatever comes between which calls', () => {
  const interruptions: readonly (readonly [string, (held: DataDirectoryLock, self: ProcessIdentity) => void])[] = [
    ['and holds it', () => {}],
    ['and releases it', (lock) => lock.release()],
    ['and dies', (_, self) => processes.end(self)],
  ]
  const states: readonly (readonly [string, () => void])[] = [
    ['free', () => {}],
    ['stale', leaveStale],
    ['stale, with a claim of another that died', () => leaveClaims(1)],
    ['stale, with claims of two that died', () => leaveClaims(2)],
  ]

  /** Each of them died holding its claim. */
  function leaveClaims(count: number): void {
    leaveStale()
    for (let i = 0; i < count; i++) {
      const dying = processes.start()
      let renames = 0
      const disk = hookedDisk(fileDisk(), (call) => {
        if (call === 'rename' && ++renames > i + 1) throw new ProcessEnd('the process has ended')
        if (renames > i + 1) throw new ProcessEnd('the process has ended')
      })
      expect(() => take(dying, disk)).toThrow(ProcessEnd)
      processes.end(dying)
    }
    expect(readdirSync(path).filter((name) => /^\.lock\.[0-9a-f]/.test(name))).toHaveLength(count)
  }

  test.each(states.flatMap(([state, prepare]) => interruptions.map(([what, then]) => [state, what, prepare, then] as const)))(
    '%s: another takes it %s',
    (_, what, prepare, then) => {
      const holds = what === 'and holds it'
      let [interrupted, won, lost] = [0, 0, 0]
      for (let at = 1; ; at++) {
        rmSync(path, { recursive: true })
        fileDisk().makeDirectory(path)
        prepare()
        const [first, second] = [processes.start(), processes.start()]
        let calls = 0
        let otherHolds = false
        const disk = hookedDisk(fileDisk(), () => {
          if (++calls !== at) return
          interrupted++
          const other = tryTake(second)
          if (typeof other === 'object') then(other, second)
          else expect(other).toBe(first.pid)
          otherHolds = holds && typeof other === 'object'
        })
        const result = tryTake(first, disk)
        if (typeof result === 'object') won++
        else lost++
        expect(typeof result === 'object', `interrupted before call ${at}`).toBe(!otherHolds)
        if (calls < at) break
        const holder = typeof result === 'object' ? first : second
        expect(refusal(processes.start()).pid).toBe(holder.pid)
      }
      expect(interrupted).toBeGreaterThan(10)
      expect(won).toBeGreaterThan(0)
      if (holds) expect(lost).toBeGreaterThan(0)
    },
  )

  test.each(states)("%s: who dies anywhere in the middle is in nobody else's way", (_, prepare) => {
    let deaths = 0
    for (let at = 1; ; at++) {
      rmSync(path, { recursive: true })
      fileDisk().makeDirectory(path)
      prepare()
      const dying = processes.start()
      const { disk, ended } = endBefore(fileDisk(), at)
      try {
        take(dying, disk)
      } catch (error) {
        if (!(error instanceof ProcessEnd)) throw error
        deaths++
      }
      processes.end(dying)
      const next = take(processes.start())
      expect(refusal(processes.start()).pid).toBe(next.owner.pid)
      next.release()
      if (!ended()) break
    }
    expect(deaths).toBeGreaterThan(10)
  })

  test('what the dead leave is swept by who takes the lock', () => {
    leaveClaims(2)
    take(processes.start())
    expect(readdirSync(path)).toEqual(['.lock'])
  })
})

// Each process may be stopped before any of its calls while others do all of theirs, one after the other or one inside the other.
test('many at once, in drawn orders: never two that hold it, and nobody is refused for a dead one', () => {
  const SEED = 20_261_130
  const RUNS = 500
  let [held, refused, nested] = [0, 0, 0]
  for (let run = 0; run < RUNS; run++) {
    const draw = seededRandom(SEED + run)
    rmSync(path, { recursive: true })
    fileDisk().makeDirectory(path)
    if (draw.below(4) > 0) leaveStale()
    const living = new Set<number>()
    let holder: ProcessIdentity | undefined
    let left = 6
    const runOne = (depth: number): void => {
      left--
      const self = processes.start()
      living.add(self.pid)
      const diesAt = draw.below(4) === 0 ? draw.below(25) : Number.POSITIVE_INFINITY
      let calls = 0
      const disk = hookedDisk(fileDisk(), () => {
        if (calls++ >= diesAt) throw new ProcessEnd('the process has ended')
        if (depth < 3 && left > 0 && draw.below(10) === 0) {
          nested++
          runOne(depth + 1)
        }
      })
      const end = (): void => {
        living.delete(self.pid)
        processes.end(self)
      }
      try {
        const result = tryTake(self, disk)
        if (typeof result === 'number') {
          refused++
          expect(living.has(result), `run ${run}: ${self.pid} was refused for ${result}`).toBe(true)
          return
        }
        expect(holder?.pid, `run ${run}: ${self.pid} takes it`).toBe(undefined)
        held++
        const next = draw.below(3)
        if (next === 0) holder = self
        else if (next === 1) result.release()
        else end()
      } catch (error) {
        if (!(error instanceof ProcessEnd)) throw error
        // It may have ended after it had the lock, while it tidied up.
        end()
      }
    }
    while (left > 0) runOne(0)
    const last = tryTake(processes.start())
    expect(typeof last === 'number' ? last : undefined, `run ${run}`).toBe(holder?.pid)
  }
  expect(held).toBeGreaterThan(RUNS / 2)
  expect(refused).toBeGreaterThan(RUNS / 2)
  expect(nested).toBeGreaterThan(RUNS)
})
