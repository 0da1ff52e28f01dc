// What a log needs to know of its topic's configs (Kafka: LogConfig), read from their
// text in this one place. Any thread; made when a log is opened and when its topic's
// configs change, never on the road of a record.
// Holds: the text was checked when the topic was made, so nothing is checked here;
// defaults are those of the table of topic configs.

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

export function logConfigOf(text: ConfigText): LogConfig {
  const number = (name: string, otherwise: number): number => (text[name] === undefined ? otherwise : Number(text[name]))
  const policies = (text['cleanup.policy'] ?? 'delete').split(',').map((policy) => policy.trim())
  return {
    isDeleted: policies.includes('delete'),
    isCompacted: policies.includes('compact'),
    retentionMs: number('retention.ms', 604_800_000),
    retentionBytes: number('retention.bytes', -1),
    isPinned: text['retention.bytes'] === '-1',
    segmentMs: number('segment.ms', 604_800_000),
    deleteRetentionMs: number('delete.retention.ms', 86_400_000),
    minCompactionLagMs: number('min.compaction.lag.ms', 0),
    maxCompactionLagMs: number('max.compaction.lag.ms', Number.MAX_SAFE_INTEGER),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio', 0.5),
    maxMessageBytes: number('max.message.bytes', 1_048_588),
  }
}

export const LOG_CONFIG_DEFAULT: LogConfig = logConfigOf({})

/** What may go of a topic's partitions when the arena is full. Without "delete" nothing is old enough to go. */
export function retentionKindOf(topic: string, config: LogConfig): RetentionKind {
  if (topic.startsWith('__')) return RETENTION_INTERNAL
  return config.isPinned || !config.isDeleted ? RETENTION_PINNED : RETENTION_DEFAULT
}
