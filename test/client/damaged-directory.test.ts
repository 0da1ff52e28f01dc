// What a user sees of damaged files: what is whole is read, what is not is refused with a typed error that
// names the file, and no byte is handed out that was not written. On real files; 500 kinds of damage on a
// simulated disk: test/io/damaged-files.test.ts.

import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bytes, openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import { goldenDirectory } from '../storage/golden-directories.ts'

const MEBIBYTE = 1024 * 1024
const RECORDS = 300
const PARTITIONS = 2

/** Whoever knows its number knows every byte of it. */
function valueAt(partition: number, number: number): Uint8Array {
  return Uint8Array.from({ length: 8_000 + (number % 900) }, (_, i) => (number * 31 + partition * 7 + i * i) & 0xff)
}

let written: string
const left: (() => unknown)[] = []

beforeAll(async () => {
  written = mkdtempSync(join(tmpdir(), 'millrace-written-'))
  const millrace = await openMillrace({ dataDir: written, brokers: 1, logLevel: 'silent' })
  const config = { 'segment.bytes': MEBIBYTE, 'millrace.durability': 'disk' } as const
  for (const [name, compressionType] of [
    ['plain', 'none'],
    ['packed', 'gzip'],
  ] as const) {
    const topic = await millrace.topic(name, { value: bytes(), partitions: PARTITIONS, config })
    const producer = millrace.producer({ compressionType })
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let from = 0; from < RECORDS; from += 10) {
        const sends = Array.from({ length: 10 }, (_, i) => producer.send(topic, { value: valueAt(partition, from + i), partition }))
        await Promise.all(sends)
      }
    }
  }
  await millrace.close()
})
afterEach(async () => {
  for (const undo of left.splice(0).reverse()) await undo()
})
afterAll(() => rmSync(written, { recursive: true, force: true }))

/** A copy of what was written, under a damage. */
function damaged(damage: (partition: string) => void, topic = 'plain'): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-damaged-'))
  left.push(() => rmSync(dataDir, { recursive: true, force: true }))
  cpSync(written, dataDir, { recursive: true })
  damage(join(dataDir, 'broker-0', `${topic}-0`))
  return dataDir
}

async function opened(dataDir: string): Promise<EmbeddedMillrace> {
  const millrace = await openMillrace({ dataDir, brokers: 1, logLevel: 'silent' })
  left.push(() => millrace.close())
  return millrace
}

/** Reads a partition to its end; the numbers of the records, each of them as it was sent, and what ended it. */
async function readOut(
  millrace: EmbeddedMillrace,
  name: string,
  partition: number,
  from = 0,
): Promise<{ numbers: number[]; error: unknown }> {
  const topic = await millrace.topic(name, { value: bytes() })
  const consumer = millrace.consumer()
  left.push(() => consumer.close())
  consumer.assign([{ topic, partition }])
  consumer.seek(topic, partition, from)
  const numbers: number[] = []
  try {
    for await (const batch of consumer.batches(topic, { until: 'end' })) {
      for (const record of batch) {
        expect(Buffer.compare(record.value, valueAt(partition, record.offset)), `offset ${record.offset}`).toBe(0)
        numbers.push(record.offset)
      }
    }
    return { numbers, error: undefined }
  } catch (error) {
    return { numbers, error }
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

async function expectOthersServed(millrace: EmbeddedMillrace, hurt: string): Promise<void> {
  for (const name of ['plain', 'packed']) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (`${name}-${partition}` === hurt) continue
      expect(await readOut(millrace, name, partition), `${name}-${partition}`).toEqual({ numbers: range(0, RECORDS), error: undefined })
    }
  }
}

function logsIn(partition: string): string[] {
  return readdirSync(partition)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(partition, name))
}

function flip(path: string, position: number): void {
  const content = readFileSync(path)
  content[position]! ^= 4
  writeFileSync(path, content)
}

