// Partitions of several topics as admin calls about groups are given them: all of a topic or
// of several, by name, or those that an object by topic names. Runs on the user's thread.

import { show } from '../../config-def.ts'
import type { PartitionRow } from '../../engine/partition-calls.ts'
import { MillraceError } from '../../errors.ts'
import { checkTopicName } from '../topic-definition.ts'
import type { GroupEngine } from './group-engine.ts'
import { partitionRow, topicRows } from './partition-offsets.ts'
import { topicNames } from './topic-names.ts'

/** A topic, several, or some partitions of some: `'clicks'`, `['clicks', 'views']`, `{ clicks: [0, 3] }`. */
export type TopicsOrPartitions = string | readonly string[] | Readonly<Record<string, readonly number[]>>

/** Throws INVALID_REQUEST, INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION. */
export function partitionRows(engine: GroupEngine, asked: TopicsOrPartitions, call: string): PartitionRow[] {
  if (typeof asked === 'string' || Array.isArray(asked)) {
    return topicNames(asked as string | readonly string[], call).flatMap((name) => topicRows(engine, name))
  }
  return byName(asked as Readonly<Record<string, readonly number[]>>, call).flatMap(([topic, partitions]) => {
    if (!Array.isArray(partitions)) throw wrongShape(call, partitions)
    const rows = topicRows(engine, checkTopicName(topic))
    return [...new Set<unknown>(partitions)].map((partition) => partitionRow(rows, topic, partition))
  })
}

/** What an object by topic, or by partition, has. Throws INVALID_REQUEST. */
export function byName<T>(object: Readonly<Record<string, T>>, call: string): [string, T][] {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) throw wrongShape(call, object)
  return Object.entries(object)
}

function wrongShape(call: string, given: unknown): MillraceError {
  const shape = 'an object by topic and partition, as in'
  const words =
    call === 'alterGroupOffsets'
      ? `${shape} { clicks: { 0: 17, 1: 4 } }`
      : `a topic's name, an array of them, or ${shape} { clicks: [0, 1] }`
  return new MillraceError('INVALID_REQUEST', `${call} takes ${words}; ${show(given)} was given`)
}
