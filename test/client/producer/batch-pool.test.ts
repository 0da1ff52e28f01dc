import { describe, expect, test } from 'vitest'
import { BatchPool } from '../../../src/client/producer/batch-pool.ts'
import type { ProducerBatch } from '../../../src/client/producer/producer-batch.ts'
import { seededRandom } from '../../../src/random.ts'

const SEED = 4_711

describe('sizes', () => {
  test.each([
    [1, 1_000_000, 512],
    [512, 1_000_000, 512],
    [513, 1_000_000, 1_024],
    [33_000, 1_000_000, 65_536],
    [65_536, 1_000_000, 65_536],
    [70_001, 1_000_000, 70_001],
    [3_000, 5_000, 4_096],
    [4_097, 5_000, 5_000],
    [9_000, 5_000, 5_000],
  ])('%i bytes of at most %i have %i', (bytes, limit, size) => {
    expect(new BatchPool(65_536, 1_000_000).sizeFor(bytes, limit)).toBe(size)
  })

  test('a batchSize of 0: as large as the record', () => {
    expect(new BatchPool(0, 1_000_000).sizeFor(200, 1_000_000)).toBe(200)
  })
})

describe('bufferMemory', () => {
  test('what is in use and what waits to be used again stay within it, whatever sizes come and go', () => {
    const bufferMemory = 300_000
    const pool = new BatchPool(65_536, bufferMemory)
    const random = seededRandom(SEED)
    const taken: ProducerBatch[] = []
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      if (random.below(2) === 0) {
        const size = pool.sizeFor(1 + random.below(2) * random.below(90_000) + random.below(2_000), 100_000)
        const batch = pool.take(size)
        if (batch === undefined) refused++
        else taken.push(batch)
        if (batch !== undefined) expect(batch.builder.bytes).toHaveLength(size)
      } else if (taken.length > 0) {
        pool.giveBack(taken.splice(random.below(taken.length), 1)[0]!)
      }
      const held = taken.reduce((sum, { builder }) => sum + builder.bytes.length, 0)
      expect(pool.takenBytes, `seed ${SEED}, step ${i}`).toBe(held)
      expect(held + pool.pooledBytes, `seed ${SEED}, step ${i}`).toBeLessThanOrEqual(bufferMemory)
    }
    expect(refused).toBeGreaterThan(100)
  })

  test('copies are of it, and some of it is kept for them', () => {
    const pool = new BatchPool(65_536, 300_000)
    pool.keepForCopies(10_000)
    const first = pool.take(65_536)!
    pool.giveBack(pool.take(65_536)!)
    for (let copies = 0; copies < 4; copies++) expect(pool.takeCopy(50_000)).toBe(true)
    // What waited to be used again made room.
    expect([pool.takenBytes, pool.copiedBytes, pool.pooledBytes]).toEqual([65_536, 200_000, 0])
    expect(pool.takeCopy(50_000)).toBe(false)
    expect(pool.hasRoom(34_465)).toBe(false)
    pool.giveBack(first)
    // Not even alone, while a copy is there.
    expect(pool.hasRoom(100_001)).toBe(false)
    for (let copies = 0; copies < 4; copies++) pool.giveBackCopy(50_000)
    expect([pool.copiedBytes, pool.hasRoom(400_000)]).toEqual([0, true])
    pool.take(65_536)
    expect([pool.hasRoom(194_464), pool.hasRoom(194_465)]).toEqual([true, false])
  })

  test('a batch larger than all of it is taken alone, and not kept', () => {
    const pool = new BatchPool(65_536, 70_000)
    const batch = pool.take(100_000)!
    expect(pool.hasRoom(512)).toBe(false)
    expect(pool.take(512)).toBeUndefined()
    pool.giveBack(batch)
    expect([pool.takenBytes, pool.pooledBytes]).toEqual([0, 0])
  })

  test('what was given back last is used again first', () => {
    const pool = new BatchPool(65_536, 1_000_000)
    const [a, b] = [pool.take(1_024)!, pool.take(1_024)!]
    pool.giveBack(a)
    pool.giveBack(b)
    expect([pool.take(1_024), pool.take(1_024)]).toEqual([b, a])
  })
})
