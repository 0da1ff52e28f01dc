import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RETENTION_INTERNAL, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'
import { LogCleaner } from '../../src/log/log-cleaner.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { APPEND_NO_MEMORY, APPEND_PINNED_FULL } from '../../src/log/partition-log.ts'
import { writeInt32 } from '../../src/record/record-batch.ts'
import { CompactedWorld } from './compacted-world.ts'
import { CreepingClock } from './creeping-clock.ts'
import { keyedBatch, readKeyed } from './keyed-batches.ts'
import type { KeyedRecord } from './keyed-batches.ts'
import { LogFixture, granulesInUse, memoryFaults } from './log-fixture.ts'

const SEED = 0xc0de

/** Compacted as soon as there is anything to compact. */
const EAGER = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }

function record(key: string | null, value: string | null, timestampMs: number): KeyedRecord {
  return { key, value, timestampMs: Math.floor(timestampMs) }
}

function append(log: MemoryLog, records: readonly KeyedRecord[], options = {}): number {
  const bytes = keyedBatch(records, options)
  const offset = log.append(bytes, 0, bytes.length)
  expect(offset).toBeGreaterThanOrEqual(0)
  log.advance()
  return offset
}

/** Fills the log until the extents before have all been left. */
function fill(fixture: LogFixture, log: MemoryLog): void {
  const padding = 'x'.repeat(10_000)
  log.roll()
  for (let i = 0; i < 3; i++) append(log, [record(`filler ${log.endOffset}`, padding, fixture.clock.nowMs())])
  log.roll()
  append(log, [record('last', 'x', fixture.clock.nowMs())])
}

function clean(fixture: LogFixture): void {
  const { cleaner } = fixture.brokers[0]!.manager
  for (let i = 0; i < 10_000; i++) {
    fixture.turns(1, 0.1)
    if (!cleaner.hasWork) return
  }
  throw new Error('the cleaner does not end')
}

function valuesOf(fixture: LogFixture, slot = 0): Record<string, (string | null)[]> {
  const values: Record<string, (string | null)[]> = {}
  for (const { records } of readKeyed(fixture.memory, slot)) {
    for (const { key, value } of records) if (key?.startsWith('filler') === false && key !== 'last') (values[key] ??= []).push(value)
  }
  return values
}

