// Whether bytes are whole zstd frames (RFC 8878, section 3.1), without decompressing them. Any thread.
//
//   magic 4 │ descriptor 1 │ window 0–1 │ dictionary id 0–4 │ content size 0–8 │ blocks │ checksum 0 or 4
//   block:  header 3, little-endian: last 1 bit, type 2 bits, size 21 bits │ content
//
// Node.js 22 gives what a cut stream holds without a word; later ones refuse it.

import { readUint32LE } from './little-endian.ts'

const MAGIC = 0xfd2f_b528
/** Any of sixteen: a frame that is passed over. */
const SKIPPABLE_MAGIC = 0x184d_2a50
const MAGIC_BYTES = 4
const SIZE_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const BLOCK_RLE = 1
const BLOCK_RESERVED = 3

/** False where the bytes end inside a frame, or hold something else. */
export function areWholeFrames(bytes: Uint8Array): boolean {
  let at = 0
  while (at >= 0 && at < bytes.length) at = frameEnd(bytes, at)
  return at === bytes.length
}

/** Behind the frame at `at`; -1 where there is none, or not all of one. */
function frameEnd(bytes: Uint8Array, at: number): number {
  if (at + MAGIC_BYTES + 1 > bytes.length) return -1
  const magic = readUint32LE(bytes, at)
  if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) return skippableEnd(bytes, at + MAGIC_BYTES)
  if (magic !== MAGIC) return -1
  const descriptor = bytes[at + MAGIC_BYTES]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const contentSizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag]!
  const headerBytes = MAGIC_BYTES + 1 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]! + contentSizeBytes
  const end = blocksEnd(bytes, at + headerBytes)
  if (end < 0) return -1
  const whole = end + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES)
  return whole <= bytes.length ? whole : -1
}

function skippableEnd(bytes: Uint8Array, at: number): number {
  if (at + SIZE_BYTES > bytes.length) return -1
  const end = at + SIZE_BYTES + readUint32LE(bytes, at)
  return end <= bytes.length ? end : -1
}

function blocksEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; at + BLOCK_HEADER_BYTES <= bytes.length; ) {
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    const type = (header >> 1) & 3
    if (type === BLOCK_RESERVED) return -1
    at += BLOCK_HEADER_BYTES + (type === BLOCK_RLE ? 1 : header >> 3)
    if ((header & 1) !== 0) return at <= bytes.length ? at : -1
  }
  return -1
}
