// What the producer of R9 was told: when each record of a partition was acknowledged, by offset.
// Pure; runs on the main thread when all is over.
//
//   offset        …  o-2    o-1  │  o    o+1 …
//   leader epoch  …   3      3   │  4     4
//   acknowledged  …  at a   at b │ at c
//
// With one record in flight the dead leader acknowledged up to o-1, or up to o-2: then it had written
// o-1, and its successor answered for it. So the longer of a → b and b → c is from its last ack to
// its successor's first.

export interface Gaps {
  /** One a change of leader. */
  readonly failoverMs: number[]
  /** Between any other two acks. */
  readonly usualMs: number[]
}

/** `ackedMs` and `epochs` have an entry an offset, from offset 0 on. */
export function gapsOf(ackedMs: ArrayLike<number>, epochs: readonly number[]): Gaps {
  const failoverMs: number[] = []
  const usualMs: number[] = []
  const gapBefore = (offset: number): number => (offset < 1 ? 0 : ackedMs[offset]! - ackedMs[offset - 1]!)
  for (let offset = 1; offset < epochs.length; offset++) {
    if (epochs[offset] !== epochs[offset - 1]) failoverMs.push(Math.max(gapBefore(offset - 1), gapBefore(offset)))
    else if ((epochs[offset + 1] ?? epochs[offset]) === epochs[offset]) usualMs.push(gapBefore(offset))
  }
  return { failoverMs, usualMs }
}
