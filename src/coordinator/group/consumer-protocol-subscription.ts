// What members of a classic group say to each other in JoinGroup, where they are consumers:
// the coordinator carries it, and looks in only to know which topics are in use.
// Pure.

import { CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../protocol/records/consumer-protocol.ts'
import type { ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts'
import { decodeVersionedLeniently } from '../../protocol/versioned-message.ts'

/** Kafka's name for the protocol type of consumers; Connect's is 'connect'. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** undefined: these bytes are something else. Clients may send what they like. */
export function readSubscription(metadata: Uint8Array): ConsumerProtocolSubscription | undefined {
  try {
    const { version, message } = decodeVersionedLeniently(CONSUMER_PROTOCOL_SUBSCRIPTION, metadata)
    return version < 0 ? undefined : message
  } catch {
    return undefined
  }
}

/** All topics that somebody is subscribed to; undefined: not all of these are subscriptions. */
export function topicsOf(metadata: Iterable<Uint8Array>): Set<string> | undefined {
  const topics = new Set<string>()
  for (const bytes of metadata) {
    const subscription = readSubscription(bytes)
    if (subscription === undefined) return undefined
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}
