// Several records at a time, all of them held.

import type { OperatorFunction } from 'rxjs'
import { systemClock } from '../../clock.ts'
import type { Clock, Timer } from '../../clock.ts'
import { INT_MAX, fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import type { Hold } from '../hold.ts'
import { heldOperator } from './held-operator.ts'
import { CLOCK_SETTING } from './clock-setting.ts'

interface FilledBatchOptions {
  /** Records of a batch at the most. Default: 500. */
  readonly maxRecords: number
  /** How long the first record of a batch waits for others at the most. Default: 100. */
  readonly maxMs: number
  /** Tells time, for tests. Default: undefined. */
  readonly clock: Clock | undefined
}

/** What `batchRecords` takes; everything has a default. */
export type BatchRecordsOptions = OptionsOf<FilledBatchOptions>

const BATCH_CONFIG: ConfigTable<FilledBatchOptions> = {
  what: 'batchRecords option',
  settings: {
    maxRecords: {
      type: 'int',
      min: 1,
      max: INT_MAX,
      default: 500,
      unit: 'records',
      takesEffect: 'at open',
      doc: 'Records of a batch at the most.',
    },
    maxMs: {
      type: 'int',
      min: 0,
      default: 100,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'How long the first record of a batch waits for others at the most.',
    },
    clock: CLOCK_SETTING,
  },
  renamed: { size: 'maxRecords', count: 'maxRecords', maxSize: 'maxRecords', timeMs: 'maxMs', lingerMs: 'maxMs', timeoutMs: 'maxMs' },
}

/**
 * Collects what comes by into arrays: up to `maxRecords`, or what has come within `maxMs` of the first. All of it is
 * held until whoever gets the array is done with it, so that, unlike with `bufferCount` or `bufferTime`, nothing is
 * lost with the process; when the source completes, what is there is handed on. A source that stops at its
 * `maxInFlight` before the array is full waits for `maxMs`: keep `maxRecords` below it. Throws INVALID_CONFIG.
 *
 * ```ts
 * fromTopic(clicks, { groupId: 'load' }).pipe(
 *   batchRecords({ maxRecords: 1_000, maxMs: 50 }),
 *   process((records) => database.insert(records.map(({ value }) => value))),
 * )
 * ```
 */
export function batchRecords<T>(options?: BatchRecordsOptions): OperatorFunction<T, T[]> {
  const { maxRecords, maxMs, clock = systemClock } = fillOptions(BATCH_CONFIG, options)
  return heldOperator<T, T[]>((outlet) => {
    let values: T[] = []
    let holds: Hold[] = []
    let timer: Timer | undefined
    const flush = (): void => {
      timer?.cancel()
      timer = undefined
      if (values.length === 0) return
      const [batch, held] = [values, holds]
      values = []
      holds = []
      outlet.emit(batch, ...held)
      outlet.release(...held)
    }
    return {
      next(value, hold) {
        values.push(value)
        holds.push(hold)
        if (values.length >= maxRecords) flush()
        else timer ??= clock.setTimer(maxMs, flush, { ref: true })
      },
      complete: flush,
      close: () => timer?.cancel(),
    }
  })
}
