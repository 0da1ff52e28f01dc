// The cluster as the metadata log describes it up to one offset (Kafka: MetadataImage).
// Pure; each thread has its own, made only by replay, and no other copy of the truth.
// Holds: an image never changes. A delta makes the next one, which shares with this one
// all that stayed the same.

import { TOPIC_ID_ZERO, formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { BROKER_RESOURCE, TOPIC_RESOURCE } from './metadata-records.ts'

export interface PartitionImage {
  readonly partitionId: number
  /** The row of its control block; -1 in a log of Kafka's. */
  readonly slot: number
  /** Broker id, -1 for none. It is the leader as the incarnation that is registered, and not fenced, in the same image. */
  readonly leader: number
  readonly leaderEpoch: number
  /** Goes up with each change of the partition. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicImage {
  readonly name: string
  readonly topicId: TopicId
  /** By partition id. */
  readonly partitions: readonly PartitionImage[]
}

export interface BrokerImage {
  readonly brokerId: number
  /** Its incarnation: goes up each time the broker is started. */
  readonly brokerEpoch: number
  readonly incarnationId: TopicId
  /** It leads nothing: its thread is dead. */
  readonly fenced: boolean
}

/** Configs that were set, in Kafka's names. */
export type ConfigImage = Readonly<Record<string, string>>

/** All that an image is made of. */
export interface MetadataContent {
  readonly clusterId: TopicId
  /** Levels by feature (KIP-584). */
  readonly features: ReadonlyMap<string, number>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  /** By `formatTopicId`. */
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** From the name to the key of `topicsById`. */
  readonly topicKeys: ReadonlyMap<string, string>
  /** By broker id: how many partitions it leads; none that leads none. It follows from the topics. */
  readonly leaderCounts: ReadonlyMap<number, number>
  /** By `configKey`. */
  readonly configs: ReadonlyMap<string, ConfigImage>
  /** The first producer id that nobody was given yet (KIP-730). */
  readonly nextProducerId: number
}

const NO_CONFIG: ConfigImage = {}

export function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}

export class MetadataImage {
  static readonly EMPTY = new MetadataImage(0, {
    clusterId: TOPIC_ID_ZERO,
    features: new Map(),
    brokers: new Map(),
    topicsById: new Map(),
    topicKeys: new Map(),
    leaderCounts: new Map(),
    configs: new Map(),
    nextProducerId: 0,
  })

  /** One past the last record that it has taken in. */
  readonly offset: number
  readonly content: MetadataContent

  constructor(offset: number, content: MetadataContent) {
    this.offset = offset
    this.content = content
  }

  /** 22 characters of base64url. */
  get clusterId(): string {
    return formatTopicId(this.content.clusterId)
  }

  get topics(): IterableIterator<TopicImage> {
    return this.content.topicsById.values()
  }

  get topicNames(): IterableIterator<string> {
    return this.content.topicKeys.keys()
  }

  topic(name: string): TopicImage | undefined {
    const key = this.content.topicKeys.get(name)
    return key === undefined ? undefined : this.content.topicsById.get(key)
  }

  topicById(topicId: TopicId): TopicImage | undefined {
    return this.content.topicsById.get(formatTopicId(topicId))
  }

  broker(brokerId: number): BrokerImage | undefined {
    return this.content.brokers.get(brokerId)
  }

  get brokers(): IterableIterator<BrokerImage> {
    return this.content.brokers.values()
  }

  /** How many partitions the broker leads. */
  leads(brokerId: number): number {
    return this.content.leaderCounts.get(brokerId) ?? 0
  }

  topicConfig(name: string): ConfigImage {
    return this.content.configs.get(configKey(TOPIC_RESOURCE, name)) ?? NO_CONFIG
  }

  /** Without a broker: the configs of all brokers. */
  brokerConfig(brokerId?: number): ConfigImage {
    return this.content.configs.get(configKey(BROKER_RESOURCE, brokerId === undefined ? '' : String(brokerId))) ?? NO_CONFIG
  }

  get nextProducerId(): number {
    return this.content.nextProducerId
  }
}
