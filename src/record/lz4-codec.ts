// lz4 in frames, as Kafka has it (KIP-57). Any thread.
//
//   frame     04 22 4d 18 │ flags │ block size │ content size? 8 │ header's checksum │ block │ … │ 00 00 00 00 │ checksum? 4
//   flags     01 version, then a bit each: blocks stand alone, blocks have checksums, the content's size
//             is said, the content has a checksum, 0, a dictionary is named
//   a block   int32 length, little-endian, with the top bit: not compressed │ sequences │ checksum? 4
//   sequence  token │ more length │ literals │ distance, 16 bits │ more length
//
// Written are blocks of 64 KiB that stand alone, without checksums: Kafka's own form.
// Decompressed here and not by the library: a length that lies would have it allocate, or
// trap and keep what it had allocated.

import { corruptCompression, tooLargeDecompressed } from './batch-errors.ts'
import type { Codec } from './codec.ts'
import { copyWithin } from './codec-copy.ts'
import { wasmUtils } from './codec-libraries.ts'
import { CodecMemory } from './codec-memory.ts'
import { xxhash32 } from './xxhash32.ts'
import { readUint32LE } from './little-endian.ts'

const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const MAGIC_BYTES = 4
const WORD_BYTES = 4
const BLOCK_BYTES = 64 * 1024
const NOT_COMPRESSED = 0x8000_0000
/** No sequence gives more bytes for its own. */
const EXPANSION_MAX = 255

const VERSION_MASK = 0xc2
const VERSION_1 = 0x40
const STAND_ALONE = 0x20
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY = 0x01

const written = new CodecMemory()
const read = new CodecMemory()

export const LZ4: Codec = {
  /** Levels are taken, and make no difference: the library has one. */
  compress(bytes) {
    const { lz4Compress } = wasmUtils()
    let out = written.reserve(Math.max(bytes.length >> 1, 1024))
    out.set(HEADER)
    let at = HEADER.length
    for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
      // A frame of one block: the block is taken out of it.
      const frame = lz4Compress(bytes.subarray(from, from + BLOCK_BYTES) as Buffer)
      const block = frame.subarray(HEADER.length, frame.length - WORD_BYTES)
      out = written.grow(at, at + block.length + WORD_BYTES, Number.POSITIVE_INFINITY)
      out.set(block, at)
      at += block.length
    }
    out.fill(0, at, at + WORD_BYTES)
    return out.subarray(0, at + WORD_BYTES)
  },

  decompress(bytes, maxBytes) {
    read.reserve(0)
    const length = decodeFrame(bytes, maxBytes)
    return read.bytes.subarray(0, length)
  },
}

interface FrameHeader {
  readonly flags: number
  readonly blockBytesMax: number
  /** -1: not said. */
  readonly contentBytes: number
  readonly end: number
}

function decodeFrame(bytes: Uint8Array, maxBytes: number): number {
  const { flags, blockBytesMax, contentBytes, end: headerEnd } = readHeader(bytes)
  if (contentBytes > maxBytes) throw tooLargeDecompressed('lz4', maxBytes)
  let length = 0
  let at = headerEnd
  for (;;) {
    const word = wordAt(bytes, at)
    at += WORD_BYTES
    if (word === 0) break
    const isCompressed = word < NOT_COMPRESSED
    const size = isCompressed ? word : word - NOT_COMPRESSED
    const end = at + size
    if (end > bytes.length || size > blockBytesMax || size === 0) throw corruptCompression('lz4', `a block of ${size} bytes`)
    const mostBytes = Math.min(blockBytesMax, isCompressed ? size * EXPANSION_MAX : size)
    const limit = Math.min(length + mostBytes, maxBytes)
    if (!isCompressed && size > maxBytes - length) throw tooLargeDecompressed('lz4', maxBytes)
    const out = read.grow(length, limit, maxBytes)
    if (isCompressed) {
      const floor = (flags & STAND_ALONE) === 0 ? 0 : length
      length = decodeBlock(bytes, at, end, out, length, limit, floor)
      if (length < 0)
        throw limit === maxBytes ? tooLargeDecompressed('lz4', maxBytes) : corruptCompression('lz4', 'a block larger than any may be')
    } else {
      out.set(bytes.subarray(at, end), length)
      length += size
    }
    at = end
    if ((flags & BLOCK_CHECKSUMS) !== 0) {
      if (wordAt(bytes, at) !== xxhash32(bytes, end - size, end)) throw corruptCompression('lz4', 'the checksum of another block')
      at += WORD_BYTES
    }
  }
  if ((flags & CONTENT_CHECKSUM) !== 0) {
    if (wordAt(bytes, at) !== xxhash32(read.bytes, 0, length)) throw corruptCompression('lz4', 'the checksum of another content')
    at += WORD_BYTES
  }
  if (contentBytes >= 0 && contentBytes !== length) throw corruptCompression('lz4', `${length} bytes where ${contentBytes} were said to be`)
  if (at !== bytes.length) throw corruptCompression('lz4', `${bytes.length - at} bytes behind the frame`)
  return length
}

