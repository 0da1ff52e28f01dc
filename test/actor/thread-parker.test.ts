import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { systemClock } from '../../src/clock.ts'
import type { ThreadId } from '../../src/ids.ts'
import { immediateScheduler, ThreadParker } from '../../src/actor/thread-parker.ts'
import { entryBeside, workerThreadSpawner } from '../../src/actor/worker-thread.ts'

class CountingBells extends Bells {
  waits = 0

  override wait(id: ThreadId): Promise<unknown> | undefined {
    this.waits++
    return super.wait(id)
  }
}

function parked(): { bells: CountingBells; parker: ThreadParker; id: ThreadId } {
  const bells = new CountingBells(Bells.allocate())
  const { id } = bells.claim(THREAD_KIND_CLIENT)
  return { bells, id, parker: new ThreadParker(bells, id) }
}

// A ring is delivered by a task of the platform: some turns of the event loop later.
async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 5_000
  while (!condition()) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error('the condition did not come true within 5 s')
    await nextTurn()
  }
}

const parkers: ThreadParker[] = []
afterEach(() => {
  for (const parker of parkers.splice(0)) parker.close()
})

function setup(): ReturnType<typeof parked> {
  const made = parked()
  parkers.push(made.parker)
  return made
}

describe('the bell of a thread', () => {
  it('is PARKED exactly while a sleeper is armed', () => {
    const { bells, parker, id } = setup()
    const one = parker.onRing(() => {})
    const two = parker.onRing(() => {})
    expect(bells.isParked(id)).toBe(false)
    one.arm()
    two.arm()
    one.disarm()
    expect(bells.isParked(id)).toBe(true)
    two.disarm()
    expect(bells.isParked(id)).toBe(false)
    two.arm()
    two.close()
    expect(bells.isParked(id)).toBe(false)
  })

  it('is waited for once, however often it is armed and disarmed', async () => {
    const { bells, parker, id } = setup()
    let rings = 0
    const sleeper = parker.onRing(() => rings++)
    for (let i = 0; i < 1_000; i++) {
      sleeper.arm()
      sleeper.disarm()
    }
    expect(bells.waits).toBe(1)
    sleeper.arm()
    expect(bells.ring(id)).toBe(true)
    await until(() => rings === 1)
    sleeper.arm()
    expect(bells.waits).toBe(2)
  })

  it('wakes every armed sleeper once, disarmed, and no other', async () => {
    const { bells, parker, id } = setup()
    const woken: string[] = []
    const one = parker.onRing(() => woken.push('one'))
    const two = parker.onRing(() => woken.push('two'))
    parker.onRing(() => woken.push('never armed'))
    one.arm()
    two.arm()
    bells.ring(id)
    await until(() => woken.length > 0)
    expect(woken).toEqual(['one', 'two'])
    expect(bells.ring(id)).toBe(false)
  })

  it('is not lost when it rings again before the first ring is heard', async () => {
    const { bells, parker, id } = setup()
    let rings = 0
    const sleeper = parker.onRing(() => rings++)
    sleeper.arm()
    bells.ring(id)
    // The promise of the first ring has not run: this arm must be woken all the same.
    sleeper.arm()
    bells.ring(id)
    await until(() => rings === 1)
    sleeper.arm()
    bells.ring(id)
    await until(() => rings === 2)
  })

  it('is heard when it rings between the store of PARKED and the wait', async () => {
    class EarlyBells extends Bells {
      override arm(id: ThreadId): void {
        super.arm(id)
        this.ring(id)
      }
    }
    const bells = new EarlyBells(Bells.allocate())
    const { id } = bells.claim(THREAD_KIND_BROKER)
    const parker = new ThreadParker(bells, id)
    let rings = 0
    parker.onRing(() => rings++).arm()
    await until(() => rings === 1)
    parker.close()
  })

  it('does not wake a sleeper that the one before it closed', async () => {
    const { bells, parker, id } = setup()
    const woken: string[] = []
    const one = parker.onRing(() => {
      woken.push('one')
      two.close()
    })
    const two = parker.onRing(() => woken.push('two'))
    one.arm()
    two.arm()
    bells.ring(id)
    await until(() => woken.length > 0)
    two.arm()
    expect(woken).toEqual(['one'])
    expect(bells.isParked(id)).toBe(false)
  })
})

