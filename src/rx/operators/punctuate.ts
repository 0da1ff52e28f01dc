// Something every so often, between the records (Kafka Streams: punctuators).

import { Observable } from 'rxjs'
import type { OperatorFunction, Subscriber } from 'rxjs'
import { systemClock } from '../../clock.ts'
import type { Clock, Timer } from '../../clock.ts'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import { UNTRACKED, emitWith } from '../hold.ts'
import { CLOCK_SETTING } from './clock-setting.ts'

interface FilledPunctuateOptions {
  /** Milliseconds from one to the next, above 0; must be given. Default: undefined. */
  readonly everyMs: number | undefined
  /** Whose time: that of the records, or that of the clock. Default: 'event'. */
  readonly time: 'event' | 'wall'
  /** Tells time, for tests. Default: undefined. */
  readonly clock: Clock | undefined
}

/** What `punctuate` takes; `everyMs` must be given. */
export type PunctuateOptions = OptionsOf<FilledPunctuateOptions>

const PUNCTUATE_CONFIG: ConfigTable<FilledPunctuateOptions> = {
  what: 'punctuate option',
  settings: {
    everyMs: {
      type: 'custom',
      expects: 'a number of milliseconds above 0',
      accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Milliseconds from one to the next, above 0; must be given.',
    },
    time: {
      type: 'one of',
      values: ['event', 'wall'],
      spellings: { stream: 'event', STREAM_TIME: 'event', WALL_CLOCK_TIME: 'wall', clock: 'wall' },
      default: 'event',
      takesEffect: 'at open',
      doc: 'Whose time: that of the records, or that of the clock.',
    },
    clock: CLOCK_SETTING,
  },
  renamed: { intervalMs: 'everyMs', interval: 'everyMs', type: 'time' },
}

/**
 * Hands on what comes by, and every `everyMs` what `punctuator` gives, called with the time (Kafka Streams: punctuators,
 * KIP-138).
 *
 * - `time: 'event'`: time is the highest timestamp seen so far, and moves with the records alone. The first is due `everyMs`
 *   after the first record; a record that skips several brings one. What it gives comes before the record that moved time, and
 *   is held with it.
 * - `time: 'wall'`: by the clock, from when it is subscribed to, also while nothing comes. What it gives comes of no record:
 *   nothing is held for it.
 *
 * What `punctuator` throws ends the Observable. Throws INVALID_CONFIG.
 */
export function punctuate<T extends { readonly timestamp: number }, R>(
  options: PunctuateOptions,
  punctuator: (timeMs: number) => Iterable<R>,
): OperatorFunction<T, T | R> {
  const { everyMs, time, clock = systemClock } = fillOptions(PUNCTUATE_CONFIG, options)
  if (everyMs === undefined)
    throw new MillraceError('INVALID_CONFIG', 'punctuate option everyMs must be given: milliseconds from one call to the next')
  return (source) =>
    new Observable<T | R>((subscriber) => {
      const call = (timeMs: number): void => {
        try {
          for (const value of punctuator(timeMs)) {
            if (subscriber.closed) return
            subscriber.next(value)
          }
        } catch (error) {
          subscriber.error(error)
        }
      }
      const onTime = time === 'event' ? eventTime(everyMs, call) : undefined
      if (onTime === undefined) wallTime(subscriber, everyMs, clock, call)
      return source.subscribe({
        next(value) {
          onTime?.(value.timestamp)
          if (!subscriber.closed) subscriber.next(value)
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}

function eventTime(everyMs: number, call: (timeMs: number) => void): (timestampMs: number) => void {
  let dueMs: number | undefined
  return (timestampMs) => {
    dueMs ??= timestampMs + everyMs
    if (timestampMs < dueMs) return
    // Those that were skipped are not made up for.
    dueMs += Math.ceil((timestampMs - dueMs + 1) / everyMs) * everyMs
    call(timestampMs)
  }
}

function wallTime(subscriber: Subscriber<unknown>, everyMs: number, clock: Clock, call: (timeMs: number) => void): void {
  const startMs = clock.monotonicMs()
  let timer: Timer | undefined
  let count = 0
  const arm = (): void => {
    // By count, so that it does not drift; those that a blocked thread has missed are not made up for.
    count = Math.max(count + 1, Math.ceil((clock.monotonicMs() - startMs) / everyMs))
    timer = clock.setTimer(Math.max(0, startMs + count * everyMs - clock.monotonicMs()), () => {
      emitWith(UNTRACKED, () => call(clock.nowMs()))
      if (!subscriber.closed) arm()
    })
  }
  arm()
  subscriber.add(() => timer?.cancel())
}