test('there are several segments', () => {
  expect(logsIn(join(written, 'broker-0', 'plain-0')).length).toBeGreaterThan(2)
  expect(existsSync(join(written, 'broker-0', '.kafka_cleanshutdown'))).toBe(true)
})

describe.each(['plain', 'packed'])('a bit of a closed segment, %s', (topic) => {
  test('the records before it are read, then comes an error; behind it reading goes on', async () => {
    let path = ''
    const dataDir = damaged((partition) => {
      path = logsIn(partition)[0]!
      flip(path, Math.floor(readFileSync(path).length / 2))
    }, topic)
    const millrace = await opened(dataDir)
    const { numbers, error } = await readOut(millrace, topic, 0)
    expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE', retriable: false })
    expect((error as Error).message).toMatch(new RegExp(`${path} is damaged at byte \\d+, offset \\d+: .*Put the file back from a copy`))
    expect(numbers.length).toBeGreaterThan(0)
    expect(numbers).toEqual(range(0, numbers.length))
    const behind = numbers.length + 10
    expect(await readOut(millrace, topic, 0, behind)).toEqual({ numbers: range(behind, RECORDS), error: undefined })
    await expectOthersServed(millrace, `${topic}-0`)
  })
})

test.each<[string, (path: string) => void]>([
  ['cut', (path) => truncateSync(path, readFileSync(path).length - 100)],
  ['emptied', (path) => truncateSync(path, 0)],
  ['longer', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(5_000, 3)]))],
])('the last segment of a closed log is %s: the partition is fenced, the others are served', async (_, damage) => {
  const dataDir = damaged((partition) => damage(logsIn(partition).at(-1)!))
  const millrace = await opened(dataDir)
  expect(await readOut(millrace, 'plain', 0)).toEqual({
    numbers: [],
    error: expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }) as Error,
  })
  await expectOthersServed(millrace, 'plain-0')
})

test('indexes, snapshots and leader epochs are made again: all is read, and it goes on', async () => {
  const dataDir = damaged((partition) => {
    let number = 0
    for (const name of readdirSync(partition)) {
      if (name.endsWith('.log') || name === 'partition.metadata') continue
      const path = join(partition, name)
      const content = readFileSync(path)
      if (number++ % 3 === 0) rmSync(path)
      else if (number % 3 === 1) writeFileSync(path, new Uint8Array(0))
      else
        writeFileSync(
          path,
          content.map((byte, i) => byte ^ (0x83 + (i % 5))),
        )
    }
    expect(number).toBeGreaterThan(5)
  })
  const millrace = await opened(dataDir)
  expect(await readOut(millrace, 'plain', 0)).toEqual({ numbers: range(0, RECORDS), error: undefined })
  await expectOthersServed(millrace, 'plain-0')
  const topic = await millrace.topic('plain', { value: bytes() })
  expect(await millrace.producer().send(topic, { value: valueAt(0, RECORDS), partition: 0 })).toMatchObject({ offset: RECORDS })
})

test("a bit of Kafka's own segment: the records before it, then an error", async () => {
  const golden = goldenDirectory('clean')
  if (golden === undefined) return
  left.push(golden.remove)
  const path = logsIn(join(golden.path, 'access-0'))[0]!
  flip(path, Math.floor(readFileSync(path).length / 2))
  const millrace = await opened(golden.path)
  const counts: Record<string, number> = {}
  for (const name of ['access', 'packed']) {
    const topic = await millrace.topic(name, { key: bytes(), value: bytes() })
    let next = 0
    const reading = async (): Promise<void> => {
      for await (const batch of millrace.consumer().batches(topic, { until: 'end' }))
        for (const record of batch) expect(record.offset).toBe(next++)
    }
    if (name === 'access')
      await expect(reading()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE', message: expect.stringContaining(path) })
    else await reading()
    counts[name] = next
  }
  expect(counts['access']).toBeGreaterThan(100)
  expect(counts['access']).toBeLessThan(10_000)
  expect(counts['packed']).toBe(1_200)
})
