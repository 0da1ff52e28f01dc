import { describe, expect, test } from 'vitest'
import { LOOK_EVERY_MS } from '../../src/log/log-manager.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { READ_OVERTAKEN, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { LogFixture, memoryFaults } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

function append(fixture: LogFixture, log: PartitionLog, batches: number, sizeInBytes = 3_000): void {
  for (let number = 0; number < batches; number++) {
    const batch = patternBatch({ number, records: 1, sizeInBytes, timestampMs: fixture.clock.nowMs() })
    expect(log.append(batch, 0, sizeInBytes)).toBeGreaterThanOrEqual(0)
  }
  log.advance()
}

/** Turns as a broker has them: when a timer it set comes, and when work comes. */
function sleepUntil(fixture: LogFixture, untilMs: number): number {
  const { clock } = fixture
  const { manager } = fixture.brokers[0]!
  let wakes = 0
  for (;;) {
    fixture.brokers[0]!.turn()
    const dueMs = Math.max(1, manager.dueInMs(clock.monotonicMs()))
    if (clock.monotonicMs() + dueMs > untilMs) break
    clock.advance(dueMs)
    wakes++
  }
  clock.advance(untilMs - clock.monotonicMs())
  return wakes
}

describe('retention by age', () => {
  test('an extent goes within a second of the instant at which its latest record is too old', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { 'retention.ms': '60000' })
    append(fixture, log, 4)
    fixture.clock.advance(30_000)
    append(fixture, log, 31)
    // The first extent holds the four and one that is later.
    sleepUntil(fixture, 60_000)
    expect(log.startOffset).toBe(0)
    sleepUntil(fixture, 90_000)
    expect(log.startOffset).toBe(0)
    const wakes = sleepUntil(fixture, 90_001 + LOOK_EVERY_MS)
    expect([log.startOffset, log.heldGranules, log.expiredRecords]).toEqual([35, 0, 35])
    expect(wakes).toBeLessThanOrEqual(2)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('readers are told how much they missed', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { 'retention.ms': '1000' })
    append(fixture, log, 40)
    const reader = new SharedLogReader(fixture.memory, 0)
    const target = { bytes: new Uint8Array(3_000), length: 0 }
    reader.read(target, 3_000)
    sleepUntil(fixture, 10_000)
    expect(reader.read(target, 3_000)).toBe(READ_OVERTAKEN)
    expect(reader.logStartOffset - reader.position).toBe(39)
  })

  test('a broker is woken once for what expires once, whatever the age', () => {
    for (const retentionMs of [10_000, 100_000, 7 * 24 * 3_600_000]) {
      const fixture = new LogFixture()
      const log = fixture.configuredLog(0, { 'retention.ms': `${retentionMs}`, 'segment.ms': '99999999999' })
      append(fixture, log, 3)
      const wakes = sleepUntil(fixture, retentionMs + 2 * LOOK_EVERY_MS)
      expect(log.heldGranules).toBe(0)
      // Once at the start, once at the end, and every five minutes between.
      expect(wakes).toBeLessThanOrEqual(3 + retentionMs / 300_000)
    }
  })

  test('thousands of logs that have nothing due are not looked at', () => {
    const fixture = new LogFixture({ partitionsMax: 4_000 })
    const logs = Array.from({ length: 900 }, (_, slot) => fixture.configuredLog(slot, { 'retention.ms': slot === 0 ? '5000' : '600000' }))
    for (const log of logs) append(fixture, log, 1)
    let looks = 0
    for (const log of logs) {
      const { trimExpired } = log
      log.trimExpired = (nowMs, monotonicMs, max) => {
        looks++
        return trimExpired.call(log, nowMs, monotonicMs, max)
      }
    }
    // All are looked at once, a few a turn, to see when they are due.
    for (let turn = 0; turn < 40; turn++) {
      const before = looks
      fixture.brokers[0]!.turn()
      expect(looks - before).toBeLessThanOrEqual(32)
      fixture.clock.advance(turn === 0 ? LOOK_EVERY_MS : 0.1)
    }
    expect(looks).toBe(900)
    for (let i = 0; i < 600; i++) {
      fixture.brokers[0]!.turn()
      fixture.clock.advance(10)
    }
    expect(looks).toBe(901)
    expect(logs.map((log) => log.heldGranules).filter((held) => held === 0)).toHaveLength(1)
  })

  test('an empty log has nothing due, and neither has one that was let go of', () => {
    const fixture = new LogFixture()
    const [broker] = fixture.brokers
    const { manager } = broker!
    expect(manager.dueInMs(0)).toBe(Number.POSITIVE_INFINITY)
    const log = fixture.configuredLog(0, { 'retention.ms': '1000' })
    expect(manager.dueInMs(0)).toBe(Number.POSITIVE_INFINITY)
    append(fixture, log, 1)
    expect(manager.dueInMs(0)).toBe(LOOK_EVERY_MS)
    broker!.letGo(0)
    sleepUntil(fixture, 10_000)
    expect(manager.dueInMs(fixture.clock.monotonicMs())).toBe(Number.POSITIVE_INFINITY)
    expect(log.heldGranules).toBe(1)
  })

  test('the next leader goes on where the one before was', () => {
    const fixture = new LogFixture({ brokers: 2 })
    append(fixture, fixture.configuredLog(0, { 'retention.ms': '1000' }), 3)
    fixture.brokers[0]!.letGo(0)
    const log = fixture.brokers[1]!.lead(0, 2, fixture.log(1).config)
    log.reconfigure({ ...log.config, retentionMs: 1_000 })
    fixture.brokers[1]!.manager.reconfigured(0)
    for (let i = 0; i < 5; i++) {
      fixture.turns(1)
      fixture.clock.advance(1_000)
    }
    expect(log.heldGranules).toBe(0)
  })

  test('configs may change: what is too old now goes', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, {})
    append(fixture, log, 10)
    sleepUntil(fixture, 50_000)
    expect(log.startOffset).toBe(0)
    log.reconfigure({ ...log.config, retentionMs: 40_000 })
    fixture.brokers[0]!.manager.reconfigured(0)
    sleepUntil(fixture, 52_000)
    expect(log.startOffset).toBe(10)
  })

  test('a clock that is set back deletes nothing', () => {
    const fixture = new LogFixture()
    const log = fixture.configuredLog(0, { 'retention.ms': '1000' })
    append(fixture, log, 3)
    const { clock } = fixture
    const { nowMs } = clock
    clock.nowMs = () => nowMs.call(clock) - 3_600_000
    sleepUntil(fixture, 100_000)
    expect(log.startOffset).toBe(0)
    clock.nowMs = nowMs
    sleepUntil(fixture, 500_000)
    expect(log.startOffset).toBe(3)
  })
})

test('the last extent is closed when it is as old as segment.ms says, so that what is in it can expire', () => {
  const fixture = new LogFixture()
  const log = fixture.configuredLog(0, { 'retention.ms': '5000', 'segment.ms': '2000' })
  const { extents } = fixture.memory
  for (let second = 1; second <= 60; second++) {
    append(fixture, log, 1, 100)
    sleepUntil(fixture, second * 1_000)
  }
  // Each extent holds what came in about two seconds; nothing is older than those and the five.
  expect(log.endOffset - log.startOffset).toBeLessThanOrEqual(11)
  expect(log.endOffset - log.startOffset).toBeGreaterThanOrEqual(5)
  for (let granule = fixture.partition(0).firstExtent; granule >= 0; granule = extents.next(granule)) expect(extents.order(granule)).toBe(0)
  expect(memoryFaults(fixture.memory)).toEqual([])
})
