// What records of the metadata log change about an image (Kafka: MetadataDelta): they are
// replayed one after the other, then `apply` makes the next image, and the delta says
// what is different in it. Pure.
// Holds: replay is the only way by which anything about the cluster changes; one path for
// live work, recovery and snapshots.

import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { MetadataRecordFields } from '../protocol/metadata-record-frame.ts'
import { ChangedMap } from './changed-map.ts'
import { MetadataImage, configKey } from './metadata-image.ts'
import type { BrokerImage, ConfigImage, PartitionImage, TopicImage } from './metadata-image.ts'
import { BROKER_RESOURCE, FENCE, METADATA_VERSION, NO_LEADER_CHANGE, TOPIC_RESOURCE, UNFENCE } from './metadata-records.ts'
import type { ReplayedRecord } from './metadata-records.ts'

/** A partition that is new, or of which something is different. */
export interface PartitionDifference {
  readonly topic: TopicImage
  readonly partition: PartitionImage
  readonly previous: PartitionImage | undefined
}

export class MetadataDelta {
  readonly previous: MetadataImage
  readonly #brokers: ChangedMap<number, BrokerImage>
  readonly #topics: ChangedMap<string, TopicImage>
  readonly #topicKeys: ChangedMap<string, string>
  readonly #configs: ChangedMap<string, ConfigImage>
  readonly #features: ChangedMap<string, number>
  /** By topic key: partitions that are this delta's own and may be written. */
  readonly #ownPartitions = new Map<string, PartitionImage[]>()
  #clusterId: TopicId
  #nextProducerId: number
  #image: MetadataImage | undefined

  constructor(previous: MetadataImage) {
    const { content } = previous
    this.previous = previous
    this.#brokers = new ChangedMap(content.brokers)
    this.#topics = new ChangedMap(content.topicsById)
    this.#topicKeys = new ChangedMap(content.topicKeys)
    this.#configs = new ChangedMap(content.configs)
    this.#features = new ChangedMap(content.features)
    this.#clusterId = content.clusterId
    this.#nextProducerId = content.nextProducerId
  }

