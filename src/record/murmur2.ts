// Kafka's murmur2: the hash that gives a keyed record its partition. It must agree
// with the Java client bit for bit, or the same key lands on two partitions.
// Pure; runs on the producer's thread, once a keyed record.

const SEED = 0x9747b28c | 0
const M = 0x5bd1e995

/** The hash of bytes[start, end) as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array, start: number, end: number): number {
  let hash = startMurmur2(end - start)
  let i = start
  for (const fours = end - 3; i < fours; i += 4) {
    hash = mixMurmur2(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
  }
  let rest = 0
  for (let shift = 0; i < end; i++, shift += 8) rest |= bytes[i]! << shift
  return finishMurmur2(hash, rest, (end - start) & 3)
}

/** The three steps, for who has the bytes from elsewhere: the length, each four bytes as a word, the rest as one. */
export function startMurmur2(length: number): number {
  return SEED ^ length
}

export function mixMurmur2(hash: number, word: number): number {
  let k = Math.imul(word, M)
  k = Math.imul(k ^ (k >>> 24), M)
  return Math.imul(hash, M) ^ k
}

/** The rest has 0 to 3 bytes. */
export function finishMurmur2(hash: number, rest: number, restBytes: number): number {
  if (restBytes > 0) hash = Math.imul(hash ^ rest, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** Kafka's choice of a partition for a keyed record. */
export function partitionOfHash(hash: number, partitionCount: number): number {
  return (hash & 0x7fff_ffff) % partitionCount
}
