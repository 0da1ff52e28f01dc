// Streams keep nothing that nobody asked for, in either direction: what was read ahead, and what
// is not acknowledged, is counted while the other side is slow.

import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Producer, bytes, openMillrace } from '../../src/index.ts'
import type { Consumer, EmbeddedMillrace, Topic } from '../../src/index.ts'
import { readableFrom, readableStreamFrom, sendAll, writableStreamTo, writableTo } from '../../src/streams.ts'
import type { TopicReadable } from '../../src/streams.ts'

type Bytes = Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>

const VALUE_BYTES = 1_000
const RECORDS = 40_000
const FETCH_BYTES = 65_536
const MIB = 1024 * 1024

let millrace: EmbeddedMillrace
let topic: Bytes
const value = new Uint8Array(VALUE_BYTES)
let made = 0

function fresh(partitions = 1): Promise<Bytes> {
  return millrace.topic(`fresh-${made++}`, { partitions, value: bytes() })
}

function* records(n = RECORDS): Generator<{ value: Uint8Array }> {
  for (let i = 0; i < n; i++) yield { value }
}

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 192 * MIB })
  topic = await fresh()
  await sendAll(topic, records())
})
afterAll(() => millrace.close())

/** What `make` opens beside what it gives. */
function withConsumer<T>(make: () => T): [T, Consumer] {
  const opened = vi.spyOn(millrace, 'consumer')
  const stream = make()
  const consumer = opened.mock.results.at(-1)!.value as Consumer
  opened.mockRestore()
  return [stream, consumer]
}

function memoryBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe('a slow reader', () => {
  const slowly = { maxPartitionFetchBytes: FETCH_BYTES }

  test.each<[string, (take: (record: unknown) => void) => [done: () => Promise<unknown>, consumer: Consumer]]>([
    [
      'of readableFrom, by for await',
      (take) => {
        const [stream, consumer] = withConsumer(() => readableFrom(topic, { until: 'end', ...slowly }))
        return [() => walk(stream, take), consumer]
      },
    ],
    [
      'of readableFrom, behind a pipe',
      (take) => {
        const [stream, consumer] = withConsumer(() => readableFrom(topic, { until: 'end', ...slowly }))
        const sink = new Writable({
          objectMode: true,
          write: (record, _, taken) => {
            take(record)
            setImmediate(taken)
          },
        })
        return [() => pipeline(stream, sink), consumer]
      },
    ],
    [
      'of readableStreamFrom',
      (take) => {
        const [stream, consumer] = withConsumer(() => readableStreamFrom(topic, { until: 'end', ...slowly }))
        return [() => walk(stream, take), consumer]
      },
    ],
  ])('%s: a batch is read ahead, not more, and memory stays flat', async (_, read) => {
    let taken = 0
    let aheadMax = 0
    const memory: number[] = []
    const [done, consumer] = read(() => {
      taken++
      // Its end closes the consumer, and a sink works off what it has behind that.
      if (taken < RECORDS - 100) aheadMax = Math.max(aheadMax, consumer.position(topic, 0) - taken)
      if (taken % 1_000 === 0) memory.push(memoryBytes())
    })
    await done()
    expect(taken).toBe(RECORDS)
    expect(aheadMax).toBeGreaterThan(1)
    // A batch of the log is read whole, and the producer's are as large.
    expect(aheadMax * VALUE_BYTES).toBeLessThan(2 * FETCH_BYTES)
    // 40 MB went by.
    const [first, last] = [memory.slice(0, 10), memory.slice(-10)].map((some) => Math.min(...some))
    expect(last! - first!).toBeLessThan(12 * MIB)
  })

  test('that stops: nothing more is read', async () => {
    const [stream, consumer] = withConsumer(() => readableFrom(topic, slowly))
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const position = consumer.position(topic, 0)
    expect(position * VALUE_BYTES).toBeLessThan(2 * FETCH_BYTES)
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
    expect([consumer.position(topic, 0), stream.readableLength]).toEqual([position, 0])
    stream.destroy()
    await once(stream, 'close')
  })

  async function walk(stream: TopicReadable<unknown, unknown> | AsyncIterable<unknown>, take: (record: unknown) => void): Promise<void> {
    for await (const record of stream) {
      take(record)
      await new Promise(setImmediate)
    }
  }
})

