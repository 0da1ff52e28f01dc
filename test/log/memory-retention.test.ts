import { describe, expect, test } from 'vitest'
import { ATTENTION_TRIM, GRANULE_BYTES, RETENTION_DEFAULT, RETENTION_INTERNAL, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { APPEND_NO_MEMORY } from '../../src/log/partition-log.ts'
import { LogFixture, MIB, memoryFaults } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

const batches = new Map<number, Uint8Array>()

function appendOne(log: MemoryLog, sizeInBytes: number): boolean {
  const batch = batches.get(sizeInBytes) ?? patternBatch({ number: 1, records: 1, sizeInBytes })
  batches.set(sizeInBytes, batch)
  const offset = log.append(batch, 0, sizeInBytes)
  if (offset < 0) expect(offset).toBe(APPEND_NO_MEMORY)
  log.advance()
  return offset >= 0
}

describe('one partition fills the arena', () => {
  test('while there is room nothing goes; then the oldest goes and appends never wait', () => {
    const fixture = new LogFixture({ logMemoryBytes: 256 * MIB })
    const log = fixture.log(0)
    let appended = 0
    // 2 GB/s in turns of 128 microseconds.
    for (let turn = 0; turn < 4_000; turn++) {
      for (let i = 0; i < 4; i++) {
        expect(appendOne(log, 65_536)).toBe(true)
        appended++
      }
      if (appended * 65_536 < 200 * MIB) expect(log.startOffset).toBe(0)
      fixture.turns(1, 0.128)
    }
    expect(log.trimmedRecords).toBe(log.startOffset)
    expect(fixture.brokers[0]!.retention.trimmedRecords).toBe(log.startOffset)
    // All but the reserve and the extent in hand is kept.
    expect(log.sizeInBytes).toBeGreaterThan((256 - 5 * 8) * MIB)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test.each([61, 10_000, 300_000, 2 * MIB, 5 * MIB, 8 * MIB])(
    'the smallest arena, batches of %d bytes: it goes on for ever',
    (sizeInBytes) => {
      const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
      const log = fixture.log(0)
      const total = Math.min(4_000, Math.ceil((100 * MIB) / sizeInBytes))
      let appended = 0
      let turns = 0
      for (; appended < total && turns < total * 10; turns++) {
        for (let i = 0; i < 8 && appended < total && appendOne(log, sizeInBytes); i++) appended++
        fixture.turns(1, 0.2)
      }
      expect(appended).toBe(total)
      expect(memoryFaults(fixture.memory)).toEqual([])
    },
  )

  test('what is not committed stays, and goes once it is', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
    const log = fixture.log(0)
    const batch = patternBatch({ number: 1, records: 1, sizeInBytes: 100_000 })
    let refused = 0
    for (let i = 0; i < 500 && refused < 10; i++) {
      if (log.append(batch, 0, 100_000) === APPEND_NO_MEMORY) refused++
      fixture.turns(1)
    }
    expect(refused).toBe(10)
    expect(log.startOffset).toBe(0)
    log.advance()
    fixture.turns(5)
    expect(log.append(batch, 0, 100_000)).toBeGreaterThan(0)
    expect(log.startOffset).toBeGreaterThan(0)
  })
})

describe('many partitions', () => {
  test('the one that holds most gives; the small ones keep what they have', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
    const small = Array.from({ length: 10 }, (_, i) => fixture.log(i))
    for (const log of small) expect(appendOne(log, 10_000)).toBe(true)
    const large = fixture.log(20)
    for (let i = 0; i < 3_000; i++) {
      appendOne(large, 20_000)
      fixture.turns(1, 0.3)
    }
    expect(large.startOffset).toBeGreaterThan(0)
    expect(small.map((log) => log.startOffset)).toEqual(small.map(() => 0))
  })

  test('ten thousand of 16 KiB in 64 MiB: all are appended to, again and again', () => {
    const fixture = new LogFixture({ logMemoryBytes: 64 * MIB, partitionsMax: 10_000 })
    const logs = Array.from({ length: 10_000 }, (_, slot) => fixture.log(slot))
    let waited = 0
    for (let round = 0; round < 4; round++) {
      for (const [slot, log] of logs.entries()) {
        for (let tries = 0; !appendOne(log, 9_000); tries++) {
          waited++
          expect(tries).toBeLessThan(20)
          fixture.turns(1, 0.3)
        }
        if (slot % 16 === 0) fixture.turns(1, 0.1)
      }
    }
    expect(logs.every((log) => log.endOffset === 4)).toBe(true)
    expect(waited).toBeLessThan(200)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('pinned and internal ones never give', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB })
    const kept = [fixture.log(0, RETENTION_PINNED), fixture.log(1, RETENTION_INTERNAL)]
    for (let i = 0; i < 200; i++) for (const log of kept) appendOne(log, 15_000)
    const plain = fixture.log(2, RETENTION_DEFAULT)
    for (let i = 0; i < 2_000; i++) {
      appendOne(plain, 10_000)
      fixture.turns(1, 0.3)
    }
    expect(plain.startOffset).toBeGreaterThan(0)
    expect(kept.map((log) => log.startOffset)).toEqual([0, 0])
    expect(kept.map((log) => log.trimmedRecords)).toEqual([0, 0])
  })
})

