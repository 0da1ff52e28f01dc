import { describe, expect, test } from 'vitest'
import {
  EXTENT_BYTES_MAX,
  GRANULE_BYTES,
  RETENTION_DEFAULT,
  RETENTION_INTERNAL,
  RETENTION_PINNED,
} from '../../src/log/log-memory-layout.ts'
import { APPEND_NO_MEMORY, APPEND_PINNED_FULL } from '../../src/log/partition-log.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { leaderEpoch } from '../../src/record/record-batch.ts'
import { READ_OK, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { describePartitionLog } from '../contract/partition-log-contract.ts'
import { LogFixture, MIB, memoryFaults } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

describePartitionLog('a log in log memory keeps the contract', (startOffset) => {
  const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
  const control = fixture.partition(3)
  control.publishLogStart(startOffset)
  control.publishLogEnd(startOffset)
  control.publishHighWatermark(startOffset)
  const log = fixture.brokers[0]!.lead(3)
  let leaderEpochs = 1
  return {
    log,
    read: (offset) => fixture.read(3, offset),
    reopen: () => {
      // The broker is gone with all that it knew; its next incarnation adopts its memory.
      const dead = fixture.brokers[0]!
      const next = fixture.startBroker(0)
      next.allocator.adopt(dead.id, dead.epoch, () => true)
      const reopened = next.lead(3, ++leaderEpochs)
      expect(memoryFaults(fixture.memory)).toEqual([])
      // What was adopted rests before it can be used.
      fixture.turns(3)
      return reopened
    },
    close: () => {
      expect(memoryFaults(fixture.memory)).toEqual([])
    },
  }
})

function appendMany(log: PartitionLog, count: number, sizeInBytes: number): number {
  const batch = patternBatch({ number: 1, records: 1, sizeInBytes })
  let last = 0
  for (let i = 0; i < count && last >= 0; i++) last = log.append(batch, 0, sizeInBytes)
  return last
}

function chainOrders(fixture: LogFixture, slot: number): number[] {
  const orders: number[] = []
  const { extents } = fixture.memory
  for (let granule = fixture.partition(slot).firstExtent; granule >= 0; granule = extents.next(granule)) orders.push(extents.order(granule))
  return orders
}

describe('extents', () => {
  test('an empty log holds none; the first is of 16 KiB, and each next is twice as large up to its share', () => {
    const fixture = new LogFixture({ logMemoryBytes: 128 * MIB })
    const log = fixture.log(0)
    expect(log.heldGranules).toBe(0)
    expect(fixture.brokers[0]!.allocator.ownedBlocks).toBe(0)
    for (let i = 0; i < 400; i++) {
      expect(appendMany(log, 10, 10_000)).toBeGreaterThanOrEqual(0)
      log.advance()
      fixture.turns(1)
    }
    expect(chainOrders(fixture, 0).slice(0, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9])
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('extents stay small where many partitions share the arena', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
    const logs = Array.from({ length: 40 }, (_, slot) => fixture.log(slot))
    for (let i = 0; i < 60; i++) {
      for (const log of logs) {
        if (appendMany(log, 1, 10_000) === APPEND_NO_MEMORY) fixture.turns(4)
        log.advance()
      }
      fixture.turns(4)
    }
    expect(Math.max(...logs.map((_, slot) => Math.max(...chainOrders(fixture, slot))))).toBeLessThanOrEqual(2)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('a batch never spans extents, and the largest fills one', () => {
    const fixture = new LogFixture({ logMemoryBytes: 32 * MIB })
    const log = fixture.log(0)
    expect(appendMany(log, 1, 61)).toBe(0)
    expect(appendMany(log, 1, EXTENT_BYTES_MAX)).toBe(1)
    expect(appendMany(log, 1, GRANULE_BYTES + 1)).toBe(2)
    log.advance()
    expect(chainOrders(fixture, 0)).toEqual([0, 9, 9])
    expect(fixture.read(0).map((batch) => batch.sizeInBytes)).toEqual([61, EXTENT_BYTES_MAX, GRANULE_BYTES + 1])
  })

  test('the offset index takes entries of 16 bytes from the end, one for 4 KiB or more', () => {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    appendMany(log, 1, 16_300)
    appendMany(log, 200, 100)
    log.advance()
    const { extents } = fixture.memory
    const second = extents.next(fixture.partition(0).firstExtent)
    // 4,100 bytes lie between two entries, and 20,000 in the extent.
    expect(extents.indexCount(second)).toBe(Math.floor((extents.end(second) - 1) / 4_100))
    expect(extents.indexCount(fixture.partition(0).firstExtent)).toBe(0)
    for (let offset = 0; offset < log.endOffset; offset++) expect(fixture.read(0, offset)[0]!.baseOffset).toBe(offset)
  })

  test('a new leader goes on with the index where the one before was', () => {
    const counts = [false, true].map((reopened) => {
      const fixture = new LogFixture()
      let log = fixture.log(0)
      appendMany(log, 1, 16_300)
      for (let i = 0; i < 30; i++) {
        appendMany(log, 1, 1_000)
        log.publishEnds()
        if (reopened) log = fixture.brokers[0]!.lead(0, i + 2)
      }
      return fixture.memory.extents.indexCount(fixture.memory.extents.next(fixture.partition(0).firstExtent))
    })
    expect(counts[0]).toBeGreaterThan(4)
    expect(counts[1]).toBe(counts[0])
  })

  test('offsets that jump by more than an index entry can say start an extent', () => {
    const fixture = new LogFixture()
    const log = fixture.log(0)
    const wide = patternBatch({ number: 0, records: 0x7fff_ffff, sizeInBytes: 100 })
    log.append(wide, 0, 100)
    log.append(wide, 0, 100)
    log.advance()
    expect(chainOrders(fixture, 0)).toHaveLength(2)
    expect(fixture.read(0, 2 ** 31).map((batch) => batch.baseOffset)).toEqual([0x7fff_ffff])
  })
})

test('the leader epoch is stamped', () => {
  const fixture = new LogFixture()
  fixture.partition(0)
  const log = fixture.brokers[0]!.lead(0, 77)
  appendMany(log, 1, 100)
  log.advance()
  const reader = new SharedLogReader(fixture.memory, 0)
  const target = { bytes: new Uint8Array(100), length: 0 }
  expect(reader.read(target, 100)).toBe(READ_OK)
  expect(leaderEpoch(target.bytes, 0)).toBe(77)
})

test('a source that changes while it is copied is refused', () => {
  const fixture = new LogFixture()
  const log = fixture.log(0)
  // Shared memory that another thread scribbles on between the check and the copy.
  class Scribbled extends Uint8Array {
    override get buffer(): ArrayBuffer {
      this.fill(0xff, 8, 12)
      return super.buffer as ArrayBuffer
    }
  }
  const source = new Scribbled(100)
  source.set(patternBatch({ number: 1, records: 1, sizeInBytes: 100 }))
  expect(log.append(source, 0, 100)).toBeLessThan(0)
  expect(log.endOffset).toBe(0)
  expect(appendMany(log, 1, 100)).toBe(0)
})

test('topics that keep everything get half the arena together, then their writes are refused', () => {
  const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
  const pinned = [fixture.log(0, RETENTION_PINNED), fixture.log(1, RETENTION_PINNED)]
  const plain = fixture.log(2, RETENTION_DEFAULT)
  let refused = 0
  for (let i = 0; i < 2_000; i++) {
    for (const log of pinned) if (appendMany(log, 1, 10_000) === APPEND_PINNED_FULL) refused++
    expect(appendMany(plain, 1, 10_000)).not.toBe(APPEND_PINNED_FULL)
    for (const log of [...pinned, plain]) log.advance()
    fixture.turns(2)
  }
  expect(refused).toBeGreaterThan(1_000)
  expect(pinned.reduce((sum, log) => sum + log.heldGranules, 0) * GRANULE_BYTES).toBe(8 * MIB)
  expect(pinned.map((log) => log.startOffset)).toEqual([0, 0])
  expect(plain.startOffset).toBeGreaterThan(0)
  // Deleting records makes room again.
  pinned[0]!.deleteRecordsBefore(pinned[0]!.endOffset)
  fixture.turns(4)
  expect(appendMany(pinned[1]!, 1, 10_000)).toBeGreaterThan(0)
})

test('an internal topic takes what there is, and then waits; nothing of it goes', () => {
  const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
  const log = fixture.log(0, RETENTION_INTERNAL)
  let waited = 0
  for (let i = 0; i < 3_000; i++) {
    if (appendMany(log, 1, 10_000) === APPEND_NO_MEMORY) waited++
    log.advance()
    fixture.turns(1)
  }
  expect(waited).toBeGreaterThan(0)
  expect(log.startOffset).toBe(0)
  expect(log.heldGranules).toBe(1024)
})

test('a log that was closed or deleted takes nothing more', () => {
  const fixture = new LogFixture()
  const log = fixture.log(0)
  appendMany(log, 1, 100)
  log.close()
  expect(() => appendMany(log, 1, 100)).toThrow('open')
})
