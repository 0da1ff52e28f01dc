import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MSGPACK_DEPTH_MAX, msgpackFault } from '../../src/client/msgpack-scan.ts'

function fault(...stored: number[]): string | undefined {
  return msgpackFault(Uint8Array.from(stored), 0, stored.length)
}

const TRUNCATED = 'the bytes end before the value does'

describe('every kind of value', () => {
  const kinds: [string, number[]][] = [
    ['positive fixint', [0x7f]],
    ['negative fixint', [0xe0]],
    ['nil', [0xc0]],
    ['false', [0xc2]],
    ['true', [0xc3]],
    ['fixmap', [0x81, 0x01, 0x02]],
    ['fixarray', [0x92, 0x01, 0x02]],
    ['empty map', [0x80]],
    ['empty array', [0x90]],
    ['fixstr', [0xa3, 0x61, 0x62, 0x63]],
    ['empty string', [0xa0]],
    ['bin 8', [0xc4, 2, 9, 9]],
    ['bin 16', [0xc5, 0, 2, 9, 9]],
    ['bin 32', [0xc6, 0, 0, 0, 2, 9, 9]],
    ['ext 8', [0xc7, 2, 5, 9, 9]],
    ['ext 16', [0xc8, 0, 2, 5, 9, 9]],
    ['ext 32', [0xc9, 0, 0, 0, 2, 5, 9, 9]],
    ['float 32', [0xca, 1, 2, 3, 4]],
    ['float 64', [0xcb, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['uint 8', [0xcc, 1]],
    ['uint 16', [0xcd, 1, 2]],
    ['uint 32', [0xce, 1, 2, 3, 4]],
    ['uint 64', [0xcf, 0, 1, 2, 3, 4, 5, 6, 7]],
    ['int 8', [0xd0, 1]],
    ['int 16', [0xd1, 1, 2]],
    ['int 32', [0xd2, 1, 2, 3, 4]],
    ['int 64', [0xd3, 0, 1, 2, 3, 4, 5, 6, 7]],
    ['fixext 1', [0xd4, 5, 1]],
    ['fixext 2', [0xd5, 5, 1, 2]],
    ['fixext 4', [0xd6, 5, 1, 2, 3, 4]],
    ['fixext 8', [0xd7, 5, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['fixext 16', [0xd8, 5, ...Array.from({ length: 16 }, () => 7)]],
    ['str 8', [0xd9, 2, 0x61, 0x62]],
    ['str 16', [0xda, 0, 2, 0x61, 0x62]],
    ['str 32', [0xdb, 0, 0, 0, 2, 0x61, 0x62]],
    ['array 16', [0xdc, 0, 2, 1, 2]],
    ['array 32', [0xdd, 0, 0, 0, 2, 1, 2]],
    ['map 16', [0xde, 0, 1, 1, 2]],
    ['map 32', [0xdf, 0, 0, 0, 1, 1, 2]],
  ]

  test.each(kinds)('%s: whole it is sound, short or long it is not', (_kind, stored) => {
    expect(fault(...stored)).toBeUndefined()
    for (let end = 0; end < stored.length; end++) expect(fault(...stored.slice(0, end))).toBe(TRUNCATED)
    expect(fault(...stored, 0)).toBe('1 bytes follow the value')
    // among others, in memory that goes on
    expect(msgpackFault(Uint8Array.from([0xc1, ...stored, 0xc1]), 1, 1 + stored.length)).toBeUndefined()
  })

  test('the byte that means nothing is refused', () => {
    expect(fault(0xc1)).toBe('the byte c1 has no meaning')
    expect(fault(0x91, 0xc1)).toBe('the byte c1 has no meaning')
  })
})

test('headers that claim more than there is are refused, however deep they lie', () => {
  expect(fault(0xdd, 0xff, 0xff, 0xff, 0xff)).toBe(TRUNCATED)
  expect(fault(0xdf, 0xff, 0xff, 0xff, 0xff)).toBe(TRUNCATED)
  expect(fault(0xdb, 0xff, 0xff, 0xff, 0xff)).toBe(TRUNCATED)
  expect(fault(0xc6, 0xff, 0xff, 0xff, 0xff)).toBe(TRUNCATED)
  // 100 nested arrays of 65,535: 6.5 million slots of 500 bytes, if they were believed
  expect(fault(...Array.from({ length: 100 }, () => [0xdc, 0xff, 0xff]).flat())).toBe(TRUNCATED)
  // an honest outer array, and an inner one that counts the outer's items as its own
  expect(fault(0x93, 0x94, 1, 2, 3)).toBe(TRUNCATED)
})

test('nesting has a limit', () => {
  const nested = (depth: number): number[] => [...Array.from({ length: depth }, () => 0x91), 0xc0]
  expect(fault(...nested(MSGPACK_DEPTH_MAX))).toBeUndefined()
  expect(fault(...nested(MSGPACK_DEPTH_MAX + 1))).toContain('nested more than 512 deep')
})

test('integers of 64 bits are sound up to 2^53 - 1', () => {
  const stored = (head: number, value: bigint): number[] => {
    const word = new DataView(new ArrayBuffer(8))
    word.setBigInt64(0, value)
    return [head, ...new Uint8Array(word.buffer)]
  }
  const edge = 2n ** 53n
  for (const value of [0n, 1n, edge - 1n]) expect(fault(...stored(0xcf, value))).toBeUndefined()
  for (const value of [edge, edge + 1n, 2n ** 63n - 1n, -1n]) expect(fault(...stored(0xcf, value))).toContain('beyond 2^53')
  for (const value of [0n, edge - 1n, -1n, 1n - edge]) expect(fault(...stored(0xd3, value))).toBeUndefined()
  for (const value of [edge, -edge, -edge - 1n, -(2n ** 63n)]) expect(fault(...stored(0xd3, value))).toContain('beyond 2^53')
})

test('what the encoder writes is sound', () => {
  fc.assert(
    fc.property(fc.anything({ withDate: true, withTypedArray: false, maxDepth: 6 }), (value) => {
      let encoded: Uint8Array
      try {
        encoded = encode(value)
      } catch {
        return // functions and symbols have no form
      }
      expect(msgpackFault(encoded, 0, encoded.length)).toBeUndefined()
    }),
    { seed: 20_261_128, numRuns: 1_000 },
  )
})
