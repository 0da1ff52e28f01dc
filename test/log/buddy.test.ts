import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Buddy, forEachAlignedRun } from '../../src/log/buddy.ts'
import { BLOCK_GRANULES, ORDER_MAX, extentBytes, orderForBytes } from '../../src/log/log-memory-layout.ts'

const SEED = 4711

describe('the buddy allocator', () => {
  test('a fresh block is used from its start upwards', () => {
    const buddy = new Buddy(BLOCK_GRANULES)
    buddy.free(0, ORDER_MAX)
    expect([0, 1, 2, 3, 4].map((order) => buddy.allocate(order))).toEqual([0, 2, 4, 8, 16])
    expect(buddy.freeGranules).toBe(BLOCK_GRANULES - 31)
  })

  test('what was freed last is used first', () => {
    const buddy = new Buddy(BLOCK_GRANULES)
    buddy.free(0, ORDER_MAX)
    const granules = Array.from({ length: 8 }, () => buddy.allocate(0))
    buddy.free(granules[2]!, 0)
    buddy.free(granules[5]!, 0)
    expect(buddy.allocate(0)).toBe(granules[5])
    expect(buddy.allocate(0)).toBe(granules[2])
  })

  test('the smallest run that fits is split, so large ones stay whole', () => {
    const buddy = new Buddy(2 * BLOCK_GRANULES)
    buddy.free(0, ORDER_MAX)
    buddy.free(BLOCK_GRANULES, ORDER_MAX)
    const first = buddy.allocate(3)
    const block = Math.floor(first / BLOCK_GRANULES)
    for (let i = 0; i < 40; i++) expect(Math.floor(buddy.allocate(2) / BLOCK_GRANULES)).toBe(block)
    expect(buddy.largestFreeOrder).toBe(ORDER_MAX)
    expect(buddy.allocate(ORDER_MAX)).toBeGreaterThanOrEqual(0)
    expect(buddy.allocate(ORDER_MAX)).toBe(-1)
  })

  test('any order of allocating and freeing keeps runs apart, aligned and counted, and all can be had again', () => {
    const operation = fc.record({ order: fc.integer({ min: 0, max: ORDER_MAX }), free: fc.boolean(), pick: fc.nat() })
    fc.assert(
      fc.property(fc.array(operation, { minLength: 50, maxLength: 400 }), (operations) => {
        const granuleCount = 3 * BLOCK_GRANULES
        const buddy = new Buddy(granuleCount)
        for (let block = 0; block < 3; block++) buddy.free(block * BLOCK_GRANULES, ORDER_MAX)
        const used = new Uint8Array(granuleCount)
        const taken: { granule: number; order: number }[] = []
        for (const { order, free, pick } of operations) {
          if (free && taken.length > 0) {
            const [run] = taken.splice(pick % taken.length, 1)
            used.fill(0, run!.granule, run!.granule + (1 << run!.order))
            buddy.free(run!.granule, run!.order)
          } else {
            const granule = buddy.allocate(order)
            if (granule < 0) {
              expect(buddy.largestFreeOrder).toBeLessThan(order)
              continue
            }
            expect(granule % (1 << order)).toBe(0)
            const run = used.subarray(granule, granule + (1 << order))
            expect(run.every((each) => each === 0)).toBe(true)
            run.fill(1)
            taken.push({ granule, order })
          }
          const inUse = used.reduce((sum, each) => sum + each, 0)
          expect(buddy.freeGranules).toBe(granuleCount - inUse)
        }
        for (const { granule, order } of taken) buddy.free(granule, order)
        expect([0, 1, 2].map((block) => buddy.largestFreeOrderIn(block))).toEqual([ORDER_MAX, ORDER_MAX, ORDER_MAX])
      }),
      { seed: SEED, numRuns: 60 },
    )
  })

  test('a block that is removed gives nothing any more', () => {
    const buddy = new Buddy(2 * BLOCK_GRANULES)
    buddy.free(0, ORDER_MAX)
    buddy.free(BLOCK_GRANULES, ORDER_MAX)
    buddy.allocate(0)
    buddy.removeBlock(0)
    expect(buddy.freeInBlock(0)).toBe(0)
    expect(buddy.freeGranules).toBeLessThanOrEqual(BLOCK_GRANULES)
    for (let granule = buddy.allocate(0); granule >= 0; granule = buddy.allocate(0)) expect(granule).toBeGreaterThanOrEqual(BLOCK_GRANULES)
  })
})

test('a range is split into aligned runs that cover it', () => {
  fc.assert(
    fc.property(fc.nat({ max: BLOCK_GRANULES }), fc.nat({ max: BLOCK_GRANULES }), (a, b) => {
      const start = BLOCK_GRANULES + Math.min(a, b)
      const end = BLOCK_GRANULES + Math.max(a, b)
      let at = start
      forEachAlignedRun(start, end, (granule, order) => {
        expect(granule).toBe(at)
        expect(granule % (1 << order)).toBe(0)
        at += 1 << order
      })
      expect(at).toBe(end)
    }),
    { seed: SEED },
  )
})

test('orders and bytes', () => {
  expect([1, 16_384, 16_385, 32_768, 32_769, 8 * 1024 * 1024].map(orderForBytes)).toEqual([0, 0, 1, 1, 2, ORDER_MAX])
  expect(orderForBytes(8 * 1024 * 1024 + 1)).toBeGreaterThan(ORDER_MAX)
  expect([0, 1, ORDER_MAX].map(extentBytes)).toEqual([16_384, 32_768, 8 * 1024 * 1024])
})
