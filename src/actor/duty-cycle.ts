// The duty cycle: a loop that works in turns of its thread's event loop and sleeps on
// the thread's bell when there is nothing to do (Aeron's agent runner; Kafka's
// request handler loop).
//
// Runs on a broker thread, or inline under a StepScheduler. One turn:
//
//   turn() did work ────────────────────────────────▶ schedule the next turn
//   turn() did none ─▶ spin, if that is allowed ─found▶ schedule the next turn
//                          │ nothing
//                          ├─ 'spin' and spinning allowed ▶ schedule the next turn, never park
//                          ▼
//                   arm the bell ─▶ hasWork() once more ─found▶ disarm, schedule
//                                        │ nothing
//                                        ▼
//                                     parked: no turn, no timer, until a ring or wake()
//
// Holds: at most one turn is scheduled at a time and turns never nest; between two
// turns the event loop has run; a wake() during a turn is followed by another turn;
// a throw ends the loop and reaches onError exactly once; after stop() nothing runs.

import type { Clock } from '../clock.ts'
import type { Parker, Sleeper } from './thread-parker.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

export type IdleStrategy = 'park' | 'spin'

/** How long an idle turn looks again before it parks. */
export const SPIN_MAX_MS = 0.02
// A clock that stands still (virtual time) must not make a spin endless.
const SPIN_LOOKS_MAX = 1_000

export interface DutyCycleOptions {
  readonly parker: Parker
  readonly scheduler: TurnScheduler
  /** One turn of work; says how much was done, 0 for none. It must bound itself. */
  readonly turn: () => number
  /** Whether there is work, without doing it: asked while spinning, and once after the bell is armed. */
  readonly hasWork: () => boolean
  readonly idleStrategy: IdleStrategy
  /** Whether cores are left to burn. Asked once an idle turn, so it should be cheap. */
  readonly maySpin: () => boolean
  readonly clock: Clock
  /** A throw of `turn` or `hasWork`: the loop has ended, and its owner must end with it. */
  readonly onError: (error: unknown) => void
}

type DutyCycleState = 'new' | 'scheduled' | 'running' | 'parked' | 'stopped'

// Tells the core that this is a spin, where the runtime has it (Node 24 and later).
const pause: () => void = (Atomics as { pause?: () => void }).pause?.bind(Atomics) ?? (() => {})

export class DutyCycle {
  readonly #options: DutyCycleOptions
  #sleeper: Sleeper | undefined
  #state: DutyCycleState = 'new'
  #wokenMeanwhile = false
  #turns = 0
  #parks = 0

  constructor(options: DutyCycleOptions) {
    this.#options = options
  }

  /** Turns run so far. */
  get turns(): number {
    return this.#turns
  }

  /** How often it went to sleep. */
  get parks(): number {
    return this.#parks
  }

  get parked(): boolean {
    return this.#state === 'parked'
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#sleeper = this.#options.parker.onRing(this.#wake)
    this.#schedule()
  }

  /** Asks for a turn: from this thread, where no bell rings (a control call brought work). */
  wake(): void {
    this.#wake()
  }

  /** Ends the loop. A turn that runs now is the last one. */
  stop(): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#sleeper?.close()
    this.#sleeper = undefined
  }

  // A property, not a method: it is handed to the parker once and never bound again.
  readonly #wake = (): void => {
    if (this.#state === 'parked') {
      this.#sleeper?.disarm()
      this.#schedule()
    } else if (this.#state === 'running') {
      this.#wokenMeanwhile = true
    }
  }

  readonly #run = (): void => {
    if (this.#state !== 'scheduled') return
    this.#state = 'running'
    this.#wokenMeanwhile = false
    this.#turns++
    try {
      if (this.#options.turn() > 0 || this.#wokenMeanwhile || this.#staysAwake()) this.#scheduleUnlessStopped()
      else this.#park()
    } catch (error) {
      this.stop()
      this.#options.onError(error)
    }
  }

  /** After a turn without work: whether the next one comes at once. */
  #staysAwake(): boolean {
    if (this.#stoppedMeanwhile() || !this.#options.maySpin()) return false
    if (this.#options.idleStrategy === 'spin') return true
    const { clock, hasWork } = this.#options
    const untilMs = clock.monotonicMs() + SPIN_MAX_MS
    for (let looks = 0; looks < SPIN_LOOKS_MAX; looks++) {
      if (hasWork()) return true
      if (clock.monotonicMs() >= untilMs) return false
      pause()
    }
    return false
  }

  #park(): void {
    const sleeper = this.#sleeper
    if (sleeper === undefined || this.#stoppedMeanwhile()) return
    sleeper.arm()
    // The look after arming: a waker that published before the bell was set has not rung it.
    if (this.#options.hasWork() || this.#wokenMeanwhile) {
      sleeper.disarm()
      this.#scheduleUnlessStopped()
      return
    }
    if (this.#stoppedMeanwhile()) return
    this.#state = 'parked'
    this.#parks++
  }

  #scheduleUnlessStopped(): void {
    if (!this.#stoppedMeanwhile()) this.#schedule()
  }

  // A method, because the compiler believes that `turn()` cannot have called stop().
  #stoppedMeanwhile(): boolean {
    return this.#state === 'stopped'
  }

  #schedule(): void {
    this.#state = 'scheduled'
    this.#options.scheduler.schedule(this.#run)
  }
}
