// Compaction of a topic in files, as a user sees it: through the public API, on the real disk, with real threads.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nullable, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, MillraceOptions, Topic, TopicConfig } from '../../src/index.ts'

const EAGER = {
  'cleanup.policy': ['compact'],
  'min.cleanable.dirty.ratio': 0,
  'segment.bytes': 1_048_576,
  'file.delete.delay.ms': 0,
} as const satisfies Partial<TopicConfig>
const FILLER = 'x'.repeat(20_000)
/** Of FILLER records, what fills a segment. */
const SEGMENT_RECORDS = 54

let dataDir: string
const open: EmbeddedMillrace[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-'))
})

afterEach(async () => {
  for (const millrace of open.splice(0)) await millrace.close()
  rmSync(dataDir, { recursive: true, force: true })
})

type Table = Topic<string, string | null>
type Seen = readonly [offset: number, key: string, value: string | null]

async function opened(options: MillraceOptions = {}): Promise<EmbeddedMillrace> {
  const config = { 'log.cleaner.backoff.ms': 5, 'log.retention.check.interval.ms': 20 }
  const millrace = await openMillrace({ dataDir, logLevel: 'silent', logMemoryBytes: 16 * 1024 * 1024, config, ...options })
  open.push(millrace)
  return millrace
}

function table(millrace: EmbeddedMillrace, name = 'table', config: Partial<TopicConfig> = EAGER): Promise<Table> {
  return millrace.topic(name, { key: string(), value: nullable(string()), config })
}

async function read(millrace: EmbeddedMillrace, topic: Table): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const { offset, key, value } of millrace.consumer().records(topic, { until: 'end' })) {
    seen.push([offset, key, value === null ? null : value.slice(0, value.indexOf(' '))])
  }
  return seen
}

/** What a topic was told, by offsets. */
class Sent {
  readonly all: Seen[] = []

  async send(millrace: EmbeddedMillrace, topic: Table, records: readonly (readonly [key: string, value: string | null])[]): Promise<void> {
    const results = await millrace.producer().sendAll(
      topic,
      records.map(([key, value]) => ({ key, value: value === null ? null : `${value} ${FILLER}` })),
    )
    for (const [i, { offset }] of results.entries()) this.all.push([offset, ...records[i]!])
  }

  /** Records of one key that fill so many segments: what is before them may be compacted. */
  fill(millrace: EmbeddedMillrace, topic: Table, segments: number): Promise<void> {
    return this.send(
      millrace,
      topic,
      Array.from({ length: segments * SEGMENT_RECORDS }, (_, i) => ['filler', `${i}`] as const),
    )
  }

  /** The last record of each key, by offset. */
  get lasts(): Seen[] {
    const last = new Map(this.all.map((each) => [each[1], each]))
    return [...last.values()].sort((a, b) => a[0] - b[0])
  }
}

/** Everything that is seen was sent, in its order, and what was last of a key is seen. */
function expectCompacted(seen: readonly Seen[], sent: Sent): void {
  const told = new Map(sent.all.map((each) => [each[0], each]))
  for (const each of seen) expect(each).toEqual(told.get(each[0]))
  expect(seen.map(([offset]) => offset)).toEqual(seen.map(([offset]) => offset).sort((a, b) => a - b))
  const offsets = new Set(seen.map(([offset]) => offset))
  expect(sent.lasts.filter(([offset]) => !offsets.has(offset))).toEqual([])
}

async function until<Value>(look: () => Promise<Value> | Value, holds: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    await setImmediate()
  }
}

const KEYS = Array.from({ length: 5 }, (_, i) => `k${i}`)
const values = (count: number, from = 0): [string, string][] =>
  Array.from({ length: count }, (_, i) => [KEYS[i % KEYS.length]!, `${from + i}`])
const directory = (name = 'table'): string => join(dataDir, `broker-0/${name}-0`)
const logBytes = (name?: string): number =>
  readdirSync(directory(name))
    .filter((file) => file.endsWith('.log'))
    .reduce((sum, file) => sum + (statSync(join(directory(name), file), { throwIfNoEntry: false })?.size ?? 0), 0)

test.each(['cache', 'disk'] as const)(
  '%s: the last value of each key stays, at its offset, also when it is opened again',
  async (durability) => {
    const first = await opened()
    const topic = await table(first, 'table', { ...EAGER, 'millrace.durability': durability })
    const sent = new Sent()
    await sent.send(first, topic, values(300))
    await sent.fill(first, topic, 1)
    // All of the 300 but the last of each key lie in closed segments.
    const isCompacted = (seen: readonly Seen[]): boolean => seen.filter(([, key]) => key !== 'filler').length === KEYS.length
    const seen = await until(() => read(first, topic), isCompacted)
    expectCompacted(seen, sent)
    // From within a hole.
    const consumer = first.consumer()
    consumer.seek(topic, 0, 17)
    for await (const { offset } of consumer.records(topic, { until: 'end' })) {
      expect(offset).toBe(295)
      break
    }
    await sent.send(first, topic, values(10, 300))
    expectCompacted(await read(first, topic), sent)
    await first.close()
    expect(readFileSync(join(dataDir, 'broker-0/cleaner-offset-checkpoint'), 'utf8')).toMatch(/^0\n1\ntable 0 [1-9]\d*\n$/)
    // What a job that was broken off had made goes when it is opened.
    const again = await opened({ config: { 'log.cleaner.threads': 0 } })
    expect(readdirSync(directory()).filter((name) => /cleaned|swap/.test(name))).toEqual([])
    const bound = await table(again)
    const reread = await read(again, bound)
    expectCompacted(reread, sent)
    expect(reread.length).toBeLessThan(200)
    await again.admin.incrementalAlterConfigs({ type: 'broker', set: { 'log.cleaner.threads': 1, 'log.cleaner.backoff.ms': 5 } })
    await sent.send(again, bound, values(300, 310))
    await sent.fill(again, bound, 1)
    expectCompacted(await until(() => read(again, bound), isCompacted), sent)
  },
)

