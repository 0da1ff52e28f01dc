// What the files of a partition take from its topic's configs (Kafka: LogConfig). Made when a
// partition is opened and when its configs change.

import type { BrokerConfig } from '../config/broker-config.ts'
import { TRANSACTION_SETTINGS } from '../config/broker-transaction-settings.ts'
import { configFromCheckedText } from '../config/config-text.ts'
import { effectiveTopicValue } from '../config/effective-topic-config.ts'
import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import type { TopicConfig } from '../config/topic-config.ts'
import type { ConfigText } from '../log/log-config.ts'

export interface PartitionFilesConfig {
  /** A segment is full when its .log would be larger. */
  readonly segmentBytes: number
  /** A batch that is so much newer than the segment's first begins another. */
  readonly segmentMs: number
  /** Up to so much of `segmentMs` is taken off, by chance: partitions do not roll all at once. */
  readonly segmentJitterMs: number
  /** A segment is full when one of its indexes is so large. */
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** `cleanup.policy` has "delete": old segments go by age and by size. */
  readonly isDeleted: boolean
  /** `cleanup.policy` has "compact": offsets may have holes. */
  readonly isCompacted: boolean
  /** A segment goes when its latest record is older; -1: never. */
  readonly retentionMs: number
  /** Oldest segments go while so many bytes stay; -1: no bound. */
  readonly retentionBytes: number
  /** How long the files of a segment that is gone stay, for readers that have them open. */
  readonly fileDeleteDelayMs: number
  /** A producer that wrote nothing for so long is forgotten. */
  readonly producerIdExpirationMs: number
}

export function partitionFilesConfigOf(text: ConfigText, broker: Readonly<Partial<BrokerConfig>> = {}): PartitionFilesConfig {
  const topic = configFromCheckedText(TOPIC_CONFIG, text)
  const of = <Name extends keyof TopicConfig>(name: Name): TopicConfig[Name] => effectiveTopicValue(name, topic, broker)
  const policies = of('cleanup.policy')
  return {
    segmentBytes: of('segment.bytes'),
    // What is still appended to is not compacted.
    segmentMs: policies.includes('compact') ? Math.min(of('segment.ms'), of('max.compaction.lag.ms')) : of('segment.ms'),
    segmentJitterMs: of('segment.jitter.ms'),
    segmentIndexBytes: of('segment.index.bytes'),
    indexIntervalBytes: of('index.interval.bytes'),
    isDeleted: policies.includes('delete'),
    isCompacted: policies.includes('compact'),
    retentionMs: of('retention.ms'),
    retentionBytes: of('retention.bytes'),
    fileDeleteDelayMs: of('file.delete.delay.ms'),
    producerIdExpirationMs: broker['producer.id.expiration.ms'] ?? TRANSACTION_SETTINGS['producer.id.expiration.ms'].default,
  }
}
