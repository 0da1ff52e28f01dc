import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { logConfigOf } from '../../src/log/log-config.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import type { LogMemory } from '../../src/log/log-memory.ts'
import { CONTROL_BYTES, RETENTION_DEFAULT } from '../../src/log/log-memory-layout.ts'
import { releaseSlot } from '../../src/log/partition-table.ts'
import { READ_DELETED, READ_EMPTY, READ_OK, READ_OUT_OF_RANGE, READ_OVERTAKEN, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { seededRandom } from '../../src/random.ts'
import { watchAtomics } from '../lane/atomic-steps.ts'
import { keyedBatch, keyedBatches, readKeyed } from './keyed-batches.ts'
import { LogFixture, MIB } from './log-fixture.ts'
import { patternBatch, seenBatches } from './pattern-batches.ts'

const SEED = 77

function makeTarget(sizeInBytes = 64 * 1024): { bytes: Uint8Array<ArrayBuffer>; length: number } {
  return { bytes: new Uint8Array(sizeInBytes), length: 0 }
}

describe('what compaction took', () => {
  /** Three extents of ten batches of ten offsets each, and where they start. */
  function threeExtents(): { fixture: LogFixture; granules: number[] } {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    const control = new ControlBlock(fixture.memory, 0)
    const granules: number[] = []
    for (let number = 0; granules.length < 4; number++) {
      log.append(patternBatch({ number, records: 10, sizeInBytes: 2_000 }), 0, 2_000)
      if (granules.at(-1) !== control.lastExtent) granules.push(control.lastExtent)
    }
    log.advance()
    return { fixture, granules }
  }

  function readAll(fixture: LogFixture, reader: SharedLogReader): number[] {
    const target = makeTarget()
    const numbers: number[] = []
    for (let i = 0; i < 100; i++) {
      const status = reader.read(target, 1_000_000)
      if (status === READ_OK) numbers.push(...seenBatches(target.bytes, target.length).map((batch) => batch.number))
      else if (status !== READ_EMPTY || !reader.hasNews) return numbers
    }
    throw new Error(`no end is found from slot ${fixture.memory.slotsHigh} on`)
  }

  test('at the beginning: the first batch that is left comes first, though the log starts before it', () => {
    const { fixture, granules } = threeExtents()
    const { extents } = fixture.memory
    const control = new ControlBlock(fixture.memory, 0)
    control.setFirstExtent(granules[1]!)
    const firstLeft = extents.baseOffset(granules[1]!) / 10
    for (const offset of [0, 1, extents.baseOffset(granules[1]!) - 1]) {
      const reader = new SharedLogReader(fixture.memory, 0)
      reader.seek(offset)
      expect(readAll(fixture, reader)[0]).toBe(firstLeft)
      expect(reader.position).toBe(control.highWatermark)
    }
  })

  test('in the middle: an extent that is gone, and the end of another', () => {
    const { fixture, granules } = threeExtents()
    const { extents } = fixture.memory
    extents.setIndexCount(granules[0]!, 0)
    extents.setEnd(granules[0]!, 4_000)
    extents.linkNext(granules[0]!, granules[2]!)
    const expected = [0, 1]
    for (let number = extents.baseOffset(granules[2]!) / 10; number < new ControlBlock(fixture.memory, 0).highWatermark / 10; number++) {
      expected.push(number)
    }
    for (const offset of [0, 19, 20, extents.baseOffset(granules[1]!), extents.baseOffset(granules[2]!) - 1]) {
      const reader = new SharedLogReader(fixture.memory, 0)
      reader.seek(offset)
      expect(readAll(fixture, reader)).toEqual(offset < 20 ? expected.slice(Math.floor(offset / 10)) : expected.slice(2))
    }
  })

  test('at the end: the position goes to the bound, and on when more comes', () => {
    const { fixture, granules } = threeExtents()
    const control = new ControlBlock(fixture.memory, 0)
    fixture.memory.extents.setIndexCount(granules[3]!, 0)
    fixture.memory.extents.setEnd(granules[3]!, 0)
    const end = control.highWatermark
    for (const offset of [0, end - 5, end]) {
      const reader = new SharedLogReader(fixture.memory, 0)
      reader.seek(offset)
      readAll(fixture, reader)
      expect(reader.position).toBe(end)
      expect(reader.hasNews).toBe(false)
    }
  })

  test('all of it: a chain without an extent', () => {
    const { fixture } = threeExtents()
    const control = new ControlBlock(fixture.memory, 0)
    control.setFirstExtent(-1)
    control.setLastExtent(-1)
    const reader = new SharedLogReader(fixture.memory, 0)
    expect(reader.read(makeTarget(), 1_000)).toBe(READ_EMPTY)
    expect([reader.position, reader.hasNews]).toEqual([control.highWatermark, false])
  })

  test.each([0, 1])('is not taken for what retention took, when extent %i is the first still', (first) => {
    const { fixture, granules } = threeExtents()
    const control = new ControlBlock(fixture.memory, 0)
    const reader = new SharedLogReader(fixture.memory, 0)
    expect(reader.read(makeTarget(), 1)).toBe(READ_OK)
    const { position } = reader
    control.publishLogStart(fixture.memory.extents.baseOffset(granules[1]!))
    control.setFirstExtent(granules[first]!)
    expect(reader.read(makeTarget(), 1)).toBe(READ_OVERTAKEN)
    reader.seek(position)
    expect(reader.read(makeTarget(), 1)).toBe(READ_OUT_OF_RANGE)
    expect(reader.position).toBe(position)
  })
})

describe('passing over', () => {
  test('counts the bytes that reading would copy, and moves as reading does', () => {
    const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
    const log = fixture.log(0)
    const random = seededRandom(SEED)
    for (let number = 0; number < 400; number++) {
      const sizeInBytes = 61 + random.below(5_000)
      log.append(patternBatch({ number, records: 1 + random.below(20), sizeInBytes }), 0, sizeInBytes)
    }
    log.advance()
    const reader = new SharedLogReader(fixture.memory, 0)
    const scout = new SharedLogReader(fixture.memory, 0)
    const target = makeTarget(100_000)
    for (;;) {
      const budget = 1 + random.below(60_000)
      const status = reader.read(target, budget)
      expect(scout.pass(budget)).toBe(status)
      expect([scout.passedBytes, scout.position]).toEqual([target.length, reader.position])
      if (status !== READ_OK) break
    }
    expect(scout.position).toBe(log.endOffset)
    log.delete()
    expect(scout.pass(1)).toBe(READ_DELETED)
  })
})

describe('reading on', () => {
  test('every batch comes once, whole and in order, whatever the sizes and budgets', () => {
    const size = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 61, max: 3_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 61, max: 200_000 }) },
    )
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 150 }),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }),
        (sizes, budgets) => {
          const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
          const log = fixture.log(0)
          const reader = new SharedLogReader(fixture.memory, 0)
          const target = makeTarget(100)
          const seen: number[] = []
          for (const [number, sizeInBytes] of sizes.entries()) {
            expect(log.append(patternBatch({ number, records: (number % 3) + 1, sizeInBytes }), 0, sizeInBytes)).toBeGreaterThanOrEqual(0)
            if (number % 7 === 0) log.advance()
            const budget = budgets[number % budgets.length]!
            if (number % 5 === 0 && reader.read(target, budget) === READ_OK) {
              const batches = seenBatches(target.bytes, target.length)
              if (batches.length > 1) expect(target.length).toBeLessThanOrEqual(budget)
              expect(batches.at(-1)!.nextOffset).toBe(reader.position)
              seen.push(...batches.map((batch) => batch.number))
            }
          }
          log.advance()
          while (reader.read(target, budgets[0]!) === READ_OK)
            seen.push(...seenBatches(target.bytes, target.length).map((batch) => batch.number))
          expect(seen).toEqual(sizes.map((_, number) => number))
          expect(reader.position).toBe(log.highWatermark)
        },
      ),
      { seed: SEED, numRuns: 60 },
    )
  })

  test('any offset can be sought: the batch that holds it comes first', () => {
    const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
    const log = fixture.log(0)
    const random = seededRandom(SEED)
    for (let number = 0; number < 600; number++) {
      const sizeInBytes = 61 + random.below(3_000)
      log.append(patternBatch({ number, records: 1 + random.below(20), sizeInBytes }), 0, sizeInBytes)
    }
    log.advance()
    const reader = new SharedLogReader(fixture.memory, 0)
    const target = makeTarget()
    for (let i = 0; i < 2_000; i++) {
      const offset = random.below(log.endOffset)
      reader.seek(offset)
      expect(reader.read(target, 1)).toBe(READ_OK)
      const [first, ...others] = seenBatches(target.bytes, target.length)
      expect(others).toEqual([])
      expect(first!.baseOffset).toBeLessThanOrEqual(offset)
      expect(first!.nextOffset).toBeGreaterThan(offset)
    }
  })

  test('a batch that does not fit is given a larger target, and only then', () => {
    const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
    const log = fixture.log(0)
    for (const [number, sizeInBytes] of [500, 5 * MIB, 700].entries())
      log.append(patternBatch({ number, records: 1, sizeInBytes }), 0, sizeInBytes)
    log.advance()
    const reader = new SharedLogReader(fixture.memory, 0)
    const target = makeTarget(1_000)
    const first = target.bytes
    expect(reader.read(target, 1_000_000)).toBe(READ_OK)
    expect([target.length, target.bytes === first]).toEqual([500, true])
    expect(reader.read(target, 1_000_000)).toBe(READ_OK)
    expect([target.length, target.bytes.length]).toEqual([5 * MIB, 8 * MIB])
    expect(seenBatches(target.bytes, target.length)).toHaveLength(1)
    expect(reader.read(target, 1_000_000)).toBe(READ_OK)
    expect(target.length).toBe(700)
  })

  test('one call gives what one extent has; the next goes on in the next', () => {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    for (let number = 0; number < 20; number++) log.append(patternBatch({ number, records: 1, sizeInBytes: 4_000 }), 0, 4_000)
    log.advance()
    const reader = new SharedLogReader(fixture.memory, 0)
    const target = makeTarget(1_000_000)
    const lengths: number[] = []
    while (reader.read(target, 1_000_000) === READ_OK) lengths.push(target.length / 4_000)
    expect(lengths).toEqual([4, 8, 8])
  })

  test('a follower reads to the log end, a consumer to the watermark', () => {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    for (let number = 0; number < 4; number++) log.append(patternBatch({ number, records: 1, sizeInBytes: 100 }), 0, 100)
    log.publishEnds()
    log.publishHighWatermark(2)
    const target = makeTarget()
    const follower = new SharedLogReader(fixture.memory, 0, 'logEndOffset')
    expect(follower.read(target, 10_000)).toBe(READ_OK)
    expect(follower.position).toBe(4)
    for (const bound of ['highWatermark', 'lastStableOffset'] as const) {
      const reader = new SharedLogReader(fixture.memory, 0, bound)
      expect(reader.read(target, 10_000)).toBe(READ_OK)
      expect([reader.position, reader.endOffset, target.length]).toEqual([2, 2, 200])
    }
  })
})

