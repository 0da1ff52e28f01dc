// A log that is written to files too, as its leader and its readers see it: files are played by the test.

import { describe, expect, test } from 'vitest'
import type { ControlBlock } from '../../src/log/control-block.ts'
import { logConfigOf } from '../../src/log/log-config.ts'
import { DURABILITY_CACHE, DURABILITY_DISK } from '../../src/log/log-memory-layout.ts'
import type { Durability } from '../../src/log/log-memory-layout.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import {
  READ_DELETED,
  READ_EMPTY,
  READ_IN_FILES,
  READ_OK,
  READ_OUT_OF_RANGE,
  READ_OVERTAKEN,
  SharedLogReader,
} from '../../src/log/shared-log-reader.ts'
import { LogFixture, MIB, memoryFaults } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

const SLOT = 3
const SIZE = 10_000

class Files {
  readonly fixture = new LogFixture()
  readonly control: ControlBlock
  readonly log: MemoryLog
  #number = 0

  constructor(durability: Durability = DURABILITY_CACHE) {
    this.control = this.fixture.partition(SLOT)
    this.control.setDurability(durability)
    this.log = this.fixture.brokers[0]!.lead(SLOT, 1, logConfigOf({ 'retention.ms': '1', 'retention.bytes': '1' }))
  }