describe('a writer that is faster than the log', () => {
  const bufferMemory = 256 * 1024

  test('writableTo: write gives false when so many bytes are not acknowledged, and highWaterMark records more', async () => {
    const to = await fresh()
    const stream = writableTo(to, { bufferMemory, highWaterMark: 20 })
    const lag = millrace.consumer()
    let [refusals, aheadMax, waitingMax] = [0, 0, 0]
    for (let written = 1; written <= 4_000; written++) {
      const goesOn = stream.write({ value })
      aheadMax = Math.max(aheadMax, written - lag.lag(to))
      waitingMax = Math.max(waitingMax, stream.writableLength)
      if (goesOn) continue
      refusals++
      await once(stream, 'drain')
    }
    expect(refusals).toBeGreaterThan(1)
    expect(waitingMax).toBe(20)
    expect(aheadMax * VALUE_BYTES).toBeLessThanOrEqual(bufferMemory + 20 * VALUE_BYTES)
    stream.end()
    await once(stream, 'finish')
    expect(lag.lag(to)).toBe(4_000)
    await millrace.admin.deleteTopics([to.name])
  })

  test('writableTo, by pipeline, and sendAll: the source is asked when there is room, and not before', async () => {
    for (const send of [
      async (to: Bytes, source: Generator<{ value: Uint8Array }>) =>
        await pipeline(Readable.from(source), writableTo(to, { bufferMemory, highWaterMark: 16 })),
      async (to: Bytes, source: Generator<{ value: Uint8Array }>) => await sendAll(to, source, { bufferMemory }),
      async (to: Bytes, source: Generator<{ value: Uint8Array }>) => await sendAll(to, later(source), { bufferMemory }),
    ]) {
      const to = await fresh()
      const lag = millrace.consumer()
      let given = 0
      let aheadMax = 0
      const memory: number[] = []
      const counted = (function* () {
        for (const record of records()) {
          // What the log does not have yet: an acknowledgement is later than that, never sooner.
          if (given % 64 === 0) aheadMax = Math.max(aheadMax, given - lag.lag(to))
          given++
          if (given % 1_000 === 0) memory.push(memoryBytes())
          yield record
        }
      })()
      await send(to, counted)
      expect(given).toBe(RECORDS)
      expect(aheadMax * VALUE_BYTES).toBeLessThanOrEqual(bufferMemory + 100 * VALUE_BYTES)
      const [first, last] = [memory.slice(0, 10), memory.slice(-10)].map((some) => Math.min(...some))
      expect(last! - first!).toBeLessThan(12 * MIB)
      // Its memory is for the next.
      await lag.close()
      await millrace.admin.deleteTopics([to.name])
    }
  })

  test('writableStreamTo: ready waits while there is no room', async () => {
    const to = await fresh()
    let hasRoom: () => void = () => undefined
    const room = new Promise<void>((resolve) => (hasRoom = resolve))
    const offer = vi.spyOn(Producer.prototype, 'offer').mockReturnValue(false)
    const drained = vi.spyOn(Producer.prototype, 'drained').mockReturnValue(room)
    const writer = writableStreamTo(to, { highWaterMark: 3 }).getWriter()
    let isReady = false
    const written = [1, 2, 3].map(() => writer.write({ value }))
    expect(writer.desiredSize).toBe(0)
    void writer.ready.then(() => (isReady = true))
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect([isReady, offer.mock.calls.length]).toEqual([false, 1])
    offer.mockRestore()
    drained.mockRestore()
    hasRoom()
    await writer.ready
    await Promise.all(written)
    await writer.close()
    expect(millrace.consumer().lag(to)).toBe(3)
  })

  async function* later<T>(source: Iterable<T>): AsyncGenerator<T> {
    yield* source
  }
})

test("the event loop has its turn beside streams at full speed, and a stream's copy is whole", async () => {
  const to = await fresh(2)
  let fired = 0
  const timer = setInterval(() => fired++, 5)
  const startMs = performance.now()
  await pipeline(readableFrom(topic, { until: 'end' }), writableTo(to))
  await sendAll(to, records())
  const ranMs = performance.now() - startMs
  clearInterval(timer)
  expect(fired).toBeGreaterThan(ranMs / 250)
  const ends = await millrace.consumer().endOffsets([0, 1].map((partition) => ({ topic: to, partition })))
  expect(ends[0]! + ends[1]!).toBe(2 * RECORDS)
})
