// How a thread sleeps and wakes: the parking half of the bells, a keep-alive, and
// the yield to the event loop. Aeron's idle strategy, for threads that own an
// event loop and so may never block in it.
//
// Runs on the thread whose id it is given; one parker a thread. Holds:
//  - at most one Atomics.waitAsync is pending, without a timeout, and it is reused:
//    V8 never frees an abandoned or a timed one before it is notified;
//  - the bell says PARKED exactly while at least one sleeper is armed (a ring may
//    have emptied it a moment before the sleepers hear of it);
//  - a ring wakes all armed sleepers, each once; each looks at its own work and, to
//    go on sleeping, arms again. A wake-up without work is legal and harmless;
//  - whoever arms looks at its work once more after arming (see bells.ts: the store
//    of PARKED and the waker's exchange are sequentially consistent, so one of the
//    two sees the other).
// A pending waitAsync does not keep a process alive; `hold` does.

import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { Bells } from '../bells.ts'
import { MillraceError } from '../errors.ts'
import type { ThreadId } from '../ids.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

/** Yields to the event loop of this thread: messages, timers, close events and I/O run between two turns. */
export const immediateScheduler: TurnScheduler = {
  schedule(callback) {
    setImmediate(callback)
  },
}

/** One party that sleeps on the bell of its thread. */
export interface Sleeper {
  /** Asks for a wake-up at the next ring. Look at your work once more after this. */
  arm(): void
  /** Takes that back: work was found. */
  disarm(): void
  /** Leaves for good. */
  close(): void
}

/** What the loops of a thread need of its parker. */
export interface Parker {
  onRing(callback: () => void): Sleeper
}

interface SleeperState {
  armed: boolean
  closed: boolean
  readonly callback: () => void
}

export class ThreadParker implements Parker {
  readonly threadId: ThreadId
  readonly #bells: Bells
  readonly #sleepers: SleeperState[] = []
  #armed = 0
  #waiting = false
  #closed = false
  #holds = 0
  // A port on which nothing is ever posted: a handle that the event loop counts while it is ref'd.
  #keepAlive: MessagePort | undefined

  constructor(bells: Bells, threadId: ThreadId) {
    this.#bells = bells
    this.threadId = threadId
  }

  /** Registers a party. It is called, disarmed, in a microtask of its own thread after a ring. */
  onRing(callback: () => void): Sleeper {
    if (this.#closed) throw new MillraceError('CLOSED', `the parker of thread ${this.threadId} is closed`)
    const sleeper: SleeperState = { armed: false, closed: false, callback }
    this.#sleepers.push(sleeper)
    return {
      arm: () => this.#arm(sleeper),
      disarm: () => this.#disarm(sleeper),
      close: () => {
        this.#disarm(sleeper)
        sleeper.closed = true
        const at = this.#sleepers.indexOf(sleeper)
        if (at >= 0) this.#sleepers.splice(at, 1)
      },
    }
  }

  /**
   * Waits until `ready()` is true; it is asked at once and after every ring. Rejects
   * with ABORTED or CLOSED, and with what `ready` throws. Keeps the process alive
   * meanwhile unless `hold` is false.
   */
  wait(ready: () => boolean, options: { signal?: AbortSignal | undefined; hold?: boolean } = {}): Promise<void> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(aborted(signal))
    if (this.#closed) return Promise.reject(new MillraceError('CLOSED', `the parker of thread ${this.threadId} is closed`))
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (this.#closed) throw new MillraceError('CLOSED', `the parker of thread ${this.threadId} was closed while this waited`)
          if (!ready()) {
            sleeper.arm()
            // Once more after arming: what came before the store of PARKED rang nobody.
            if (!ready()) return
          }
          leave()
          resolve()
        } catch (error) {
          leave()
          reject(error)
        }
      }
      const abort = (): void => {
        leave()
        reject(aborted(signal!))
      }
      const leave = (): void => {
        signal?.removeEventListener('abort', abort)
        sleeper.close()
        if (options.hold !== false) this.release()
      }
      const sleeper = this.onRing(look)
      if (options.hold !== false) this.hold()
      signal?.addEventListener('abort', abort)
      look()
    })
  }

  /** Keeps this thread's event loop, and so the process, alive until as many releases as holds have come. */
  hold(): void {
    // Where nobody else could ring, a process that waits would wait for ever.
    if (this.#closed || this.#bells.areLocal) return
    this.#holds++
    if (this.#holds > 1) return
    this.#keepAlive ??= new MessageChannel().port1
    this.#keepAlive.ref()
  }

  release(): void {
    if (this.#holds === 0) return
    this.#holds--
    if (this.#holds === 0) this.#keepAlive?.unref()
  }

  /** Whether somebody holds the process alive by this parker. */
  get held(): boolean {
    return this.#holds > 0
  }

  /** Wakes every sleeper a last time, gives up the keep-alive, and frees the pending wait. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#holds = 0
    this.#keepAlive?.close()
    // Rings its own bell: V8 frees a wait only when it is notified.
    if (this.#waiting) {
      this.#bells.arm(this.threadId)
      this.#bells.ring(this.threadId)
    }
    this.#bells.disarm(this.threadId)
    this.#armed = 0
    for (const sleeper of this.#sleepers.splice(0)) {
      if (!sleeper.armed) continue
      sleeper.armed = false
      queueMicrotask(sleeper.callback)
    }
  }

  #arm(sleeper: SleeperState): void {
    if (this.#closed || sleeper.closed) return
    if (!sleeper.armed) {
      sleeper.armed = true
      this.#armed++
    }
    // Stored again even when other sleepers are armed: a ring may have come whose promise has not
    // run yet. Then this sleeper is woken by that promise, too early but not too late.
    this.#bells.arm(this.threadId)
    if (this.#waiting) return
    const waited = this.#bells.wait(this.threadId)
    this.#waiting = true
    if (waited === undefined) queueMicrotask(this.#rung)
    else void waited.then(this.#rung)
  }

  #disarm(sleeper: SleeperState): void {
    if (!sleeper.armed) return
    sleeper.armed = false
    this.#armed--
    // The pending wait stays for the next arm: disarming must not abandon it.
    if (this.#armed === 0) this.#bells.disarm(this.threadId)
  }

  readonly #rung = (): void => {
    this.#waiting = false
    if (this.#closed) return
    // A waker that comes between here and a sleeper's next arm finds the bell AWAKE and
    // does not ring; the sleeper's look after that arm sees its work.
    this.#bells.disarm(this.threadId)
    this.#armed = 0
    const woken = this.#sleepers.filter((sleeper) => sleeper.armed)
    for (const sleeper of woken) sleeper.armed = false
    for (const sleeper of woken) {
      // The callback before may have closed this one.
      if (!sleeper.closed) sleeper.callback()
    }
  }
}

function aborted(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'the wait was aborted by its signal', { cause: signal.reason })
}
