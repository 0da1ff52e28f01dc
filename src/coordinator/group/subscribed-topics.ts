// Which topics the members of a consumer group want: those they name and those that match
// their patterns, and a hash that tells whether anything about them changed.
// Pure.

import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { hasRegex } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** What a pattern of RE2 was made into. */
export interface TopicPattern {
  /** Whether the whole name matches. */
  matches(topicName: string): boolean
}

/** Throws where the text is no pattern. */
export type CompilePattern = (text: string) => TopicPattern

/** What is asked of a group, as it is or as it will be. */
export interface Subscribers {
  members(): Iterable<ConsumerGroupMember>
  regexTopics(pattern: string): readonly string[] | undefined
}

const NO_TOPICS: readonly string[] = []

export function topicNamesOf(member: ConsumerGroupMember, group: Subscribers): readonly string[] {
  if (!hasRegex(member)) return member.subscribedTopicNames
  const matching = group.regexTopics(member.subscribedTopicRegex!) ?? NO_TOPICS
  return member.subscribedTopicNames.length === 0 ? matching : [...new Set([...member.subscribedTopicNames, ...matching])]
}

/** All that somebody wants, whether they are there or not. */
export function subscribedTopicNames(group: Subscribers): Set<string> {
  const names = new Set<string>()
  const seen = new Set<readonly string[]>()
  for (const member of group.members()) {
    const wanted = topicNamesOf(member, group)
    if (seen.has(wanted)) continue
    seen.add(wanted)
    for (const name of wanted) names.add(name)
  }
  return names
}

/** Topics of the coordinator's own and the like: nobody means them by a pattern. */
export function isInternalTopic(name: string): boolean {
  return name.startsWith('__')
}

export function matchingTopics(pattern: TopicPattern, image: MetadataImage): string[] {
  return [...image.topicNames].filter((name) => !isInternalTopic(name) && pattern.matches(name)).sort()
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * 64 bits of the names, ids and partition counts of the topics that are there; 0n: there is none. Only compared with what was made here
 * before; another broker's may be another number, and then the group goes one epoch on.
 */
export function subscriptionHash(group: Subscribers, image: MetadataImage): bigint {
  let low = FNV_OFFSET
  let high = FNV_PRIME
  let isEmpty = true
  for (const name of [...subscribedTopicNames(group)].sort()) {
    const topic = image.topic(name)
    if (topic === undefined) continue
    isEmpty = false
    for (const word of [...topic.topicId, topic.partitions.length]) {
      low = Math.imul(low ^ word, FNV_PRIME)
      high = Math.imul(high ^ (word >>> 7) ^ low, FNV_PRIME)
    }
    for (let i = 0; i < name.length; i++) {
      low = Math.imul(low ^ name.charCodeAt(i), FNV_PRIME)
      high = Math.imul(high ^ low, FNV_PRIME)
    }
  }
  if (isEmpty) return 0n
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) || 1n
}
