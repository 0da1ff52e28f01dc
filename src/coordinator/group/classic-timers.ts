// The timers of classic groups. Each has one meaning and one deadline; one that fires early
// is set again, and one that was taken back, or is of a group that is gone, does nothing.
// Pure; in memory.

import { parseTimer, timerName } from './member-names.ts'
import type { GroupStep } from './group-step.ts'
import type { ParsedTimer } from './member-names.ts'

/**
 * session: a member was not heard of. pending: an id was given out and nobody has joined with it. join: whoever has not joined
 * again is out. sync: whoever has not sent a SyncGroup is out.
 */
export type ClassicTimer = 'classic-session' | 'classic-pending' | 'classic-join' | 'classic-sync'

const KINDS: ReadonlySet<string> = new Set<ClassicTimer>(['classic-session', 'classic-pending', 'classic-join', 'classic-sync'])

export interface FiredTimer extends ParsedTimer {
  readonly kind: ClassicTimer
}

/** Whether a timer is of a classic group. */
export function isClassicTimer(timer: string): boolean {
  return KINDS.has(parseTimer(timer).kind)
}

export class ClassicTimers {
  readonly #dueMs = new Map<string, number>()

  set(step: GroupStep, kind: ClassicTimer, groupId: string, memberId: string | undefined, afterMs: number): void {
    const name = timerName(kind, groupId, memberId)
    const atMs = step.nowMs + afterMs
    this.#dueMs.set(name, atMs)
    step.timer(name, atMs)
  }

  cancel(step: GroupStep, kind: ClassicTimer, groupId: string, memberId?: string): void {
    const name = timerName(kind, groupId, memberId)
    if (this.#dueMs.delete(name)) step.timer(name, undefined)
  }

  /** undefined: nothing is to be done. */
  fired(step: GroupStep, timer: string): FiredTimer | undefined {
    const dueMs = this.#dueMs.get(timer)
    if (dueMs === undefined) return undefined
    if (step.nowMs < dueMs) {
      step.timer(timer, dueMs)
      return undefined
    }
    this.#dueMs.delete(timer)
    return parseTimer(timer) as FiredTimer
  }
}
