import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { AttachedMillrace } from '../../src/client/millrace.ts'
import { EmbeddedEngine } from '../../src/engine/embedded-engine.ts'
import { attachMillrace, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, MillraceHandle } from '../../src/index.ts'
import { numbers } from './attached-topic.ts'
import type { Task } from './attached-topic.ts'

function spawn(handle: MillraceHandle, task: Task): { worker: Worker; result: Promise<unknown>; waiting: Promise<void> } {
  const worker = new Worker(new URL('./attached-thread.ts', import.meta.url), { workerData: { handle, task } })
  let onWaiting: () => void
  const waiting = new Promise<void>((resolve) => {
    onWaiting = resolve
  })
  const result = new Promise<unknown>((resolve, reject) => {
    worker.on('message', (message: 'waiting' | { result: unknown }) => (message === 'waiting' ? onWaiting() : resolve(message.result)))
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`the worker ended with ${code} before it said anything`)))
  })
  return { worker, result, waiting }
}

const open = (): Promise<EmbeddedMillrace> => openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024 })

describe('attachMillrace', () => {
  test('threads produce and consume at once, every record once and in order', async () => {
    const millrace = await open()
    const topic = await millrace.topic(numbers)
    const count = 20_000
    const producers = ['a', 'b'].map((from) => spawn(millrace.handle, { do: 'produce', from, count }))
    expect(await Promise.all(producers.map(({ result }) => result))).toEqual([count, count])
    const { partitions } = await millrace.admin.describeTopic('numbers')
    const records = (...some: number[]): number => some.reduce((sum, partition) => sum + partitions[partition]!.endOffset, 0)
    expect(records(0, 1, 2, 3)).toBe(2 * count)
    const consumers = [
      [0, 2],
      [1, 3],
    ].map((some) => spawn(millrace.handle, { do: 'consume', partitions: some, count: records(...some) }))
    expect(await Promise.all(consumers.map(({ result }) => result))).toEqual([records(0, 2), records(1, 3)])
    let own = 0
    for await (const batch of millrace.consumer().batches(topic, { until: 'end' })) own += [...batch].length
    expect(own).toBe(2 * count)
    // A worker that has closed what it attached ends by itself.
    for (const { worker } of [...producers, ...consumers]) if (worker.threadId !== -1) await once(worker, 'exit')
    await millrace.close()
  })

  test('in the same thread, as often as one likes; closing one leaves the others', async () => {
    const millrace = await open()
    const attached = await Promise.all([attachMillrace(millrace.handle), attachMillrace(structuredClone(millrace.handle))])
    const [first, second] = attached
    expect(first.handle).toEqual(millrace.handle)
    const topic = await first.topic('shared', { value: string() })
    await first.producer().send(topic, { value: 'a' })
    await first.close()
    await expect(first.topic('shared')).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => first.producer()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    const again = await second.topic('shared', { value: string() })
    const values: string[] = []
    for await (const { value } of second.consumer().records(again, { until: 'end' })) values.push(value)
    expect(values).toEqual(['a'])
    await second.close()
    await millrace.producer().send(await millrace.topic('shared', { value: string() }), { value: 'b' })
    await millrace.close()
  })

  test('when the opener closes, whoever is attached is told: a loop that waits, a producer, what comes later', async () => {
    const millrace = await open()
    const { result, waiting } = spawn(millrace.handle, { do: 'wait' })
    const attached = await attachMillrace(millrace.handle)
    const topic = await attached.topic('alone', { value: string() })
    const next = attached.consumer().records(topic).next()
    await waiting
    await millrace.close()
    await expect(next).rejects.toMatchObject({
      code: 'CLOSED',
      message: expect.stringContaining('the thread that opened this millrace') as string,
    })
    expect(await result).toEqual(['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED'])
    await attached.close()
  })

  test('handles that lead nowhere', async () => {
    const millrace = await open()
    const { handle } = millrace
    await millrace.close()
    await expect(attachMillrace(handle)).rejects.toMatchObject({ code: 'CLOSED', retriable: false })
    const { worker, result } = spawn(handle, { do: 'send into nothing' })
    await expect(result).rejects.toThrow(/was closed|has ended or has closed it/)
    if (worker.threadId !== -1) await once(worker, 'exit')
    for (const wrong of [
      undefined,
      null,
      {},
      'handle',
      { kind: 'millrace' },
      { ...handle, kind: 'other' },
      { ...handle, threadId: 'main' },
    ]) {
      await expect(attachMillrace(wrong as never)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(/takes the handle of an open millrace/) as string,
      })
    }
    const abort = AbortSignal.abort(new Error('enough'))
    await expect(attachMillrace(handle, { signal: abort })).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') })
  })

  test('lingerMs under virtual time, with real brokers', async () => {
    const millrace = await open()
    const clock = new VirtualClock()
    const engine = await EmbeddedEngine.attach(millrace.handle, { clock })
    const attached = new AttachedMillrace(engine, millrace.handle)
    const topic = await attached.topic('lingers', { value: string() })
    const sent = attached.producer({ lingerMs: 1_000 }).send(topic, { value: 'a' })
    const { partitions } = await attached.admin.describeTopic('lingers')
    expect(partitions[0]!.endOffset).toBe(0)
    clock.advance(999)
    expect((await attached.admin.describeTopic('lingers')).partitions[0]!.endOffset).toBe(0)
    clock.advance(1)
    await expect(sent).resolves.toMatchObject({ offset: 0, timestamp: clock.nowMs() - 1_000 })
    await attached.close()
    expect(clock.pending).toBe(0)
    await millrace.close()
  })
})