describe('wait', () => {
  it('returns at once when there is work, and leaves no sleeper', async () => {
    const { bells, parker, id } = setup()
    await parker.wait(() => true)
    expect(bells.isParked(id)).toBe(false)
    expect(parker.held).toBe(false)
  })

  it('looks once more after arming', async () => {
    const { bells, parker, id } = setup()
    let looks = 0
    await parker.wait(() => ++looks === 2)
    expect(looks).toBe(2)
    expect(bells.isParked(id)).toBe(false)
  })

  it('waits through rings that bring nothing, holding the process meanwhile', async () => {
    const { bells, parker, id } = setup()
    let work = 0
    let looks = 0
    const waited = parker.wait(() => {
      looks++
      return work > 0
    })
    expect(parker.held).toBe(true)
    bells.ring(id)
    await until(() => looks >= 3)
    work = 1
    bells.ring(id)
    await waited
    expect(parker.held).toBe(false)
  })

  it('rejects when aborted, before and during', async () => {
    const { bells, parker, id } = setup()
    const controller = new AbortController()
    const waited = parker.wait(() => false, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waited).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    await expect(parker.wait(() => false, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(parker.held).toBe(false)
    expect(bells.isParked(id)).toBe(false)
  })

  it('rejects with what the condition throws', async () => {
    const { parker } = setup()
    const bad = new Error('bad')
    await expect(
      parker.wait(() => {
        throw bad
      }),
    ).rejects.toBe(bad)
    expect(parker.held).toBe(false)
  })

  it('rejects when the parker closes, which frees the pending wait', async () => {
    const { bells, parker, id } = setup()
    const waited = parker.wait(() => false)
    parker.close()
    await expect(waited).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(parker.wait(() => true)).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => parker.onRing(() => {})).toThrow(/closed/)
    expect(bells.isParked(id)).toBe(false)
    // Nobody waits on the word any more: notify would say 1.
    expect(Atomics.notify(bells.words, id * 16)).toBe(0)
    parker.close()
  })
})

describe('between threads', () => {
  it('two threads wake each other by turns, nobody misses a ring', async () => {
    const rounds = 2_000
    const bells = new Bells(Bells.allocate())
    const here = bells.claim(THREAD_KIND_CLIENT).id
    const there = bells.claim(THREAD_KIND_CLIENT).id
    const turn = new Int32Array(new SharedArrayBuffer(4))
    const thread = workerThreadSpawner.spawn({
      name: 'ping-pong',
      entry: entryBeside('./ping-pong-worker', import.meta.url),
      workerData: { bells: bells.buffer, turn, id: there, other: here, rounds },
    })
    const parker = new ThreadParker(bells, here)
    for (let round = 0; round < rounds; round++) {
      Atomics.store(turn, 0, 2 * round + 1)
      bells.ring(there)
      await parker.wait(() => Atomics.load(turn, 0) === 2 * round + 2)
    }
    parker.close()
    expect((await thread.exited).exitCode).toBe(0)
    expect(Atomics.load(turn, 0)).toBe(2 * rounds)
  })
})

describe('immediateScheduler', () => {
  it('lets timers run between turns', async () => {
    let turns = 0
    let timer = false
    systemClock.setTimer(1, () => {
      timer = true
    })
    const turn = (): void => {
      turns++
      if (!timer) immediateScheduler.schedule(turn)
    }
    turn()
    await until(() => timer)
    expect(turns).toBeGreaterThan(1)
  })
})

describe('keep-alive', () => {
  const script = fileURLToPath(new URL('./keep-alive-process.ts', import.meta.url))

  async function run(mode: string): Promise<string> {
    const child = spawn(process.execPath, [script, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      // The child says so when its event loop has run long enough that an unheld process had ended.
      if (text.includes('still here')) child.stdin.end('release\n')
    })
    const [exitCode] = (await once(child, 'close')) as [number]
    return `${output}exit ${exitCode}`
  }

  it('a process with an armed sleeper and no hold ends by itself', async () => {
    expect(await run('parked')).toBe('exit 0')
  })

  it('a process whose hold was released ends by itself', async () => {
    expect(await run('released')).toBe('exit 0')
  })

  it('a process whose parker was closed ends by itself', async () => {
    expect(await run('closed')).toBe('exit 0')
  })

  it('a held process stays until it is released', async () => {
    expect(await run('held')).toBe('still here, released, exit 0')
  })

  it('a process that waits stays, and ends when what it waits for has come', async () => {
    expect(await run('waiting')).toBe('still here, released, exit 0')
  })
})
