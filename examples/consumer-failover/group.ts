// What main and the members of the group have in common.

export const GROUP_ID = 'dashboard'

/** What a member has read is committed so often: as much is read twice at the most when it dies. */
export const COMMIT_MS = 200

/** A member that is to give partitions to another one takes so long, as one that has something to write down would. */
export const GIVE_UP_MS = 200

/** Milliseconds on a clock that all threads share; `performance.now()` starts anew on each. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
