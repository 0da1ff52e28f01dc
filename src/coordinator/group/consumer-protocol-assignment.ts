// What members of a classic group are given, as the consumer protocol says it, and as the
// coordinator does where it shares out itself.
// Pure.

import { formatTopicId, parseTopicId } from '../../ids.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT } from '../../protocol/records/consumer-protocol.ts'
import { decodeVersionedLeniently, encodeVersioned } from '../../protocol/versioned-message.ts'
import type { Assignment } from './assignment.ts'

interface NamedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** Topics that are not there any more are left out. */
export function assignmentByIds(topics: readonly NamedPartitions[], image: MetadataImage): Assignment {
  const found = new Map<string, number[]>()
  for (const { topic, partitions } of topics) {
    const known = image.topic(topic)
    const there = [...new Set(partitions)].filter((partition) => partition >= 0 && partition < (known?.partitions.length ?? 0))
    if (there.length > 0)
      found.set(
        formatTopicId(known!.topicId),
        there.sort((a, b) => a - b),
      )
  }
  return found
}

/** Nothing, or bytes of another kind, give nothing. */
export function readAssignment(bytes: Uint8Array, image: MetadataImage): Assignment {
  try {
    return assignmentByIds(decodeVersionedLeniently(CONSUMER_PROTOCOL_ASSIGNMENT, bytes).message.assignedPartitions, image)
  } catch {
    return new Map()
  }
}

/** @param version of the member's subscription: it reads that */
export function writeAssignment(assignment: Assignment, version: number, image: MetadataImage): Uint8Array {
  const assignedPartitions = [...assignment].flatMap(([topicKey, partitions]) => {
    const topic = image.topicById(parseTopicId(topicKey))
    return topic === undefined ? [] : [{ topic: topic.name, partitions: [...partitions] }]
  })
  const { minVersion, maxVersion } = CONSUMER_PROTOCOL_ASSIGNMENT
  return encodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, Math.min(Math.max(version, minVersion), maxVersion), { assignedPartitions })
}
