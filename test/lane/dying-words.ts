// The words through which a thread that is to die tells how far it came: dying-thread.ts
// stores them, lane-kill.test.ts reads them after its death.

/** 1 while a call into the lane runs. */
export const IN_WORK = 0
export const OFFERS_RETURNED = 1
/** Frames that were not whole. */
export const FAULTS = 2
/** Stays 0: to wait on. */
export const NEVER = 3
