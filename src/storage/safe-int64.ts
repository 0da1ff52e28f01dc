// A 64-bit field as a number, without a throw. Pure; any thread; allocates nothing.
//
//   big-endian   +0 int32 high word   +4 uint32 low word

import { readInt32 } from '../record/record-batch.ts'

const TWO_POW_32 = 0x1_0000_0000

/** The signed 64-bit field at `at`, NaN when it is no safe integer: the caller knows which file is damaged. */
export function readSafeInt64(bytes: Uint8Array, at: number): number {
  const value = readInt32(bytes, at) * TWO_POW_32 + (readInt32(bytes, at + 4) >>> 0)
  return Number.isSafeInteger(value) ? value : Number.NaN
}
