// What becomes of an actor that failed: a fresh instance, an end, or a word to the
// owner of the thread.
//
// Runs on the actor's thread. Holds: of any `maxRestarts + 1` restarts in a row, the
// first and the last lie further apart than `withinMs`; the failure that would break
// this escalates. Time is the injected Clock's monotonic time.

import type { Clock } from '../clock.ts'

/**
 * - `restart`: the instance is replaced by a new one from the factory, the mailbox stays;
 * - `stop`: the actor ends alone;
 * - `escalate`: the actor ends, and the owner of the thread is told: what it served is gone.
 */
export type Directive = 'restart' | 'stop' | 'escalate'

export interface SupervisionPolicy {
  /** What a failure asks for; restarts are still counted against the limit. Restart, unless given. */
  readonly decide?: (error: unknown) => Directive
  /** Restarts allowed within `withinMs`; 0 means that the first failure escalates. */
  readonly maxRestarts?: number
  readonly withinMs?: number
}

export const MAX_RESTARTS = 3
export const RESTART_WINDOW_MS = 60_000

export class Supervisor {
  readonly #clock: Clock
  readonly #decide: (error: unknown) => Directive
  readonly #maxRestarts: number
  readonly #withinMs: number
  // Monotonic times of the last restarts, oldest first; at most `maxRestarts`.
  readonly #restartsMs: number[] = []

  constructor(clock: Clock, policy: SupervisionPolicy = {}) {
    this.#clock = clock
    this.#decide = policy.decide ?? (() => 'restart')
    this.#maxRestarts = policy.maxRestarts ?? MAX_RESTARTS
    this.#withinMs = policy.withinMs ?? RESTART_WINDOW_MS
  }

  /** The verdict on one failure; a restart is counted by asking. */
  onFailure(error: unknown): Directive {
    const directive = this.#decide(error)
    if (directive !== 'restart') return directive
    const nowMs = this.#clock.monotonicMs()
    while (this.#restartsMs.length > 0 && nowMs - this.#restartsMs[0]! > this.#withinMs) this.#restartsMs.shift()
    if (this.#restartsMs.length >= this.#maxRestarts) return 'escalate'
    this.#restartsMs.push(nowMs)
    return 'restart'
  }
}
