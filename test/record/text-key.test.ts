import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmur2 } from '../../src/record/murmur2.ts'
import { murmur2OfText, TEXT_KEY_CHARACTERS_MAX, TextKey } from '../../src/record/text-key.ts'
import { goldenHashes } from './golden-batches.ts'

const SEED = 20_261_203
const utf8 = new TextEncoder()

function hashOf(bytes: Uint8Array): number {
  return murmur2(bytes, 0, bytes.length)
}

test("a text has Kafka's hash", () => {
  const texts = goldenHashes.filter(({ key }) => /^([0-7].)*$/.test(key))
  for (const { key, hash } of texts) expect(murmur2OfText(Buffer.from(key, 'hex').toString()), key).toBe(hash)
  expect(texts.length).toBeGreaterThan(10)
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

test('a key that is set again and again has the bytes and the hash of the last text', () => {
  const key = new TextKey()
  const target = new Uint8Array(TEXT_KEY_CHARACTERS_MAX * 3 + 2)
  const units = fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }))
  const wide = fc.array(units, { maxLength: 60 }).map((codes) => String.fromCharCode(...codes))
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 60 })
  fc.assert(
    fc.property(fc.oneof(ascii, wide), (text) => {
      const bytes = Buffer.from(text)
      key.set(text)
      expect(key.length).toBe(bytes.length)
      expect(Buffer.from(key.bytes.subarray(0, key.length))).toEqual(bytes)
      expect(key.hash).toBe(hashOf(bytes))
      target.fill(0xff)
      key.copyTo(target, 1)
      expect(Buffer.from(target.subarray(1, 1 + key.length))).toEqual(bytes)
      expect([target[0], target[1 + key.length]]).toEqual([0xff, 0xff])
    }),
    { seed: SEED, numRuns: 1_000 },
  )
})

test('the longest key there is room for, of characters of any width', () => {
  const key = new TextKey()
  for (const character of ['a', 'ü', '中', '\ud83d\ude00', '\udc00']) {
    const text = character.repeat(TEXT_KEY_CHARACTERS_MAX / character.length)
    key.set(text)
    expect(Buffer.from(key.bytes.subarray(0, key.length))).toEqual(Buffer.from(text))
    expect(key.hash).toBe(hashOf(Buffer.from(text)))
  }
  expect(() => key.set('a'.repeat(TEXT_KEY_CHARACTERS_MAX + 1))).toThrow(expect.objectContaining({ code: 'ASSERTION_FAILED' }) as Error)
})
