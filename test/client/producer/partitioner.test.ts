import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Partitioner } from '../../../src/client/producer/partitioner.ts'
import type { PartitionerOptions } from '../../../src/client/producer/partitioner.ts'
import { MillraceError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/random.ts'

const utf8 = new TextEncoder()
const codePoints = fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
const texts = fc.array(codePoints, { maxLength: 40 }).map((points) => String.fromCodePoint(...points))

function partitioner(options: Partial<PartitionerOptions> = {}): Partitioner {
  const { topicName = 'orders', partitionCount = 12, stickyBytes = 1_000, partitioner: by = 'default', ignoreKeys = false } = options
  const { requiresKeys = false, random = seededRandom(7), loads } = options
  return new Partitioner({ topicName, partitionCount, stickyBytes, partitioner: by, loads, ignoreKeys, requiresKeys, random })
}

interface GoldenHash {
  readonly kind: string
  readonly key: string
  readonly partitionOf: Readonly<Record<string, number>>
}

const golden = gunzipSync(readFileSync(new URL('../../../../shared/reference/golden/batches-and-hashes.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenHash)
  .filter(({ kind }) => kind === 'murmur2')

describe('a key', () => {
  test("goes where Kafka's own client sends it", () => {
    let compared = 0
    for (const { key, partitionOf } of golden) {
      for (const [partitionCount, partition] of Object.entries(partitionOf)) {
        expect(partitioner({ partitionCount: Number(partitionCount) }).partitionFor(Buffer.from(key, 'hex')), key).toBe(partition)
        compared++
      }
    }
    expect(golden.length).toBe(71)
    expect(compared).toBeGreaterThan(71)
  })

  test('goes the same way as text and as bytes', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 1_000 }), (key, partitionCount) => {
        const one = partitioner({ partitionCount })
        const partition = one.partitionFor(key)
        expect(one.partitionFor(utf8.encode(key))).toBe(partition)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(partitionCount)
      }),
      { seed: 20_261_133 },
    )
    expect(partitioner().partitionFor('x'.repeat(100_000))).toBe(partitioner().partitionFor(utf8.encode('x'.repeat(100_000))))
  })

  test('goes on as before while others come and go, until the topic grows', () => {
    const one = partitioner({ partitionCount: 12 })
    const before = one.partitionFor('user-7')
    for (let partition = 0; partition < 12; partition++) one.batchClosed(partition, 1_000_000, true)
    expect(one.partitionFor('user-7')).toBe(before)
    one.partitionCount = 1_000
    expect(one.partitionFor('user-7')).toBe(364) // golden: 8 of 12, 364 of 1,000
    expect(before).toBe(8)
  })
})

describe('without a key', () => {
  test('choosing alone changes nothing', () => {
    const one = partitioner()
    const first = one.partitionFor(null)
    for (let i = 0; i < 1_000; i++) expect(one.partitionFor(null)).toBe(first)
  })

  test('records stay until a batch of bytes has gone, and move on as that batch closes', () => {
    const one = partitioner({ stickyBytes: 1_000 })
    const first = one.partitionFor(null)
    one.batchClosed(first, 600, false)
    expect(one.partitionFor(null)).toBe(first)
    one.batchClosed((first + 1) % 12, 5_000, true) // of keyed records, elsewhere
    one.batchClosed(first, 399, false)
    expect(one.partitionFor(null)).toBe(first)
    one.batchClosed(first, 1, false)
    const second = one.partitionFor(null)
    expect(second).not.toBe(first)
    one.batchClosed(second, 999, false) // the count began anew
    expect(one.partitionFor(null)).toBe(second)
  })

  test('a full batch is enough when at least half of the bytes went', () => {
    const one = partitioner({ stickyBytes: 1_000 })
    const first = one.partitionFor(null)
    one.batchClosed(first, 499, true)
    expect(one.partitionFor(null)).toBe(first)
    one.batchClosed(first, 1, true)
    expect(one.partitionFor(null)).not.toBe(first)
  })

  test('every move goes elsewhere, and all partitions get the same share', () => {
    const partitionCount = 5
    const one = partitioner({ partitionCount, stickyBytes: 1_000, random: seededRandom(42) })
    const stays = new Array<number>(partitionCount).fill(0)
    let last = -1
    for (let i = 0; i < 10_000; i++) {
      const partition = one.partitionFor(null)
      expect(partition).not.toBe(last)
      stays[partition]! += 1
      last = partition
      one.batchClosed(partition, 990, true)
    }
    for (const count of stays) expect(Math.abs(count - 2_000)).toBeLessThan(150)
  })

  test('the start is by chance, so that many producers do not all begin at one', () => {
    const starts = new Set(Array.from({ length: 100 }, (_, seed) => partitioner({ random: seededRandom(seed) }).partitionFor(null)))
    expect(starts.size).toBeGreaterThan(8)
  })

  test('one partition is one partition, and a topic that grew is used in full', () => {
    const one = partitioner({ partitionCount: 1 })
    one.batchClosed(0, 10_000, true)
    expect(one.partitionFor(null)).toBe(0)
    one.partitionCount = 4
    const seen = new Set<number>()
    for (let i = 0; i < 100; i++) {
      one.batchClosed(one.partitionFor(null), 10_000, true)
      seen.add(one.partitionFor(null))
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3])
  })

  test('keys may be ignored', () => {
    const one = partitioner({ ignoreKeys: true })
    const first = one.partitionFor('user-7')
    expect(one.partitionFor('another')).toBe(first)
    one.batchClosed(first, 2_000, true)
    expect(one.partitionFor('user-7')).not.toBe(first)
  })
})

