// What every partition log promises, in memory or in files. A kind of log runs this
// with its own way to make one, to open it again after its leader died, and to read it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logConfigOf } from '../../src/log/log-config.ts'
import { APPEND_CORRUPT, APPEND_NO_OFFSETS, APPEND_TOO_LARGE } from '../../src/log/partition-log.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { BATCH_LENGTH, LAST_OFFSET_DELTA, MAGIC, MAX_TIMESTAMP } from '../../src/record/record-batch-layout.ts'
import { writeInt32 } from '../../src/record/record-batch.ts'
import { patternBatch } from '../log/pattern-batches.ts'
import type { SeenBatch } from '../log/pattern-batches.ts'

export interface LogUnderTest {
  readonly log: PartitionLog
  /** The committed batches from the one that holds `offset` on. */
  read(offset: number): SeenBatch[]
  /** The leader died: the log as the next leader opens it. */
  reopen(): PartitionLog
  close(): void
}

const SEED = 20_240_601
/** When everything is old. */
const LATE_MS = 2 ** 50

export function describePartitionLog(name: string, make: (startOffset: number) => LogUnderTest): void {
  const withLog = (body: (under: LogUnderTest) => void): void => withLogFrom(0, body)
  const withLogFrom = (startOffset: number, body: (under: LogUnderTest) => void): void => {
    const under = make(startOffset)
    try {
      body(under)
    } finally {
      under.close()
    }
  }
  const append = (log: PartitionLog, number: number, records = 1, sizeInBytes = 100, timestampMs = 0): number =>
    log.append(patternBatch({ number, records, sizeInBytes, timestampMs }), 0, sizeInBytes)

  describe(name, () => {
    test('an empty log starts and ends at 0, holds nothing and reads as empty', () => {
      withLog(({ log, read }) => {
        expect([log.startOffset, log.endOffset, log.durableEndOffset, log.highWatermark, log.lastStableOffset]).toEqual([0, 0, 0, 0, 0])
        expect(log.sizeInBytes).toBe(0)
        expect(read(0)).toEqual([])
        expect(log.trimOldest()).toBe(0)
        expect(log.findOffsetByTimestamp(0)).toBe(-1)
      })
    })

    test('offsets go up by the records of each batch', () => {
      withLog(({ log, read }) => {
        expect(append(log, 0, 3)).toBe(0)
        expect(append(log, 1, 1)).toBe(3)
        expect(append(log, 2, 10)).toBe(4)
        expect(log.endOffset).toBe(14)
        log.advance()
        expect(read(0).map(({ number, baseOffset }) => [number, baseOffset])).toEqual([
          [0, 0],
          [1, 3],
          [2, 4],
        ])
      })
    })

    test('nothing is seen before the watermark, and the watermark stops at what was appended', () => {
      withLog(({ log, read }) => {
        append(log, 0, 2)
        append(log, 1, 2)
        expect(read(0)).toEqual([])
        log.publishEnds()
        expect(log.durableEndOffset).toBe(4)
        expect(read(0)).toEqual([])
        log.publishHighWatermark(2)
        expect(read(0).map((batch) => batch.number)).toEqual([0])
        log.publishHighWatermark(1)
        expect(log.highWatermark).toBe(2)
        log.publishHighWatermark(3)
        expect(read(0).map((batch) => batch.number)).toEqual([0])
        log.publishHighWatermark(100)
        expect(log.highWatermark).toBe(4)
        expect(log.lastStableOffset).toBe(4)
        expect(read(0).map((batch) => batch.number)).toEqual([0, 1])
      })
    })

    test('a batch is taken from the middle of the memory it is in', () => {
      withLog(({ log, read }) => {
        for (const shared of [false, true]) {
          const around = new Uint8Array(shared ? new SharedArrayBuffer(1_000) : new ArrayBuffer(1_000))
          around.set(patternBatch({ number: 5, records: 2, sizeInBytes: 333 }), 77)
          expect(log.append(around, 77, 77 + 333)).toBeGreaterThanOrEqual(0)
          around.fill(0)
        }
        log.advance()
        expect(read(0).map((batch) => batch.number)).toEqual([5, 5])
      })
    })

    test('what is no whole batch is refused, and changes nothing', () => {
      withLog(({ log, read }) => {
        append(log, 0)
        const good = patternBatch({ number: 1, records: 1, sizeInBytes: 200 })
        expect(log.append(good, 0, 199)).toBe(APPEND_CORRUPT)
        expect(log.append(good, 1, 200)).toBe(APPEND_CORRUPT)
        expect(log.append(good, 0, 30)).toBe(APPEND_CORRUPT)
        expect(log.append(good, 0, 0)).toBe(APPEND_CORRUPT)
        const wrongMagic = good.slice()
        wrongMagic[MAGIC] = 1
        expect(log.append(wrongMagic, 0, 200)).toBe(APPEND_CORRUPT)
        const noRecords = good.slice()
        writeInt32(noRecords, LAST_OFFSET_DELTA, -1)
        expect(log.append(noRecords, 0, 200)).toBe(APPEND_CORRUPT)
        const wildTime = good.slice()
        wildTime.fill(0x7f, MAX_TIMESTAMP, MAX_TIMESTAMP + 8)
        expect(log.append(wildTime, 0, 200)).toBe(APPEND_CORRUPT)
        expect(log.append(good, 0, 200)).toBe(1)
        log.advance()
        expect(read(0).map((batch) => batch.number)).toEqual([0, 1])
      })
    })

    test('a batch above 8 MiB is too large; one of 8 MiB is not', () => {
      withLog(({ log, read }) => {
        const sizeInBytes = 8 * 1024 * 1024
        const largest = patternBatch({ number: 1, records: 1, sizeInBytes })
        const larger = new Uint8Array(sizeInBytes + 1)
        larger.set(largest)
        writeInt32(larger, BATCH_LENGTH, sizeInBytes + 1 - 12)
        expect(log.append(larger, 0, sizeInBytes + 1)).toBe(APPEND_TOO_LARGE)
        expect(log.append(largest, 0, sizeInBytes)).toBe(0)
        log.advance()
        expect(read(0).map((batch) => batch.sizeInBytes)).toEqual([sizeInBytes])
      })
    })

    test.each([2 ** 31 - 5, 2 ** 32 - 5, 2 ** 52 - 5])('offsets go on from %d', (startOffset) => {
      withLogFrom(startOffset, (under) => {
        const { log, read } = under
        for (let i = 0; i < 30; i++) expect(append(log, i, 3, 2_000)).toBe(startOffset + i * 3)
        log.advance()
        expect(log.highWatermark).toBe(startOffset + 90)
        for (let i = 0; i < 30; i++) expect(read(startOffset + i * 3 + 2)[0]).toMatchObject({ number: i, baseOffset: startOffset + i * 3 })
        expect(under.reopen().endOffset).toBe(startOffset + 90)
      })
    })

    test('batches as wide as offsets allow', () => {
      withLog(({ log, read }) => {
        const wide = patternBatch({ number: 0, records: 0x7fff_ffff, sizeInBytes: 100 })
        for (const expected of [0, 2 ** 31 - 1, 2 ** 32 - 2]) expect(log.append(wide, 0, 100)).toBe(expected)
        expect(append(log, 7, 1)).toBe(3 * (2 ** 31 - 1))
        log.advance()
        expect(read(2 ** 32).map((batch) => batch.baseOffset)).toEqual([2 ** 32 - 2, 3 * (2 ** 31 - 1)])
        expect(log.highWatermark).toBe(3 * (2 ** 31 - 1) + 1)
      })
    })

    test('offsets end at 2^53 - 1', () => {
      withLogFrom(Number.MAX_SAFE_INTEGER - 5, ({ log, read }) => {
        expect(append(log, 0, 6)).toBe(APPEND_NO_OFFSETS)
        expect(append(log, 1, 5)).toBe(Number.MAX_SAFE_INTEGER - 5)
        expect(append(log, 2, 1)).toBe(APPEND_NO_OFFSETS)
        log.advance()
        expect(log.highWatermark).toBe(Number.MAX_SAFE_INTEGER)
        expect(read(Number.MAX_SAFE_INTEGER - 1).map((batch) => batch.number)).toEqual([1])
      })
    })

    test('the oldest go only when they are committed, and are counted', () => {
      withLog(({ log, read }) => {
        for (let i = 0; i < 30; i++) append(log, i, 2, 3_000)
        expect(log.trimOldest()).toBe(0)
        expect(log.startOffset).toBe(0)
        log.advance()
        const size = log.sizeInBytes
        const trimmed = log.trimOldest()
        expect(trimmed).toBeGreaterThan(0)
        expect(log.startOffset).toBe(trimmed)
        expect(log.trimmedRecords).toBe(trimmed)
        expect(log.sizeInBytes).toBeLessThan(size)
        expect(read(trimmed)[0]).toMatchObject({ baseOffset: trimmed })
        while (log.trimOldest() > 0) continue
        expect(log.startOffset).toBe(60)
        expect(log.trimmedRecords).toBe(60)
        expect(log.heldGranules).toBe(0)
        expect(append(log, 99, 1)).toBe(60)
        log.advance()
        expect(read(60).map((batch) => batch.number)).toEqual([99])
      })
    })

    test('retention by size keeps at least so many bytes, and what is not committed', () => {
      withLog(({ log }) => {
        for (let i = 0; i < 60; i++) append(log, i, 2, 3_000)
        expect(log.trimToBytes(20_000)).toBe(0)
        log.advance()
        const trimmed = log.trimToBytes(20_000)
        expect(trimmed).toBeGreaterThan(0)
        expect(log.startOffset).toBe(trimmed)
        expect(log.sizeInBytes).toBe((120 - trimmed) * 1_500)
        expect(log.sizeInBytes).toBeGreaterThanOrEqual(20_000)
        expect(log.trimToBytes(20_000)).toBe(0)
        expect(log.trimToBytes(log.sizeInBytes)).toBe(0)
        expect([log.expiredRecords, log.trimmedRecords]).toEqual([trimmed, 0])
        // Nothing is to stay: the last segment goes too.
        log.trimToBytes(0)
        expect([log.startOffset, log.sizeInBytes, log.expiredRecords]).toEqual([120, 0, 120])
      })
    })

    test('retention by age takes the oldest segments as long as their latest record is too old', () => {
      withLog((under) => {
        const { log } = under
        log.reconfigure(logConfigOf({ 'retention.ms': '1000' }))
        expect(log.expiresInMs(LATE_MS, LATE_MS)).toBe(Number.POSITIVE_INFINITY)
        // Each twentieth record is late: its segment stays as long as it does.
        for (let i = 0; i < 200; i++) append(log, i, 2, 3_000, i % 20 === 0 ? 10_000 + i : i)
        expect(log.trimExpired(LATE_MS, LATE_MS, 100)).toBe(0)
        log.advance()
        const expiresMs = log.expiresInMs(0, LATE_MS)
        expect(expiresMs).toBeGreaterThan(10_000 + 1_000)
        expect(log.trimExpired(expiresMs - 1, LATE_MS, 100)).toBe(0)
        const expired = log.trimExpired(expiresMs, LATE_MS, 1)
        expect(expired).toBeGreaterThan(0)
        expect([log.startOffset, log.expiredRecords, log.trimmedRecords]).toEqual([expired, expired, 0])
        // What is behind it is older, and had to wait for it.
        expect(log.expiresInMs(0, LATE_MS)).toBeLessThan(expiresMs)
        expect(under.read(expired)[0]).toMatchObject({ baseOffset: expired })
        // The last segment goes as well, and offsets go on.
        log.trimExpired(LATE_MS, LATE_MS, 100)
        expect([log.startOffset, log.endOffset, log.sizeInBytes, log.heldGranules]).toEqual([400, 400, 0, 0])
        expect(log.expiresInMs(LATE_MS, LATE_MS)).toBe(Number.POSITIVE_INFINITY)
        expect(append(log, 200, 1)).toBe(400)
        log.advance()
        expect(under.reopen().startOffset).toBe(400)
        expect(under.read(400).map((batch) => batch.number)).toEqual([200])
      })
    })

    test.each([
      [600_000, 300_000],
      [1_000, 1_000],
    ])('records that come with old timestamps stay a while: with a retention of %d ms, %d', (retentionMs, staysMs) => {
      withLog(({ log }) => {
        log.reconfigure(logConfigOf({ 'retention.ms': `${retentionMs}` }))
        append(log, 0)
        log.advance()
        const begunMs = log.rollDueMs - log.config.segmentMs
        expect(log.expiresInMs(LATE_MS, begunMs)).toBe(staysMs)
        expect(log.trimExpired(LATE_MS, begunMs + staysMs - 1, 100)).toBe(0)
        expect(log.trimExpired(LATE_MS, begunMs + staysMs, 100)).toBe(1)
      })
    })

    test.each([{ 'retention.ms': '-1' }, { 'cleanup.policy': 'compact', 'retention.ms': '1' }])('nothing is too old with %o', (config) => {
      withLog(({ log }) => {
        log.reconfigure(logConfigOf(config))
        for (let i = 0; i < 20; i++) append(log, i, 1, 3_000)
        log.advance()
        expect(log.expiresInMs(LATE_MS, LATE_MS)).toBe(Number.POSITIVE_INFINITY)
        expect(log.trimExpired(LATE_MS, LATE_MS, 100)).toBe(0)
        expect(log.startOffset).toBe(0)
      })
    })

    test('records without a timestamp have no age', () => {
      withLog(({ log }) => {
        log.reconfigure(logConfigOf({ 'retention.ms': '0' }))
        append(log, 0, 1, 100, -1)
        log.advance()
        expect(log.expiresInMs(LATE_MS, LATE_MS)).toBe(Number.POSITIVE_INFINITY)
      })
    })

    test('what is not committed does not expire', () => {
      withLog(({ log }) => {
        log.reconfigure(logConfigOf({ 'retention.ms': '0' }))
        for (let i = 0; i < 60; i++) append(log, i, 1, 3_000)
        log.publishEnds()
        log.publishHighWatermark(30)
        const expired = log.trimExpired(LATE_MS, LATE_MS, 100)
        expect(expired).toBeGreaterThan(0)
        expect(log.startOffset).toBeLessThanOrEqual(30)
        expect(log.expiresInMs(LATE_MS, LATE_MS)).toBe(0)
      })
    })

    test('a segment that is closed takes nothing more, and an empty one is not closed', () => {
      withLog(({ log, read }) => {
        let rolls = 0
        log.onRoll = () => rolls++
        expect(log.rollDueMs).toBe(Number.POSITIVE_INFINITY)
        log.roll()
        append(log, 0)
        append(log, 1)
        expect(rolls).toBe(1)
        const { rollDueMs } = log
        log.reconfigure(logConfigOf({ 'segment.ms': '5' }))
        expect(log.rollDueMs).toBe(rollDueMs - 604_800_000 + 5)
        log.reconfigure(logConfigOf({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '7' }))
        expect(log.rollDueMs).toBe(rollDueMs - 604_800_000 + 7)
        log.roll()
        expect(log.rollDueMs).toBe(Number.POSITIVE_INFINITY)
        append(log, 2)
        append(log, 3)
        expect(rolls).toBe(2)
        log.advance()
        expect(read(0).map((batch) => [batch.number, batch.baseOffset])).toEqual([0, 1, 2, 3].map((i) => [i, i]))
        log.trimOldest()
        expect(log.startOffset).toBe(2)
      })
    })

    test('records are deleted up to the watermark at most', () => {
      withLog((under) => {
        const { log, read } = under
        for (let i = 0; i < 10; i++) append(log, i, 5)
        log.publishEnds()
        log.publishHighWatermark(30)
        // In the middle of a batch: who reads there is given the whole batch, and passes over what is below.
        expect(log.deleteRecordsBefore(12)).toBe(12)
        expect(log.startOffset).toBe(12)
        expect(read(12)[0]).toMatchObject({ baseOffset: 10 })
        expect(log.deleteRecordsBefore(3)).toBe(12)
        expect(log.deleteRecordsBefore(0)).toBe(12)
        for (const offset of [31, 50, 1_000, -2]) {
          expect(() => log.deleteRecordsBefore(offset)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }) as Error)
        }
        expect(log.startOffset).toBe(12)
        expect(log.deleteRecordsBefore(-1)).toBe(30)
        expect([log.trimmedRecords, log.expiredRecords]).toEqual([0, 0])
        log.advance()
        expect(log.deleteRecordsBefore(50)).toBe(50)
        expect([log.startOffset, log.endOffset, log.sizeInBytes]).toEqual([50, 50, 0])
        expect(append(log, 10, 1)).toBe(50)
        log.publishEnds()
        const next = under.reopen()
        expect([next.startOffset, next.endOffset]).toEqual([50, 51])
      })
    })

    test('records of a topic that is only compacted are not deleted by offset', () => {
      withLog(({ log }) => {
        append(log, 0)
        log.advance()
        log.reconfigure(logConfigOf({ 'cleanup.policy': 'compact' }))
        expect(() => log.deleteRecordsBefore(1)).toThrow(expect.objectContaining({ code: 'POLICY_VIOLATION' }) as Error)
        log.reconfigure(logConfigOf({ 'cleanup.policy': 'compact,delete' }))
        expect(log.deleteRecordsBefore(1)).toBe(1)
      })
    })

    test('a timestamp finds the first batch that holds one as late', () => {
      withLog(({ log }) => {
        for (let i = 0; i < 200; i++) append(log, i, 2, 1_000, i % 10 === 9 ? 50 : i * 10)
        log.advance()
        expect(log.findOffsetByTimestamp(-1)).toBe(0)
        expect(log.findOffsetByTimestamp(0)).toBe(0)
        expect(log.findOffsetByTimestamp(45)).toBe(10)
        expect(log.findOffsetByTimestamp(1_001)).toBe(202)
        expect(log.findOffsetByTimestamp(1_085)).toBe(220)
        expect(log.findOffsetByTimestamp(1_980)).toBe(396)
        expect(log.findOffsetByTimestamp(1_981)).toBe(-1)
        expect(log.findOffsetByTimestamp(45, 11)).toBe(10)
        expect(log.findOffsetByTimestamp(45, 12)).toBe(12)
        expect(log.findOffsetByTimestamp(1_980, 398)).toBe(-1)
        log.deleteRecordsBefore(301)
        expect(log.findOffsetByTimestamp(0)).toBe(300)
      })
    })

    test('the batch with the latest timestamp is found, the oldest of equals, in a range of offsets', () => {
      withLog(({ log }) => {
        expect(log.findOffsetOfMaxTimestamp(0, 1_000)).toBe(-1)
        for (let i = 0; i < 200; i++) append(log, i, 2, 1_000, i === 70 || i === 90 ? 5_000 : i * 10)
        expect(log.findOffsetOfMaxTimestamp(0, 1_000)).toBe(140)
        expect(log.findOffsetOfMaxTimestamp(141, 1_000)).toBe(180)
        expect(log.findOffsetOfMaxTimestamp(182, 1_000)).toBe(398)
        expect(log.findOffsetOfMaxTimestamp(0, 140)).toBe(138)
        expect(log.findOffsetOfMaxTimestamp(0, 0)).toBe(-1)
        log.advance()
        log.deleteRecordsBefore(300)
        expect(log.findOffsetOfMaxTimestamp(0, 1_000)).toBe(398)
        append(log, 200, 2, 1_000, -1)
        expect(log.findOffsetOfMaxTimestamp(400, 1_000)).toBe(-1)
      })
    })

    test('the next leader finds what was published, and offsets go on there', () => {
      withLog((under) => {
        for (let i = 0; i < 40; i++) append(under.log, i, 3, 1_500, i)
        under.log.publishEnds()
        for (let i = 40; i < 60; i++) append(under.log, i, 3, 1_500, i)
        const next = under.reopen()
        expect(next.endOffset).toBe(120)
        next.advance()
        expect(under.read(0).map((batch) => batch.number)).toEqual(Array.from({ length: 40 }, (_, i) => i))
        expect(append(next, 500, 1, 700, 7)).toBe(120)
        next.advance()
        expect(under.read(119).map((batch) => batch.number)).toEqual([39, 500])
        expect(next.findOffsetByTimestamp(39)).toBe(117)
        expect(next.findOffsetByTimestamp(40)).toBe(-1)
      })
    })

    test('a deleted log is gone for readers', () => {
      withLog(({ log, read }) => {
        append(log, 0)
        log.advance()
        log.delete()
        expect(log.sizeInBytes).toBe(0)
        expect(log.heldGranules).toBe(0)
        expect(read(0)).toEqual([])
      })
    })

    test('any order of appends, publishing, trimming, deleting and dying keeps what was promised', () => {
      const command = fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({
            kind: fc.constant('append' as const),
            size: fc.integer({ min: 61, max: 30_000 }),
            records: fc.integer({ min: 1, max: 9 }),
          }),
        },
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
      )
      fc.assert(
        fc.property(fc.array(command, { minLength: 20, maxLength: 80, size: 'max' }), (commands) =>
          withLog((under) => {
            let { log } = under
            let model: { number: number; baseOffset: number; nextOffset: number }[] = []
            let published = 0
            for (const [number, each] of commands.entries()) {
              if (each.kind === 'append') {
                const baseOffset = append(log, number, each.records, each.size)
                expect(baseOffset).toBe(model.at(-1)?.nextOffset ?? published)
                model.push({ number, baseOffset, nextOffset: baseOffset + each.records })
              } else if (each.kind === 'advance') {
                log.advance()
                published = log.endOffset
              } else if (each.kind === 'trim') {
                log.trimOldest()
              } else if (each.kind === 'delete') {
                log.deleteRecordsBefore(Math.floor(log.startOffset + each.part * (log.highWatermark - log.startOffset)))
              } else if (each.kind === 'die') {
                log = under.reopen()
                model = model.filter((batch) => batch.nextOffset <= published)
                log.advance()
              }
              expect(log.endOffset).toBe(model.at(-1)?.nextOffset ?? published)
              expect(log.startOffset).toBeLessThanOrEqual(log.highWatermark)
              const from = Math.floor(log.startOffset + (each.kind === 'read' ? each.part : 0) * (log.highWatermark - log.startOffset))
              const committed = model.filter((batch) => batch.nextOffset > from && batch.nextOffset <= log.highWatermark)
              expect(under.read(from).map((batch) => [batch.number, batch.baseOffset])).toEqual(
                committed.map((batch) => [batch.number, batch.baseOffset]),
              )
            }
          }),
        ),
        { seed: SEED, numRuns: 80 },
      )
    })
  })
}
