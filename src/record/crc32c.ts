// CRC-32C (Castagnoli), the checksum of a record batch.
// Pure; any thread. Computed once a batch, and only for batches that leave memory.
//
// Slicing by 16: sixteen tables of 256 words, table k being table 0 with k zero
// bytes behind it, so that sixteen bytes take sixteen independent look-ups. Long ranges take the
// processor's own instruction, where native-crc32c.ts finds it.

import { nativeCrc32c } from './native-crc32c.ts'

const TABLES = 16
const POLYNOMIAL_REVERSED = 0x82f63b78
/** From here on a call of native code costs less than it spares. */
const NATIVE_BYTES_MIN = 1_024
/** Made when it is first needed: few threads need it, and it takes a while. */
let table: Int32Array | undefined

function makeTable(): Int32Array {
  const made = new Int32Array(TABLES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL_REVERSED : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256]!
    made[at] = (before >>> 8) ^ made[before & 0xff]!
  }
  return made
}

/** The CRC-32C of bytes[start, end) as an unsigned number; `seed` is the CRC of what came before. */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  // Of shared memory no native code is given a view: not every version takes one.
  if (end - start >= NATIVE_BYTES_MIN && bytes.buffer instanceof ArrayBuffer) {
    const native = nativeCrc32c()
    if (native !== undefined) return native(bytes.subarray(start, end), seed)
  }
  return ownCrc32c(bytes, start, end, seed)
}

/** The same without native code. */
export function ownCrc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const t = (table ??= makeTable())
  const b = bytes
  let crc = ~seed
  let i = start
  for (const sixteens = end - 15; i < sixteens; i += 16) {
    crc =
      t[0xf00 | ((crc ^ b[i]!) & 0xff)]! ^
      t[0xe00 | (((crc >>> 8) ^ b[i + 1]!) & 0xff)]! ^
      t[0xd00 | (((crc >>> 16) ^ b[i + 2]!) & 0xff)]! ^
      t[0xc00 | ((crc >>> 24) ^ b[i + 3]!)]! ^
      t[0xb00 | b[i + 4]!]! ^
      t[0xa00 | b[i + 5]!]! ^
      t[0x900 | b[i + 6]!]! ^
      t[0x800 | b[i + 7]!]! ^
      t[0x700 | b[i + 8]!]! ^
      t[0x600 | b[i + 9]!]! ^
      t[0x500 | b[i + 10]!]! ^
      t[0x400 | b[i + 11]!]! ^
      t[0x300 | b[i + 12]!]! ^
      t[0x200 | b[i + 13]!]! ^
      t[0x100 | b[i + 14]!]! ^
      t[b[i + 15]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 0xff]!
  return ~crc >>> 0
}
