// Whether what is held is still this member's, and the signal that says when it is not.

import { Origin } from '../hold.ts'
import type { Hold } from '../hold.ts'
import type { SourcePartition } from '../source-partition.ts'

/** Whether a partition of what is held went to another, or its source has ended: it comes again there. */
export function isGone({ origins }: Hold): boolean {
  return origins instanceof Origin ? origins.partition.isGone : origins.some(({ partition }) => partition.isGone)
}

/** Each once. */
export function partitionsOf({ origins }: Hold): SourcePartition[] {
  return origins instanceof Origin ? [origins.partition] : [...new Set(origins.map(({ partition }) => partition))]
}

/** Fires when `isGone` comes to be true, or with the signal of the operator. */
export function signalOf(hold: Hold, over: AbortSignal): AbortSignal {
  return AbortSignal.any([over, ...partitionsOf(hold).map(({ signal }) => signal)])
}
