// Log directories that Apache Kafka left, opened as a data directory: every record of Kafka's own dump, by
// way of the public API, and what is written behind them.

import { afterEach, describe, expect, test } from 'vitest'
import { openMillrace, bytes } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import { goldenDirectory, goldenDump } from '../storage/golden-directories.ts'
import type { DumpedRecord } from '../storage/golden-directories.ts'

const dump = goldenDump()
const TOPICS = ['access', 'packed', 'transacted', 'compacted'] as const

/** What Kafka's dump says of a partition's users' records. Of compressed batches it has the batches alone. */
function dumped(topic: string): Map<number, DumpedRecord> {
  const records = new Map<number, DumpedRecord>()
  for (const [file, batches] of dump) {
    if (!file.includes(`${topic}-0`)) continue
    for (const batch of batches) for (const record of batch.records) if (!record.isControl) records.set(record.offset, record)
  }
  return records
}

async function seen(millrace: EmbeddedMillrace, topic: string): Promise<Map<number, DumpedRecord>> {
  const bound = await millrace.topic(topic, { key: bytes(), value: bytes() })
  const records = new Map<number, DumpedRecord>()
  for await (const batch of millrace.consumer().batches(bound, { until: 'end' })) {
    const cursor = batch.cursor()
    while (cursor.next()) {
      const { offset, timestamp: timestampMs, keyStart, keyEnd, valueStart, valueEnd } = cursor
      const keySize = keyStart < 0 ? -1 : keyEnd - keyStart
      records.set(offset, { offset, timestampMs, keySize, valueSize: valueStart < 0 ? -1 : valueEnd - valueStart, isControl: false })
    }
  }
  return records
}

describe.skipIf(dump.size === 0).each(['clean', 'after-kill'] as const)('%s', (which) => {
  const left: (() => unknown)[] = []
  afterEach(async () => {
    for (const undo of left.splice(0).reverse()) await undo()
  })

  test('every record is there, and the directory goes on', async () => {
    const golden = goldenDirectory(which)!
    left.push(golden.remove)
    const messages: unknown[] = []
    const logger = {
      debug() {},
      info() {},
      warn: (_: object, text: string) => messages.push(text),
      error: (_: object, text: string) => messages.push(text),
    }
    const options = { dataDir: golden.path, logger }
    const first = await openMillrace(options)
    left.push(() => first.close())
    const counts: Record<string, number> = {}
    for (const topic of TOPICS) {
      const records = await seen(first, topic)
      const expected = dumped(topic)
      expect(expected.size, topic).toBeGreaterThan(0)
      expect([...records.values()], topic).toEqual([...expected.values()])
      counts[topic] = records.size
    }
    expect(counts).toMatchObject({ access: 10_000, packed: 1_200, compacted: 51 })
    expect(messages).toEqual([])

    const access = await first.topic('access', { key: bytes(), value: bytes() })
    const { offset } = await first.producer().send(access, { key: new Uint8Array([1]), value: new Uint8Array([2]) })
    expect(offset).toBe(10_000)
    await first.close()
    const again = await openMillrace(options)
    left.push(() => again.close())
    expect((await seen(again, 'access')).get(10_000)).toMatchObject({ offset, keySize: 1, valueSize: 1 })
    expect((await seen(again, 'transacted')).size).toBe(counts['transacted'])
  })
})
