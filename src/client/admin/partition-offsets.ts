// Offsets of a topic's partitions: looked up, and deleted up to (Kafka: ListOffsets,
// DeleteRecords). Runs on the user's thread; the ends stand in shared words, the rest is
// asked of each partition's leader.

import { show } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { PartitionRow } from '../../engine/partition-calls.ts'
import { MillraceError } from '../../errors.ts'
import type { FetchBound, OffsetSpec as LogOffsetSpec } from '../../partition/list-offsets.ts'
import { existingTopic } from './described-topic.ts'
import { doEach } from './each-item.ts'
import type { Item } from './each-item.ts'

/**
 * What of a partition is looked up (Kafka: OffsetSpec): its first offset, the end, the record with the latest timestamp,
 * or the first record at or after a time, in milliseconds since the epoch.
 */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestamp: number }

/** What was found (Kafka: ListOffsetsResultInfo). */
export interface PartitionOffset {
  readonly partition: number
  /** Null: there is no such record. */
  readonly offset: number | null
  /** Of the record, in milliseconds since the epoch; null for an end of the partition. */
  readonly timestamp: number | null
  /** The leader's epoch under which the record was appended; for an end, that of the leader now. */
  readonly leaderEpoch: number | null
}

/** How far a partition's records are deleted now (Kafka: DeletedRecords). */
export interface DeletedRecords {
  readonly partition: number
  /** The first offset that can be read. */
  readonly lowWatermark: number
}

/** Lists offsets of all partitions, or of those that `specs` has, in ascending order. */
export async function listOffsets(
  engine: EmbeddedEngine,
  topic: string,
  specs: OffsetSpec | Readonly<Record<number, OffsetSpec>>,
  bound: FetchBound,
  signal: AbortSignal | undefined,
): Promise<PartitionOffset[]> {
  const rows = await partitionRows(engine, topic, signal)
  const asked = isSpec(specs) ? rows.map((row) => ({ row, asked: specs })) : rowsOf(rows, specs, 'listOffsets')
  return doEach(
    asked.map(({ row, asked: spec }): Item<PartitionOffset> => {
      const query = { ...row, spec: logSpec(spec) }
      return {
        name: `${topic}-${row.partition}`,
        run: async () => {
          const [found] = await engine.listOffsets([query], bound, signal)
          if (found === null || found === undefined) return { partition: row.partition, offset: null, timestamp: null, leaderEpoch: null }
          const { offset, timestampMs, leaderEpoch } = found
          return { partition: row.partition, offset, timestamp: timestampMs < 0 ? null : timestampMs, leaderEpoch }
        },
      }
    }),
  )
}

/** Deletes what is below the offsets; 'end' is the high watermark. */
export async function deleteRecords(
  engine: EmbeddedEngine,
  topic: string,
  beforeOffsets: Readonly<Record<number, number | 'end'>>,
  signal: AbortSignal | undefined,
): Promise<DeletedRecords[]> {
  const asked = rowsOf(await partitionRows(engine, topic, signal), beforeOffsets, 'deleteRecords')
  return doEach(
    asked.map(({ row, asked: before }): Item<DeletedRecords> => {
      const offset = beforeOffset(before)
      return {
        name: `${topic}-${row.partition}`,
        run: async () => ({ partition: row.partition, lowWatermark: await engine.deleteRecords(row, offset, signal) }),
      }
    }),
  )
}

/** Every partition of a topic. */
async function partitionRows(engine: EmbeddedEngine, name: string, signal: AbortSignal | undefined): Promise<PartitionRow[]> {
  await engine.mayAnswer(signal)
  return topicRows(engine, name)
}

/** Every partition of a topic, as it is at this moment; throws UNKNOWN_TOPIC_OR_PARTITION. */
export function topicRows(engine: Pick<EmbeddedEngine, 'metadata'>, name: string): PartitionRow[] {
  const { topicId, partitions } = existingTopic(engine, name)
  return partitions.map(({ partitionId: partition, slot }) => ({ topic: name, topicId, partition, slot }))
}

/** The one of this number; throws UNKNOWN_TOPIC_OR_PARTITION. */
export function partitionRow(rows: readonly PartitionRow[], topic: string, partition: unknown): PartitionRow {
  const row = rows.find((each) => each.partition === partition)
  if (row !== undefined) return row
  const range = `it has partitions 0 to ${rows.length - 1}`
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${show(partition)}: ${range}`, {
    retriable: false,
  })
}

/** What is asked of which partition. Throws INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION. */
function rowsOf<T>(
  rows: readonly PartitionRow[],
  byPartition: Readonly<Record<number, T>>,
  call: string,
): { row: PartitionRow; asked: T }[] {
  if (typeof byPartition !== 'object' || byPartition === null || Array.isArray(byPartition)) {
    throw new MillraceError('INVALID_REQUEST', `${call} takes an object by partition, as in { 0: …, 1: … }; ${show(byPartition)} was given`)
  }
  const topic = rows[0]?.topic ?? ''
  return Object.entries(byPartition).map(([partition, asked]) => ({
    row: partitionRow(rows, topic, /^\d+$/.test(partition) ? Number(partition) : partition),
    asked,
  }))
}

function isSpec(specs: unknown): specs is OffsetSpec {
  return typeof specs === 'string' || (typeof specs === 'object' && specs !== null && 'timestamp' in specs)
}

/** Throws INVALID_REQUEST, INVALID_TIMESTAMP. */
function logSpec(spec: OffsetSpec): LogOffsetSpec {
  if (spec === 'earliest' || spec === 'latest' || spec === 'maxTimestamp') return spec
  if (typeof spec !== 'object' || spec === null || !('timestamp' in spec)) {
    const words = "'earliest', 'latest', 'maxTimestamp' or { timestamp }"
    throw new MillraceError('INVALID_REQUEST', `an offset is looked up by ${words}; ${show(spec)} was given`)
  }
  const { timestamp } = spec
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return { timestampMs: timestamp }
  throw new MillraceError('INVALID_TIMESTAMP', `a time is a whole number of ms since the epoch from 0 on, not ${show(timestamp)}`)
}

/** Throws OFFSET_OUT_OF_RANGE. */
function beforeOffset(before: unknown): number {
  if (before === 'end') return -1
  if (typeof before === 'number' && Number.isSafeInteger(before) && before >= 0) return before
  throw new MillraceError('OFFSET_OUT_OF_RANGE', `records are deleted before an offset from 0 on, or 'end'; ${show(before)} was given`)
}
