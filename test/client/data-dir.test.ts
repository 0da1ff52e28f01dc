// What a user sees of a data directory: what is there when it is opened again, and what is refused.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, MillraceOptions } from '../../src/index.ts'

let dataDir: string
const open: EmbeddedMillrace[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-'))
})

afterEach(async () => {
  for (const millrace of open.splice(0)) await millrace.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function opened(options: MillraceOptions = {}): Promise<EmbeddedMillrace> {
  const millrace = await openMillrace({ dataDir, logLevel: 'silent', logMemoryBytes: 16 * 1024 * 1024, ...options })
  open.push(millrace)
  return millrace
}

async function valuesOf(millrace: EmbeddedMillrace, name: string): Promise<string[]> {
  const topic = await millrace.topic(name, { value: string() })
  const values: string[] = []
  for await (const record of millrace.consumer().records(topic, { until: 'end' })) values.push(record.value)
  return values
}

describe('what is there when it is opened again', () => {
  test.each([{ brokers: 1 }, { brokers: 3 }])('topics, records, and new ones behind them; $brokers broker(s)', async ({ brokers }) => {
    const first = await opened({ brokers })
    const topic = await first.topic('greetings', { value: string(), partitions: 4 })
    const values = Array.from({ length: 100 }, (_, i) => `hello ${i}`)
    const producer = first.producer()
    await producer.sendAll(
      topic,
      values.map((value, i) => ({ value, key: `key ${i}` })),
    )
    await first.close()

    for (let round = 0; round < 2; round++) {
      const again = await opened({ brokers })
      expect((await valuesOf(again, 'greetings')).sort()).toEqual(values.toSorted())
      const bound = await again.topic('greetings', { value: string() })
      expect(bound.partitions).toBe(4)
      const value = `again ${round}`
      values.push(value)
      await again.producer().send(bound, { value })
      expect((await valuesOf(again, 'greetings')).sort()).toEqual(values.toSorted())
      await again.close()
    }
  })

  test('offsets go on, and positions below memory are read from files while others are written', async () => {
    const first = await opened()
    const topic = await first.topic('orders', { value: string() })
    const filler = 'x'.repeat(10_000)
    const producer = first.producer()
    // More than log memory holds.
    for (let i = 0; i < 40; i++)
      await producer.sendAll(
        topic,
        Array.from({ length: 60 }, (_, j) => ({ value: `${i * 60 + j} ${filler}` })),
      )
    const values = await valuesOf(first, 'orders')
    expect(values.map((value) => Number.parseInt(value, 10))).toEqual(Array.from({ length: 2_400 }, (_, i) => i))
    await first.close()
    const again = await opened()
    const bound = await again.topic('orders', { value: string() })
    expect((await again.producer().send(bound, { value: '2400 last' })).offset).toBe(2_400)
    const consumer = again.consumer()
    const seen: number[] = []
    for await (const record of consumer.records(bound, { until: 'end' })) {
      expect(record.offset).toBe(seen.length)
      seen.push(Number.parseInt(record.value, 10))
    }
    expect(seen).toEqual(Array.from({ length: 2_401 }, (_, i) => i))
  })

  test('offsets by time, of what is in files and of what is in memory', async () => {
    const first = await opened()
    const topic = await first.topic('timed', { value: string() })
    const at = (i: number): number => 1_700_000_000_000 + i * 1_000
    await first.producer().sendAll(
      topic,
      Array.from({ length: 50 }, (_, i) => ({ value: `${i}`, timestamp: at(i === 20 ? 500 : i) })),
    )
    await first.close()
    const again = await opened()
    const bound = await again.topic('timed', { value: string() })
    const offsetOf = async (timestamp: number): Promise<number | undefined> =>
      (await again.consumer().offsetsForTimes([{ topic: bound, partition: 0, timestamp }]))[0]?.offset
    expect(await offsetOf(at(10))).toBe(10)
    expect(await offsetOf(at(49))).toBe(20)
    expect(await again.admin.listOffsets('timed', 'maxTimestamp')).toMatchObject([{ offset: 20, timestamp: at(500) }])
    await again.producer().sendAll(
      bound,
      Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, timestamp: at(1_000 + i) })),
    )
    expect(await offsetOf(at(10))).toBe(10)
    expect(await offsetOf(at(501))).toBe(50)
    expect(await offsetOf(at(1_005))).toBe(55)
    expect(await offsetOf(at(2_000))).toBeUndefined()
    expect(await again.admin.listOffsets('timed', 'maxTimestamp')).toMatchObject([{ offset: 59 }])
  })

  test('a topic that is kept in memory alone is empty', async () => {
    const first = await opened()
    const topic = await first.topic('scratch', { value: string(), config: { 'millrace.durability': 'memory' } })
    await first.producer().send(topic, { value: 'gone' })
    expect(await valuesOf(first, 'scratch')).toEqual(['gone'])
    await first.close()
    expect(await valuesOf(await opened(), 'scratch')).toEqual([])
  })

  test('a topic that was deleted is gone, with its files', async () => {
    const first = await opened()
    const topic = await first.topic('orders', { value: string() })
    await first.producer().send(topic, { value: 'gone' })
    expect(existsSync(join(dataDir, 'broker-0/orders-0'))).toBe(true)
    await first.admin.deleteTopics(['orders'])
    await first.close()
    expect(readdirSync(join(dataDir, 'broker-0')).filter((name) => name === 'orders-0')).toEqual([])
    expect(await (await opened()).admin.listTopics()).toEqual([])
  })

  test('every durability, and what is acknowledged is seen', async () => {
    const millrace = await opened()
    for (const durability of ['memory', 'cache', 'disk'] as const) {
      const topic = await millrace.topic(`kept-in-${durability}`, { value: string(), config: { 'millrace.durability': durability } })
      expect((await millrace.producer().send(topic, { value: durability })).offset).toBe(0)
      expect(await valuesOf(millrace, `kept-in-${durability}`)).toEqual([durability])
    }
  })
})

