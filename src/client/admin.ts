// Looking at topics (Kafka: Admin). Runs on the thread that holds it; the controller answers.

import type { EmbeddedEngine } from '../engine/embedded-engine.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'

/** A partition as it is at this moment. */
export interface DescribedPartition {
  /** From 0. */
  readonly partition: number
  /** Broker id of its leader now; -1 while there is none. */
  readonly leader: number
  /** Goes up each time the partition gets a new leader. */
  readonly leaderEpoch: number
  /** First offset that can be read. */
  readonly startOffset: number
  /** One past the last offset that can be read: the high watermark. */
  readonly endOffset: number
  /** Records that went because log memory was full. */
  readonly trimmedRecords: number
  /** Records that went by `retention.ms` and `retention.bytes`. */
  readonly expiredRecords: number
}

/** A topic and its partitions as they are at this moment. */
export interface DescribedTopic {
  readonly name: string
  /** 22 characters of base64url (KIP-516). */
  readonly topicId: string
  /** The configs that were set, in Kafka's names. */
  readonly config: Readonly<Record<string, string>>
  readonly partitions: readonly DescribedPartition[]
}

/** Looks at topics (Kafka: Admin): `millrace.admin`. It changes nothing so far. */
export class Admin {
  readonly #engine: EmbeddedEngine

  /** Made by millrace. */
  constructor(engine: EmbeddedEngine) {
    this.#engine = engine
  }

  /** The names of all topics. Rejects with ABORTED, REQUEST_TIMED_OUT, CLOSED. */
  listTopics(options: { signal?: AbortSignal } = {}): Promise<string[]> {
    return this.#engine.listTopics(options.signal)
  }

  /**
   * A topic by name. Leaders and offsets are those of this moment. Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, ABORTED, REQUEST_TIMED_OUT, CLOSED.
   */
  async describeTopic(name: string, options: { signal?: AbortSignal } = {}): Promise<DescribedTopic> {
    const topic = await this.#engine.describeTopic(name, options.signal)
    if (topic === undefined) {
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}": make it with millrace.topic("${name}")`, {
        retriable: false,
      })
    }
    const partitions = topic.partitions.map(({ partition, slot }) => {
      const control = this.#engine.controlBlock(slot)
      const { leaderBroker: leader, leaderEpoch, logStartOffset: startOffset, highWatermark: endOffset } = control
      const { trimmedRecords, expiredRecords } = control
      return { partition, leader, leaderEpoch, startOffset, endOffset, trimmedRecords, expiredRecords }
    })
    return { name: topic.name, topicId: formatTopicId(topic.topicId), config: topic.config, partitions }
  }
}
