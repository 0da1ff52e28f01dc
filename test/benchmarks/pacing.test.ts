import { describe, expect, test } from 'vitest'
import { allocatePacing, PacedProducer, PacedReader, resetPacing } from '../../benchmarks/harness/pacing.ts'
import { BenchThread } from '../../benchmarks/harness/bench-thread.ts'

describe('pacing by one shared word a batch', () => {
  test('a producer may be a window ahead, no further', () => {
    const buffer = allocatePacing()
    const producer = new PacedProducer(buffer, 0, 1, 100)
    const reader = new PacedReader(buffer)
    producer.report(99)
    expect(producer.mayOffer()).toBe(true)
    producer.report(100)
    expect(producer.mayOffer()).toBe(false)
    reader.report(1)
    expect(producer.mayOffer()).toBe(true)
  })

  test('the window is one for all producers of a reader', () => {
    const buffer = allocatePacing()
    const [first, second] = [new PacedProducer(buffer, 0, 2, 100), new PacedProducer(buffer, 1, 2, 100)]
    first.report(60)
    expect(second.mayOffer()).toBe(true)
    second.report(40)
    expect(first.mayOffer()).toBe(false)
    expect(second.mayOffer()).toBe(false)
  })

  test('a waiting producer is woken when half of the window is free, not before', async () => {
    const buffer = allocatePacing()
    const producer = new PacedProducer(buffer, 0, 1, 100)
    const reader = new PacedReader(buffer)
    producer.report(100)
    let woken = false
    const room = producer.room().then(() => {
      woken = true
    })
    reader.report(49)
    await new Promise((resolve) => setImmediate(resolve))
    expect(woken).toBe(false)
    reader.report(50)
    await room
    expect(producer.waits).toBe(1)
  })

  test('of several readers the last one counts', async () => {
    const buffer = allocatePacing()
    const producer = new PacedProducer(buffer, 0, 1, 100)
    const [first, second] = [new PacedReader(buffer, 0, 2), new PacedReader(buffer, 1, 2)]
    producer.report(100)
    let woken = false
    const room = producer.room().then(() => {
      woken = true
    })
    first.report(100)
    await new Promise((resolve) => setImmediate(resolve))
    expect([woken, producer.ahead()]).toEqual([false, 100])
    second.report(60)
    await room
    expect(producer.ahead()).toBe(40)
  })

  test('a reset forgets the last run', () => {
    const buffer = allocatePacing()
    const producer = new PacedProducer(buffer, 0, 1, 100)
    producer.report(100)
    resetPacing(buffer)
    expect(producer.ahead()).toBe(0)
  })

  test('two producers and a reader on threads of their own never sleep for ever', async () => {
    const buffer = allocatePacing()
    const module = new URL('./pacing-thread.ts', import.meta.url)
    const threads = [0, 1].map((producer) => new BenchThread(`producer-${producer}`, module, { workerData: { buffer, producer } }))
    const reader = new BenchThread('reader', module, { workerData: { buffer, producer: -1 } })
    try {
      const waits = await Promise.all([
        ...threads.map((thread) => thread.ask<number>('produce', { records: 40_000, windowRecords: 16 }, { timeoutMs: 15_000 })),
        reader.ask<number>('read', { records: 80_000 }, { timeoutMs: 15_000 }),
      ])
      // The window is small: without a wait the test would have shown nothing.
      expect(waits[0]! + waits[1]!).toBeGreaterThan(0)
      expect(waits[2]).toBe(80_000)
    } finally {
      await Promise.all([...threads, reader].map((thread) => thread.close()))
    }
  })
})

describe('a benchmark thread', () => {
  test('answers, passes errors on, and fails what waits when it ends', async () => {
    const thread = new BenchThread('t', new URL('./pacing-thread.ts', import.meta.url), {
      workerData: { buffer: allocatePacing(), producer: 0 },
    })
    await expect(thread.ask('nothing', null)).rejects.toThrow('thread t: there is no question "nothing"')
    const waiting = thread.ask('produce', { records: 1_000, windowRecords: 1 })
    const failed = expect(waiting).rejects.toThrow('thread t ended')
    await thread.close()
    await failed
    await expect(thread.ask('produce', null)).rejects.toThrow('thread t ended')
  })

  test('one that does not answer in time fails its question', async () => {
    const thread = new BenchThread('slow', new URL('./pacing-thread.ts', import.meta.url), {
      workerData: { buffer: allocatePacing(), producer: 0 },
    })
    await expect(thread.ask('produce', { records: 10, windowRecords: 1 }, { timeoutMs: 20 })).rejects.toThrow(
      'did not answer "produce" within 20 ms',
    )
    await thread.close()
  })
})
