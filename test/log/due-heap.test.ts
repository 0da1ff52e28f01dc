import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueHeap } from '../../src/log/due-heap.ts'

const SEED = 1905

test('any order of scheduling, moving and removing: the first is always the earliest, each slot once', () => {
  const operation = fc.record({
    slot: fc.nat({ max: 40 }),
    dueMs: fc.oneof(fc.nat({ max: 1_000 }), fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)),
    how: fc.constantFrom('schedule' as const, 'scheduleBy' as const, 'remove' as const),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const heap = new DueHeap()
      const model = new Map<number, number>()
      for (const { slot, dueMs, how } of operations) {
        const before = model.get(slot) ?? Number.POSITIVE_INFINITY
        if (how === 'remove') {
          heap.remove(slot)
          model.delete(slot)
        } else if (how === 'schedule') {
          heap.schedule(slot, dueMs)
          model.set(slot, dueMs)
        } else {
          heap.scheduleBy(slot, dueMs)
          model.set(slot, Math.min(before, dueMs))
        }
        if (model.get(slot) === Number.POSITIVE_INFINITY) model.delete(slot)
        expect(heap.size).toBe(model.size)
        expect(heap.dueMs).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()))
        if (model.size > 0) expect(model.get(heap.first)).toBe(heap.dueMs)
      }
      const taken: number[] = []
      while (heap.size > 0) {
        taken.push(heap.dueMs)
        heap.remove(heap.first)
      }
      expect(taken).toEqual([...model.values()].sort((a, b) => a - b))
      expect([heap.first, heap.dueMs]).toEqual([-1, Number.POSITIVE_INFINITY])
    }),
    { seed: SEED, numRuns: 200 },
  )
})
