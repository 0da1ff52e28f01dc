import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c, ownCrc32c } from '../../src/record/crc32c.ts'
import { forgoNativeCode, nativeCrc32c } from '../../src/record/native-crc32c.ts'
import { plainCrc32c } from './plain-batch.ts'

const SEED = 20_261_202

test('the check value of CRC-32C, and those of RFC 3720', () => {
  const nines = new TextEncoder().encode('123456789')
  expect(crc32c(nines, 0, nines.length)).toBe(0xe306_9283)
  const run = Uint8Array.from({ length: 32 }, (_, i) => i)
  expect(crc32c(new Uint8Array(32), 0, 32)).toBe(0x8a91_36aa)
  expect(crc32c(new Uint8Array(32).fill(0xff), 0, 32)).toBe(0x62a8_ab43)
  expect(crc32c(run, 0, 32)).toBe(0x46dd_794e)
  expect(crc32c(run.toReversed(), 0, 32)).toBe(0x113f_db5c)
  expect(crc32c(new Uint8Array(0), 0, 0)).toBe(0)
})

test('is that of the bytes in the range, one at a time, at every length and alignment', () => {
  const bytes = Uint8Array.from({ length: 120 }, (_, i) => (i * 151 + 7) & 0xff)
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end++) {
      if (crc32c(bytes, start, end) !== plainCrc32c(bytes, start, end)) expect.fail(`another CRC of [${start}, ${end})`)
    }
  }
})

test('goes on from what came before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      const at = Math.min(cut, bytes.length)
      expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(crc32c(bytes, 0, bytes.length))
    }),
    { seed: SEED },
  )
})

test('of shared memory is the same', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(0x5a)
  expect(crc32c(shared, 3, 61)).toBe(plainCrc32c(shared, 3, 61))
})

test('of a long range is the same with native code and without, from anything that came before', () => {
  expect(nativeCrc32c(), 'it is installed for the tests').toBeDefined()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1_024, maxLength: 5_000 }), fc.nat(1_100), fc.nat(0xffff_ffff), (bytes, start, seed) => {
      const from = Math.min(start, bytes.length)
      const expected = ownCrc32c(bytes, from, bytes.length, seed)
      expect(crc32c(bytes, from, bytes.length, seed)).toBe(expected)
      expect(nativeCrc32c()!(bytes.subarray(from), seed)).toBe(expected)
    }),
    { seed: SEED },
  )
})

test('our own is that of the bytes one at a time, also of long ranges and of shared memory', () => {
  const bytes = Uint8Array.from({ length: 3_000 }, (_, i) => (i * 151 + 7) & 0xff)
  expect(ownCrc32c(bytes, 5, 2_995)).toBe(plainCrc32c(bytes, 5, 2_995))
  const shared = new Uint8Array(new SharedArrayBuffer(3_000))
  shared.set(bytes)
  expect(crc32c(shared, 5, 2_995)).toBe(plainCrc32c(bytes, 5, 2_995))
})

test('of a thread that forgoes native code is the same', () => {
  const bytes = Uint8Array.from({ length: 3_000 }, (_, i) => (i * 151 + 7) & 0xff)
  forgoNativeCode()
  expect(nativeCrc32c()).toBeUndefined()
  expect(crc32c(bytes, 5, 2_995)).toBe(plainCrc32c(bytes, 5, 2_995))
})