describe('where there is nothing to read', () => {
  function filled(): { fixture: LogFixture; log: ReturnType<LogFixture['log']>; reader: SharedLogReader } {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    for (let number = 0; number < 40; number++) log.append(patternBatch({ number, records: 1, sizeInBytes: 4_000 }), 0, 4_000)
    log.advance()
    return { fixture, log, reader: new SharedLogReader(fixture.memory, 0) }
  }

  test('at the end it is empty until there is more', () => {
    const { log, reader } = filled()
    const target = makeTarget()
    reader.seek(40)
    expect(reader.read(target, 1_000)).toBe(READ_EMPTY)
    expect([reader.hasNews, target.length]).toEqual([false, 0])
    log.append(patternBatch({ number: 40, records: 1, sizeInBytes: 100 }), 0, 100)
    log.publishEnds()
    expect(reader.read(target, 1_000)).toBe(READ_EMPTY)
    log.advance()
    expect(reader.hasNews).toBe(true)
    expect(reader.read(target, 1_000)).toBe(READ_OK)
  })

  test('an offset between watermark and log end is empty, one beyond the log end is out of range', () => {
    const { log, reader } = filled()
    log.append(patternBatch({ number: 40, records: 5, sizeInBytes: 100 }), 0, 100)
    log.publishEnds()
    reader.seek(44)
    expect(reader.read(makeTarget(), 1_000)).toBe(READ_EMPTY)
    reader.seek(46)
    expect(reader.read(makeTarget(), 1_000)).toBe(READ_OUT_OF_RANGE)
    expect(reader.position).toBe(46)
  })

  test('what was sought too low is out of range; what was lost on the way is overtaken', () => {
    const { fixture, log, reader } = filled()
    const target = makeTarget()
    expect(reader.read(target, 1)).toBe(READ_OK)
    const late = new SharedLogReader(fixture.memory, 0)
    while (log.startOffset < 10) log.trimOldest()
    expect(reader.read(target, 1)).toBe(READ_OVERTAKEN)
    expect(reader.position).toBe(1)
    expect(reader.hasNews).toBe(true)
    expect(late.read(target, 1)).toBe(READ_OUT_OF_RANGE)
    reader.seek(reader.logStartOffset)
    expect(reader.read(target, 1)).toBe(READ_OK)
    expect(seenBatches(target.bytes, target.length)[0]!.number).toBe(log.startOffset)
  })

  test('deleted records are overtaken too, though their memory is still there', () => {
    const { log, reader } = filled()
    expect(reader.read(makeTarget(), 1)).toBe(READ_OK)
    log.deleteRecordsBefore(2)
    expect(reader.read(makeTarget(), 1)).toBe(READ_OVERTAKEN)
  })

  test('a reader at the end is not overtaken when all is trimmed, and goes on with what comes', () => {
    const { log, reader } = filled()
    const target = makeTarget()
    while (reader.read(target, 100_000) === READ_OK) continue
    while (log.heldGranules > 0) log.trimOldest()
    expect(reader.read(target, 1)).toBe(READ_EMPTY)
    log.append(patternBatch({ number: 99, records: 1, sizeInBytes: 100 }), 0, 100)
    log.advance()
    expect(reader.read(target, 1)).toBe(READ_OK)
    expect(seenBatches(target.bytes, target.length)[0]!.number).toBe(99)
  })

  test.each(['highWatermark', 'logEndOffset', 'lastStableOffset'] as const)('the cheap look says no only at the end: %s', (bound) => {
    const { fixture, log } = filled()
    const reader = new SharedLogReader(fixture.memory, 0, bound)
    const target = makeTarget(100_000)
    do expect(reader.mayHaveNews).toBe(true)
    while (reader.read(target, 100_000) === READ_OK)
    expect([reader.mayHaveNews, reader.hasNews]).toEqual([false, false])
    log.append(patternBatch({ number: 99, records: 1, sizeInBytes: 100 }), 0, 100)
    expect([reader.mayHaveNews, reader.hasNews]).toEqual([false, false])
    log.advance()
    expect(reader.mayHaveNews).toBe(true)
    expect([reader.read(target, 1), reader.mayHaveNews]).toEqual([READ_OK, true])
    expect([reader.read(target, 1), reader.mayHaveNews]).toEqual([READ_EMPTY, false])
    reader.seek(reader.position - 1)
    expect(reader.mayHaveNews).toBe(true)
    while (reader.read(target, 100_000) === READ_OK) continue
    log.delete()
    expect([reader.mayHaveNews, reader.read(target, 1)]).toEqual([true, READ_DELETED])
  })

  test('a deleted partition says so, and so does its slot in the hands of another', () => {
    const { fixture, log, reader } = filled()
    log.delete()
    expect(reader.read(makeTarget(), 1)).toBe(READ_DELETED)
    expect(reader.hasNews).toBe(true)
    const control = fixture.partition(0)
    control.tryResign(control.leaderWord())
    releaseSlot(fixture.memory, 0)
    expect(new SharedLogReader(fixture.memory, 0).read(makeTarget(), 1)).toBe(READ_DELETED)
    fixture.log(0, RETENTION_DEFAULT)
    expect(reader.read(makeTarget(), 1)).toBe(READ_DELETED)
  })
})

