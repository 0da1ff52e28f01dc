// xxHash32 with seed 0: the checksum in lz4 frames. Pure; any thread.
// Holds: what is given is a number from 0 to 2^32 - 1.

import { readInt32LE } from './little-endian.ts'

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

export function xxhash32(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  let at = start
  let hash: number
  if (length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0
    let b = PRIME_2 | 0
    let c = 0
    let d = -PRIME_1 | 0
    for (; at <= end - 16; at += 16) {
      a = round(a, readInt32LE(bytes, at))
      b = round(b, readInt32LE(bytes, at + 4))
      c = round(c, readInt32LE(bytes, at + 8))
      d = round(d, readInt32LE(bytes, at + 12))
    }
    hash = (turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18)) | 0
  } else {
    hash = PRIME_5
  }
  hash = (hash + length) | 0
  for (; at <= end - 4; at += 4) hash = Math.imul(turn((hash + Math.imul(readInt32LE(bytes, at), PRIME_3)) | 0, 17), PRIME_4)
  for (; at < end; at++) hash = Math.imul(turn((hash + Math.imul(bytes[at]!, PRIME_5)) | 0, 11), PRIME_1)
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(accumulator: number, input: number): number {
  return Math.imul(turn((accumulator + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1)
}

function turn(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
