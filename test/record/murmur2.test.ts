import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2, murmur2OfText, partitionOfHash } from '../../src/record/murmur2.ts'
import { fromHex, goldenHashes } from './golden-batches.ts'

const SEED = 20_261_203
const utf8 = new TextEncoder()

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

  test('of the keys that are text, as text', () => {
    const texts = goldenHashes.filter(({ key }) => /^([0-7].)*$/.test(key))
    for (const { key, hash } of texts) expect(murmur2OfText(Buffer.from(key, 'hex').toString()), key).toBe(hash)
    expect(texts.length).toBeGreaterThan(10)
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

test('a text has the hash of its UTF-8', () => {
  const units = fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }))
  const texts = fc.array(units, { maxLength: 30 }).map((codes) => String.fromCharCode(...codes))
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 30 })
  fc.assert(
    fc.property(fc.oneof(ascii, texts), (text) => {
      expect(murmur2OfText(text)).toBe(hashOf(utf8.encode(text)))
    }),
    { seed: SEED, numRuns: 1_000 },
  )
})

test('one wide character anywhere counts', () => {
  for (let length = 1; length <= 9; length++) {
    for (let at = 0; at < length; at++) {
      for (const character of ['\u0080', 'ü', '中', '\ud83d\ude00', '\udc00']) {
        const text = 'a'.repeat(at) + character + 'b'.repeat(length - at - 1)
        expect(murmur2OfText(text), text).toBe(hashOf(utf8.encode(text)))
      }
    }
  }
  const long = `${'中'.repeat(5_000)}é`
  expect(murmur2OfText(long)).toBe(hashOf(utf8.encode(long)))
  expect(murmur2OfText('é')).toBe(hashOf(utf8.encode('é')))
})
