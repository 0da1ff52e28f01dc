// Windows and records for properties.

import fc from 'fast-check'
import { hopping, session, sliding, tumbling } from '../../../src/rx/windows/windows.ts'
import type { Windows } from '../../../src/rx/windows/windows.ts'
import type { Sample } from './recomputation.ts'

const size = fc.integer({ min: 1, max: 30 })

export function anyWindows(grace: fc.Arbitrary<number>): fc.Arbitrary<Windows> {
  return fc.oneof(
    fc.record({ sizeMs: size, graceMs: grace }).map(tumbling),
    fc
      .record({ sizeMs: size, part: fc.double({ min: 0.2, max: 1, noNaN: true }), graceMs: grace })
      .map(({ sizeMs, part, graceMs }) => hopping({ sizeMs, advanceMs: Math.max(1, Math.floor(sizeMs * part)), graceMs })),
    fc.record({ timeDifferenceMs: fc.integer({ min: 0, max: 30 }), graceMs: grace }).map(sliding),
    fc.record({ inactivityGapMs: fc.integer({ min: 0, max: 12 }), graceMs: grace }).map(session),
  )
}

/** In the order in which they come: each at most `lagMs` behind the highest time so far. */
export function anyRecords(lagMs: number, maxLength = 60): fc.Arbitrary<Sample[]> {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    stepMs: fc.integer({ min: 0, max: 9 }),
    lagMs: fc.integer({ min: 0, max: lagMs }),
    value: fc.integer({ min: 1, max: 1_000_000 }),
  })
  return fc.array(step, { minLength: 1, maxLength, size: 'max' }).map((steps) => {
    let highest = 0
    return steps.map(({ key, stepMs, lagMs, value }) => {
      highest += stepMs
      return { key, timeMs: Math.max(0, highest - lagMs), value }
    })
  })
}
