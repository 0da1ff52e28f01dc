import fc from 'fast-check'
import { expect, test } from 'vitest'
import { METADATA_MAX_BYTES, NO_MARKS, decodeMarks, encodeMarks } from '../../../src/rx/windows/commit-marks.ts'
import type { CommitMarks } from '../../../src/rx/windows/commit-marks.ts'
import { OriginMarks } from '../../../src/rx/windows/origin-marks.ts'

const SEED = 714
const time = fc.oneof(
  fc.constant(-1),
  fc.nat({ max: 1_000 }),
  fc.maxSafeNat().filter((ms) => ms < Number.MAX_SAFE_INTEGER),
)
const marks: fc.Arbitrary<CommitMarks> = fc.record({
  streamTimeMs: time,
  releasedMs: time,
  origins: fc.array(
    fc.record({
      topic: fc.constantFrom('clicks', 'übung', 'a.b-c_d'),
      partition: fc.nat({ max: 100_000 }),
      offset: fc.maxSafeNat(),
      index: fc.nat({ max: 9 }),
    }),
    { maxLength: 40 },
  ),
  inner: fc.string(),
})
const byTopic = ({ origins }: CommitMarks): unknown[] => [...Map.groupBy(origins, ({ topic }) => topic).values()].flat()

test('what was written is read', () => {
  fc.assert(
    fc.property(marks, (given) => {
      const text = encodeMarks(given)
      expect(text.length).toBeLessThanOrEqual(METADATA_MAX_BYTES)
      expect(decodeMarks(text)).toEqual({ ...given, origins: byTopic(given) })
    }),
    { seed: SEED },
  )
})

test('text of anybody else, and damaged text, reads as nothing or as something sound', () => {
  fc.assert(
    fc.property(marks, fc.string(), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (given, foreign, at, letter) => {
      expect(decodeMarks(foreign)).toBeUndefined()
      expect(decodeMarks(`w1:${foreign}!`)).toBeUndefined()
      const text = encodeMarks(given)
      const place = 3 + (at % (text.length - 3))
      for (const damaged of [text.slice(0, place), text.slice(0, place) + letter + text.slice(place + 1)]) {
        const read = decodeMarks(damaged)
        if (read !== undefined) expect(read.streamTimeMs).toBeGreaterThanOrEqual(-1)
      }
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('too many sources: those longest not heard of are left out, the times never', () => {
  const seen = new OriginMarks([])
  for (let partition = 0; partition < 1_000; partition++) seen.take({ topic: 'clicks', partition, offset: 1_000_000, index: 0 })
  seen.take({ topic: 'clicks', partition: 0, offset: 1_000_001, index: 0 })
  const text = encodeMarks({ ...NO_MARKS, streamTimeMs: 7, releasedMs: 5, origins: seen.list() })
  expect(text.length).toBeLessThanOrEqual(METADATA_MAX_BYTES)
  const read = decodeMarks(text)!
  expect(read).toMatchObject({ streamTimeMs: 7, releasedMs: 5 })
  expect(read.origins.length).toBeGreaterThan(300)
  expect(read.origins.at(-1)).toMatchObject({ partition: 0, offset: 1_000_001 })
  expect(read.origins.map(({ partition }) => partition)).not.toContain(1)
})

test('a record whose origin is not above the last of its source partition was sent twice', () => {
  const seen = new OriginMarks([{ topic: 'clicks', partition: 0, offset: 5, index: 1 }])
  const take = (partition: number, offset: number, index: number, topic = 'clicks'): boolean =>
    seen.take({ topic, partition, offset, index })
  expect([take(0, 5, 1), take(0, 5, 0), take(0, 4, 9), take(0, 5, 2), take(0, 6, 0), take(0, 6, 0)]).toEqual([
    false,
    false,
    false,
    true,
    true,
    false,
  ])
  expect([take(1, 0, 0), take(1, 0, 0), take(0, 0, 0, 'views')]).toEqual([true, false, true])
})
