import { expect, test } from 'vitest'
import { copyBytes, copyToShared } from '../../src/log/copy-bytes.ts'

const LENGTH = 150_000
const SIZES = [0, 1, 7, 61, 4_095, 32_767, 32_768, 32_769, 65_536, 100_001]

function bytes(shared: boolean, fill: (at: number) => number): Uint8Array {
  const view = new Uint8Array(shared ? new SharedArrayBuffer(LENGTH) : new ArrayBuffer(LENGTH))
  for (let at = 0; at < LENGTH; at++) view[at] = fill(at)
  return view
}

test.each([
  ['shared into shared', copyToShared, true, true],
  ['private into shared', copyToShared, false, true],
  ['shared into private', copyBytes, true, false],
] as const)('%s: exactly the range, at any position and size', (_, copy, sourceShared, targetShared) => {
  const source = bytes(sourceShared, (at) => (at * 7 + (at >>> 8)) & 0xff)
  for (const size of SIZES) {
    for (const [from, to] of [
      [0, 0],
      [3, 64],
      [64, 5],
      [1_001, 2_002],
    ] as const) {
      const target = bytes(targetShared, () => 0xee)
      copy(target, to, source, from, from + size)
      const expected = new Uint8Array(LENGTH).fill(0xee)
      expected.set(source.slice(from, from + size), to)
      expect(Buffer.compare(expected, target)).toBe(0)
    }
  }
})
