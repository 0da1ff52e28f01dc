import { describe, expect, test } from 'vitest'
import type { ThreadParker } from '../../src/actor/thread-parker.ts'
import { WakeLoop } from '../../src/engine/wake-loop.ts'
import type { Waiter } from '../../src/engine/wake-loop.ts'

class FakeParker {
  holds = 0
  armed = false
  ring: () => void = () => undefined
  onRing(callback: () => void): { arm(): void; disarm(): void; close(): void } {
    this.ring = () => {
      this.armed = false
      callback()
    }
    return { arm: () => void (this.armed = true), disarm: () => void (this.armed = false), close: () => undefined }
  }
  hold(): void {
    this.holds++
  }
  release(): void {
    this.holds--
  }
}

function make(): { parker: FakeParker; loop: WakeLoop } {
  const parker = new FakeParker()
  return { parker, loop: new WakeLoop(parker as unknown as ThreadParker) }
}

function waiter(log: string[], name: string, readyAt: number): Waiter & { polls: number } {
  return {
    polls: 0,
    keepsAlive: true,
    prepareWait: () => void log.push(`${name} prepares`),
    poll() {
      log.push(`${name} polls`)
      return ++this.polls >= readyAt
    },
  }
}

describe('wake loop', () => {
  test('arms the bell, lets everybody say what it waits for, and looks once more', () => {
    const { parker, loop } = make()
    const log: string[] = []
    const say = (what: string) => log.push(parker.armed ? `${what}, armed` : what)
    loop.wait({ keepsAlive: false, prepareWait: () => void say('prepares'), poll: () => say('polls') > 0 })
    expect(log).toEqual(['prepares, armed', 'polls, armed'])
    expect(parker.armed).toBe(false)
  })

  test('holds the process while something waits, and lets go', () => {
    const { parker, loop } = make()
    const log: string[] = []
    loop.wait(waiter(log, 'a', 2))
    expect(parker.holds).toBe(1)
    expect(parker.armed).toBe(true)
    parker.ring()
    expect(parker.holds).toBe(0)
    expect(parker.armed).toBe(false)
  })

  test('a ring lets all look; who still waits is armed for again', () => {
    const { parker, loop } = make()
    const log: string[] = []
    loop.wait(waiter(log, 'a', 3))
    loop.wait(waiter(log, 'b', 9))
    log.length = 0
    parker.ring()
    expect(log).toEqual(['a prepares', 'b prepares', 'a polls', 'b polls'])
    expect(parker.holds).toBe(1)
    expect(parker.armed).toBe(true)
  })

  test('one that waits already says anew what it waits for, and looks again', () => {
    const { parker, loop } = make()
    const log: string[] = []
    const each = waiter(log, 'a', 4)
    loop.wait(each)
    loop.wait(waiter(log, 'b', 9))
    log.length = 0
    loop.wait(each)
    expect(log).toEqual(['a prepares', 'a polls'])
    expect(parker.holds).toBe(2)
    // The fourth look finds something: it waits no longer.
    loop.wait(each)
    expect(parker.holds).toBe(1)
    expect(parker.armed).toBe(true)
  })

  test('cancel and a wait from within a poll leave nothing behind', () => {
    const { parker, loop } = make()
    const log: string[] = []
    const second = waiter(log, 'second', 1)
    const pollAndWait = (): boolean => {
      loop.wait(second)
      return true
    }
    const first: Waiter = { keepsAlive: true, prepareWait: () => undefined, poll: pollAndWait }
    loop.wait(first)
    expect(second.polls).toBe(1)
    const third = waiter(log, 'third', 9)
    loop.wait(third)
    loop.cancel(third)
    loop.cancel(third)
    expect(parker.holds).toBe(0)
    expect(parker.armed).toBe(false)
  })
})
