import { once } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { BatchCompressor } from '../../src/engine/batch-compressor.ts'
import { compressionPool } from '../../src/engine/compression-pool.ts'
import type { CompressionTask } from '../../src/engine/compression-task.ts'
import { compressBatch } from '../../src/record/batch-compression.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { LiveWorkers } from '../setup/live-workers.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function batch(): Uint8Array<ArrayBuffer> {
  const builder = new RecordBatchBuilder(200_000)
  for (let i = 0; builder.append(i, Buffer.from(`key ${i}`), Buffer.from(`value ${i % 7}`), null); i++);
  return new Uint8Array(builder.bytes.subarray(0, builder.seal({ withCrc: false })))
}

const tasks = (): CompressionTask[] => [1, 2, 3, 4].map((type) => ({ bytes: batch(), type, level: 3 }))

describe('the pool', () => {
  test('compresses as this thread would; memory is given away both ways', async () => {
    const pool = compressionPool()
    const expected = tasks().map((task) => compressBatch(task.bytes, 0, task.bytes.length, task, { withCrc: false }))
    const given = tasks()
    const images = await Promise.all(given.map((task) => pool.run(task, [task.bytes.buffer])))
    expect(given.map(({ bytes }) => bytes.length)).toEqual([0, 0, 0, 0])
    for (const [i, image] of images.entries()) expect(Buffer.compare(image, expected[i]!), `codec ${i + 1}`).toBe(0)
    await expect(pool.run({ ...tasks()[0]!, type: 9 })).rejects.toMatchObject({ code: 'UNSUPPORTED_COMPRESSION_TYPE' })
    await pool.close()
  })

  test('whose threads do not start rejects all tasks, and says why', async () => {
    const pool = compressionPool(new URL('./no-such-worker.ts', import.meta.url))
    for (let round = 0; round < 2; round++) {
      const results = await Promise.allSettled(tasks().map((task) => pool.run(task)))
      for (const result of results) expect(String((result as PromiseRejectedResult).reason)).toContain('no-such-worker')
    }
    await pool.close()
  })
})

describe('the compressor of a thread', () => {
  test('starts no thread before the first batch, and leaves none', async () => {
    const workers = new LiveWorkers()
    workers.watch()
    const compressor = new BatchCompressor()
    compressor.close()
    const second = new BatchCompressor()
    const [announced] = [once(process, 'worker'), second.compress(tasks()[3]!)]
    const [worker] = (await announced) as [{ threadId: number }]
    expect(worker.threadId).toBeGreaterThan(0)
    // Whatever it was about to say.
    second.close()
    expect(await workers.settle(5_000)).toBe(0)
    workers.unwatch()
    expect(await second.compress(tasks()[0]!)).toBeUndefined()
  })

  test('says once that its pool failed, and asks it no more', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    let starts = 0
    const compressor = new BatchCompressor(() => {
      starts++
      return compressionPool(new URL('./no-such-worker.ts', import.meta.url))
    })
    expect(await Promise.all(tasks().map((task) => compressor.compress(task)))).toEqual([undefined, undefined, undefined, undefined])
    expect(compressor.isUsable).toBe(false)
    expect(await compressor.compress(tasks()[0]!)).toBeUndefined()
    expect([starts, warn.mock.calls.length]).toEqual([1, 1])
    expect(warn.mock.calls[0]).toEqual([expect.stringContaining('no-such-worker'), 'MillraceWarning'])
  })

  test('closed while a batch is compressed, it answers that, and says nothing', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const compressor = new BatchCompressor()
    const answers = tasks().map((task) => compressor.compress(task))
    compressor.close()
    expect(await Promise.all(answers)).toEqual([undefined, undefined, undefined, undefined])
    expect(warn).not.toHaveBeenCalled()
  })
})
