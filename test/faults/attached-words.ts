// The words that a test and a thread it has attached share.

/** Where the thread is: 0 not attached yet, 1 at work. */
export const AT_WORK = 0
/** Stands still at its kill point. */
export const STANDS = 1
/** Never changes: what a thread waits on that is to be terminated. */
export const NEVER = 2
/** Records acknowledged to a producer, or read by a consumer. */
export const DONE = 3
/** Sends that failed. */
export const FAILED = 4
/** Set by the test: the thread is to finish and to close. */
export const FINISH = 5
/** Longest time between two acknowledgements, in microseconds. */
export const GAP_US_MAX = 6

export const ATTACHED_WORDS = 7
