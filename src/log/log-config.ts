// What a log needs to know of its topic's configs (Kafka: LogConfig), read from their
// text in this one place. Any thread; made when a log is opened and when its topic's
// configs change, never on the road of a record.
// Holds: the text was checked when the topic was made, so nothing is checked here.

import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import type { TopicConfig } from '../config/topic-config.ts'
import { RETENTION_DEFAULT, RETENTION_INTERNAL, RETENTION_PINNED } from './log-memory-layout.ts'
import type { RetentionKind } from './log-memory-layout.ts'

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
  /** Largest batch that is taken. */
  readonly maxMessageBytes: number
}

/** Configs as they travel: Kafka's names and values as text, only those that were set. */
export type ConfigText = Readonly<Record<string, string>>

type NumberConfig = { [Name in keyof TopicConfig]: TopicConfig[Name] extends number ? Name : never }[keyof TopicConfig]

export function logConfigOf(text: ConfigText): LogConfig {
  const { settings } = TOPIC_CONFIG
  const policies = text['cleanup.policy']?.split(',').map((policy) => policy.trim()) ?? settings['cleanup.policy'].default
  const number = (name: NumberConfig): number => Number(text[name] ?? settings[name].default)
  return {
    isDeleted: policies.includes('delete'),
    isCompacted: policies.includes('compact'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    isPinned: text['retention.bytes'] === '-1',
    segmentMs: number('segment.ms'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    maxMessageBytes: number('max.message.bytes'),
  }
}

export const LOG_CONFIG_DEFAULT: LogConfig = logConfigOf({})

/** What may go of a topic's partitions when the arena is full. Without "delete" nothing is old enough to go. */
export function retentionKindOf(topic: string, config: LogConfig): RetentionKind {
  if (topic.startsWith('__')) return RETENTION_INTERNAL
  return config.isPinned || !config.isDeleted ? RETENTION_PINNED : RETENTION_DEFAULT
}
