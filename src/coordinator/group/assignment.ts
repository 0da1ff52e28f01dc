// Which partitions a member is to have, or has.
// Pure. Holds: an assignment never changes; it has no topic without partitions.

import { formatTopicId, parseTopicId } from '../../ids.ts'
import type { TopicId } from '../../ids.ts'

/** Partitions in ascending order by topic, which is told by `formatTopicId`. */
export type Assignment = ReadonlyMap<string, readonly number[]>

/** With each partition the member epoch at which it was given (KIP-1251), by topic. */
export type HeldPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/** As Kafka's requests and records have them. */
export interface TopicPartitions {
  topicId: TopicId
  partitions: number[]
}

export const NO_ASSIGNMENT: Assignment = new Map<string, readonly number[]>()
export const NO_PARTITIONS: HeldPartitions = new Map<string, ReadonlyMap<number, number>>()

export function assignmentOf(topics: readonly { readonly topicId: TopicId; readonly partitions: readonly number[] }[]): Assignment {
  const found = new Map<string, number[]>()
  for (const { topicId, partitions } of topics) {
    if (partitions.length === 0) continue
    const topic = formatTopicId(topicId)
    // A client may name a topic more than once.
    found.set(topic, ascending([...(found.get(topic) ?? []), ...partitions]))
  }
  return found
}

export function topicPartitionsOf(assignment: Assignment): TopicPartitions[] {
  return [...assignment].map(([topic, partitions]) => ({ topicId: parseTopicId(topic), partitions: [...partitions] }))
}

/** What is held, without epochs. */
export function partitionsOf(held: HeldPartitions): Assignment {
  return new Map([...held].map(([topic, partitions]) => [topic, ascending([...partitions.keys()])]))
}

export function equalAssignments(a: Assignment, b: Assignment): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topic, partitions] of a) {
    const others = b.get(topic)
    if (others?.length !== partitions.length || !partitions.every((partition, i) => others[i] === partition)) return false
  }
  return true
}

/** The same partitions, whenever they were given. */
export function holdSame(a: HeldPartitions, b: HeldPartitions): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topic, partitions] of a) {
    const others = b.get(topic)
    if (others?.size !== partitions.size) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}

/** Names a partition among all of a group's. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}:${partition}`
}

export function* partitionKeys(held: HeldPartitions): Generator<string> {
  for (const [topic, partitions] of held) for (const partition of partitions.keys()) yield partitionKey(topic, partition)
}

function ascending(partitions: readonly number[]): number[] {
  return [...new Set(partitions)].sort((a, b) => a - b)
}