describe('what stays', () => {
  test('the last value of each key, where it was', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const now = fixture.clock.nowMs()
    append(log, [record('a', '1', now), record('b', '1', now + 1), record('a', '2', now + 2)])
    append(log, [record('c', '1', now + 3), record('b', '2', now + 4)])
    append(log, [record('c', '2', now + 5)])
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'], b: ['2'], c: ['2'] })
    const batches = readKeyed(fixture.memory, 0)
    expect(batches[0]).toMatchObject({ baseOffset: 0, nextOffset: 3, count: 1, records: [{ offset: 2, key: 'a', timestampMs: now + 2 }] })
    expect(batches[1]).toMatchObject({ baseOffset: 3, nextOffset: 5, count: 1, records: [{ offset: 4, key: 'b', timestampMs: now + 4 }] })
    expect(log.startOffset).toBe(0)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('a batch of which nothing is left goes, and readers pass over the gap from any offset', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const now = fixture.clock.nowMs()
    for (let i = 0; i < 200; i++) append(log, [record(`k${i % 2}`, `${i}`.padEnd(1_000), now)])
    fill(fixture, log)
    const { endOffset } = log
    clean(fixture)
    expect(Object.keys(valuesOf(fixture))).toEqual(['k0', 'k1'])
    const first = readKeyed(fixture.memory, 0)[0]!
    expect(first.baseOffset).toBe(198)
    for (let offset = 0; offset < endOffset; offset++) {
      const [found] = readKeyed(fixture.memory, 0, offset)
      expect(found!.nextOffset).toBeGreaterThan(offset)
      expect(found!.baseOffset).toBe(Math.max(offset, 198))
    }
    expect(log.sizeInBytes).toBeLessThan(50_000)
  })

  test('tombstones until delete.retention.ms after they were first seen, then nothing of the key', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { ...EAGER, 'delete.retention.ms': '5000' })
    const now = fixture.clock.nowMs()
    append(log, [record('a', '1', now), record('b', '1', now), record('a', null, now + 7), record('c', '1', now + 9)])
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: [null], b: ['1'], c: ['1'] })
    const [batch] = readKeyed(fixture.memory, 0)
    const horizonMs = batch!.horizonMs!
    expect(horizonMs - now).toBeGreaterThanOrEqual(5_000)
    expect(horizonMs - now).toBeLessThan(5_100)
    // The times of records are what they were, though they are said from the horizon on.
    expect(batch!.records.map((each) => each.timestampMs - now)).toEqual([0, 7, 9])
    fixture.clock.advance(horizonMs - fixture.clock.nowMs() - 100)
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: [null], b: ['1'], c: ['1'] })
    // The horizon does not move.
    expect(readKeyed(fixture.memory, 0)[0]!.horizonMs).toBe(horizonMs)
    fixture.clock.advance(200)
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ b: ['1'], c: ['1'] })
    expect(readKeyed(fixture.memory, 0)[0]!.records.map((each) => each.timestampMs - now)).toEqual([0, 9])
  })

  test('a tombstone that comes back as a value stays as the value', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { ...EAGER, 'delete.retention.ms': '0' })
    append(log, [record('a', '1', 1), record('a', null, 2), record('a', '3', 3)])
    fill(fixture, log)
    clean(fixture)
    fixture.clock.advance(10_000)
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['3'] })
  })

  test('the last batch of each producer, empty if need be, with its epoch and sequence; not for ever', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const now = fixture.clock.nowMs()
    append(log, [record('a', '1', now)], { producerId: 7, producerEpoch: 3, baseSequence: 0 })
    append(log, [record('a', '2', now), record('b', '1', now)], { producerId: 7, producerEpoch: 3, baseSequence: 1 })
    append(log, [record('a', '3', now), record('b', '2', now)], { producerId: 8, producerEpoch: 0, baseSequence: 0 })
    fill(fixture, log)
    clean(fixture)
    const batches = readKeyed(fixture.memory, 0).filter(({ producerId }) => producerId >= 0)
    expect(batches.map(({ producerId, baseOffset, nextOffset, count }) => [producerId, baseOffset, nextOffset, count])).toEqual([
      [7, 1, 3, 0],
      [8, 3, 5, 2],
    ])
    fixture.clock.advance(25 * 3_600_000)
    fill(fixture, log)
    clean(fixture)
    expect(readKeyed(fixture.memory, 0).filter(({ producerId }) => producerId >= 0)).toHaveLength(1)
  })

  test('a CRC is written anew where there was one', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const large = 'v'.repeat(400_000)
    append(log, [record('a', '1', 1), record('b', large, 2), record('a', '2', 3)], { withCrc: true })
    append(log, [record('c', '1', 1), record('b', large, 2), record('c', null, 3)], { withCrc: true })
    append(log, [record('d', '1', 1), record('d', '2', 1)])
    fill(fixture, log)
    clean(fixture)
    const seen = readKeyed(fixture.memory, 0)
    expect(seen.slice(0, 3).map(({ crc, count }) => [crc, count])).toEqual([
      ['valid', 1],
      ['valid', 2],
      ['none', 1],
    ])
  })

  test.each([1, 2, 3, 4])('compressed with codec %i it is compacted, and stays compressed; whole where all of it stays', (compression) => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { ...EAGER, 'delete.retention.ms': '5000' })
    const now = fixture.clock.nowMs()
    const options = { compression, withCrc: true, producerId: 7, producerEpoch: 0, baseSequence: 0 }
    append(log, [record('a', '1', now), record('b', '1', now), record('a', '2', now + 3), record('c', null, now + 9)], options)
    append(log, [record('b', '2', now + 1)])
    append(log, [record('d', '1', now), record('e', '1', now)], { compression })
    append(log, [record('f', '1', now)])
    append(log, [record('f', '2', now)], { ...options, baseSequence: 4 })
    append(log, [record('f', '3', now)])
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'], b: ['2'], c: [null], d: ['1'], e: ['1'], f: ['3'] })
    const batches = readKeyed(fixture.memory, 0)
    expect(batches[0]).toMatchObject({ compression, crc: 'valid', count: 2, baseOffset: 0, nextOffset: 4 })
    expect(batches[0]!.records.map(({ offset, timestampMs }) => [offset, timestampMs - now])).toEqual([
      [2, 3],
      [3, 9],
    ])
    expect(batches[0]!.horizonMs! - now).toBeGreaterThanOrEqual(5_000)
    expect(batches.find(({ baseOffset }) => baseOffset === 5)).toMatchObject({ compression, crc: 'none', count: 2 })
    // What is left empty of the producer's last has no stream.
    expect(batches.find(({ baseOffset }) => baseOffset === 8)).toMatchObject({ compression: 0, crc: 'valid', count: 0, producerId: 7 })
    fixture.clock.advance(10_000)
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'], b: ['2'], d: ['1'], e: ['1'], f: ['3'] })
    expect(readKeyed(fixture.memory, 0)[0]).toMatchObject({ compression, crc: 'valid', count: 1 })
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('keys of compressed batches count for those before them that are not compressed, and the other way round', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    for (let i = 0; i < 300; i++) append(log, [record(`k${i % 20}`, `${i}`.padEnd(300), 1)], { compression: i % 5 })
    fill(fixture, log)
    clean(fixture)
    const found = valuesOf(fixture)
    expect(Object.entries(found).map(([key, values]) => [key, values.map((value) => value!.trim())])).toEqual(
      Array.from({ length: 20 }, (_, i) => [`k${i}`, [`${280 + i}`]]),
    )
  })

  test.each([
    ['a bomb', (bytes: Uint8Array) => bytes],
    ['a stream that is cut', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 20)],
  ])('%s is left alone with its log', (_, change) => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { ...EAGER, 'max.message.bytes': '8000000' })
    const whole = keyedBatch([record('a', 'x'.repeat(17 * 1024 * 1024), 1)], { compression: 4 })
    const bytes = Uint8Array.from(change(whole))
    writeInt32(bytes, 8, bytes.length - 12)
    expect(log.append(bytes, 0, bytes.length)).toBe(0)
    log.advance()
    append(log, [record('a', '2', 1)])
    fill(fixture, log)
    clean(fixture)
    expect(fixture.brokers[0]!.manager.cleaner.uncleanableLogs).toBe(1)
  })

  test('records without a key go: nobody can say which is the last', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    append(log, [record(null, 'x', 1), record('a', '1', 1)])
    fill(fixture, log)
    clean(fixture)
    expect(readKeyed(fixture.memory, 0)[0]!.records.map(({ key }) => key)).toEqual(['a'])
  })

  test('what is larger than a piece, in one batch of many records', () => {
    const clock = new CreepingClock()
    const fixture = new LogFixture({ logMemoryBytes: 32 * 1024 * 1024, clock })
    const log = fixture.configuredLog(0, EAGER)
    const records = Array.from({ length: 20_000 }, (_, i) => record(`k${i % 7_000}`, i % 3 === 0 ? null : `${i}`, i))
    append(log, records, { withCrc: true })
    fill(fixture, log)
    clock.creepMs = 0.3
    clean(fixture)
    clock.creepMs = 0
    const [batch] = readKeyed(fixture.memory, 0)
    expect(batch).toMatchObject({ crc: 'valid', count: 7_000, baseOffset: 0, nextOffset: 20_000 })
    const expected = records.flatMap((each, offset) => (offset >= 13_000 ? [{ ...each, offset }] : []))
    expect(batch!.records).toEqual(expected)
    expect(batch!.horizonMs).toBeGreaterThan(0)
  })
})

