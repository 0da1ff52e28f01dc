// Another value, under the same key and time (Kafka Streams: mapValues).

import { map } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import type { MillraceRecord } from '../millrace-record.ts'

/**
 * Hands each record on with the value that `project` makes of its value; key, time and headers stay,
 * and so does the record's place: nothing is partitioned anew (Kafka Streams: mapValues). A null value
 * is a value too. What `project` throws ends the Observable.
 *
 * ```ts
 * fromTopic(orders).pipe(mapValue(({ cents }) => cents / 100))
 * ```
 */
export function mapValue<K, V, R>(
  project: (value: V, record: MillraceRecord<K, V>) => R,
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<K, R>> {
  return map((record) => record.with<K, R>({ value: project(record.value, record) }))
}
