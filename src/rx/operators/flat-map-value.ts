// None, one or several values for each (Kafka Streams: flatMapValues).

import { Observable } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import type { MillraceRecord } from '../millrace-record.ts'

/**
 * Hands on a record for each value that `project` gives for a record's value, at once and in order; key,
 * time and headers stay (Kafka Streams: flatMapValues). The record is settled when all of them are. For
 * what takes time, `process` takes an Observable. What `project` throws ends the Observable.
 *
 * ```ts
 * fromTopic(lines).pipe(flatMapValue((line) => line.split(' ')))
 * ```
 */
export function flatMapValue<K, V, R>(
  project: (value: V, record: MillraceRecord<K, V>) => Iterable<R>,
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<K, R>> {
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next(record) {
          try {
            for (const value of project(record.value, record)) {
              subscriber.next(record.with<K, R>({ value }))
              if (subscriber.closed) return
            }
          } catch (error) {
            subscriber.error(error)
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
}
