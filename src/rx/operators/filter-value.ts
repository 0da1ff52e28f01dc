// Only records whose value is wanted (Kafka Streams: filter).

import { filter } from 'rxjs'
import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs'
import type { MillraceRecord } from '../millrace-record.ts'

/**
 * Hands on the records whose value `predicate` accepts; the others are settled (Kafka Streams: filter).
 * A type guard narrows the value's type. What `predicate` throws ends the Observable.
 *
 * ```ts
 * fromTopic(orders).pipe(filterValue(({ cents }) => cents >= 100_00))
 * ```
 */
export function filterValue<K, V, R extends V>(
  predicate: (value: V, record: MillraceRecord<K, V>) => value is R,
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<K, R>>
export function filterValue<K, V>(
  predicate: (value: V, record: MillraceRecord<K, V>) => boolean,
): MonoTypeOperatorFunction<MillraceRecord<K, V>>
export function filterValue<K, V>(
  predicate: (value: V, record: MillraceRecord<K, V>) => boolean,
): MonoTypeOperatorFunction<MillraceRecord<K, V>> {
  return filter((record) => predicate(record.value, record))
}
