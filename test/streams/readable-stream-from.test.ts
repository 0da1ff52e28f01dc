import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import type { ConsumerRecord, EmbeddedMillrace } from '../../src/index.ts'
import { readableStreamFrom } from '../../src/streams.ts'
import { codeOf, committedOf, filled, numbers, send, upTo } from './number-topics.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Record = ConsumerRecord<string | null, number>

describe('readableStreamFrom', () => {
  test('gives records in order to `for await`, and ends at the end', async () => {
    const topic = await filled(millrace, 'whole', 500)
    const values: number[] = []
    for await (const { value } of readableStreamFrom(topic, { until: 'end' })) values.push(value)
    expect(values).toEqual(upTo(500))
  })

  test('pipeThrough and pipeTo, and what comes later', async () => {
    const topic = await filled(millrace, 'piped', 3)
    const doubled = new TransformStream<Record, number>({ transform: ({ value }, to) => to.enqueue(2 * value) })
    const values: number[] = []
    const piping = readableStreamFrom(topic, { groupId: 'piped' })
      .pipeThrough(doubled)
      .pipeTo(new WritableStream({ write: (value) => void values.push(value) }), { signal: AbortSignal.any([]) })
    await vi.waitFor(() => expect(values).toEqual([0, 2, 4]))
    await send(millrace, topic, [3])
    await vi.waitFor(() => expect(values).toEqual([0, 2, 4, 6]))
    await millrace.admin.deleteTopics([topic.name])
    expect(await codeOf(piping)).toBe('UNKNOWN_TOPIC_ID')
  })

  test('in a group: a record is settled when the next is asked for; cancelling settles nothing and closes', async () => {
    const topic = await filled(millrace, 'settled', 100)
    const reader = readableStreamFrom(topic, { groupId: 'settled' }).getReader()
    for (let i = 0; i < 40; i++) expect((await reader.read()).value!.value).toBe(i)
    await reader.cancel('enough')
    expect(await committedOf(millrace, 'settled', topic)).toBe(39)
    const seen: number[] = []
    for await (const { value } of readableStreamFrom(topic, { groupId: 'settled', until: 'end' })) seen.push(value)
    expect(seen).toEqual(upTo(100).slice(39))
    // Whoever is told of the end finds all committed.
    expect(await committedOf(millrace, 'settled', topic)).toBe(100)
  })

  test('a signal errors it with ABORTED, also before it starts, and cancelling a reader that waits ends it', async () => {
    const topic = await numbers(millrace, 'aborted')
    const abort = new AbortController()
    const waiting = readableStreamFrom(topic, { signal: abort.signal }).getReader().read()
    abort.abort()
    expect(await codeOf(waiting)).toBe('ABORTED')
    expect(await codeOf(readableStreamFrom(topic, { signal: abort.signal }).getReader().read())).toBe('ABORTED')
    const reader = readableStreamFrom(topic).getReader()
    const pending = reader.read()
    await reader.cancel()
    expect(await pending).toEqual({ done: true, value: undefined })
  })
})
