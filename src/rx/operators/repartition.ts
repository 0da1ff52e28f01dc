// Records of a key on one thread, whoever sent them (Kafka Streams: repartition).

import type { MonoTypeOperatorFunction, Observable } from 'rxjs'
import { checkOptions } from '../../config-def.ts'
import type { ConfigTable } from '../../config-def.ts'
import { checkSerde } from '../../client/serde.ts'
import type { Serde } from '../../client/serde.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import { exchange } from './exchange.ts'

/** What `repartition` may be told. */
export interface RepartitionOperatorOptions<K, V> {
  /** Part of the internal topic's name: `<groupId>-<name>-repartition`. Default: the name of the topic that is read. */
  readonly name?: string
  /** Serde of the key. Default: what `keyBy` was given, or `msgpack()`. */
  readonly key?: Serde<K, K>
  /** Serde of the value. Default: what `keyBy` was given, or `msgpack()`. */
  readonly value?: Serde<V, V>
  /** Of the internal topic, when it is made. Default: as many as the topic that is read has. */
  readonly partitions?: number
}

interface FilledOptions {
  readonly name: string | undefined
  readonly key: Serde<unknown> | undefined
  readonly value: Serde<unknown> | undefined
  readonly partitions: number | undefined
}

const isSerde = (value: unknown): boolean => checkSerde(value as Serde<unknown>, 'repartition()') !== undefined
const serde = {
  type: 'custom',
  expects: 'a serde',
  accepts: isSerde,
  default: undefined,
  takesEffect: 'at open',
} as const
const REPARTITION_CONFIG: ConfigTable<FilledOptions> = {
  what: 'repartition option',
  settings: {
    name: { type: 'string', default: undefined, takesEffect: 'at open', doc: "Part of the internal topic's name." },
    key: { ...serde, doc: 'Serde of the key.' },
    value: { ...serde, doc: 'Serde of the value.' },
    partitions: { type: 'int', min: 1, unit: 'partitions', default: undefined, takesEffect: 'at open', doc: 'Of the internal topic.' },
  },
  renamed: { numberOfPartitions: 'partitions', keySerde: 'key', valueSerde: 'value' },
}

/**
 * Sends the records through an internal topic, by their keys, so that all records of a key are read by one
 * member of the group, in the order in which they were sent (Kafka Streams: repartition). The topic is
 * made when it is subscribed to; what the group has read is deleted now and then. A record is held
 * until the internal topic has it; records read from there are held as those of `fromTopic`, and after
 * a crash some come twice, which an aggregate behind it tells by the header `millrace.origin`. With
 * `until: 'end'` all is sent before the first is read, and one member must do it alone. Without a
 * group the records go by as they are. Throws INVALID_CONFIG; what becomes of the topic ends the Observable.
 */
export function repartition<K, V>(options: RepartitionOperatorOptions<K, V> = {}): MonoTypeOperatorFunction<MillraceRecord<K, V>> {
  const checked = checkOptions(REPARTITION_CONFIG, options as never)
  return (source) =>
    exchange(
      source as Observable<unknown> as Observable<MillraceRecord<unknown, unknown>>,
      checked as never,
      'always',
    ) as Observable<unknown> as Observable<MillraceRecord<K, V>>
}