describe('a function of the user', () => {
  test('is asked with the bytes of the key, the partitions and the topic', () => {
    const by = vi.fn(() => 3)
    const one = partitioner({ partitioner: by })
    expect(one.partitionFor('é')).toBe(3)
    expect(one.partitionFor(null)).toBe(3)
    expect(by.mock.calls).toEqual([
      [utf8.encode('é'), 12, 'orders'],
      [null, 12, 'orders'],
    ])
  })

  test('that gives no partition is told so', () => {
    for (const wrong of [-1, 12, 1.5, Number.NaN, '3', undefined, null]) {
      const one = partitioner({ partitioner: () => wrong as number })
      expect(() => one.partitionFor('a')).toThrow(MillraceError)
      expect(() => one.partitionFor('a')).toThrow('the partitioner must give a whole number from 0 to 11 for topic orders; it gave ')
    }
  })

  test('that throws throws', () => {
    const one = partitioner({
      partitioner: () => {
        throw new RangeError('mine')
      },
    })
    expect(() => one.partitionFor('a')).toThrow(RangeError)
  })
})

describe('by how long their queues are', () => {
  /** How many of so many batches each partition gets. */
  function shares(lengths: readonly number[], { unavailable = [] as number[], batches = 20_000 } = {}): number[] {
    const loads = {
      queueLength: (partition: number) => lengths[partition]!,
      isAvailable: (partition: number) => !unavailable.includes(partition),
    }
    const one = partitioner({ partitionCount: lengths.length, loads, random: seededRandom(20_261_125) })
    const counts = lengths.map(() => 0)
    for (let i = 0; i < batches; i++) {
      const partition = one.partitionFor(null)
      counts[partition]!++
      one.batchClosed(partition, 1_000, true)
    }
    return counts.map((count) => count / batches)
  }

  test("partitions get Kafka's weights: the longest queue and one, less their own", () => {
    for (const [at, share] of shares([0, 3, 1]).entries()) expect(share).toBeCloseTo([4 / 8, 1 / 8, 3 / 8][at]!, 1)
  })

  test('equal queues get equal shares, and no partition two batches in a row', () => {
    for (const share of shares([2, 2, 2, 2])) expect(share).toBeCloseTo(1 / 4, 2)
  })

  test('one that is not available gets nothing, unless none is', () => {
    // The stay that it began with ends first.
    const [first, second, third] = shares([1, 1, 1], { unavailable: [1] })
    expect(second).toBeLessThan(0.001)
    expect(first).toBeCloseTo(1 / 2, 1)
    expect(third).toBeCloseTo(1 / 2, 1)
    for (const share of shares([1, 1], { unavailable: [0, 1] })) expect(share).toBeCloseTo(1 / 2, 2)
  })

  test('a partition that is added is weighed at the next move', () => {
    const loads = { queueLength: () => 1, isAvailable: (partition: number) => partition === 64 }
    const one = partitioner({ partitionCount: 64, loads })
    one.batchClosed(one.partitionFor(null), 2_000, true)
    one.partitionCount = 65
    one.batchClosed(one.partitionFor(null), 2_000, true)
    expect(one.partitionFor(null)).toBe(64)
  })

  test('a thousand of them are looked at once in many batches', () => {
    let looks = 0
    const loads = { queueLength: () => ++looks % 7, isAvailable: () => true }
    const one = partitioner({ partitionCount: 1_000, loads })
    for (let i = 0; i < 10_000; i++) one.batchClosed(one.partitionFor(null), 1_000, true)
    expect(looks).toBeLessThanOrEqual(10_000 * 8 + 1_000)
  })
})

describe('round robin', () => {
  test('one after the other, whatever the key', () => {
    const one = partitioner({ partitionCount: 3, partitioner: 'roundRobin' })
    expect([null, 'a', 'a', null, 'b', null, null].map((key) => one.partitionFor(key))).toEqual([0, 1, 2, 0, 1, 2, 0])
    expect(one.isSticky(null)).toBe(false)
  })

  test('whose record was not taken, still has its turn', () => {
    const one = partitioner({ partitionCount: 3, partitioner: 'roundRobin' })
    expect([one.partitionFor(null), one.partitionFor(null)]).toEqual([0, 1])
    one.notTaken(1)
    expect([one.partitionFor(null), one.partitionFor(null)]).toEqual([1, 2])
  })
})