describe('what is compacted, and when', () => {
  test('never the last extent, nor what is not committed', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    append(log, [record('a', '1', 1), record('a', '2', 1)])
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['1', '2'] })
    log.roll()
    const bytes = keyedBatch([record('b', '1', 1), record('b', '2', 1)])
    log.append(bytes, 0, bytes.length)
    log.roll()
    log.append(bytes, 0, bytes.length)
    log.publishEnds()
    clean(fixture)
    log.publishHighWatermark(log.endOffset)
    expect(valuesOf(fixture)).toEqual({ a: ['2'], b: ['1', '2', '1', '2'] })
  })

  test('not before min.compaction.lag.ms, though it is dirty', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { ...EAGER, 'min.compaction.lag.ms': '60000' })
    append(log, [record('a', '1', fixture.clock.nowMs()), record('a', '2', fixture.clock.nowMs())])
    fill(fixture, log)
    clean(fixture)
    fixture.clock.advance(59_000)
    fixture.turns(1)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['1', '2'] })
    // Nothing is appended: time alone brings it.
    fixture.clock.advance(3_000)
    fixture.turns(1)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'] })
  })

  test('at the latest after max.compaction.lag.ms, though it is not dirty enough, and the last extent was not full', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '1',
      'max.compaction.lag.ms': '60000',
    })
    append(log, [record('a', '1', fixture.clock.nowMs()), record('a', '2', fixture.clock.nowMs())])
    for (let i = 0; i < 62; i++) {
      fixture.clock.advance(1_000)
      fixture.turns(1)
    }
    append(log, [record('b', '1', fixture.clock.nowMs())])
    expect(valuesOf(fixture)).toEqual({ a: ['1', '2'], b: ['1'] })
    for (let i = 0; i < 3; i++) {
      fixture.clock.advance(1_000)
      fixture.turns(1)
    }
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'], b: ['1'] })
  })

  test('when more than min.cleanable.dirty.ratio of it is dirty', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.5' })
    const { cleaner } = fixture.brokers[0]!.manager
    const cleaned: number[] = []
    const unique = 'u'.repeat(3_000)
    for (let i = 0; i < 400; i++) {
      append(log, [record(`k${i}`, unique, 1)])
      fixture.turns(1)
      if (cleaner.cleanings > cleaned.length) cleaned.push(log.endOffset)
    }
    expect(cleaned.length).toBeGreaterThan(2)
    // Each time the log is about twice as large as the time before.
    for (let i = 1; i < cleaned.length; i++) expect(cleaned[i]! / cleaned[i - 1]!).toBeGreaterThan(1.5)
    expect(Object.values(valuesOf(fixture))).toEqual(Array.from({ length: 400 }, () => [unique]))
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('an extent in which nothing changes stays as it is', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    append(log, [record('a', '1', 1)])
    fill(fixture, log)
    append(log, [record('b', '1', 1), record('b', '2', 1)])
    fill(fixture, log)
    const { first } = log.chain
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['1'], b: ['2'] })
    expect(log.chain.first).toBe(first)
  })

  test('a log in which something is no record is left alone, and the others are not', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const other = fixture.configuredLog(1, EAGER)
    const bytes = keyedBatch([record('a', '1', 1), record('a', '2', 1)])
    bytes.fill(0xff, 70)
    log.append(bytes, 0, bytes.length)
    append(other, [record('a', '1', 1), record('a', '2', 1)])
    for (const each of [log, other]) fill(fixture, each)
    clean(fixture)
    expect(fixture.brokers[0]!.manager.cleaner.uncleanableLogs).toBe(1)
    expect(valuesOf(fixture, 1)).toEqual({ a: ['2'] })
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('more keys than the map has room for take more compactions, and all of them are right', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, EAGER)
    const { memory, clock } = fixture
    const { allocator, manager } = fixture.brokers[0]!
    // Another cleaner has it.
    manager.unregister(0)
    const cleaned: number[] = []
    const onCleaned = (): void => void cleaned.push(log.cleanedOffset)
    const cleaner = new LogCleaner({ memory, allocator, clock, onCleaned, dedupeBufferBytes: 64 * 24 })
    for (let i = 0; i < 600; i++) append(log, [record(`k${i % 200}`, `${i}`.padEnd(500), 1), record(`k${i % 200}`, null, 1)])
    fill(fixture, log)
    for (let i = 0; i < 100; i++) {
      cleaner.consider(log)
      cleaner.tick(1)
    }
    // 48 keys at a time: each compaction goes on where the one before came to.
    expect(cleaned.length).toBeGreaterThan(10)
    expect(cleaned).toEqual([...new Set(cleaned)].toSorted((a, b) => a - b))
    const found = valuesOf(fixture)
    expect(Object.values(found)).toEqual(Array.from({ length: 200 }, () => [null]))
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('a policy that changes while it runs', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, {})
    append(log, [record('a', '1', fixture.clock.nowMs()), record('a', '2', fixture.clock.nowMs())])
    fill(fixture, log)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['1', '2'] })
    log.reconfigure({ ...log.config, isCompacted: true, minCleanableDirtyRatio: 0 })
    fixture.brokers[0]!.manager.reconfigured(0)
    clean(fixture)
    expect(valuesOf(fixture)).toEqual({ a: ['2'] })
  })
})

