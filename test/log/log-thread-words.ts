// The words by which the threads of log-threads.ts and their tests speak: indices of an Int32Array.

/** Never changes: to wait on until the end. */
export const NEVER = 0
export const STOP = 1
export const TORN = 2
export const OVERTAKEN = 3
export const BATCHES = 4
export const STALLS = 5
export const IN_WORK = 6
/** From here on, for each key of the compacted partition: twice the last committed offset + 1, and 1 for a tombstone. */
export const KEYED = 16
export const WORDS = KEYED + 40
