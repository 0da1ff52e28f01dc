// A scheduler of RxJS as a clock, so that marbles tell millrace's operators the time.

import type { SchedulerLike } from 'rxjs'
import type { Clock } from '../clock.ts'

/**
 * A clock by which operators that wait can be given a scheduler: in tests `TestScheduler`, so that marbles move their time.
 *
 * ```ts
 * scheduler.run(({ cold, expectObservable }) => {
 *   const batches = cold('ab--c|').pipe(batchRecords({ maxRecords: 10, maxMs: 3, clock: schedulerClock(scheduler) }))
 *   expectObservable(batches).toBe('---x-(y|)', { x: ['a', 'b'], y: ['c'] })
 * })
 * ```
 */
export function schedulerClock(scheduler: SchedulerLike): Clock {
  return {
    nowMs: () => scheduler.now(),
    monotonicMs: () => scheduler.now(),
    setTimer(delayMs, callback) {
      const action = scheduler.schedule(() => callback(), delayMs)
      return { cancel: () => action.unsubscribe() }
    },
  }
}
