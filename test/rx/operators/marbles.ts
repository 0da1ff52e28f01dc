// Marbles whose letters are records: `marbles(({ records, values, expectObservable, clock }) => …)`.

import { map } from 'rxjs'
import type { Observable } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import type { RunHelpers } from 'rxjs/testing'
import { expect } from 'vitest'
import type { Clock } from '../../../src/clock.ts'
import type { MillraceRecord } from '../../../src/rx/millrace-record.ts'
import { schedulerClock } from '../../../src/rx/scheduler-clock.ts'
import { plainRecord } from './held-source.ts'

export interface MarbleHelpers extends RunHelpers {
  readonly clock: Clock
  /** Cold records: the values of the letters, the letters themselves as keys, the time of the scheduler as timestamps. */
  records<V>(marbles: string, values: Record<string, V>): Observable<MillraceRecord<string, V>>
}

export function marbles(test: (helpers: MarbleHelpers) => void): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  const clock = schedulerClock(scheduler)
  scheduler.run((helpers) => {
    const records = <V>(line: string, values: Record<string, V>): Observable<MillraceRecord<string, V>> => {
      const letters = Object.fromEntries(Object.keys(values).map((letter) => [letter, letter]))
      return helpers
        .cold(line, letters)
        .pipe(map((letter) => plainRecord({ key: letter, value: values[letter]!, timestamp: scheduler.now() })))
    }
    test({ ...helpers, clock, records })
  })
}

/** What can be compared of records. */
export function pairs<K, V>() {
  return map((record: MillraceRecord<K, V>) => [record.key, record.value] as const)
}
