// Values that say what they are: whoever reads one knows who sent it, and whether a byte
// of it has changed. Without allocation but for the value itself.
//
//   +0 u32 producer · +4 u32 number · +8 bytes that follow from both
//
// The hash is over all of it, and stands on the tapes, not in the value: a value that was
// damaged together with its checksum does not pass.

import type { Random } from '../../src/random.ts'

export const VALUE_BYTES_MIN = 8

export function makeValue(producer: number, number: number, sizeInBytes: number): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(Math.max(VALUE_BYTES_MIN, sizeInBytes))
  writeUint32(value, 0, producer)
  writeUint32(value, 4, number)
  let state = Math.imul(producer + 1, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b)
  for (let at = VALUE_BYTES_MIN; at < value.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    value[at] = state >>> 24
  }
  return value
}

/** FNV-1a of bytes[start, end), 32 bits. */
export function hashOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x811c_9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193)
  return hash >>> 0
}

/** Reads a word of a value that may be too short to have it: 2^32 - 1 then. */
export function wordAt(bytes: Uint8Array, start: number, end: number, at: number): number {
  if (start + at + 4 > end) return 0xffff_ffff
  const i = start + at
  return ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
}

/** Mostly a hundred bytes or so, sometimes a few KiB, seldom `bytesMax`. */
export function valueSize(random: Random, bytesMax: number): number {
  const chance = random.below(100)
  if (chance === 0) return bytesMax
  return random.below(chance < 10 ? bytesMax : Math.min(200, bytesMax))
}

function writeUint32(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}
