// Results of windows over time (Kafka Streams: groupByKey, windowedBy, aggregate).

import { Observable } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { abandonHolds, newChain, subscribeUpstream } from '../chain.ts'
import { MillraceRecord } from '../millrace-record.ts'
import { MillraceError } from '../../errors.ts'
import type { Aggregator } from '../windows/aggregators.ts'
import type { AnyAggregator } from '../windows/window-store.ts'
import type { Windowed } from '../windows/windowed.ts'
import type { SessionWindows, Windows } from '../windows/windows.ts'
import { checkAggregate } from './aggregate-config.ts'
import type { AggregateOptions, Emit, FilledAggregateOptions } from './aggregate-config.ts'
import { Aggregation } from './aggregation.ts'
import { exchange, isExchange } from './exchange.ts'

/** Null where a session went into another one: only sessions that are emitted on update do that. */
export type AggregateResult<R, W extends Windows, E extends Emit> = W extends SessionWindows ? ('update' extends E ? R | null : R) : R

/**
 * Aggregates the records of each key and window (Kafka Streams: windowedBy, aggregate), and emits a
 * record for each result: key and window, the value, the highest time of its records. State is
 * kept by partition. Its stream time is the highest time seen there and never goes back; a window
 * closes when stream time has come to its end and `graceMs`, a session also needs its gap. A record is
 * late when all its windows have closed: it goes to `late`, or is dropped. A record with a null key
 * or value is skipped, with a warning the first time, and moves no time.
 *
 * With `emit: 'close'` each window gives one result, windows of a partition in the order in which they close;
 * with 'update' one for each record that changes it, and a session that grows or merges gives null for
 * the one that it was (a tombstone). `until: 'end'` closes all windows at its end.
 *
 * In a group an open window keeps the commit position at its first record, and what is committed says
 * which windows are done with: after a crash records come again, windows are the same, and none is
 * emitted again whose results were done with when it was committed. After a restart a record of a
 * closed session may be given to `late` although it was counted.
 *
 * Behind `keyBy` records of a key are brought together first: in a group by an internal topic, whose
 * records say where they came from, so that none is counted twice (`repartition` says more); without a
 * group within the thread, whose stream time is that of the slowest partition that is not read up to
 * its end. What keeps the order of records no longer (`process` other than by partition) cannot stand
 * before that in a group. `partitioned: 'as-is'` does without.
 *
 * Throws INVALID_CONFIG and INVALID_REQUEST; a time that is none ends the Observable with
 * INVALID_TIMESTAMP.
 */
export function aggregate<K, V, R, W extends Windows, const E extends Emit>(
  windows: W,
  aggregator: Aggregator<MillraceRecord<K, V>, R>,
  options: AggregateOptions<K, V, E>,
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<Windowed<NonNullable<K>>, AggregateResult<R, W, E>>> {
  const erased = aggregator as unknown as AnyAggregator
  const filled = checkAggregate(windows, erased, options)
  return (source) => {
    const together =
      filled.partitioned === 'as-is'
        ? source
        : exchange(source as Observable<MillraceRecord<unknown, unknown>>, { name: filled.name }, 'rekeyed')
    return aggregated(together as Observable<MillraceRecord<unknown, unknown>>, windows, erased, filled) as never
  }
}

function aggregated(
  source: Observable<MillraceRecord<unknown, unknown>>,
  windows: Windows,
  aggregator: AnyAggregator,
  options: FilledAggregateOptions,
): Observable<MillraceRecord<Windowed<never>, never>> {
  return new Observable((subscriber) => {
    const chain = newChain()
    let aggregation: Aggregation | undefined
    let isOver = false
    const attempt = (work: () => void): void => {
      try {
        work()
      } catch (error) {
        subscriber.error(error)
      }
    }
    // With the first record of a source that emits while it is subscribed to, or behind that.
    const start = (): Aggregation => {
      const isLocal = chain.rekeyed !== undefined && options.partitioned === undefined
      const isRepartitioned = chain.sources.some(isExchange)
      aggregation ??= new Aggregation({ windows, aggregator, options, subscriber, chain, isLocal, isRepartitioned })
      return aggregation
    }
    const observer = {
      next(record: MillraceRecord<unknown, unknown>): void {
        // A synchronous source goes on for a while after an error.
        if (subscriber.closed) return
        attempt(() => {
          if (!(record instanceof MillraceRecord)) throw noRecord()
          start().take(record)
        })
      },
      error: (error: unknown): void => subscriber.error(error),
      complete(): void {
        attempt(() => {
          start().flush()
          if (subscriber.closed) return
          isOver = true
          subscriber.complete()
        })
      },
    }
    const subscription = subscribeUpstream(chain, () => source.subscribe(observer))
    const stops = chain.sources.map((one) => one.onCaughtUp(() => attempt(() => aggregation?.caughtUp())))
    return () => {
      for (const stop of stops) stop()
      subscription.unsubscribe()
      if (!isOver) abandonHolds(chain)
    }
  })
}

function noRecord(): MillraceError {
  const message =
    'aggregate takes records of a chain: put mapValue, keyBy or record.with(…) in the place of what makes something else of them'
  return new MillraceError('INVALID_REQUEST', message)
}