describe('memory that is reused under the reader', () => {
  test.each(['another partition', 'the same partition'] as const)(
    'by %s, at any atomic step of a read: whole batches, none left out, or the word that it was overtaken',
    (user) => {
      const outcomes = new Map<number, number>()
      // 4 is the end of the first extent: the read goes on to the next one.
      for (const from of ['a read before', 'a seek', 'the end of an extent'] as const) {
        for (let step = 0, ran = true; ran; step++) {
          ran = false
          const { fixture, reader, reuse } = readerUnderReuse(user)
          const target = makeTarget()
          if (from === 'a seek') reader.seek(9)
          else expect(reader.read(target, from === 'a read before' ? 1 : 16_000)).toBe(READ_OK)
          const position = reader.position
          let steps = 0
          let result = -1
          const before = (): void => {
            if (steps++ !== step) return
            ran = true
            reuse()
          }
          watchAtomics(sharedWords(fixture.memory), { before }, () => {
            result = reader.read(target, 1_000_000)
          })
          outcomes.set(result, (outcomes.get(result) ?? 0) + 1)
          if (result === READ_OK) {
            const batches = seenBatches(target.bytes, target.length)
            expect(batches.map((batch) => batch.number)).toEqual(batches.map((_, i) => position + i))
            expect(batches.map((batch) => batch.baseOffset)).toEqual(batches.map((_, i) => position + i))
          } else {
            expect([READ_OVERTAKEN, READ_OUT_OF_RANGE]).toContain(result)
            expect(reader.position).toBe(position)
          }
        }
      }
      expect(outcomes.get(READ_OVERTAKEN)).toBeGreaterThan(20)
      expect(outcomes.get(READ_OK)).toBeGreaterThan(0)
    },
  )

  /** A reader, and something that trims its partition and lets the memory be filled anew. */
  function readerUnderReuse(user: string): { fixture: LogFixture; reader: SharedLogReader; reuse: () => void } {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, partitionsMax: 200 })
    // So many partitions that all extents are of 16 KiB: then they come back as they were.
    for (let slot = 2; slot < 142; slot++) fixture.log(slot).append(patternBatch({ number: 0, records: 1, sizeInBytes: 100 }), 0, 100)
    fixture.turns(2)
    const log = fixture.log(0)
    const rival = fixture.log(1)
    for (let number = 0; number < 40; number++) log.append(patternBatch({ number, records: 1, sizeInBytes: 4_000 }), 0, 4_000)
    log.advance()
    const filling = user === 'the same partition' ? log : rival
    const reuse = (): void => {
      while (log.startOffset < 24) log.trimOldest()
      fixture.turns(4)
      for (let i = 0; i < 60; i++) {
        const number = filling === log ? log.endOffset : 1_000 + i
        // Another size, so that no batch begins where one began before.
        filling.append(patternBatch({ number, records: 1, sizeInBytes: 3_700 }), 0, 3_700)
        filling.advance()
      }
    }
    return { fixture, reader: new SharedLogReader(fixture.memory, 0), reuse }
  }

  function sharedWords(memory: LogMemory): Map<ArrayBufferLike, () => string> {
    return new Map([memory.extents.words.buffer, memory.partitionWords.buffer].map((buffer) => [buffer, () => 'word']))
  }
})

