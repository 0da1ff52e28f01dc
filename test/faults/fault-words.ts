// The words by which a fault test tells broker threads where to fail, and learns that
// they did. One SharedArrayBuffer a millrace; a line of 16 words a broker, then one
// counter a kill point.
//
//   broker n, at n * 64 bytes
//   +0   point     0: none, else index in KILL_POINTS + 1
//   +4   passing   at the how-manieth passing from now it bites
//   +8   action    what happens there, see FAULT_ACTIONS
//   +12  bites     how often it has bitten: what a test waits on, and counts
//   +16  go        a thread that stands still goes on when this is 1

import { KILL_POINTS } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { BROKERS_MAX } from '../../src/ids.ts'

const LINE_WORDS = 16
const POINT = 0
const PASSING = 1
const ACTION = 2
const BITES = 3
const GO = 4
const PASSED_AT = BROKERS_MAX * LINE_WORDS

/**
 * - `park`: stands still until it is terminated, or told to go on;
 * - `throw`: an error that nobody expects;
 * - `exit`: the thread ends itself, as terminate would, without the main thread;
 * - `outOfMemory`: the heap is filled beyond its limit.
 */
export const FAULT_ACTIONS = ['park', 'throw', 'exit', 'outOfMemory'] as const
export type FaultAction = (typeof FAULT_ACTIONS)[number]

export class FaultWords {
  readonly words: Int32Array<SharedArrayBuffer>

  constructor(buffer = new SharedArrayBuffer((PASSED_AT + KILL_POINTS.length) * 4)) {
    this.words = new Int32Array(buffer)
  }

  // --- the test's side ------------------------------------------------------------

  /** The broker fails the next time but `passing - 1` that it comes to the point. */
  arm(brokerId: number, point: KillPoint, action: FaultAction, passing = 1): void {
    const at = brokerId * LINE_WORDS
    Atomics.store(this.words, at + GO, 0)
    Atomics.store(this.words, at + PASSING, passing)
    Atomics.store(this.words, at + ACTION, FAULT_ACTIONS.indexOf(action))
    // Last: it makes the rest true.
    Atomics.store(this.words, at + POINT, KILL_POINTS.indexOf(point) + 1)
  }

  disarm(brokerId: number): void {
    Atomics.store(this.words, brokerId * LINE_WORDS + POINT, 0)
  }

  bites(brokerId: number): number {
    return Atomics.load(this.words, brokerId * LINE_WORDS + BITES)
  }

  /** Resolves when the broker has bitten more than `seen` times. */
  async bitten(brokerId: number, seen: number): Promise<void> {
    const at = brokerId * LINE_WORDS + BITES
    while (Atomics.load(this.words, at) <= seen) await Atomics.waitAsync(this.words, at, seen).value
  }

  /** Lets a broker that stands still go on. */
  go(brokerId: number): void {
    const at = brokerId * LINE_WORDS + GO
    Atomics.store(this.words, at, 1)
    Atomics.notify(this.words, at)
  }

  /** How often any broker has come to the point. */
  passed(point: KillPoint): number {
    return Atomics.load(this.words, PASSED_AT + KILL_POINTS.indexOf(point))
  }

  // --- the broker's side ----------------------------------------------------------

  /** The action to take now, undefined when this passing is not the one. */
  pass(brokerId: number, point: KillPoint): FaultAction | undefined {
    const index = KILL_POINTS.indexOf(point)
    Atomics.add(this.words, PASSED_AT + index, 1)
    const at = brokerId * LINE_WORDS
    if (Atomics.load(this.words, at + POINT) !== index + 1) return undefined
    if (Atomics.sub(this.words, at + PASSING, 1) !== 1) return undefined
    Atomics.store(this.words, at + POINT, 0)
    Atomics.add(this.words, at + BITES, 1)
    Atomics.notify(this.words, at + BITES)
    return FAULT_ACTIONS[Atomics.load(this.words, at + ACTION)]
  }

  /** Stands still: this thread does nothing more, not even serve its ports. */
  stand(brokerId: number): void {
    Atomics.wait(this.words, brokerId * LINE_WORDS + GO, 0)
  }
}
