// No faster than so many a second.

import type { MonoTypeOperatorFunction } from 'rxjs'
import { Fifo } from '../../client/consumer/fifo.ts'
import { systemClock } from '../../clock.ts'
import type { Clock, Timer } from '../../clock.ts'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { Hold } from '../hold.ts'
import { CLOCK_SETTING } from './clock-setting.ts'
import { heldOperator } from './held-operator.ts'

/** By so much a timer may fire late and be made up for; a thread that was blocked for longer does not burst. */
const LATE_MS_MAX = 50

interface FilledRateLimitOptions {
  /** How many a second are let through in the long run; must be given. Default: undefined. */
  readonly recordsPerSecond: number | undefined
  /** How many are let through at once after a rest. Default: 1. */
  readonly burst: number
  /** Tells time, for tests. Default: undefined. */
  readonly clock: Clock | undefined
}

/** What `rateLimit` takes; `recordsPerSecond` must be given. */
export type RateLimitOptions = OptionsOf<FilledRateLimitOptions>

const RATE_LIMIT_CONFIG: ConfigTable<FilledRateLimitOptions> = {
  what: 'rateLimit option',
  settings: {
    recordsPerSecond: {
      type: 'custom',
      expects: 'a number above 0',
      accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
      default: undefined,
      takesEffect: 'at open',
      doc: 'How many a second are let through in the long run; must be given.',
    },
    burst: {
      type: 'int',
      min: 1,
      default: 1,
      unit: 'records',
      takesEffect: 'at open',
      doc: 'How many are let through at once after a rest.',
    },
    clock: CLOCK_SETTING,
  },
  renamed: { perSecond: 'recordsPerSecond', rate: 'recordsPerSecond', max: 'recordsPerSecond' },
}

/**
 * Lets no more than `recordsPerSecond` through, after a rest up to `burst` at once (a token bucket). The others wait, in
 * order, and are held: the source stops pulling at its `maxInFlight`, so that nothing is lost and memory is bounded; behind a
 * source that knows no holds, what waits has no bound. Throws INVALID_CONFIG.
 *
 * ```ts
 * fromTopic(mails, { groupId: 'mailer' }).pipe(rateLimit({ recordsPerSecond: 50, burst: 10 }), process(send))
 * ```
 */
export function rateLimit<T>(options: RateLimitOptions): MonoTypeOperatorFunction<T> {
  const { recordsPerSecond, burst, clock = systemClock } = fillOptions(RATE_LIMIT_CONFIG, options)
  if (recordsPerSecond === undefined)
    throw new MillraceError('INVALID_CONFIG', 'rateLimit option recordsPerSecond must be given: how many records a second are let through')
  const gapMs = 1_000 / recordsPerSecond
  return heldOperator<T, T>((outlet) => {
    const waiting = new Fifo<{ readonly value: T; readonly hold: Hold }>()
    let timer: Timer | undefined
    // When the bucket was empty, or would have been: a token comes each gap from then on.
    let emptyMs = clock.monotonicMs() - burst * gapMs
    const tokens = (nowMs: number): number => Math.floor((nowMs - emptyMs) / gapMs + 1e-9)
    const pump = (): void => {
      const nowMs = clock.monotonicMs()
      emptyMs = Math.max(emptyMs, nowMs - Math.max(burst * gapMs, LATE_MS_MAX))
      while (waiting.size > 0 && tokens(nowMs) >= 1 && !outlet.isClosed) {
        emptyMs += gapMs
        const { value, hold } = waiting.shift()!
        outlet.emit(value, hold)
        outlet.release(hold)
      }
      if (waiting.size === 0 || timer !== undefined || outlet.isClosed) return
      const fire = (): void => {
        timer = undefined
        pump()
      }
      timer = clock.setTimer(Math.max(1, Math.ceil(emptyMs + gapMs - nowMs)), fire, { ref: true })
    }
    return {
      next(value, hold) {
        waiting.push({ value, hold })
        if (waiting.size > 1) return
        emptyMs = Math.max(emptyMs, clock.monotonicMs() - burst * gapMs)
        pump()
      },
      close: () => timer?.cancel(),
    }
  })
}