describe('a run of extents that compaction replaces under the reader', () => {
  const KEYS = 5
  const RECORDS = 60

  /** A reader of a log of 16 KiB extents, and something that compacts it and lets what it gives back be filled anew. */
  function readerUnderCompaction(): { fixture: LogFixture; reader: SharedLogReader; compact: () => void } {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, partitionsMax: 200 })
    for (let slot = 2; slot < 142; slot++) fixture.log(slot).append(patternBatch({ number: 0, records: 1, sizeInBytes: 100 }), 0, 100)
    fixture.turns(2)
    fixture.partition(0)
    const config = logConfigOf({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' })
    const log = fixture.brokers[0]!.lead(0, 1, { ...config, minCompactionLagMs: 1_000 })
    const timestampMs = fixture.clock.nowMs()
    const send = (offset: number): void => {
      const bytes = keyedBatch([{ key: `k${offset % KEYS}`, value: `${offset}`.padEnd(4_000), timestampMs }])
      expect(log.append(bytes, 0, bytes.length)).toBe(offset)
      log.advance()
    }
    for (let offset = 0; offset < RECORDS; offset++) send(offset)
    const compact = (): void => {
      fixture.clock.advance(2_000)
      fixture.turns(8)
      expect(fixture.brokers[0]!.manager.cleaner.cleanings).toBe(1)
      // What was given back becomes later extents of the same log, and then of it another run that is replaced.
      for (let offset = RECORDS; offset < 2 * RECORDS; offset++) send(offset)
      fixture.clock.advance(2_000)
      fixture.turns(8)
    }
    return { fixture, reader: new SharedLogReader(fixture.memory, 0), compact }
  }

  test('at any atomic step of any read: offsets go up, no record is left out that must be there, none is another', () => {
    let replaced = 0
    for (const from of [0, 13, 56]) {
      for (const seeks of [true, false]) {
        for (let step = 0, ran = true; ran; step++) {
          ran = false
          const { fixture, reader, compact } = readerUnderCompaction()
          const target = makeTarget(20_000)
          if (seeks) reader.seek(from)
          else while (reader.position < from) expect(reader.read(target, 1)).toBe(READ_OK)
          const seen: number[] = []
          const read = (): void => {
            const result = reader.read(target, 5_000)
            expect([READ_OK, READ_EMPTY]).toContain(result)
            if (result === READ_OK) seen.push(...offsetsIn(target.bytes, target.length))
          }
          let steps = 0
          const before = (): void => {
            if (steps++ !== step) return
            ran = true
            compact()
          }
          const shared = [fixture.memory.extents.words.buffer, fixture.memory.partitionWords.buffer]
          watchAtomics(new Map(shared.map((buffer) => [buffer, () => 'word'])), { before }, () => {
            for (let i = 0; i < 3; i++) read()
          })
          while (reader.hasNews) read()
          expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
          // What is there in the end and lies behind where the reader began, it must have seen.
          for (const { records } of readKeyed(fixture.memory, 0, from)) for (const { offset } of records) expect(seen).toContain(offset)
          if (ran) replaced++
        }
      }
    }
    expect(replaced).toBeGreaterThan(200)
  })

  /** Each record must be what was sent at its offset. */
  function offsetsIn(bytes: Uint8Array, length: number): number[] {
    const records = keyedBatches(bytes, length, 0).flatMap((batch) => batch.records)
    for (const { key, value, offset } of records) expect([key, value]).toEqual([`k${offset % KEYS}`, `${offset}`.padEnd(4_000)])
    return records.map(({ offset }) => offset)
  }
})

