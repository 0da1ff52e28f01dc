// Sequence numbers of idempotent producers (KIP-98): the records of one producer in one
// partition are counted from 0, and after 2^31 - 1 comes 0 again. Any thread; pure.
// Holds: two sequence numbers are compared by their distance, never by <, so it does not
// matter where the count wraps, as long as they lie less than 2^30 records apart.

export const SEQUENCE_MAX = 0x7fff_ffff

/** The sequence number `count` records after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) & SEQUENCE_MAX
}

/** The sequence number of the record before. */
export function sequenceBefore(sequence: number): number {
  return (sequence + SEQUENCE_MAX) & SEQUENCE_MAX
}

/** How many records `sequence` lies after `other`; below 0 when it lies before it. */
export function sequenceDistance(sequence: number, other: number): number {
  // The top bit goes, and the one below it becomes the sign: a difference modulo 2^31.
  return ((sequence - other) << 1) >> 1
}
