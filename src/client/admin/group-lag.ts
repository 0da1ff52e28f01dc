// How many records a group has before it (Kafka: kafka-consumer-groups --describe), by
// partition, topic and group. Runs on the user's thread.

import { MillraceError } from '../../errors.ts'
import type { FetchBound } from '../../partition/list-offsets.ts'
import { describeGroup } from './described-group.ts'
import { groupError } from './group-engine.ts'
import type { GroupEngine } from './group-engine.ts'
import { listGroupOffsets } from './group-offsets.ts'

/** The lag of a group on one partition. */
export interface PartitionLag {
  readonly partition: number
  /** The next record that the group reads; null: it has committed nothing. */
  readonly committedOffset: number | null
  /** One past the last record that can be read. */
  readonly endOffset: number
  /** Records between the two that are still there; null where nothing is committed. */
  readonly lag: number | null
  /** The member that reads the partition; null: nobody does. */
  readonly memberId: string | null
}

/** The lag of a group on one topic. */
export interface TopicLag {
  readonly topic: string
  /** The sum of those of its partitions that are known. */
  readonly lag: number
  readonly partitions: readonly PartitionLag[]
}

/** The lag of a group on all that it reads. */
export interface GroupLag {
  readonly groupId: string
  /** The sum of its topics. */
  readonly lag: number
  readonly topics: readonly TopicLag[]
}

/**
 * Of the partitions that the group has committed or that its members read, of topics that are there. Rejects with
 * GROUP_ID_NOT_FOUND.
 */
export async function groupLag(
  engine: GroupEngine,
  groupId: string,
  bound: FetchBound,
  signal: AbortSignal | undefined,
): Promise<GroupLag> {
  const [offsets, readers] = await Promise.all([listGroupOffsets(engine, groupId, signal), readersOf(engine, groupId, signal)])
  if (readers === undefined && offsets.length === 0) throw groupError('GROUP_ID_NOT_FOUND', groupId)
  const committed = new PartitionMap<number>()
  for (const { topic, partition, offset } of offsets) committed.set(topic, partition, offset)
  const names = [...new Set([...committed.topics(), ...(readers?.topics() ?? [])])].sort()
  const topics = await Promise.all(names.map((topic) => topicLag(engine, topic, committed, readers, bound, signal)))
  const found = topics.filter((topic) => topic !== undefined)
  return { groupId, lag: found.reduce((sum, { lag }) => sum + lag, 0), topics: found }
}

/** Undefined: there is no such topic, or it is deleted meanwhile. */
async function topicLag(
  engine: GroupEngine,
  topic: string,
  committed: PartitionMap<number>,
  readers: PartitionMap<string> | undefined,
  bound: FetchBound,
  signal: AbortSignal | undefined,
): Promise<TopicLag | undefined> {
  const image = engine.metadata.topic(topic)
  if (image === undefined) return undefined
  const { topicId } = image
  const asked = image.partitions.filter(
    ({ partitionId }) => committed.get(topic, partitionId) !== undefined || readers?.get(topic, partitionId) !== undefined,
  )
  const rows = asked.map(({ partitionId: partition, slot }) => ({ topic, topicId, partition, slot }))
  const find = (spec: 'earliest' | 'latest'): ReturnType<GroupEngine['listOffsets']> =>
    engine.listOffsets(
      rows.map((row) => ({ ...row, spec })),
      bound,
      signal,
    )
  try {
    const [starts, ends] = await Promise.all([find('earliest'), find('latest')])
    const partitions = rows.map(({ partition }, i): PartitionLag => {
      const committedOffset = committed.get(topic, partition) ?? null
      const endOffset = ends[i]!.offset
      // What retention took is not read any more.
      const lag = committedOffset === null ? null : Math.max(0, endOffset - Math.max(committedOffset, starts[i]!.offset))
      return { partition, committedOffset, endOffset, lag, memberId: readers?.get(topic, partition) ?? null }
    })
    return { topic, lag: partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0), partitions }
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'UNKNOWN_TOPIC_ID') return undefined
    throw error
  }
}

/** By partition, the member that reads it; undefined: there is no such group. */
async function readersOf(engine: GroupEngine, groupId: string, signal: AbortSignal | undefined): Promise<PartitionMap<string> | undefined> {
  try {
    const { members } = await describeGroup(engine, groupId, signal)
    const readers = new PartitionMap<string>()
    for (const { memberId, assignment } of members) {
      for (const [topic, partitions] of Object.entries(assignment)) {
        for (const partition of partitions) readers.set(topic, partition, memberId)
      }
    }
    return readers
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'GROUP_ID_NOT_FOUND') return undefined
    throw error
  }
}

class PartitionMap<Value> {
  readonly #byTopic = new Map<string, Map<number, Value>>()

  set(topic: string, partition: number, value: Value): void {
    const of = this.#byTopic.get(topic) ?? new Map<number, Value>()
    this.#byTopic.set(topic, of.set(partition, value))
  }

  get(topic: string, partition: number): Value | undefined {
    return this.#byTopic.get(topic)?.get(partition)
  }

  topics(): IterableIterator<string> {
    return this.#byTopic.keys()
  }
}
