// Another key (Kafka Streams: selectKey, groupBy).

import { Observable, map } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import type { Serde } from '../../client/serde.ts'
import { noteRekeyed } from '../chain.ts'
import type { MillraceRecord } from '../millrace-record.ts'

/** How the records are written where they go through a topic to the key's partition; `msgpack()` for each unless given. */
export interface KeyByOptions<K, V> {
  readonly key?: Serde<K, K>
  readonly value?: Serde<V, V>
}

/**
 * Hands each record on under the key that `selector` gives for it (Kafka Streams: selectKey). Records of
 * one key may lie in any partition then: a keyed operator behind it, such as `aggregate`, first brings
 * them together through an internal topic. Under a null key no aggregate takes a record. What
 * `selector` throws ends the Observable.
 *
 * ```ts
 * fromTopic(clicks, { groupId: 'per-page' }).pipe(keyBy((record) => record.value.page))
 * ```
 */
export function keyBy<K, V, K2>(
  selector: (record: MillraceRecord<K, V>) => K2,
  options: KeyByOptions<K2, V> = {},
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<K2, V>> {
  const { key, value } = options
  return (source) =>
    new Observable((subscriber) => {
      noteRekeyed({ key, value } as never)
      return source.pipe(map((record) => record.with<K2, V>({ key: selector(record) }))).subscribe(subscriber)
    })
}