test('tombstones stay for delete.retention.ms, then go, and what they deleted does not come back', async () => {
  const millrace = await opened()
  const topic = await table(millrace, 'table', { ...EAGER, 'delete.retention.ms': 1 })
  const sent = new Sent()
  await sent.send(millrace, topic, values(50))
  await sent.send(millrace, topic, [
    ['k1', null],
    ['k3', null],
  ])
  await sent.fill(millrace, topic, 2)
  const ofKeys = async (): Promise<Seen[]> => {
    const seen = (await read(millrace, topic)).filter(([, key]) => key !== 'filler')
    // Whatever was compacted by now: who is deleted has no value behind its tombstone, nor without one.
    const last = new Map(seen.map(([, key, value]) => [key, value]))
    for (const key of ['k1', 'k3']) expect(last.get(key) ?? null).toBeNull()
    return seen
  }
  await until(ofKeys, (seen) => seen.length <= KEYS.length)
  // The next compaction takes them.
  while ((await ofKeys()).length > 3) await sent.fill(millrace, topic, 1)
  expect((await ofKeys()).map(([, key, value]) => [key, value])).toEqual([
    ['k0', '45'],
    ['k2', '47'],
    ['k4', '49'],
  ])
})

test('readers that are in the middle of it miss no last value, and see each offset once', async () => {
  const millrace = await opened()
  const topic = await table(millrace)
  const sent = new Sent()
  const readers = Array.from({ length: 3 }, async () => {
    const seen: Seen[] = []
    for await (const { offset, key, value } of millrace.consumer().records(topic)) {
      if (key === 'end') return seen
      seen.push([offset, key, value!.slice(0, value!.indexOf(' '))])
      if (offset % 40 === 0) await setImmediate()
    }
    return seen
  })
  for (let i = 0; i < 20; i++) await sent.send(millrace, topic, values(60, i * 60))
  await millrace.producer().send(topic, { key: 'end', value: null })
  for (const reader of readers) expectCompacted(await reader, sent)
})

test('cleanup.policy altered while it runs: compacted from then on, and no more', async () => {
  const millrace = await opened()
  const topic = await table(millrace, 'table', { 'segment.bytes': 1_048_576, 'min.cleanable.dirty.ratio': 0 })
  const sent = new Sent()
  await sent.send(millrace, topic, values(300))
  await sent.fill(millrace, topic, 1)
  expect(await read(millrace, topic)).toHaveLength(sent.all.length)
  const alter = (policies: string): Promise<void> =>
    millrace.admin.incrementalAlterConfigs({ type: 'topic', name: 'table', set: { 'cleanup.policy': policies } })
  await alter('compact,delete')
  const seen = await until(
    () => read(millrace, topic),
    ({ length }) => length < 100,
  )
  expectCompacted(seen, sent)
  await alter('delete')
  const kept = sent.all.length
  await sent.fill(millrace, topic, 2)
  const beforeClose = await read(millrace, topic)
  await millrace.close()
  // It is no damage that a topic that is compacted no more has holes.
  const again = await opened()
  const bound = await again.topic('table', { key: string(), value: nullable(string()) })
  const reread = await read(again, bound)
  expect(reread.map(([offset, key]) => `${offset} ${key}`)).toEqual(beforeClose.map(([offset, key]) => `${offset} ${key}`))
  expectCompacted(reread, sent)
  expect(reread.slice(-2 * SEGMENT_RECORDS)).toEqual(sent.all.slice(kept))
})

test('a compacted topic that is deleted while it is compacted is gone, and one of its name is its own', async () => {
  const millrace = await opened()
  for (let i = 0; i < 4; i++) {
    const topic = await table(millrace)
    const sent = new Sent()
    await sent.send(millrace, topic, values(120, i * 1_000))
    await sent.fill(millrace, topic, 1)
    expectCompacted(await read(millrace, topic), sent)
    await millrace.admin.deleteTopics(['table'])
  }
  const topic = await table(millrace)
  const sent = new Sent()
  await sent.send(millrace, topic, values(300))
  await sent.fill(millrace, topic, 1)
  expectCompacted(
    await until(
      () => read(millrace, topic),
      ({ length }) => length < 100,
    ),
    sent,
  )
})

test('files shrink, and old segments go after file.delete.delay.ms', async () => {
  const millrace = await opened()
  const topic = await table(millrace)
  const sent = new Sent()
  for (let i = 0; i < 10; i++) await sent.fill(millrace, topic, 1)
  const leftovers = (): string[] => readdirSync(directory()).filter((name) => name.endsWith('.deleted'))
  await until(
    () => [logBytes(), leftovers().length] as const,
    ([bytes, deleted]) => bytes < 3_000_000 && deleted === 0,
  )
  expect(existsSync(join(dataDir, 'broker-0/cleaner-offset-checkpoint'))).toBe(true)
  expectCompacted(await read(millrace, topic), sent)
})

test('a millrace that is closed in the middle of a compaction ends, and leaves all of it', async () => {
  const sent = new Sent()
  for (let round = 0; round < 6; round++) {
    const millrace = await opened()
    const topic = await table(millrace)
    expectCompacted(await read(millrace, topic), sent)
    await sent.send(millrace, topic, values(200, round * 200))
    await millrace.close()
  }
})
