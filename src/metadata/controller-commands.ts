// What the controller is asked to do, and what it answers. Data only: it travels between
// threads.

import type { TopicId } from '../ids.ts'

/** A broker that starts: which one, and as which incarnation. */
export interface BrokerRegistration {
  readonly brokerId: number
  readonly incarnation: number
  /** A random id of the incarnation. */
  readonly incarnationId: TopicId
}

export interface CreateTopicCommand {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
  /** 1 when it is left out, and nothing else before there is replication. */
  readonly replicationFactor?: number | undefined
}

/** Producer ids that one thread alone may hand out: `count` of them, from `firstProducerId` on (Kafka: ProducerIdsBlock). */
export interface ProducerIdsBlock {
  readonly firstProducerId: number
  readonly count: number
}

/** A command was committed: it is in every image that reaches this offset. */
export interface Committed {
  readonly metadataOffset: number
}

export interface CreatedTopic extends Committed {
  readonly topicId: TopicId
}
