// What a log needs to know of its topic's configs (Kafka: LogConfig), read from their
// text in this one place. Any thread; made when a log is opened and when its topic's
// configs change, never on the road of a record.
// Holds: the text was checked when the topic was made, so nothing is checked here. What a
// topic does not set, the brokers say, and else the defaults.

import type { BrokerConfig } from '../config/broker-config.ts'
import { configFromCheckedText } from '../config/config-text.ts'
import { effectiveTopicValue } from '../config/effective-topic-config.ts'
import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import type { TopicConfig } from '../config/topic-config.ts'
import {
  DURABILITY_CACHE,
  DURABILITY_DISK,
  DURABILITY_MEMORY,
  RETENTION_DEFAULT,
  RETENTION_INTERNAL,
  RETENTION_PINNED,
} from './log-memory-layout.ts'
import type { Durability, RetentionKind } from './log-memory-layout.ts'

export interface LogConfig {
  /** `cleanup.policy` has "delete": old extents go by age and by size. */
  readonly isDeleted: boolean
  /** `cleanup.policy` has "compact": only the last record of each key stays. */
  readonly isCompacted: boolean
  /** An extent goes when its latest record is older; -1: never. */
  readonly retentionMs: number
  /** Oldest extents go while so many bytes stay; -1: no bound of its own. */
  readonly retentionBytes: number
  /** `retention.bytes` was given, and as -1. */
  readonly isPinned: boolean
  /** An extent that is so old is closed, full or not. */
  readonly segmentMs: number
  /** How long tombstones stay when a compaction has seen them. */
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  /** The part of a log that must be uncompacted before it is compacted, 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** Records carry their leader's time instead of their producer's. */
  readonly isLogAppendTime: boolean
  /** How far timestamps may lie in the past, and in the future, when their leader takes them. */
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** Largest batch that is taken. */
  readonly maxMessageBytes: number
  /** How deep a record must be before it is acknowledged. */
  readonly durability: Durability
}

/** Configs as they travel: Kafka's names and values as text, only those that were set. */
export type ConfigText = Readonly<Record<string, string>>

const DURABILITIES = { memory: DURABILITY_MEMORY, cache: DURABILITY_CACHE, disk: DURABILITY_DISK } as const

export function logConfigOf(text: ConfigText, broker: Readonly<Partial<BrokerConfig>> = {}): LogConfig {
  const topic = configFromCheckedText(TOPIC_CONFIG, text)
  const of = <Name extends keyof TopicConfig>(name: Name): TopicConfig[Name] => effectiveTopicValue(name, topic, broker)
  const policies = of('cleanup.policy')
  return {
    isDeleted: policies.includes('delete'),
    isCompacted: policies.includes('compact'),
    retentionMs: of('retention.ms'),
    retentionBytes: of('retention.bytes'),
    isPinned: text['retention.bytes'] === '-1',
    segmentMs: of('segment.ms'),
    deleteRetentionMs: of('delete.retention.ms'),
    minCompactionLagMs: of('min.compaction.lag.ms'),
    maxCompactionLagMs: of('max.compaction.lag.ms'),
    minCleanableDirtyRatio: of('min.cleanable.dirty.ratio'),
    isLogAppendTime: of('message.timestamp.type') === 'LogAppendTime',
    timestampBeforeMaxMs: of('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: of('message.timestamp.after.max.ms'),
    maxMessageBytes: of('max.message.bytes'),
    durability: DURABILITIES[of('millrace.durability')],
  }
}

export const LOG_CONFIG_DEFAULT: LogConfig = logConfigOf({})

/** What may go of a topic's partitions when the arena is full: what is in files loses nothing, without "delete" nothing is old enough. */
export function retentionKindOf(topic: string, config: LogConfig): RetentionKind {
  if (config.durability !== DURABILITY_MEMORY) return RETENTION_DEFAULT
  if (topic.startsWith('__')) return RETENTION_INTERNAL
  return config.isPinned || !config.isDeleted ? RETENTION_PINNED : RETENTION_DEFAULT
}