describe('several brokers', () => {
  test('a newcomer gets its share of an arena that another filled', () => {
    const fixture = new LogFixture({ logMemoryBytes: 64 * MIB, brokers: 2 })
    const old = fixture.log(0, RETENTION_DEFAULT, 0)
    for (let i = 0; i < 2_000; i++) {
      appendOne(old, 50_000)
      fixture.turns(1, 0.1)
    }
    expect(old.heldGranules * GRANULE_BYTES).toBeGreaterThan(40 * MIB)
    const young = fixture.log(1, RETENTION_DEFAULT, 1)
    let waited = 0
    for (let i = 0; i < 6_000; i++) {
      if (!appendOne(young, 50_000)) waited++
      fixture.turns(1, 0.1)
    }
    expect(waited).toBeLessThan(300)
    expect(old.trimmedRecords).toBeGreaterThan(0)
    expect(young.heldGranules).toBeGreaterThan(old.heldGranules / 2)
    expect(young.heldGranules + old.heldGranules).toBeGreaterThan(2_000)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('all append at full speed: nobody starves, nobody holds much more than the others', () => {
    const fixture = new LogFixture({ logMemoryBytes: 64 * MIB, brokers: 3 })
    const logs = [0, 1, 2].map((id) => fixture.log(id, RETENTION_DEFAULT, id))
    const waited = [0, 0, 0]
    for (let i = 0; i < 6_000; i++) {
      for (const [id, log] of logs.entries()) if (!appendOne(log, 60_000)) waited[id]!++
      fixture.turns(1, 0.06)
    }
    for (const count of waited) expect(count).toBeLessThan(600)
    const held = logs.map((log) => log.heldGranules)
    expect(Math.max(...held)).toBeLessThan(3 * Math.min(...held))
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('the smallest arena serves three brokers', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, brokers: 3 })
    const logs = Array.from({ length: 9 }, (_, slot) => fixture.log(slot, RETENTION_DEFAULT, slot % 3))
    const appended = new Array<number>(9).fill(0)
    for (let i = 0; i < 6_000; i++) {
      const slot = i % 9
      if (appendOne(logs[slot]!, 30_000)) appended[slot]!++
      fixture.turns(1, 0.3)
    }
    for (const count of appended) expect(count).toBeGreaterThan(200)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('a parked leader is rung, and a flag that was set for a leader before is answered by the next', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, brokers: 2 })
    const large = fixture.log(0, RETENTION_DEFAULT, 0)
    for (let i = 0; i < 700; i++) {
      appendOne(large, 20_000)
      fixture.turns(1, 0.3)
    }
    const [holder, wanting] = fixture.brokers
    const young = fixture.log(1, RETENTION_DEFAULT, 1)
    for (let i = 0; i < 300 && !fixture.partition(0).isAskedToTrim; i++) {
      // The holder turns only when it is rung, and stops when it is asked to trim.
      appendOne(young, 20_000)
      fixture.rung.length = 0
      wanting!.turn()
      fixture.clock.advance(0.5)
      if (fixture.rung.includes(0) && !fixture.partition(0).isAskedToTrim) holder!.turn()
    }
    expect(fixture.partition(0).isAskedToTrim).toBe(true)
    expect(fixture.rung).toContain(0)
    expect(holder!.allocator.hasAttention).toBe(true)
    const before = large.heldGranules
    holder!.retention.unregister(0)
    holder!.retention.register(large)
    expect(large.heldGranules).toBeLessThan(before)
    expect(fixture.partition(0).isAskedToTrim).toBe(false)
  })
})