test('scribbled tables and batches cost a wrong answer or a typed error, never more', () => {
  const random = seededRandom(SEED)
  const batches = Array.from({ length: 60 }, (_, number) => patternBatch({ number, records: 1, sizeInBytes: 3_000 }))
  let threw = 0
  let read = 0
  for (let run = 0; run < 200; run++) {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
    const log = fixture.log(0)
    for (const batch of batches) log.append(batch, 0, batch.length)
    log.advance()
    const reader = new SharedLogReader(fixture.memory, 0)
    const target = makeTarget(10_000)
    if (run % 2 === 0) reader.read(target, 1)
    for (let i = 0; i < 1 + (run % 12); i++) scribble(fixture.memory)
    for (let i = 0; i < 10; i++) {
      if (random.below(3) === 0) reader.seek(random.below(70))
      try {
        if (reader.read(target, 1 + random.below(50_000)) === READ_OK) read++
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError)
        threw++
        reader.seek(random.below(70))
      }
      expect(target.bytes.length).toBeLessThanOrEqual(8 * MIB)
    }
  }
  expect(threw).toBeGreaterThan(50)
  expect(read).toBeGreaterThan(50)

  function range(at: number): [number, number] {
    return [at, at + 1 + random.below(1_000)]
  }

  function scribble(memory: LogMemory): void {
    const value = [-1, 0, 1, 8, 9, 10, 512, 1023, 1024, 0x7fff_ffff, -0x8000_0000, random.uint32() | 0][random.below(12)]!
    const where = random.below(3)
    if (where === 0) memory.extents.words[random.below(40) * 32 + random.below(12)] = value
    else if (where === 1) memory.partitionWords[(memory.controlBlocksAt + (random.below(CONTROL_BYTES) & ~3)) / 4] = value
    else memory.arenaWords.fill(value, ...range(random.below(200_000 / 4)))
  }
})
