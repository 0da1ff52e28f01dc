import { describe, expect, test } from 'vitest'
import { SettledOffsets } from '../../../src/client/consumer/settled-offsets.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'

test('nothing handed out: the position is where it begins', () => {
  const offsets = new SettledOffsets(7)
  expect(offsets).toMatchObject({ position: 7, endOffset: 7, unsettled: 0 })
  expect(offsets.settle(7)).toBe(false)
})

test('the position waits for the lowest unsettled record', () => {
  const offsets = new SettledOffsets(10)
  offsets.handedOut(10, 14)
  expect([13, 11, 12].map((offset) => offsets.settle(offset))).toEqual([true, true, true])
  expect(offsets).toMatchObject({ position: 10, unsettled: 1 })
  expect(offsets.settle(12)).toBe(false)
  expect(offsets.settle(10)).toBe(true)
  expect(offsets).toMatchObject({ position: 14, unsettled: 0 })
})

test('offsets that hold no record do not hold it up', () => {
  const offsets = new SettledOffsets(0)
  offsets.handedOut(3, 4)
  expect(offsets.position).toBe(3)
  offsets.handedOut(6, 7)
  offsets.handedOut(1e12, 1e12 + 1)
  offsets.handedOut(1e12 + 9, 1e12 + 9)
  offsets.settle(3)
  expect(offsets).toMatchObject({ position: 6, unsettled: 2 })
  expect(offsets.settle(5)).toBe(false)
  offsets.settle(6)
  expect(offsets.position).toBe(1e12)
  offsets.settle(1e12)
  expect(offsets).toMatchObject({ position: 1e12 + 9, unsettled: 0 })
})

test('a range as wide as the log is settled in the middle', () => {
  const offsets = new SettledOffsets(0)
  offsets.handedOut(0, 1e12)
  offsets.settle(5e11)
  expect(offsets).toMatchObject({ position: 0, unsettled: 1e12 - 1 })
  offsets.settleUpTo(5e11)
  expect(offsets).toMatchObject({ position: 5e11 + 1, unsettled: 5e11 - 1 })
  offsets.settleUpTo(1e12)
  expect(offsets).toMatchObject({ position: 1e12, unsettled: 0 })
})

test('reset forgets what was handed out', () => {
  const offsets = new SettledOffsets(100)
  offsets.handedOut(100, 200)
  offsets.settle(150)
  offsets.reset(20)
  expect(offsets).toMatchObject({ position: 20, endOffset: 20, unsettled: 0 })
  offsets.handedOut(20, 22)
  expect(offsets.settle(150)).toBe(false)
})

test('what was not handed out in order is a defect', () => {
  const offsets = new SettledOffsets(5)
  const code = (call: () => void): string | undefined => {
    try {
      call()
    } catch (error) {
      return (error as MillraceError).code
    }
    return undefined
  }
  expect(code(() => offsets.handedOut(4, 6))).toBe('ASSERTION_FAILED')
  expect(code(() => offsets.settleUpTo(6))).toBe('ASSERTION_FAILED')
})

test('a million records that wait for the oldest cost little, in whatever order they are settled', () => {
  const count = 1_000_000
  const offsets = new SettledOffsets(0)
  for (let offset = 0; offset < count; offset++) offsets.handedOut(offset, offset + 1)
  // A step that shares no factor with the count visits each offset once.
  const startMs = performance.now()
  for (let i = 1; i < count; i++) offsets.settle((i * 777_777) % count)
  const tookMs = performance.now() - startMs
  expect(offsets).toMatchObject({ position: 0, unsettled: 1 })
  offsets.settle(0)
  expect(offsets.position).toBe(count)
  // A list of ranges, or a Set, takes many times as long; 0.2 s here.
  expect(tookMs).toBeLessThan(5_000)
})

/** Offsets in a Set. */
class Model {
  readonly unsettled = new Set<number>()
  endOffset: number

  constructor(position: number) {
    this.endOffset = position
  }

  get position(): number {
    // In the order in which they were handed out.
    for (const offset of this.unsettled) return offset
    return this.endOffset
  }
}

function run(random: Random): void {
  // Far above 2^32, where offsets of 32 bits would show.
  const start = 2 ** 33 + random.below(100)
  const offsets = new SettledOffsets(start)
  const model = new Model(start)
  const longest = [3, 40, 9_000][random.below(3)]!
  for (let step = 0; step < (longest === 9_000 ? 40 : 400); step++) {
    const known = [...model.unsettled]
    switch (random.below(8)) {
      case 0:
      case 1: {
        const base = model.endOffset + (random.below(3) === 0 ? random.below(longest) : 0)
        const end = base + random.below(longest)
        offsets.handedOut(base, end)
        for (let offset = base; offset < end; offset++) model.unsettled.add(offset)
        model.endOffset = end
        break
      }
      case 2: {
        const upTo = model.position + random.below(model.endOffset - model.position + 1)
        if (random.below(4) > 0) break
        offsets.settleUpTo(upTo)
        for (const offset of known) if (offset < upTo) model.unsettled.delete(offset)
        break
      }
      case 3: {
        const offset = start + random.below(model.endOffset - start + 10)
        expect(offsets.settle(offset)).toBe(model.unsettled.delete(offset))
        break
      }
      case 4:
        if (random.below(40) > 0) break
        model.endOffset = start + random.below(1_000)
        model.unsettled.clear()
        offsets.reset(model.endOffset)
        break
      case 5:
        for (const offset of known.slice(0, random.below(longest))) {
          model.unsettled.delete(offset)
          expect(offsets.settle(offset)).toBe(true)
        }
        break
      default:
        for (let i = random.below(longest); i > 0 && known.length > 0; i--) {
          const offset = known[random.below(known.length)]!
          expect(offsets.settle(offset)).toBe(model.unsettled.delete(offset))
        }
    }
    expect(offsets.unsettled).toBe(model.unsettled.size)
    expect(offsets.endOffset).toBe(model.endOffset)
    expect(offsets.position).toBe(model.position)
  }
}

describe('against a set of offsets', () => {
  test.each(Array.from({ length: 24 }, (_, seed) => seed))('seed %i', (seed) => run(seededRandom(seed)))
})