test('nothing goes while another broker has memory to spare, though no block of it is whole', () => {
  const fixture = new LogFixture({ logMemoryBytes: 32 * MIB, brokers: 2 })
  const [sparing, wanting] = fixture.brokers
  fixture.partition(5)
  const halves = Array.from({ length: 6 }, () => sparing!.allocator.allocate(5, 8, 8, 0))
  // One half of each of three blocks is free, and after a while the broker needs none of it.
  for (const half of halves.filter((_, i) => i % 2 === 0)) sparing!.allocator.giveBack(half)
  fixture.turns(40, 100)
  const log = fixture.log(0, RETENTION_DEFAULT, 1)
  let appended = 0
  for (let i = 0; i < 4_000 && appended < 11 * MIB; i++) {
    if (appendOne(log, 20_000)) appended += 20_000
    fixture.turns(1, 0.2)
  }
  expect(appended).toBeGreaterThanOrEqual(11 * MIB)
  expect(log.startOffset).toBe(0)
  expect(wanting!.allocator.ownedBlocks).toBeGreaterThan(1)
})

test('what is given up for others is owed to them', () => {
  const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, brokers: 2 })
  const large = fixture.log(0, RETENTION_DEFAULT, 0)
  for (let i = 0; i < 300; i++) {
    appendOne(large, 20_000)
    fixture.turns(1, 0.3)
  }
  const before = large.heldGranules
  fixture.partition(0).askToTrim()
  fixture.brokers[1]!.allocator.arena.alert(0, ATTENTION_TRIM)
  fixture.brokers[0]!.turn()
  expect(large.heldGranules).toBeLessThan(before)
  expect(fixture.brokers[0]!.allocator.owedGranules).toBe(before - large.heldGranules)
})

describe('an append that needs a large run of memory that is all in pieces', () => {
  test('gets it from where least lies, and most partitions keep what they hold', () => {
    const fixture = new LogFixture({ logMemoryBytes: 64 * MIB, partitionsMax: 5_000 })
    const logs = Array.from({ length: 4_000 }, (_, slot) => fixture.log(slot))
    for (const log of logs) {
      appendOne(log, 16_000)
      fixture.turns(1, 0.3)
    }
    const trimmedBefore = logs.filter((log) => log.startOffset > 0).length
    const wide = fixture.log(4_500)
    let tries = 0
    for (; !appendOne(wide, 4 * MIB); tries++) {
      expect(tries).toBeLessThan(100)
      fixture.turns(1, 0.5)
    }
    const trimmed = logs.filter((log) => log.startOffset > 0).length - trimmedBefore
    expect(trimmed).toBeGreaterThan(0)
    expect(trimmed).toBeLessThan(700)
    expect(memoryFaults(fixture.memory)).toEqual([])
  })

  test('costs nobody anything when what may not go lies everywhere', () => {
    const fixture = new LogFixture({ logMemoryBytes: 16 * MIB, partitionsMax: 2_000 })
    const pinned = Array.from({ length: 8 }, (_, slot) => fixture.log(slot, RETENTION_INTERNAL))
    const plain = Array.from({ length: 600 }, (_, i) => fixture.log(100 + i))
    // The internal ones lie between the others, in both blocks.
    for (const [i, log] of plain.entries()) {
      if (i % 75 === 0) appendOne(pinned[i / 75]!, 16_000)
      appendOne(log, 16_000)
    }
    const wide = fixture.log(1_500)
    for (let i = 0; i < 50; i++) {
      expect(appendOne(wide, 8 * MIB)).toBe(false)
      fixture.turns(1, 0.5)
    }
    expect(plain.filter((log) => log.startOffset > 0)).toHaveLength(0)
  })
})
