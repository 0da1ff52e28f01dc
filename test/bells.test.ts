import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../src/bells.ts'
import { THREADS_MAX } from '../src/ids.ts'

const allocate = (): Bells => new Bells(Bells.allocate())

describe('thread ids', () => {
  test('are claimed from the lowest on, and again once given back', () => {
    const bells = allocate()
    const [a, b, c] = [bells.claim(THREAD_KIND_BROKER), bells.claim(THREAD_KIND_CLIENT), bells.claim(THREAD_KIND_CLIENT)]
    expect([a.id, b.id, c.id]).toEqual([0, 1, 2])
    expect(bells.liveCount).toBe(3)
    bells.release(b.id, b.incarnation)
    expect(bells.liveCount).toBe(2)
    const again = bells.claim(THREAD_KIND_BROKER)
    expect(again.id).toBe(1)
    expect(again.incarnation).not.toBe(b.incarnation)
  })

  test('a late release of an earlier owner takes nothing from the next one', () => {
    const bells = allocate()
    const first = bells.claim(THREAD_KIND_CLIENT)
    bells.release(first.id, first.incarnation)
    const second = bells.claim(THREAD_KIND_CLIENT)
    bells.release(first.id, first.incarnation)
    expect(bells.liveCount).toBe(1)
    expect(bells.claim(THREAD_KIND_CLIENT).id).not.toBe(second.id)
  })

  test('at most 256 are taken, and the next claim says so', () => {
    const bells = allocate()
    for (let i = 0; i < THREADS_MAX; i++) bells.claim(THREAD_KIND_CLIENT)
    expect(() => bells.claim(THREAD_KIND_CLIENT)).toThrow(/at most 256 threads/)
    expect(bells.liveCount).toBe(THREADS_MAX)
  })

  test('an incarnation survives 2^31 and 2^32 claims', () => {
    for (const near of [2 ** 31 - 2, -2]) {
      const bells = allocate()
      bells.words[1] = near
      for (let i = 0; i < 4; i++) {
        const { id, incarnation } = bells.claim(THREAD_KIND_CLIENT)
        expect(id).toBe(0)
        expect(bells.liveCount).toBe(1)
        bells.release(id, incarnation)
        expect(bells.liveCount).toBe(0)
      }
    }
  })

  test('a new owner begins awake', () => {
    const bells = allocate()
    const first = bells.claim(THREAD_KIND_CLIENT)
    bells.arm(first.id)
    bells.release(first.id, first.incarnation)
    expect(bells.isParked(bells.claim(THREAD_KIND_CLIENT).id)).toBe(false)
  })
})

describe('a bell', () => {
  test('wakes a parked thread, once', async () => {
    const bells = allocate()
    const { id } = bells.claim(THREAD_KIND_CLIENT)
    bells.arm(id)
    expect(bells.isParked(id)).toBe(true)
    const waiting = bells.wait(id)
    expect(waiting).toBeInstanceOf(Promise)
    expect(bells.ring(id)).toBe(true)
    expect(bells.ring(id)).toBe(false)
    expect(await waiting).toBe('ok')
    expect(bells.isParked(id)).toBe(false)
  })

  test('is not rung for a thread that is awake', () => {
    const bells = allocate()
    const { id } = bells.claim(THREAD_KIND_CLIENT)
    expect(bells.ring(id)).toBe(false)
    bells.arm(id)
    bells.disarm(id)
    expect(bells.ring(id)).toBe(false)
  })

  test('a ring between arming and waiting is not lost', () => {
    const bells = allocate()
    const { id } = bells.claim(THREAD_KIND_CLIENT)
    bells.arm(id)
    bells.ring(id)
    expect(bells.wait(id)).toBeUndefined()
  })

  test("wakes its own thread and no other's", () => {
    const bells = allocate()
    const [a, b] = [bells.claim(THREAD_KIND_CLIENT), bells.claim(THREAD_KIND_CLIENT)]
    bells.arm(a.id)
    bells.arm(b.id)
    expect(bells.ring(b.id)).toBe(true)
    expect(bells.isParked(a.id)).toBe(true)
    bells.ring(a.id)
  })
})

test('two threads that take turns never lose a ring', async () => {
  const ROUNDS = 5_000
  const buffer = Bells.allocate()
  const turns = new SharedArrayBuffer(4)
  const bells = new Bells(buffer)
  const [here, there] = [bells.claim(THREAD_KIND_CLIENT).id, bells.claim(THREAD_KIND_CLIENT).id]
  const worker = new Worker(new URL('./bells-peer.ts', import.meta.url), {
    workerData: { buffer, turns, self: there, peer: here, rounds: ROUNDS },
  })
  try {
    const exited = once(worker, 'exit')
    const words = new Int32Array(turns)
    let parked = 0
    // Even turns are ours; each side publishes its turn first and rings then.
    for (let turn = 0; turn < ROUNDS * 2; turn += 2) {
      while (Atomics.load(words, 0) !== turn) {
        bells.arm(here)
        if (Atomics.load(words, 0) === turn) {
          bells.disarm(here)
          break
        }
        const rung = bells.wait(here)
        if (rung === undefined) continue
        parked++
        await rung
      }
      Atomics.store(words, 0, turn + 1)
      bells.ring(there)
    }
    const [code] = (await exited) as [number]
    expect(code).toBe(0)
    expect(Atomics.load(words, 0)).toBe(ROUNDS * 2)
    expect(parked).toBeGreaterThan(0) // otherwise no ring was ever needed
  } finally {
    await worker.terminate()
  }
})
