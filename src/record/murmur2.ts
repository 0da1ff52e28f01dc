// Kafka's murmur2: the hash that gives a keyed record its partition. It must agree
// with the Java client bit for bit, or the same key lands on two partitions.
// Pure; runs on the producer's thread, once a keyed record.

const SEED = 0x9747b28c | 0
const M = 0x5bd1e995
const SCRATCH_BYTES_MIN = 1024

// Only text beyond ASCII is encoded here before it is hashed; grows to the longest such key.
let scratch = new Uint8Array(0)
let encoder: TextEncoder | undefined

/** The hash of bytes[start, end) as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED ^ (end - start)
  let i = start
  for (const fours = end - 3; i < fours; i += 4) {
    hash = mix(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
  }
  const rest = end - i
  if (rest === 3) hash ^= bytes[i + 2]! << 16
  if (rest >= 2) hash ^= bytes[i + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[i]!, M)
  return finish(hash)
}

/** The hash of a text's UTF-8; nothing is allocated for ASCII. */
export function murmur2OfText(text: string): number {
  const length = text.length
  let hash = SEED ^ length
  let seen = 0
  let i = 0
  for (const fours = length - 3; i < fours; i += 4) {
    const a = text.charCodeAt(i)
    const b = text.charCodeAt(i + 1)
    const c = text.charCodeAt(i + 2)
    const d = text.charCodeAt(i + 3)
    seen |= a | b | c | d
    hash = mix(hash, a | (b << 8) | (c << 16) | (d << 24))
  }
  const rest = length - i
  const a = rest >= 1 ? text.charCodeAt(i) : 0
  const b = rest >= 2 ? text.charCodeAt(i + 1) : 0
  const c = rest === 3 ? text.charCodeAt(i + 2) : 0
  // Beyond ASCII the characters are not the bytes, so all of the above was in vain.
  if ((seen | a | b | c) > 0x7f) return murmur2OfWideText(text)
  hash ^= (c << 16) | (b << 8)
  if (rest >= 1) hash = Math.imul(hash ^ a, M)
  return finish(hash)
}

/** Kafka's choice of a partition for a keyed record. */
export function partitionOfHash(hash: number, partitionCount: number): number {
  return (hash & 0x7fff_ffff) % partitionCount
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, M)
  k = Math.imul(k ^ (k >>> 24), M)
  return Math.imul(hash, M) ^ k
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

function murmur2OfWideText(text: string): number {
  const bytesMax = text.length * 3
  if (scratch.length < bytesMax) scratch = new Uint8Array(Math.max(SCRATCH_BYTES_MIN, bytesMax))
  encoder ??= new TextEncoder()
  return murmur2(scratch, 0, encoder.encodeInto(text, scratch).written)
}