function readHeader(bytes: Uint8Array): FrameHeader {
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[i] !== HEADER[i]) throw corruptCompression('lz4', 'no frame')
  const flags = bytes[MAGIC_BYTES] ?? 0
  const descriptor = bytes[MAGIC_BYTES + 1] ?? 0
  if ((flags & VERSION_MASK) !== VERSION_1 || (flags & DICTIONARY) !== 0) throw corruptCompression('lz4', `a frame of flags ${flags}`)
  const sizeCode = descriptor >>> 4
  if (sizeCode < 4 || sizeCode > 7 || (descriptor & 0x0f) !== 0) throw corruptCompression('lz4', `a block size of ${descriptor}`)
  let at = MAGIC_BYTES + 2
  let contentBytes = -1
  if ((flags & CONTENT_SIZE) !== 0) {
    contentBytes = wordAt(bytes, at) + wordAt(bytes, at + WORD_BYTES) * 2 ** 32
    at += 2 * WORD_BYTES
  }
  if (bytes[at] !== ((xxhash32(bytes, MAGIC_BYTES, at) >>> 8) & 0xff)) throw corruptCompression('lz4', 'the checksum of another header')
  return { flags, blockBytesMax: 2 ** (8 + 2 * sizeCode), contentBytes, end: at + 1 }
}

/** Decodes bytes[at, end) to `out[to]` on, with nothing from before `floor`; where that ends, -1 beyond `limit`. */
function decodeBlock(bytes: Uint8Array, at: number, end: number, out: Uint8Array, to: number, limit: number, floor: number): number {
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        if (at >= end) throw corruptCompression('lz4', 'the end of a block inside a length')
        more = bytes[at++]!
      }
    }
    if (literals > end - at) throw corruptCompression('lz4', `${literals} literals in ${end - at} bytes`)
    if (literals > limit - to) return -1
    if (literals > 32) out.set(bytes.subarray(at, at + literals), to)
    else for (let i = 0; i < literals; i++) out[to + i] = bytes[at + i]!
    at += literals
    to += literals
    // The last sequence has literals only.
    if (at === end) return to
    if (end - at < 2) break
    const distance = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    let length = token & 15
    if (length === 15) {
      for (let more = 255; more === 255; length += more) {
        if (at >= end) throw corruptCompression('lz4', 'the end of a block inside a length')
        more = bytes[at++]!
      }
    }
    length += 4
    if (distance === 0 || distance > to - floor) throw corruptCompression('lz4', `a match from ${distance} bytes before`)
    if (length > limit - to) return -1
    copyWithin(out, to, distance, length)
    to += length
  }
  throw corruptCompression('lz4', 'the end of a block inside a sequence')
}

function wordAt(bytes: Uint8Array, at: number): number {
  if (at + WORD_BYTES > bytes.length) throw corruptCompression('lz4', 'the end of the bytes inside a frame')
  return readUint32LE(bytes, at)
}
