// snappy in both forms that Kafka reads: raw, and the stream of xerial's snappy-java, which
// is the one that is written. Any thread.
//
//   xerial   82 'SNAPPY' 00 │ int32 version │ int32 compatible with │ block │ block │ …
//   a block  int32 length, big-endian │ raw snappy of at most 32 KiB
//   raw      varint of the bytes that come out │ element │ element │ …
//
//   element's first byte   ……00 literal: 1 to 60 bytes, or their number in the next 1 to 4 bytes
//                          ……01 copy of 4 to 11 bytes, distance of 11 bits
//                          ……10 copy of 1 to 64 bytes, distance of 16 bits
//                          ……11 copy of 1 to 64 bytes, distance of 32 bits
//
// Decompressed here and not by the library: a length that lies would have it allocate, or
// trap and keep what it had allocated.

import { corruptCompression, tooLargeDecompressed } from './batch-errors.ts'
import type { Codec } from './codec.ts'
import { wasmUtils } from './codec-libraries.ts'
import { CodecMemory } from './codec-memory.ts'
import { copyWithin } from './codec-copy.ts'
import { readInt32, writeInt32 } from './record-batch.ts'

const XERIAL_HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const MAGIC_BYTES = 8
const LENGTH_BYTES = 4
const BLOCK_BYTES = 32 * 1024
/** No element gives more bytes for its own: 64 for 3. */
const EXPANSION_MAX = 22

const written = new CodecMemory()
const read = new CodecMemory()

export const SNAPPY: Codec = {
  /** Has no levels. */
  compress(bytes) {
    const { snappyCompress } = wasmUtils()
    let out = written.reserve(Math.max(bytes.length >> 1, 1024))
    out.set(XERIAL_HEADER)
    let at = XERIAL_HEADER.length
    for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
      const block = snappyCompress(bytes.subarray(from, from + BLOCK_BYTES) as Buffer)
      const end = at + LENGTH_BYTES + block.length
      out = written.grow(at, end, Number.POSITIVE_INFINITY)
      writeInt32(out, at, block.length)
      out.set(block, at + LENGTH_BYTES)
      at = end
    }
    return out.subarray(0, at)
  },

  decompress(bytes, maxBytes) {
    read.reserve(0)
    const isRaw = !isXerial(bytes)
    let length = isRaw ? decodeRaw(bytes, 0, bytes.length, 0, maxBytes) : 0
    for (let at = isRaw ? bytes.length : XERIAL_HEADER.length; at < bytes.length; ) {
      const start = at + LENGTH_BYTES
      const size = start <= bytes.length ? readInt32(bytes, at) : -1
      if (size < 1 || size > bytes.length - start) throw corruptCompression('snappy', `a block of ${size} bytes`)
      length = decodeRaw(bytes, start, start + size, length, maxBytes)
      at = start + size
    }
    return read.bytes.subarray(0, length)
  },
}

function isXerial(bytes: Uint8Array): boolean {
  if (bytes.length < XERIAL_HEADER.length) return false
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[i] !== XERIAL_HEADER[i]) return false
  return true
}

/** Decodes bytes[start, end) behind the `outStart` bytes that are there; how many are there then. */
function decodeRaw(bytes: Uint8Array, start: number, end: number, outStart: number, maxBytes: number): number {
  let at = start
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = at < end ? bytes[at++]! : 0xff
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
    if (shift === 28) throw corruptCompression('snappy', 'a length of more than 32 bits')
  }
  if (size > (end - at) * EXPANSION_MAX) throw corruptCompression('snappy', `${size} bytes said to be in ${end - at}`)
  if (size > maxBytes - outStart) throw tooLargeDecompressed('snappy', maxBytes)
  const outEnd = outStart + size
  const out = read.grow(outStart, outEnd, maxBytes)
  let to = outStart
  while (at < end) {
    const tag = bytes[at++]!
    const kind = tag & 3
    let length: number
    if (kind === 0) {
      length = tag >>> 2
      if (length >= 60) {
        const more = length - 59
        length = 0
        for (let i = 0; i < more; i++) length += (bytes[at + i] ?? 0) * 2 ** (8 * i)
        at += more
      }
      length++
      if (length > end - at || length > outEnd - to) throw corruptCompression('snappy', `a literal of ${length} bytes`)
      if (length > 32) out.set(bytes.subarray(at, at + length), to)
      else for (let i = 0; i < length; i++) out[to + i] = bytes[at + i]!
      at += length
      to += length
      continue
    }
    let distance: number
    if (kind === 1) {
      length = 4 + ((tag >>> 2) & 7)
      distance = ((tag & 0xe0) << 3) | bytes[at]!
      at += 1
    } else {
      length = 1 + (tag >>> 2)
      distance = bytes[at]! | (bytes[at + 1]! << 8)
      at += 2
      if (kind === 3) {
        distance = (distance | (bytes[at]! << 16) | (bytes[at + 1]! << 24)) >>> 0
        at += 2
      }
    }
    if (at > end || distance === 0 || distance > to - outStart || length > outEnd - to) {
      throw corruptCompression('snappy', `a copy of ${length} bytes from ${distance} before`)
    }
    copyWithin(out, to, distance, length)
    to += length
  }
  if (to !== outEnd) throw corruptCompression('snappy', `${to - outStart} bytes where ${size} were said to be`)
  return to
}
