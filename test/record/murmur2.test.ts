import { describe, expect, test } from 'vitest'
import { murmur2, partitionOfHash } from '../../src/record/murmur2.ts'
import { fromHex, goldenHashes } from './golden-batches.ts'

function hashOf(bytes: Uint8Array): number {
  return murmur2(bytes, 0, bytes.length)
}

describe("Kafka's hashes", () => {
  test('of bytes, wherever they lie', () => {
    for (const { key, hash } of goldenHashes) {
      const bytes = fromHex(key)
      expect(hashOf(bytes), key).toBe(hash)
      const around = new Uint8Array(bytes.length + 9).fill(0xff)
      around.set(bytes, 5)
      expect(murmur2(around, 5, 5 + bytes.length), key).toBe(hash)
    }
    expect(goldenHashes.length).toBe(71)
  })

  test('give the partitions that Kafka gives', () => {
    let compared = 0
    for (const { hash, partitionOf } of goldenHashes) {
      for (const [count, partition] of Object.entries(partitionOf)) {
        expect(partitionOfHash(hash, Number(count))).toBe(partition)
        compared++
      }
    }
    expect(compared).toBe(104)
  })
})
