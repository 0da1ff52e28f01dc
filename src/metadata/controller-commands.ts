// What the controller is asked to do, and what it answers. Data only: it travels between
// threads.

import type { ConfigOp } from '../config/config-ops.ts'
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
  /** Checked, and nothing else. */
  readonly validateOnly?: boolean | undefined
}

/** A topic by its name, or by its id (KIP-516). */
export type DeleteTopicCommand = { readonly name: string } | { readonly topicId: TopicId }

export interface CreatePartitionsCommand {
  readonly name: string
  /** How many it is to have: more than it has. */
  readonly partitions: number
  readonly validateOnly?: boolean | undefined
}

/** Operations on the configs of one topic or broker: all of them are made, or none. */
export interface AlterConfigsCommand {
  /** Of a broker, its id; the empty name stands for all brokers. */
  readonly resource: { readonly type: 'topic' | 'broker'; readonly name: string }
  readonly ops: readonly ConfigOp[]
  readonly validateOnly?: boolean | undefined
}

/** Another broker is to lead a partition, which loses nothing by it. */
export interface MoveLeaderCommand {
  readonly topic: string
  readonly partition: number
  readonly brokerId: number
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