  /** What is different in `image`, which was made from a snapshot instead of records. */
  static between(previous: MetadataImage, image: MetadataImage): MetadataDelta {
    const delta = new MetadataDelta(previous)
    const from = previous.content
    const to = image.content
    replaceAll(delta.#brokers, from.brokers, to.brokers)
    replaceAll(delta.#topics, from.topicsById, to.topicsById)
    replaceAll(delta.#topicKeys, from.topicKeys, to.topicKeys)
    replaceAll(delta.#configs, from.configs, to.configs)
    replaceAll(delta.#features, from.features, to.features)
    delta.#clusterId = to.clusterId
    delta.#nextProducerId = to.nextProducerId
    delta.#image = image
    return delta
  }

  /** Records about what millrace does not have (access, quotas, delegation, a quorum) change nothing. */
  replay(framed: ReplayedRecord): void {
    switch (framed.type) {
      case 'RegisterBrokerRecord':
        return this.#registerBroker(framed.record)
      case 'UnregisterBrokerRecord':
        return this.#brokers.delete(framed.record.brokerId)
      case 'BrokerRegistrationChangeRecord': {
        const { brokerId, brokerEpoch, fenced } = framed.record
        if (fenced === FENCE || fenced === UNFENCE) this.#setFenced(brokerId, brokerEpoch, fenced === FENCE)
        return
      }
      case 'FenceBrokerRecord':
        return this.#setFenced(framed.record.id, framed.record.epoch, true)
      case 'UnfenceBrokerRecord':
        return this.#setFenced(framed.record.id, framed.record.epoch, false)
      case 'TopicRecord':
        return this.#createTopic(framed.record)
      case 'PartitionRecord':
        return this.#createPartition(framed.record)
      case 'PartitionChangeRecord':
        return this.#changePartition(framed.record)
      case 'RemoveTopicRecord':
        return this.#removeTopic(framed.record.topicId)
      case 'ConfigRecord':
        return this.#setConfig(framed.record)
      case 'FeatureLevelRecord':
        return this.#setFeature(framed.record)
      case 'ProducerIdsRecord':
        this.#nextProducerId = framed.record.nextProducerId
        return
      case 'AbortTransactionRecord':
        throw new MillraceError('UNSUPPORTED_VERSION', 'a metadata log with an aborted transaction of its own cannot be replayed')
      case 'NoOpRecord':
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'ZkMigrationStateRecord':
      case 'ClearElrRecord':
      case 'RegisterControllerRecord':
      case 'UnregisterControllerRecord':
      case 'ClientQuotaRecord':
      case 'AccessControlEntryRecord':
      case 'RemoveAccessControlEntryRecord':
      case 'DelegationTokenRecord':
      case 'RemoveDelegationTokenRecord':
      case 'UserScramCredentialRecord':
      case 'RemoveUserScramCredentialRecord':
        return
    }
  }

  /** The image with everything that was replayed; `offset`: one past the last record. */
  apply(offset: number): MetadataImage {
    this.#image = new MetadataImage(offset, {
      clusterId: this.#clusterId,
      features: this.#features.result(),
      brokers: this.#brokers.result(),
      topicsById: this.#topics.result(),
      topicKeys: this.#topicKeys.result(),
      leaderCounts: this.#leaderCounts(),
      configs: this.#configs.result(),
      nextProducerId: this.#nextProducerId,
    })
    this.#ownPartitions.clear()
    return this.#image
  }

  #leaderCounts(): ReadonlyMap<number, number> {
    const { leaderCounts, topicsById } = this.previous.content
    const counts = new Map(leaderCounts)
    for (const key of this.#topics.changedKeys) {
      const before = topicsById.get(key)?.partitions
      const after = this.#topics.get(key)?.partitions
      if (before !== undefined) for (const { leader } of before) count(counts, leader, -1)
      if (after !== undefined) for (const { leader } of after) count(counts, leader, 1)
    }
    return counts
  }

  /** What `apply` made. */
  get image(): MetadataImage {
    if (this.#image === undefined) throw new MillraceError('ASSERTION_FAILED', 'a delta has an image once it is applied')
    return this.#image
  }

  /** Partitions that are new, or have another leader, leader epoch or row. */
  *changedPartitions(): Generator<PartitionDifference> {
    for (const key of this.#topics.changedKeys) {
      const topic = this.image.content.topicsById.get(key)
      if (topic === undefined) continue
      const before = this.previous.content.topicsById.get(key)?.partitions
      for (const partition of topic.partitions) {
        const previous = before?.[partition.partitionId]
        if (!isSamePartition(partition, previous)) yield { topic, partition, previous }
      }
    }
  }

  *createdTopics(): Generator<TopicImage> {
    for (const key of this.#topics.changedKeys) {
      const topic = this.image.content.topicsById.get(key)
      if (topic !== undefined && !this.previous.content.topicsById.has(key)) yield topic
    }
  }

  /** Topics as they were last, which are no more. */
  *deletedTopics(): Generator<TopicImage> {
    for (const key of this.#topics.changedKeys) {
      const topic = this.previous.content.topicsById.get(key)
      if (topic !== undefined && !this.image.content.topicsById.has(key)) yield topic
    }
  }

  /** Topics that were there before and have other configs now. */
  *reconfiguredTopics(): Generator<TopicImage> {
    for (const key of this.#configs.changedKeys) {
      const [type, name] = [Number.parseInt(key, 10), key.slice(key.indexOf(':') + 1)]
      if (type !== TOPIC_RESOURCE) continue
      const topic = this.image.topic(name)
      if (topic === undefined || this.previous.topicById(topic.topicId) === undefined) continue
      if (!isSameConfig(this.previous.topicConfig(name), this.image.topicConfig(name))) yield topic
    }
  }

  /** Whether configs of brokers, of all or of one, are different. */
  get areBrokersReconfigured(): boolean {
    for (const key of this.#configs.changedKeys) if (Number.parseInt(key, 10) === BROKER_RESOURCE) return true
    return false
  }

  /** Brokers that are new, or were fenced, or registered as another incarnation. */
  *changedBrokers(): Generator<BrokerImage> {
    for (const brokerId of this.#brokers.changedKeys) {
      const broker = this.image.broker(brokerId)
      const before = this.previous.broker(brokerId)
      if (broker !== undefined && (broker.brokerEpoch !== before?.brokerEpoch || broker.fenced !== before.fenced)) yield broker
    }
  }

  #registerBroker({ brokerId, brokerEpoch, incarnationId, fenced }: MetadataRecordFields<'RegisterBrokerRecord'>): void {
    this.#brokers.set(brokerId, { brokerId, brokerEpoch, incarnationId, fenced })
  }

  /** A change of an earlier registration says nothing about this one. */
  #setFenced(brokerId: number, brokerEpoch: number, fenced: boolean): void {
    const broker = this.#brokers.get(brokerId)
    if (broker?.brokerEpoch === brokerEpoch) this.#brokers.set(brokerId, { ...broker, fenced })
  }

  #createTopic({ name, topicId }: MetadataRecordFields<'TopicRecord'>): void {
    const key = formatTopicId(topicId)
    const partitions: PartitionImage[] = []
    this.#ownPartitions.set(key, partitions)
    this.#topics.set(key, { name, topicId, partitions })
    this.#topicKeys.set(name, key)
  }

  #createPartition(record: MetadataRecordFields<'PartitionRecord'>): void {
    const { partitionId, topicId, slot, leader, leaderEpoch, partitionEpoch, replicas, isr } = record
    const partitions = this.#partitionsOf(topicId)
    partitions[partitionId] = { partitionId, slot, leader, leaderEpoch, partitionEpoch, replicas, isr }
  }