test('a partition whose files are damaged is fenced: it serves and takes nothing, the others do', async () => {
  const first = await opened()
  for (const name of ['damaged', 'fine']) {
    const topic = await first.topic(name, { value: string() })
    for (let i = 0; i < 20; i++) await first.producer().send(topic, { value: `${name} ${i}` })
  }
  await first.close()
  // As after a kill, before anything was synced: everything is scanned.
  const broker = join(dataDir, 'broker-0')
  for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint', 'durable-ends'])
    rmSync(join(broker, name), { force: true })
  const path = join(broker, 'damaged-0', `${'0'.repeat(20)}.log`)
  const bytes = readFileSync(path)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  writeFileSync(path, bytes)

  const messages: string[] = []
  const ignored = (): void => undefined
  const logger = { debug: ignored, info: ignored, warn: ignored, error: (_: object, text: string) => void messages.push(text) }
  const again = await openMillrace({ dataDir, logger })
  open.push(again)
  expect(messages).toEqual([expect.stringContaining(path)])
  expect(await valuesOf(again, 'fine')).toHaveLength(20)
  await expect(valuesOf(again, 'damaged')).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  const topic = await again.topic('damaged', { value: string() })
  await expect(again.producer().send(topic, { value: 'more' })).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  await again.close()
  // Nothing was cut: it is as it was.
  expect(readFileSync(path)).toEqual(bytes)
})

describe('what is refused', () => {
  test('a directory that another millrace has open', async () => {
    await opened()
    await expect(opened()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', message: expect.stringContaining(dataDir) as string })
  })

  test('a file where the directory should be', async () => {
    const path = join(dataDir, 'file')
    writeFileSync(path, '')
    await expect(openMillrace({ dataDir: path })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(path) as string,
    })
  })

  test('fewer brokers than have directories', async () => {
    const first = await opened({ brokers: 3 })
    await first.close()
    await expect(opened({ brokers: 1 })).rejects.toThrow(/broker/)
  })

  test('a topic with files where there are none', async () => {
    const millrace = await openMillrace({ logLevel: 'silent' })
    open.push(millrace)
    await expect(millrace.topic('orders', { config: { 'millrace.durability': 'disk' } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('give openMillrace a dataDir') as string,
    })
    await expect(openMillrace({ config: { 'millrace.durability': 'cache' } })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })
})
