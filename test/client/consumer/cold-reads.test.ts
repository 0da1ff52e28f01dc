// A consumer that reads from files what memory no longer holds: with no gap and no double
// at the seam, while hot partitions go on, and with nothing left behind.

import { appendFileSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { seededRandom } from '../../../src/random.ts'
import { segmentPath } from '../../../src/storage/segment-listing.ts'
import type * as Readers from '../../../src/log/shared-log-reader.ts'
import { ColdLog, ReadingLoop, until } from './cold-log.ts'
import { settle } from './hand-driven-log.ts'

vi.mock('../../../src/log/shared-log-reader.ts', async (importOriginal) => {
  const { fileBacked } = await import('./file-backed-reader.ts')
  const original = await importOriginal<typeof Readers>()
  return { ...original, SharedLogReader: fileBacked(original) }
})

let log: ColdLog

beforeEach(() => {
  log = new ColdLog(2)
})
afterEach(async () => {
  await until(() => log.files.openFiles === 0)
  expect(log.world.isWaiting).toBe(false)
  log.close()
})

async function readAll(consumer: ReturnType<ColdLog['consumer']>): Promise<string[]> {
  const loop = new ReadingLoop(consumer.batches(log.topic, { until: 'end' }))
  await loop.over
  return loop.read
}

describe('the seam', () => {
  test.each([
    ['', {}],
    ['a batch at a time', { maxPartitionFetchBytes: 1 }],
    ['few records at a time', { maxPollRecords: 2 }],
    ['under read_committed', { isolationLevel: 'read_committed' as const }],
    ['when so many bytes are there', { fetchMinBytes: 700 }],
  ])('from the beginning to the end %s', async (_, options) => {
    log.append(20)
    for (const memoryStart of [3, 15, 30, 57, 60]) {
      log.sink(memoryStart)
      const consumer = log.consumer(options)
      expect(await readAll(consumer)).toEqual(log.expected(0, memoryStart, 60))
      expect([consumer.position(log.topic, 0), consumer.lag(log.topic, 0)]).toEqual([60, 0])
      await consumer.close()
    }
  })

  test('from every offset', async () => {
    log.append(12)
    log.sink(18)
    const consumer = log.consumer()
    for (let from = 0; from < 36; from++) {
      consumer.seek(log.topic, 0, from)
      expect(await readAll(consumer)).toEqual(log.expected(from, 18, 36))
    }
    await consumer.close()
  })

  test('it moves up while it is read, and what comes is read behind it', async () => {
    log.append(40)
    log.sink(60)
    const consumer = log.consumer({ maxPartitionFetchBytes: 1 })
    const loop = new ReadingLoop(consumer.batches(log.topic))
    for (let memoryStart = 60; memoryStart < 120; memoryStart += 3) {
      await until(() => loop.read.length >= memoryStart - 30)
      log.sink(memoryStart)
      log.append(1)
    }
    await until(() => loop.read.length >= log.endOffset())
    await settle()
    expect(loop.read.map((record) => record.replace(/ [fm]/, ' '))).toEqual(
      log.expected(0, 0, 180).map((record) => record.replace(/ [fm]/, ' ')),
    )
    expect(loop.read.slice(0, 60)).toEqual(log.expected(0, 60, 60))
    expect(log.files.openFiles).toBe(0)
    await consumer.close()
  })

  test('a limit that lies in files: nothing above it is handed out', async () => {
    log.append(4)
    log.sink(12)
    const consumer = log.consumer()
    log.files.holds = true
    const loop = new ReadingLoop(consumer.batches(log.topic, { until: 'end' }))
    await until(() => log.files.held > 0)
    log.append(4)
    log.sink(24)
    log.files.letGo()
    await loop.over
    expect(loop.read).toEqual(log.expected(0, 12, 12))
    expect(await readAll(consumer)).toEqual(log.expected(12, 24, 24))
    await consumer.close()
  })
})

describe('while a read is in flight', () => {
  let loop: ReadingLoop
  let consumer: ReturnType<ColdLog['consumer']>
  const overtaken: unknown[] = []

  beforeEach(async () => {
    overtaken.splice(0)
    log.append(10)
    log.sink(18)
    consumer = log.consumer()
    consumer.on('overtaken', (event) => overtaken.push(event))
    log.files.holds = true
    loop = new ReadingLoop(consumer.batches(log.topic))
    await until(() => log.files.held > 0)
  })
  afterEach(async () => {
    log.files.letGo()
    await consumer.close()
  })

  test('hot partitions go on, and the process stays alive', async () => {
    log.append(2, 1)
    await until(() => loop.read.length === 6)
    expect(loop.read).toEqual(log.expected(0, 0, 6, 1))
    expect([consumer.position(log.topic, 0), consumer.lag(log.topic, 0)]).toEqual([0, 30])
    expect(log.world.isWaiting).toBe(true)
    log.files.letGo()
    await until(() => loop.read.length === 36)
    expect(loop.read.slice(6)).toEqual(log.expected(0, 18, 30))
    // It waits for more, and no file is kept open.
    await until(() => log.files.openFiles === 0)
    expect(log.world.isWaiting).toBe(true)
  })

  test.each([12, 3, 21, 30])('a seek to %i: what was read is dropped', async (offset) => {
    consumer.seek(log.topic, 0, offset)
    await settle()
    log.files.letGo()
    await until(() => loop.read.length >= 30 - offset)
    await settle()
    expect(loop.read).toEqual(log.expected(offset, 18, 30))
  })

  test('there and back', async () => {
    consumer.seek(log.topic, 0, 12)
    await settle()
    consumer.seek(log.topic, 0, 0)
    log.files.letGo()
    await until(() => loop.read.length >= 30)
    expect(loop.read).toEqual(log.expected(0, 18, 30))
  })

  test('pause: nothing comes, no file stays open; resume: all of it', async () => {
    consumer.pause([{ topic: log.topic, partition: 0 }])
    log.files.letGo()
    await until(() => log.files.openFiles === 0)
    log.append(1, 1)
    await until(() => loop.read.length === 3)
    consumer.resume([{ topic: log.topic, partition: 0 }])
    await until(() => loop.read.length === 33)
    expect(loop.read.slice(3)).toEqual(log.expected(0, 18, 30))
  })

  test('retention: the reader is overtaken by as many as went', async () => {
    log.trim(9)
    log.files.letGo()
    await until(() => loop.read.length === 21)
    expect(loop.read).toEqual(log.expected(9, 18, 30))
    expect(overtaken).toEqual([{ topic: log.topic.name, partition: 0, missed: 9, from: 0, to: 9 }])
  })

  test('retention took the files as well', async () => {
    log.trim(15)
    rmSync(segmentPath(log.directory().path, 0, 'log'))
    log.files.faults.read.push(Object.assign(new Error('gone'), { code: 'ENOENT' }))
    log.files.letGo()
    await until(() => loop.read.length === 15)
    expect(loop.read).toEqual(log.expected(15, 18, 30))
    expect(overtaken).toHaveLength(1)
  })

  test('the topic is deleted', async () => {
    log.world.delete(log.topic)
    log.files.letGo()
    await expect(loop.over).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  })

  test('the loop ends', async () => {
    await loop.batches.return!()
    log.files.letGo()
    await loop.over
    await until(() => log.files.openFiles === 0)
    expect(log.world.isWaiting).toBe(false)
    expect(loop.read).toEqual([])
    // And another begins where it stood.
    const next = new ReadingLoop(consumer.batches(log.topic, { until: 'end' }))
    await next.over
    expect(next.read).toEqual(log.expected(0, 18, 30))
  })

  test('the consumer is closed: the loop ends at once', async () => {
    await consumer.close()
    await loop.over
    expect(log.world.isWaiting).toBe(false)
    expect(log.files.held).toBe(1)
  })
})

test('an abort while a read is in flight', async () => {
  log.append(10)
  log.sink(18)
  log.files.holds = true
  const consumer = log.consumer()
  const controller = new AbortController()
  const loop = new ReadingLoop(consumer.batches(log.topic, { signal: controller.signal }))
  await until(() => log.files.held > 0)
  controller.abort()
  await expect(loop.over).rejects.toMatchObject({ code: 'ABORTED' })
  log.files.letGo()
  await consumer.close()
})

test('the next chunk is read while the one before is worked on', async () => {
  log.append(30)
  log.sink(90)
  const consumer = log.consumer({ maxPartitionFetchBytes: 500 })
  const batches = consumer.batches(log.topic)
  const first = (await batches.next()).value!
  const { reads } = log.files
  await until(() => log.files.reads > reads || log.files.reads > 3)
  await settle(50)
  const ahead = log.files.reads
  // One ahead, and no more.
  await settle(50)
  expect(log.files.reads).toBe(ahead)
  expect((await batches.next()).value!.firstOffset).toBe(first.nextOffset)
  await consumer.close()
})

describe('fetchMinBytes', () => {
  test('what is in files counts, and is not waited for longer than what is in memory', async () => {
    log.append(2)
    log.sink(3)
    const consumer = log.consumer({ fetchMinBytes: 100_000, fetchMaxWaitMs: 500 })
    const loop = new ReadingLoop(consumer.batches(log.topic))
    await until(() => log.world.clock.pending > 0)
    expect(loop.read).toEqual([])
    log.world.clock.advance(500)
    await until(() => loop.read.length === 6)
    expect(loop.read).toEqual(log.expected(0, 3, 6))
    await consumer.close()
  })

  test('where more than a chunk is behind, nothing is withheld', async () => {
    log.append(20)
    log.sink(60)
    const consumer = log.consumer({ fetchMinBytes: 100_000, fetchMaxWaitMs: 500, maxPartitionFetchBytes: 500 })
    const loop = new ReadingLoop(consumer.batches(log.topic))
    await until(() => loop.read.length >= 30)
    await consumer.close()
  })

  test('a loop that ends with a chunk that was counted, and one that begins behind it', async () => {
    log.append(2)
    log.sink(6)
    const consumer = log.consumer({ fetchMinBytes: 100_000, fetchMaxWaitMs: 500 })
    const batches = consumer.batches(log.topic)
    void batches.next()
    await until(() => log.world.clock.pending > 0)
    await batches.return!()
    const loop = new ReadingLoop(consumer.batches(log.topic))
    await until(() => log.world.clock.pending > 0)
    log.world.clock.advance(500)
    await until(() => loop.read.length === 6)
    await consumer.close()
  })
})

describe('what cannot be read', () => {
  test('damage is said, the position stays, and other offsets are read', async () => {
    log.append(12)
    log.sink(30)
    const consumer = log.consumer()
    const path = segmentPath(log.directory().path, 15, 'log')
    rmSync(path)
    appendFileSync(path, 'no batch at all, but long enough to be taken for the header of one, if nobody looks')
    for (let i = 0; i < 2; i++) {
      const loop = new ReadingLoop(consumer.batches(log.topic))
      await expect(loop.over).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE', message: expect.stringContaining(path) as string })
      expect(loop.read).toEqual(i === 0 ? log.expected(0, 30, 15) : [])
      expect(consumer.position(log.topic, 0)).toBe(15)
    }
    consumer.seek(log.topic, 0, 30)
    expect(await readAll(consumer)).toEqual(log.expected(30, 30, 36))
    await consumer.close()
  })

  test('EIO ends the loop; the next one goes on', async () => {
    log.append(12)
    log.sink(30)
    const consumer = log.consumer()
    log.files.faults.open.push(Object.assign(new Error('made by a test'), { code: 'EIO' }))
    await expect(readAll(consumer)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    expect(await readAll(consumer)).toEqual(log.expected(0, 30, 36))
    await consumer.close()
  })
})

test('more partitions than may have a file open at once: all are read', async () => {
  log.close()
  log = new ColdLog(40)
  const expected: string[] = []
  for (let partition = 0; partition < 40; partition++) {
    log.append(10, partition)
    log.sink(21, partition)
    expected.push(...log.expected(0, 21, 30, partition))
  }
  const consumer = log.consumer({ maxPartitionFetchBytes: 400 })
  const read = await readAll(consumer)
  expect(read.length).toBe(expected.length)
  expect(new Set(read)).toEqual(new Set(expected))
  // An index is open for a moment too.
  expect(log.files.openFilesMost).toBeLessThanOrEqual(32)
  await consumer.close()
})

const SEED = Number(process.env['MILLRACE_SEED'] ?? 1)

test.each(Array.from({ length: 12 }, (_, i) => SEED + i))(
  'whatever is done meanwhile, each record comes once and in order (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const starts = [0, 0]
    for (const partition of [0, 1]) log.append(10, partition)
    const options = [{}, { maxPartitionFetchBytes: 1 }, { maxPollRecords: 4 }, { fetchMinBytes: 400, fetchMaxWaitMs: 1 }][random.below(4)]!
    const consumer = log.consumer(options)
    const nextOf = [0, 0]
    let loop = new ReadingLoop(consumer.batches(log.topic))
    const check = (): void => {
      for (const record of loop.read.splice(0)) {
        const [, partition, offset, value] = /^(\d+):(\d+) [fm](\d+)$/.exec(record)!.map(Number) as [number, number, number, number]
        expect([offset, value], `seed ${seed}: partition ${partition}`).toEqual([nextOf[partition], offset])
        nextOf[partition] = offset + 1
      }
    }
    for (let step = 0; step < 120; step++) {
      const partition = random.below(2)
      const at = { topic: log.topic, partition }
      switch (random.below(8)) {
        case 0:
          log.append(1 + random.below(3), partition)
          break
        case 1:
          starts[partition] = Math.min(log.endOffset(partition), starts[partition]! + 3 * random.below(6))
          log.sink(starts[partition]!, partition)
          break
        case 2:
          // What a resume before it has handed out is on its way.
          await settle(1)
          check()
          nextOf[partition] = random.below(log.endOffset(partition) + 1)
          consumer.seek(log.topic, partition, nextOf[partition]!)
          break
        case 3:
          consumer.pause([at])
          break
        case 4:
          consumer.resume([at])
          break
        case 5:
          await loop.batches.return!()
          await loop.over
          check()
          loop = new ReadingLoop(consumer.batches(log.topic))
          break
        case 6:
          if (log.files.held > 0) log.files.letGo()
          else log.files.holds = true
          break
        default:
          await settle(1 + random.below(4))
          log.world.clock.advance(1)
      }
    }
    log.files.letGo()
    consumer.resume([0, 1].map((partition) => ({ topic: log.topic, partition })))
    await until(() => {
      check()
      log.world.clock.advance(1)
      return nextOf.every((next, partition) => next === log.endOffset(partition))
    })
    await consumer.close()
  },
)
