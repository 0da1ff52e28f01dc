// The cluster as the metadata log describes it up to one offset. Pure; each
// controller keeps one, made only by replay, so recovery and live work are one path.

import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { MetadataRecord } from './metadata-records.ts'

export interface PartitionImage {
  readonly partitionId: number
  readonly slot: number
  leader: number
  leaderEpoch: number
}

export interface TopicImage {
  readonly name: string
  readonly topicId: TopicId
  readonly config: Readonly<Record<string, string>>
  readonly partitions: PartitionImage[]
}

export interface BrokerImage {
  readonly brokerId: number
  incarnation: number
  fenced: boolean
}

export class MetadataImage {
  readonly #topics = new Map<string, TopicImage>()
  readonly #topicsById = new Map<string, TopicImage>()
  #nextSlot = 1 // row 0 is the metadata log's own
  readonly #brokers = new Map<number, BrokerImage>()
  #nextProducerId = 0

  topic(name: string): TopicImage | undefined {
    return this.#topics.get(name)
  }

  get topics(): IterableIterator<TopicImage> {
    return this.#topics.values()
  }

  broker(brokerId: number): BrokerImage | undefined {
    return this.#brokers.get(brokerId)
  }

  get brokers(): IterableIterator<BrokerImage> {
    return this.#brokers.values()
  }

  /** The lowest row of the partition table that no topic has had yet. */
  get nextSlot(): number {
    return this.#nextSlot
  }

  /** The lowest producer id that is in no block that was given away. */
  get nextProducerId(): number {
    return this.#nextProducerId
  }

  replay(record: MetadataRecord): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#brokers.set(record.brokerId, { brokerId: record.brokerId, incarnation: record.incarnation, fenced: false })
        return
      case 'FenceBrokerRecord': {
        const broker = this.#brokers.get(record.brokerId)
        if (broker !== undefined && broker.incarnation === record.incarnation) broker.fenced = true
        return
      }
      case 'TopicRecord': {
        const topic = { name: record.name, topicId: record.topicId, config: record.config, partitions: [] }
        this.#topics.set(record.name, topic)
        this.#topicsById.set(formatTopicId(record.topicId), topic)
        return
      }
      case 'PartitionRecord': {
        const { partitionId, slot, leader, leaderEpoch } = record
        this.#nextSlot = Math.max(this.#nextSlot, slot + 1)
        const topic = this.#topicsById.get(formatTopicId(record.topicId))
        if (topic !== undefined) topic.partitions[partitionId] = { partitionId, slot, leader, leaderEpoch }
        return
      }
      case 'PartitionChangeRecord': {
        const partition = this.#topicsById.get(formatTopicId(record.topicId))?.partitions[record.partitionId]
        if (partition === undefined) return
        partition.leader = record.leader
        partition.leaderEpoch = record.leaderEpoch
        return
      }
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.nextProducerId
    }
  }
}