  /** As Kafka's PartitionRegistration merges: a leader that is named is one of a new epoch, the same one too. */
  #changePartition(record: MetadataRecordFields<'PartitionChangeRecord'>): void {
    const partitions = this.#partitionsOf(record.topicId)
    const before = partitions[record.partitionId]
    if (before === undefined) throw unknownPartition(record.topicId, record.partitionId)
    const hasNewLeader = record.leader !== NO_LEADER_CHANGE
    partitions[record.partitionId] = {
      partitionId: before.partitionId,
      slot: before.slot,
      leader: hasNewLeader ? record.leader : before.leader,
      leaderEpoch: hasNewLeader ? before.leaderEpoch + 1 : before.leaderEpoch,
      partitionEpoch: before.partitionEpoch + 1,
      replicas: record.replicas ?? before.replicas,
      isr: record.isr ?? before.isr,
    }
  }

  #removeTopic(topicId: TopicId): void {
    const key = formatTopicId(topicId)
    const topic = this.#topics.get(key)
    if (topic === undefined) throw unknownTopic(topicId)
    this.#topics.delete(key)
    this.#ownPartitions.delete(key)
    this.#topicKeys.delete(topic.name)
    this.#configs.delete(configKey(TOPIC_RESOURCE, topic.name))
  }

  #setConfig({ resourceType, resourceName, name, value }: MetadataRecordFields<'ConfigRecord'>): void {
    const key = configKey(resourceType, resourceName)
    const { [name]: _, ...others } = this.#configs.get(key) ?? {}
    const config = value === null ? others : { ...others, [name]: value }
    if (Object.keys(config).length === 0) this.#configs.delete(key)
    else this.#configs.set(key, config)
  }

  #setFeature({ name, featureLevel, clusterId }: MetadataRecordFields<'FeatureLevelRecord'>): void {
    if (featureLevel === 0) this.#features.delete(name)
    else this.#features.set(name, featureLevel)
    if (name === METADATA_VERSION) this.#clusterId = clusterId
  }

  #partitionsOf(topicId: TopicId): PartitionImage[] {
    const key = formatTopicId(topicId)
    const own = this.#ownPartitions.get(key)
    if (own !== undefined) return own
    const topic = this.#topics.get(key)
    if (topic === undefined) throw unknownTopic(topicId)
    const partitions = [...topic.partitions]
    this.#ownPartitions.set(key, partitions)
    this.#topics.set(key, { ...topic, partitions })
    return partitions
  }
}

function replaceAll<Key, Value>(changed: ChangedMap<Key, Value>, from: ReadonlyMap<Key, Value>, to: ReadonlyMap<Key, Value>): void {
  for (const key of from.keys()) if (!to.has(key)) changed.delete(key)
  for (const [key, value] of to) changed.set(key, value)
}

function count(counts: Map<number, number>, leader: number, by: 1 | -1): void {
  if (leader < 0) return
  const next = (counts.get(leader) ?? 0) + by
  if (next === 0) counts.delete(leader)
  else counts.set(leader, next)
}

function isSamePartition(a: PartitionImage, b: PartitionImage | undefined): boolean {
  return a === b || (a.leader === b?.leader && a.leaderEpoch === b.leaderEpoch && a.slot === b.slot)
}

function isSameConfig(a: ConfigImage, b: ConfigImage): boolean {
  if (a === b) return true
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

function unknownTopic(topicId: TopicId): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `a metadata record is about topic id ${formatTopicId(topicId)}, which no record made`)
}

function unknownPartition(topicId: TopicId, partition: number): MillraceError {
  const what = `partition ${partition} of topic id ${formatTopicId(topicId)}`
  return new MillraceError('CORRUPT_MESSAGE', `a metadata record is about ${what}, which no record made`)
}
