// Large batches on the whole road: compressed on the pool of the thread that sends them.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Producer, Topic } from '../../src/index.ts'
import { seededRandom } from '../../src/random.ts'
import { codecOf } from '../../src/record/codec-table.ts'

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const SEED = 0xb16

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 << 20 })
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => millrace.close())

async function valuesOf(topic: Topic<string | null, string>): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>()
  for await (const { partition, value } of millrace.consumer({ autoOffsetReset: 'earliest' }).records(topic, { until: 'end' })) {
    found.set(partition, [...(found.get(partition) ?? []), value])
  }
  return found
}

describe.each(CODECS)('%s', (compressionType) => {
  test('small and large batches, and those of a producer that does not compress, arrive in order', async () => {
    const topic = await millrace.topic(`large-${compressionType}`, { partitions: 3, value: string() })
    const producer = millrace.producer({ compressionType, batchSize: 262_144, bufferMemory: 4 << 20 })
    const plain = millrace.producer({ batchSize: 262_144 })
    const random = seededRandom(SEED)
    const expected = new Map<number, string[]>()
    const sent: Promise<{ partition: number; offset: number }>[] = []
    for (let i = 0; i < 100; i++) {
      // The last partition is the plain one's.
      const partition = random.below(3)
      const by: Producer = partition === 2 ? plain : producer
      const value = `${i} ${`${random.uint32()} `.repeat(random.below(2) === 0 ? 3 : 8_000 + random.below(20_000))}`
      expected.set(partition, [...(expected.get(partition) ?? []), value])
      if (random.below(2) === 0) sent.push(by.send(topic, { value, partition }))
      else while (!by.offer(topic, null, value, { partition })) await by.drained()
      if (random.below(4) === 0) await by.flush()
    }
    await Promise.all([producer.flush(), plain.close()])
    const offsets = await Promise.all(sent)
    for (const [i, { offset }] of offsets.entries()) expect(offset, `${i}`).toBeGreaterThanOrEqual(0)
    expect(await valuesOf(topic)).toEqual(expected)
    await producer.close()
  })

  test('the thread that sends compresses none of the large ones itself', async () => {
    const topic = await millrace.topic(`elsewhere-${compressionType}`, { value: string() })
    const producer = millrace.producer({ compressionType, batchSize: 131_072 })
    const compress = vi.spyOn(codecOf(1 + CODECS.indexOf(compressionType)), 'compress')
    const values = Array.from({ length: 10 }, (_, i) => `${i} of ten, which are alike `.repeat(10_000))
    await producer.sendAll(
      topic,
      values.map((value) => ({ value })),
    )
    expect(compress).not.toHaveBeenCalled()
    expect(await valuesOf(topic)).toEqual(new Map([[0, values]]))
    await producer.send(topic, { value: 'a small one' })
    expect(compress).toHaveBeenCalledTimes(1)
    await producer.close()
  })
})

test('a producer of another thread has a pool of its own, and its thread ends by itself', async () => {
  const topic = await millrace.topic('from-a-worker', { value: string() })
  const code = `
    const { workerData } = await import('node:worker_threads')
    const { attachMillrace, string } = await import(workerData.index)
    const millrace = await attachMillrace(workerData.handle)
    const topic = await millrace.topic('from-a-worker', { value: string() })
    const producer = millrace.producer({ compressionType: 'zstd', batchSize: 262_144 })
    for (let i = 0; i < 5; i++) while (!producer.offer(topic, null, i + 'x'.repeat(200_000))) await producer.drained()
    await producer.flush()
    await millrace.close()
  `
  const index = new URL('../../src/index.ts', import.meta.url).href
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { index, handle: millrace.handle } })
  const exit = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  expect(exit).toBe(0)
  expect((await valuesOf(topic)).get(0)!.map((value) => value[0])).toEqual(['0', '1', '2', '3', '4'])
})

test('a process ends by itself when it has closed, and also with a pool that it never closed', async () => {
  const code = `
    import { openMillrace, string } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    const millrace = await openMillrace({ brokers: 1 })
    const topic = await millrace.topic('t', { value: string() })
    const producer = millrace.producer({ compressionType: 'gzip', batchSize: 262_144 })
    for (let i = 0; i < 3; i++) producer.offer(topic, null, 'x'.repeat(200_000))
    if (process.argv[1] === 'close') await millrace.close()
    else await producer.flush()
    console.log('done')
  `
  for (const how of ['close', 'leave']) {
    const args = ['--disable-warning=ExperimentalWarning', '-e', code, how]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 25_000 })
    expect([how, stdout, stderr]).toEqual([how, 'done\n', ''])
  }
})