  append(batches: number): void {
    for (let i = 0; i < batches; i++) {
      expect(this.log.append(patternBatch({ number: this.#number++, records: 1, sizeInBytes: SIZE }), 0, SIZE)).toBeGreaterThanOrEqual(0)
    }
    this.log.advance()
  }

  /** The files hold so much. */
  write(endOffset = this.log.endOffset): void {
    this.control.publishWrittenEnd(endOffset)
    this.log.advance()
  }

  sync(endOffset = this.log.endOffset): void {
    this.control.publishSyncedEnd(endOffset)
    this.log.advance()
  }

  reader(offset: number): SharedLogReader {
    const reader = new SharedLogReader(this.fixture.memory, SLOT)
    reader.seek(offset)
    return reader
  }
}

const target = { bytes: new Uint8Array(64 * 1024), length: 0 }

describe('durability', () => {
  test('cache: nothing is seen before it is written', () => {
    const files = new Files()
    files.append(5)
    expect(files.log.endOffset).toBe(5)
    expect(files.log.highWatermark).toBe(0)
    expect(files.reader(0).read(target, MIB)).toBe(READ_EMPTY)
    files.write(3)
    expect(files.log.highWatermark).toBe(3)
    expect(files.control.durableEndOffset).toBe(3)
    files.write()
    expect(files.log.highWatermark).toBe(5)
  })

  test('disk: nothing is seen before it is synced', () => {
    const files = new Files(DURABILITY_DISK)
    files.append(5)
    files.write()
    expect(files.log.highWatermark).toBe(0)
    files.sync(4)
    expect(files.log.highWatermark).toBe(4)
  })

  test('a new end is marked for whoever writes it, once', () => {
    const files = new Files()
    const { writeWanted, slotsHigh } = files.fixture.memory
    expect(writeWanted.nextMarked(0, slotsHigh)).toBe(-1)
    files.append(1)
    expect(writeWanted.nextMarked(0, slotsHigh)).toBe(SLOT)
    expect(writeWanted.take(SLOT)).toBe(true)
    files.write()
    expect(writeWanted.isMarked(SLOT)).toBe(false)
  })

  test('an end whose leader died before it marked it is marked by the next one', () => {
    const files = new Files()
    files.append(5)
    files.write()
    const { writeWanted } = files.fixture.memory
    writeWanted.take(SLOT)
    files.log.append(patternBatch({ number: 5, records: 1, sizeInBytes: SIZE }), 0, SIZE)
    files.control.publishLogEnd(6)
    files.fixture.brokers[0]!.letGo(SLOT)
    const log = files.fixture.brokers[0]!.lead(SLOT, 2)
    log.advance()
    expect(writeWanted.take(SLOT)).toBe(true)
    log.advance()
    expect(writeWanted.isMarked(SLOT)).toBe(false)
  })

  test('the next leader goes on where the files are', () => {
    const files = new Files()
    files.append(5)
    files.write(2)
    files.fixture.brokers[0]!.letGo(SLOT)
    const log = files.fixture.brokers[0]!.lead(SLOT, 2)
    expect([log.endOffset, log.durableEndOffset, log.highWatermark]).toEqual([5, 2, 2])
    log.advance()
    expect(log.highWatermark).toBe(2)
    files.control.publishWrittenEnd(5)
    log.advance()
    expect(log.highWatermark).toBe(5)
  })
})

describe('memory goes, records stay', () => {
  test('what is not written does not go, however full memory is', () => {
    const files = new Files()
    files.append(10)
    expect(files.log.trimOldest()).toBe(0)
    expect(files.control.memoryStartOffset).toBe(0)
    files.write(1)
    files.log.trimOldest()
    expect(files.control.memoryStartOffset).toBe(1)
    files.log.trimOldest()
    expect(files.control.memoryStartOffset).toBe(1)
    expect(memoryFaults(files.fixture.memory)).toEqual([])
  })

  test('a log in a full arena goes on for ever, and loses nothing', () => {
    const files = new Files()
    for (let i = 0; i < 400; i++) {
      files.append(20)
      files.write()
      files.fixture.turns(1, 2)
    }
    expect(files.log.endOffset).toBe(8_000)
    expect(files.log.startOffset).toBe(0)
    expect([files.log.trimmedRecords, files.log.expiredRecords]).toEqual([0, 0])
    expect(files.control.memoryStartOffset).toBeGreaterThan(4_000)
    expect(memoryFaults(files.fixture.memory)).toEqual([])
  })

  test('a reader below what memory holds is sent to the files, and comes back from there', () => {
    const files = new Files()
    files.append(20)
    files.write()
    const reader = files.reader(0)
    expect(reader.read(target, SIZE)).toBe(READ_OK)
    for (let i = 0; i < 3; i++) files.log.trimOldest()
    const start = files.control.memoryStartOffset
    expect(start).toBeGreaterThan(2)
    expect(reader.read(target, MIB)).toBe(READ_IN_FILES)
    expect(reader.position).toBe(1)
    expect(reader.hasNews).toBe(true)
    for (let offset = 0; offset < 20; offset++) {
      expect(files.reader(offset).read(target, MIB)).toBe(offset < start ? READ_IN_FILES : READ_OK)
    }
    reader.seek(start)
    expect(reader.read(target, MIB)).toBe(READ_OK)
  })

  test('all of it in files, nothing in memory', () => {
    const files = new Files()
    files.append(6)
    files.write()
    while (files.control.firstExtent >= 0) files.log.trimOldest()
    expect(files.control.memoryStartOffset).toBe(6)
    expect(files.reader(0).read(target, MIB)).toBe(READ_IN_FILES)
    expect(files.reader(5).read(target, MIB)).toBe(READ_IN_FILES)
    expect(files.reader(6).read(target, MIB)).toBe(READ_EMPTY)
    files.append(1)
    files.write()
    expect(files.reader(6).read(target, MIB)).toBe(READ_OK)
    expect(files.reader(5).read(target, MIB)).toBe(READ_IN_FILES)
  })

  test('deleting the topic is told before its files are looked for', () => {
    const files = new Files()
    files.append(6)
    files.write()
    const reader = files.reader(0)
    files.log.delete()
    expect(reader.read(target, MIB)).toBe(READ_DELETED)
  })
})

describe('the log start', () => {
  test('memory has no say in the retention of files', () => {
    const files = new Files()
    files.append(10)
    files.write()
    files.fixture.clock.advance(10_000_000)
    files.fixture.turns(10, 1_000)
    expect(files.log.startOffset).toBe(0)
  })

  test('it moves to where the files say, not beyond what is committed, and is to be followed there', () => {
    const files = new Files()
    files.append(10)
    files.write(8)
    const { writeWanted } = files.fixture.memory
    writeWanted.take(SLOT)
    files.control.publishRetentionStart(4)
    expect(files.log.applyRetention()).toBe(4)
    expect(files.control.logStartOffset).toBe(4)
    expect(files.log.expiredRecords).toBe(4)
    expect(writeWanted.isMarked(SLOT)).toBe(true)
    files.control.publishRetentionStart(10)
    expect(files.log.applyRetention()).toBe(4)
    expect(files.control.logStartOffset).toBe(8)
    expect(files.log.applyRetention()).toBe(0)
    expect(memoryFaults(files.fixture.memory)).toEqual([])
  })

  test('records that are deleted are out of range, in files too', () => {
    const files = new Files()
    files.append(20)
    files.write()
    for (let i = 0; i < 3; i++) files.log.trimOldest()
    const memoryStart = files.control.memoryStartOffset
    const reader = files.reader(0)
    expect(reader.read(target, MIB)).toBe(READ_IN_FILES)
    files.log.deleteRecordsBefore(2)
    expect(reader.read(target, MIB)).toBe(READ_OVERTAKEN)
    expect(files.reader(0).read(target, MIB)).toBe(READ_OUT_OF_RANGE)
    expect(files.reader(2).read(target, MIB)).toBe(READ_IN_FILES)
    files.log.deleteRecordsBefore(memoryStart + 1)
    expect(files.reader(memoryStart + 1).read(target, MIB)).toBe(READ_OK)
  })
})
