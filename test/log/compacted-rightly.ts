// What must be found of a compacted partition, whoever died while it was compacted.

import { expect } from 'vitest'
import { ControlBlock } from '../../src/log/control-block.ts'
import type { LogMemory } from '../../src/log/log-memory.ts'
import { readKeyed } from './keyed-batches.ts'
import type { KeyedRecord } from './keyed-batches.ts'

/**
 * Offsets go up, and each record is what was appended there; of each key the last committed record is there,
 * or nothing at all of a key whose last is a tombstone.
 */
export function expectCompactedRightly(memory: LogMemory, slot: number, appended: readonly KeyedRecord[]): number {
  const { highWatermark } = new ControlBlock(memory, slot)
  const found = new Map<number, string>()
  let next = 0
  for (const batch of readKeyed(memory, slot)) {
    expect(batch.baseOffset).toBeGreaterThanOrEqual(next)
    expect(batch.crc).not.toBe('wrong')
    next = batch.nextOffset
    for (const { offset, key, value, timestampMs } of batch.records) {
      expect({ key, value, timestampMs }).toEqual(appended[offset])
      found.set(offset, key!)
    }
  }
  expect(next).toBeLessThanOrEqual(highWatermark)
  const lastOfKey = new Map(appended.slice(0, highWatermark).map(({ key }, offset) => [key!, offset]))
  const keysFound = new Set(found.values())
  for (const [key, offset] of lastOfKey) {
    const isGone = appended[offset]!.value === null && !keysFound.has(key)
    expect(isGone || found.has(offset), `the last record of ${key}, at ${offset}`).toBe(true)
  }
  return found.size
}
