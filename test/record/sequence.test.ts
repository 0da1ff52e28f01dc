import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SEQUENCE_MAX, sequenceAfter, sequenceBefore, sequenceDistance } from '../../src/record/sequence.ts'

test('after 2^31 - 1 comes 0', () => {
  expect(sequenceAfter(SEQUENCE_MAX, 1)).toBe(0)
  expect(sequenceAfter(SEQUENCE_MAX - 2, 5)).toBe(2)
  expect([sequenceBefore(0), sequenceBefore(1)]).toEqual([SEQUENCE_MAX, 0])
})

test('a distance is that, wherever the count wraps', () => {
  expect(sequenceDistance(0, SEQUENCE_MAX)).toBe(1)
  expect(sequenceDistance(SEQUENCE_MAX, 0)).toBe(-1)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: SEQUENCE_MAX }), fc.integer({ min: 0, max: 2 ** 30 - 1 }), (sequence, distance) => {
      const later = sequenceAfter(sequence, distance)
      expect(sequenceDistance(later, sequence)).toBe(distance)
      // Negative zero is no distance.
      expect(sequenceDistance(sequence, later)).toBe(0 - distance)
    }),
    { seed: 20_261_125 },
  )
})
