import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace, Producer, ProducerRecord } from '../../src/index.ts'
import { readableFrom, sendAll } from '../../src/streams.ts'
import { codeOf, filled, numbers, upTo, valuesOf } from './number-topics.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Sent = ProducerRecord<string | null, number>

/** An async generator that tells whether it was closed. */
function source(n: number, failing?: Error): { records: AsyncGenerator<Sent>; asked: () => number; closed: () => boolean } {
  let asked = 0
  let closed = false
  async function* generate(): AsyncGenerator<Sent> {
    try {
      for (let value = 0; value < n; value++) {
        asked++
        if (value % 100 === 0) await nextTurn()
        yield { value }
      }
      if (failing !== undefined) throw failing
    } finally {
      closed = true
    }
  }
  return { records: generate(), asked: () => asked, closed: () => closed }
}

describe('sendAll', () => {
  test.each<[string, () => Iterable<Sent> | AsyncIterable<Sent>]>([
    ['an array', () => upTo(5_000).map((value) => ({ value }))],
    ['a generator', () => source(5_000).records],
    ['a set', () => new Set(upTo(5_000).map((value) => ({ value })))],
  ])('%s: all is in the log when it resolves', async (_, records) => {
    const topic = await numbers(millrace, 'sent')
    expect(await sendAll(topic, records())).toEqual({ records: 5_000 })
    expect(millrace.consumer().lag(topic)).toBe(5_000)
    expect(await valuesOf(millrace, topic)).toEqual(upTo(5_000))
  })

  test('nothing, a stream, and a consumer', async () => {
    const topic = await filled(millrace, 'origin', 100)
    const target = await numbers(millrace, 'copy')
    expect(await sendAll(target, [])).toEqual({ records: 0 })
    expect(await sendAll(target, readableFrom(topic, { until: 'end' }))).toEqual({ records: 100 })
    expect(await sendAll(target, millrace.consumer().records(topic, { until: 'end' }))).toEqual({ records: 100 })
    expect(await valuesOf(millrace, target)).toEqual([...upTo(100), ...upTo(100)])
  })

  test('what the iterator throws comes out, and what it gave before is in the log', async () => {
    const topic = await numbers(millrace, 'throws')
    const failure = new Error('mine')
    await expect(sendAll(topic, source(10, failure).records)).rejects.toBe(failure)
    expect(await valuesOf(millrace, topic)).toEqual(upTo(10))
  })

  test('a record that cannot be sent ends it, closes the iterator and asks it no more', async () => {
    const topic = await numbers(millrace, 'bad')
    let closed = false
    const records = function* (): Generator<Sent> {
      try {
        yield { value: 1 }
        yield null as never
        yield { value: 2 }
      } finally {
        closed = true
      }
    }
    expect(await codeOf(sendAll(topic, records()))).toBe('INVALID_REQUEST')
    expect(closed).toBe(true)
    const later = source(10)
    const spoiled = (async function* (): AsyncGenerator<Sent> {
      for await (const record of later.records) yield record.value === 5 ? ('text' as never) : record
    })()
    expect(await codeOf(sendAll(topic, spoiled))).toBe('INVALID_REQUEST')
    expect([later.closed(), later.asked()]).toEqual([true, 6])
    expect(await valuesOf(millrace, topic)).toEqual([1, ...upTo(5)])
  })

  test('a batch that is refused ends it, though the iterator waits', async () => {
    const topic = await numbers(millrace, 'refused')
    let isReturned = false
    let given = 0
    const waiting: AsyncIterableIterator<Sent> = {
      next: () => (given++ === 0 ? Promise.resolve({ value: { value: 1 }, done: false }) : new Promise(() => undefined)),
      return: async () => {
        isReturned = true
        return await new Promise(() => undefined)
      },
      [Symbol.asyncIterator]: () => waiting,
    }
    const opened = vi.spyOn(millrace, 'producer')
    const sending = sendAll(topic, waiting)
    const ended = codeOf(sending)
    await vi.waitFor(() => expect(given).toBe(2))
    const producer = opened.mock.results[0]!.value as Producer
    opened.mockRestore()
    producer.emit('error', new Error('refused'))
    await expect(sending).rejects.toThrow('refused')
    await ended
    expect(isReturned).toBe(true)
    expect(() => producer.offer(topic, null, 1)).toThrow('closed')
  })

  test('a signal ends it with ABORTED, before it begins and while the iterator waits', async () => {
    const topic = await numbers(millrace, 'aborted')
    const never = source(10)
    expect(await codeOf(sendAll(topic, never.records, { signal: AbortSignal.abort() }))).toBe('ABORTED')
    expect(never.asked()).toBe(0)
    const abort = new AbortController()
    const records = millrace.consumer().records(await numbers(millrace, 'silent'))
    const sending = sendAll(topic, records, { signal: abort.signal })
    setImmediate(() => abort.abort('enough'))
    await expect(sending).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    expect(await records.next()).toEqual({ done: true, value: undefined })
  })

  test('what is no iterable, and wrong options, are refused', async () => {
    const topic = await numbers(millrace, 'options')
    expect(await codeOf(sendAll(topic, 'text' as never))).toBe('INVALID_REQUEST')
    expect(await codeOf(sendAll(topic, { value: 1 } as never))).toBe('INVALID_REQUEST')
    expect(await codeOf(sendAll(topic, [], { linger: 5 } as never))).toBe('INVALID_CONFIG')
    expect(await codeOf(sendAll(topic, [], { signal: 5 as never }))).toBe('INVALID_CONFIG')
  })
})