test('looking up by timestamp finds what is left', () => {
  const fixture = new LogFixture()
  const log = fixture.configuredLog(0, EAGER)
  for (let i = 0; i < 100; i++) append(log, [record(i % 10 === 0 ? `keep ${i}` : 'goes', 'v'.repeat(500), 1_000 + i)])
  append(log, [record('goes', 'v', 5_000)])
  fill(fixture, log)
  clean(fixture)
  for (let i = 0; i <= 90; i += 10) expect(log.findOffsetByTimestamp(1_000 + i)).toBe(i)
  expect(log.findOffsetByTimestamp(1_001)).toBe(10)
  expect(log.findOffsetByTimestamp(1_091)).toBe(100)
})

describe('memory', () => {
  const WORDS = 16 * 1024 * 1024

  /** Fills what is free of the arena with a log that nothing is taken of. */
  function occupy(fixture: LogFixture): MemoryLog {
    const other = fixture.log(7, RETENTION_INTERNAL)
    const bytes = keyedBatch([record('k', 'v'.repeat(12_000), 1)])
    for (let i = 0; i < 20; ) {
      if (other.append(bytes, 0, bytes.length) >= 0) continue
      other.advance()
      fixture.turns(1)
      i++
    }
    return other
  }

  test('where there is none it waits; the log goes on, and may be trimmed meanwhile', () => {
    const fixture = new LogFixture({ logMemoryBytes: WORDS })
    const log = fixture.configuredLog(0, { ...EAGER, 'cleanup.policy': 'compact,delete', 'min.compaction.lag.ms': '5000' })
    const { cleaner } = fixture.brokers[0]!.manager
    const nowMs = fixture.clock.nowMs()
    // Something stays of each extent, so nothing can be given back before something was written.
    const keyOf = (offset: number): string => (offset % 5 === 4 ? 'goes' : `k${offset}`)
    for (let offset = 0; offset < 300; offset++) append(log, [record(keyOf(offset), 'v'.repeat(3_000), nowMs)])
    // Nothing may be taken of it to make room, as of no log here.
    fixture.partition(0).setRetentionKind(RETENTION_INTERNAL)
    const other = occupy(fixture)
    fixture.clock.advance(6_000)
    for (let i = 0; i < 50; i++) fixture.turns(1)
    expect([cleaner.hasWork, cleaner.cleanings]).toEqual([false, 0])
    log.trimOldest()
    log.deleteRecordsBefore(log.startOffset + 40)
    fixture.turns(1)
    const start = log.startOffset
    for (let i = 0; i < 50; i++) fixture.turns(1)
    other.delete()
    fixture.turns(50)
    expect(cleaner.cleanings).toBeGreaterThan(0)
    expect(log.startOffset).toBe(start)
    expect(memoryFaults(fixture.memory)).toEqual([])
    const expected = new Set(Array.from({ length: 300 - start }, (_, i) => keyOf(start + i)))
    expect(new Set(Object.keys(valuesOf(fixture)))).toEqual(expected)
  })

  test('what it needs at a time is bounded, however large the log', () => {
    const clock = new CreepingClock()
    const fixture = new LogFixture({ logMemoryBytes: 128 * 1024 * 1024, clock })
    const log = fixture.configuredLog(0, { ...EAGER, 'min.compaction.lag.ms': '5000' })
    const nowMs = clock.nowMs()
    // Half of it goes, spread over all extents.
    for (let i = 0; i < 4_000; i++) append(log, [record(i % 2 === 0 ? 'goes' : `k${i}`, 'v'.repeat(8_000), nowMs)])
    fixture.turns(20)
    const before = granulesInUse(fixture.memory)
    clock.advance(6_000)
    clock.creepMs = 0.2
    let most = 0
    for (let i = 0; i < 20_000 && fixture.brokers[0]!.manager.cleaner.cleanings === 0; i++) {
      fixture.turns(1)
      most = Math.max(most, granulesInUse(fixture.memory))
    }
    // One old extent of 8 MiB at the most is there twice, in extents of 1 MiB.
    expect(most - before).toBeLessThanOrEqual((8 + 2) * 64)
    expect(granulesInUse(fixture.memory)).toBeLessThan(before * 0.75)
    expect(log.heldGranules).toBe(granulesInUse(fixture.memory))
    expect(readKeyed(fixture.memory, 0).filter(({ count }) => count > 0).length).toBeGreaterThanOrEqual(2_000)
  })

  test('a topic that is only compacted is not trimmed to make room: it is compacted, and then refuses', () => {
    const fixture = new LogFixture({ logMemoryBytes: WORDS })
    const log = fixture.configuredLog(0, { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '1' }, RETENTION_PINNED)
    const send = (key: string): number => {
      const bytes = keyedBatch([record(key, 'v'.repeat(10_000), 1)])
      for (let i = 0; ; i++) {
        const offset = log.append(bytes, 0, bytes.length)
        log.advance()
        fixture.turns(1)
        if (offset !== APPEND_NO_MEMORY) return offset
        if (i === 1_000) throw new Error('it waits for ever')
      }
    }
    // Ten times what it may hold, of a few keys: all of it is taken.
    for (let i = 0; i < 8_000; i++) expect(send(`k${i % 20}`)).toBe(i)
    expect(log.startOffset).toBe(0)
    expect(Object.keys(valuesOf(fixture))).toHaveLength(20)
    // Of ever new keys nothing can go.
    let taken = 0
    while (send(`new ${taken}`) >= 0) taken++
    expect(send('one more')).toBe(APPEND_PINNED_FULL)
    expect(taken).toBeGreaterThan(500)
    expect(Object.keys(valuesOf(fixture))).toHaveLength(20 + taken)
    expect(log.heldGranules).toBeLessThanOrEqual(512)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('a compaction that is under way when its log is let go of, or deleted, leaves nothing behind', () => {
    for (const how of ['let go', 'deleted'] as const) {
      const clock = new CreepingClock()
      const fixture = new LogFixture({ logMemoryBytes: 64 * 1024 * 1024, clock })
      const log = fixture.configuredLog(0, EAGER)
      for (let i = 0; i < 1_000; i++) append(log, [record(i % 2 === 0 ? 'goes' : `k${i}`, 'v'.repeat(8_000), 1)])
      const { cleaner } = fixture.brokers[0]!.manager
      clock.creepMs = 0.2
      for (let i = 0; memoryFaults(fixture.memory).length === 0; i++) {
        expect(i).toBeLessThan(1_000)
        fixture.turns(1)
      }
      clock.creepMs = 0
      expect(cleaner.hasWork).toBe(true)
      if (how === 'deleted') log.delete()
      else fixture.brokers[0]!.letGo(0)
      fixture.turns(5)
      expect(cleaner.hasWork).toBe(false)
      expect(memoryFaults(fixture.memory)).toEqual([])
    }
  })

  test('a turn takes its time and no more', () => {
    const clock = new CreepingClock()
    const fixture = new LogFixture({ logMemoryBytes: 64 * 1024 * 1024, clock })
    const log = fixture.configuredLog(0, EAGER)
    for (let i = 0; i < 100; i++) {
      const records = Array.from({ length: 500 }, (_, n) => record(`k${(i * 7 + n) % 900}`, n % 5 === 0 ? null : 'v'.repeat(100), 1))
      append(log, records, { withCrc: i % 2 === 0 })
    }
    clock.creepMs = 0.05
    const { manager, allocator } = fixture.brokers[0]!
    let turns = 0
    for (; manager.cleaner.cleanings === 0; turns++) {
      allocator.tick()
      const beforeMs = clock.monotonicMs()
      manager.cleaner.tick(1)
      // A look is at every few hundred records: what one takes is not counted here.
      expect(clock.monotonicMs() - beforeMs).toBeLessThan(1 + 0.25)
    }
    expect(turns).toBeGreaterThan(10)
  })
})

describe('against a naive model', () => {
  const command = fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('append' as const), seed: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('clean' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('roll' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), part: fc.double({ min: 0, max: 0.3, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const) }) },
  )
  test.each([
    ['all at once', 0],
    ['in small pieces', 0.4],
  ])('any order of appends, compactions, trims, deletions and deaths, %s', (_, creepMs) => {
    let cleanings = 0
    fc.assert(
      fc.property(fc.array(command, { minLength: 30, maxLength: 120, size: 'max' }), (commands) => {
        const world = new CompactedWorld(creepMs)
        for (const each of commands) {
          world.do(each)
          world.expectRight()
        }
        world.settle()
        world.expectRight()
        expect(world.faults()).toEqual([])
        cleanings += world.cleanings
      }),
      { seed: SEED, numRuns: 40 },
    )
    expect(cleanings).toBeGreaterThan(60)
  })
})
