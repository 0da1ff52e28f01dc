import { expect, test } from 'vitest'
import { logMemoryUsage } from '../../src/log/log-memory-usage.ts'
import { BLOCK_BYTES, GRANULE_BYTES, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'
import { LogFixture, MIB } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

test('an arena that nobody uses', () => {
  const { memory } = new LogFixture({ logMemoryBytes: 32 * MIB })
  expect(logMemoryUsage(memory)).toEqual({
    totalBytes: 32 * MIB,
    claimedBytes: 0,
    residentBytes: 0,
    heldBytes: 0,
    pinnedBytes: 0,
    claimedBytesByBroker: new Map(),
  })
})

test('what partitions hold, what is pinned of it, and whose the blocks are', () => {
  const fixture = new LogFixture({ logMemoryBytes: 32 * MIB, brokers: 2 })
  const first = fixture.log(1)
  const pinned = fixture.log(5, RETENTION_PINNED, 1)
  const batch = patternBatch({ number: 0, sizeInBytes: 10_000, records: 1 })
  for (let i = 0; i < 40; i++) {
    first.append(batch, 0, batch.length)
    if (i < 3) pinned.append(batch, 0, batch.length)
  }
  const usage = logMemoryUsage(fixture.memory)
  expect(usage.heldBytes).toBe((first.heldGranules + pinned.heldGranules) * GRANULE_BYTES)
  expect(usage.pinnedBytes).toBe(pinned.heldGranules * GRANULE_BYTES)
  expect(usage.heldBytes).toBeGreaterThanOrEqual(43 * 10_000)
  expect(usage.residentBytes).toBeGreaterThanOrEqual(usage.heldBytes)
  const owned = fixture.brokers.map(({ id, allocator }): [number, number] => [id, allocator.ownedBlocks * BLOCK_BYTES])
  expect([...usage.claimedBytesByBroker].sort()).toEqual(owned)
  expect(usage.claimedBytes).toBe(owned.reduce((sum, [, bytes]) => sum + bytes, 0))
})
