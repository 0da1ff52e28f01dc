// What a thread of members is to do: plain values, so that they go to a worker.

import type { MillraceHandle } from '../../../src/index.ts'
import type { TortureTopic } from '../torture-tasks.ts'

/**
 * How a member leaves:
 * - `close`: its consumer is closed, whatever it has in hand;
 * - `break`: it ends its loop with a batch in hand, then closes;
 * - `abort`: its signal ends its loop, then it closes;
 * - `rejoin`: it ends its loop, and begins another with the same consumer, then closes.
 */
export const ENDINGS = ['close', 'break', 'abort', 'rejoin'] as const
export type MemberEnding = (typeof ENDINGS)[number]

/** Of one place on a thread: one member after the other. */
export interface SlotTask {
  readonly group: number
  readonly groupId: string
  /** A static member's number in its group; undefined: it is none. */
  readonly instance: number | undefined
  /** How long members live, and how long nobody comes after them; Infinity: one lives as long as its thread. */
  readonly lifeMsMax: number
  readonly pauseMsMax: number
  readonly mode: 'batches' | 'records'
  /** undefined: it commits by hand. */
  readonly autoCommitIntervalMs: number | undefined
  /** Commits what it was just given, and waits for that, once in so many times. */
  readonly commitsEvery: number
  readonly maxPollIntervalMs: number
  /** Has a batch in hand for longer than that, once in so many; 0: never. */
  readonly dawdlesEvery: number
}

export interface GroupThreadData {
  readonly handle: MillraceHandle
  readonly topics: readonly TortureTopic[]
  readonly slots: readonly SlotTask[]
  readonly seed: number
  /** Of RoundWords. */
  readonly round: SharedArrayBuffer
  /** Of GroupWords. */
  readonly groups: SharedArrayBuffer
  /** Of GroupThreadWords. */
  readonly words: SharedArrayBuffer
  /** Of its GroupTape. */
  readonly tape: SharedArrayBuffer
  /** Of its ReadTape: what the records held. */
  readonly reads: SharedArrayBuffer
}
