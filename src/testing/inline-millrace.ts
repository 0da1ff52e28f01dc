// The test kit without threads, in virtual time. Runs on the thread of the test, with everything else.

import type { EmbeddedMillrace } from '../client/millrace.ts'
import type { Clock } from '../clock.ts'
import { show } from '../config-def.ts'
import { MillraceError } from '../errors.ts'
import type { InlineWorld } from './inline-world.ts'
import type { OpenClients } from './open-clients.ts'
import { TestMillrace } from './test-millrace.ts'
import type { FilledTestMillraceOptions } from './test-millrace-config.ts'
import { virtualTestTime } from './test-time.ts'

/**
 * A millrace without threads: brokers, coordinators, producers and consumers take turns in this thread, and time is virtual. It moves by
 * `advance`, and by what waits (`until`, `expectRecords`, `waitForLag` …), from timer to timer; real time has no part in it. What needs
 * no time happens by itself: `await producer.send(…)` needs no `advance`, unless it lingers.
 */
export class InlineMillrace extends TestMillrace {
  /** Of this run: give it to `testMillrace` to have the same run again. */
  readonly seed: number
  /** Virtual time, for the code under test: operators take it as `{ clock }`. */
  readonly clock: Clock
  readonly #world: InlineWorld

  /** Made by `testMillrace({ inline: true })`. */
  constructor(millrace: EmbeddedMillrace, clients: OpenClients, world: InlineWorld, options: FilledTestMillraceOptions) {
    super(millrace, clients, virtualTestTime(world.driver), options, () => world.pendingTimers())
    this.seed = options.seed
    this.clock = world.clock
    this.#world = world
  }

  /** Virtual wall-clock time in milliseconds since the epoch: what records sent now have as their timestamp. */
  get nowMs(): number {
    return this.clock.nowMs()
  }

  /**
   * Moves time on by `ms`: fires all timers that fall due, one after the other in order of time, and lets all that follows from each
   * settle before the next. With 0 it only lets everything settle. Rejects with INVALID_REQUEST for what is no time.
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0) || ms === Number.POSITIVE_INFINITY)
      throw new MillraceError('INVALID_REQUEST', `inline.advance takes milliseconds from 0, not ${show(ms)}`)
    await this.#world.driver.pass(this.#world.driver.nowMs + ms)
  }

  /** Resolves after `ms` of virtual time: for handlers that take their time. Rejects with ABORTED by its signal. */
  sleep(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        timer.cancel()
        reject(new MillraceError('ABORTED', 'the sleep was aborted by its signal', { cause: signal!.reason }))
      }
      const timer = this.clock.setTimer(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      if (signal?.aborted === true) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /**
   * Ends a broker as the death of its thread would, between two of its turns; others take over, and it is started again 50 ms later.
   * Throws BROKER_NOT_AVAILABLE when there is none of this id that runs.
   */
  killBroker(brokerId: number): void {
    if (this.#world.threads.kill(brokerId)) return
    throw new MillraceError('BROKER_NOT_AVAILABLE', `there is no broker ${show(brokerId)} that runs`, { retriable: false })
  }
}