describe('close', () => {
  test('flushes what was offered, ends loops, and lets go of everything', async () => {
    const millrace = await open()
    const topic = await millrace.topic('flushed', { value: string() })
    const reader = await attachMillrace(millrace.handle)
    const producer = millrace.producer({ lingerMs: 60_000 })
    for (let i = 0; i < 100; i++) producer.offer(topic, null, `${i}`)
    const waiting = millrace
      .consumer()
      .records(await millrace.topic('silent'))
      .next()
    const values = (async () => {
      const seen: string[] = []
      const bound = await reader.topic('flushed', { value: string() })
      for await (const { value } of reader.consumer().records(bound)) if (seen.push(value) === 100) break
      return seen
    })()
    const closed = producer.close()
    await closed
    expect(await values).toHaveLength(100)
    await reader.close()
    await Promise.all([millrace.close(), millrace.close(), millrace[Symbol.asyncDispose]()])
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort' || kind === 'Worker')).toEqual([])
  })

  test('everything says so afterwards', async () => {
    const millrace = await open()
    const topic = await millrace.topic('closed', { value: string() })
    const producer = millrace.producer()
    const consumer = millrace.consumer()
    await millrace.close()
    const closed = expect.objectContaining({ code: 'CLOSED' }) as Error
    expect(() => producer.offer(topic, null, 'a')).toThrow(closed)
    await expect(producer.send(topic, { value: 'a' })).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => consumer.records(topic)).toThrow(closed)
    expect(() => millrace.producer()).toThrow(closed)
    expect(() => millrace.consumer()).toThrow(closed)
    await expect(millrace.topic('other')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(millrace.admin.listTopics()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('an abort in the middle of topic and admin calls, and of opening', async () => {
    const millrace = await open()
    const abort = new AbortController()
    const bound = millrace.topic('aborted', { partitions: 2, signal: abort.signal })
    const rebound = millrace.topic(numbers, { signal: abort.signal })
    const opening = openMillrace({ logMemoryBytes: 16 * 1024 * 1024 }, { signal: abort.signal })
    const described = millrace.admin.describeTopic('nothing', { signal: abort.signal })
    abort.abort(new Error('enough'))
    const aborted = { code: 'ABORTED', retriable: false, cause: new Error('enough') }
    await Promise.all([bound, rebound, opening, described].map((call) => expect(call).rejects.toMatchObject(aborted)))
    await expect(openMillrace({}, { signal: abort.signal })).rejects.toMatchObject(aborted)
    expect((await millrace.topic('aborted', { partitions: 2, signal: new AbortController().signal })).partitions).toBe(2)
    await expect(millrace.admin.listTopics({ signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await millrace.close()
  })
})
