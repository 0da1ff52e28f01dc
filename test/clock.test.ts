import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { systemClock, VirtualClock } from '../src/clock.ts'

describe('VirtualClock', () => {
  test('moves only when told to', () => {
    const clock = new VirtualClock(1_000)
    expect(clock.nowMs()).toBe(1_000)
    expect(clock.monotonicMs()).toBe(0)
    clock.advance(250)
    expect(clock.nowMs()).toBe(1_250)
    expect(clock.monotonicMs()).toBe(250)
  })

  test('a timer fires at its time, not before, and once', () => {
    const clock = new VirtualClock(0)
    const fired: number[] = []
    clock.setTimer(10, () => fired.push(clock.nowMs()))
    clock.advance(9)
    expect(fired).toEqual([])
    clock.advance(1)
    clock.advance(100)
    expect(fired).toEqual([10])
    expect(clock.pending).toBe(0)
  })

  test('timers fire in order of time, then of setting, each at its own time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 30 }), (delays) => {
        const clock = new VirtualClock(0)
        const fired: [number, number, number][] = []
        for (const [at, delayMs] of delays.entries()) clock.setTimer(delayMs, () => fired.push([clock.nowMs(), delayMs, at]))
        clock.advance(20)
        const expected = delays.map((delayMs, at) => [delayMs, delayMs, at]).sort((a, b) => a[0]! - b[0]! || a[2]! - b[2]!)
        expect(fired).toEqual(expected)
      }),
      { seed: 1 },
    )
  })

  test('a timer set by a timer fires in the same advance when it falls due', () => {
    const clock = new VirtualClock(0)
    const fired: string[] = []
    clock.setTimer(5, () => {
      fired.push(`outer ${clock.nowMs()}`)
      clock.setTimer(5, () => fired.push(`inner ${clock.nowMs()}`))
      clock.setTimer(6, () => fired.push('too late'))
    })
    clock.advance(10)
    expect(fired).toEqual(['outer 5', 'inner 10'])
    expect(clock.pending).toBe(1)
  })

  test('a cancelled timer never fires; cancelling again does nothing', () => {
    const clock = new VirtualClock(0)
    const fired: string[] = []
    const first = clock.setTimer(5, () => fired.push('first'))
    const second = clock.setTimer(5, () => fired.push('second'))
    clock.setTimer(4, () => second.cancel())
    first.cancel()
    first.cancel()
    clock.advance(10)
    first.cancel()
    expect(fired).toEqual([])
    expect(clock.pending).toBe(0)
  })

  test('a negative delay is none', () => {
    const clock = new VirtualClock(100)
    let firedAtMs = 0
    clock.setTimer(-5, () => {
      firedAtMs = clock.nowMs()
    })
    clock.advance(0)
    expect(firedAtMs).toBe(100)
  })
})

describe('systemClock', () => {
  test('tells the time of day', () => {
    const before = Date.now()
    const nowMs = systemClock.nowMs()
    expect(nowMs).toBeGreaterThanOrEqual(before)
    expect(nowMs).toBeLessThanOrEqual(Date.now())
  })

  test('its monotonic time is the same on every thread', async () => {
    const source = `
      const { parentPort } = require('node:worker_threads')
      import(${JSON.stringify(new URL('../src/clock.ts', import.meta.url).href)}).then(({ systemClock }) => {
        parentPort.on('message', () => parentPort.postMessage(systemClock.monotonicMs()))
        parentPort.postMessage('ready')
      })`
    const worker = new Worker(source, { eval: true })
    try {
      await once(worker, 'message')
      for (let i = 0; i < 20; i++) {
        const before = systemClock.monotonicMs()
        const answer = once(worker, 'message')
        worker.postMessage('now')
        const [there] = (await answer) as [number]
        const after = systemClock.monotonicMs()
        // Each thread knows its own start to within microseconds; a preempted reading may be further off.
        expect(there).toBeGreaterThan(before - 0.1)
        expect(there).toBeLessThan(after + 0.1)
      }
    } finally {
      await worker.terminate()
    }
  })

  test('a timer fires once, and not when cancelled', async () => {
    const fired: string[] = []
    const cancelled = systemClock.setTimer(0, () => fired.push('cancelled'))
    cancelled.cancel()
    await new Promise<void>((resolve) => {
      systemClock.setTimer(
        1,
        () => {
          fired.push('kept')
          resolve()
        },
        { ref: true },
      )
    })
    cancelled.cancel()
    expect(fired).toEqual(['kept'])
  })

  test('a delay beyond what Node.js can wait for does not fire at once, and can be cancelled', () => {
    vi.useFakeTimers()
    try {
      let fired = 0
      systemClock.setTimer(2 ** 31 + 5, () => fired++)
      const never = systemClock.setTimer(Number.POSITIVE_INFINITY, () => fired++)
      const cancelled = systemClock.setTimer(2 ** 32, () => fired++)
      vi.advanceTimersByTime(2 ** 31 + 4)
      cancelled.cancel()
      expect(fired).toBe(0)
      vi.advanceTimersByTime(1)
      expect(fired).toBe(1)
      vi.advanceTimersByTime(2 ** 33)
      expect(fired).toBe(1)
      never.cancel()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
