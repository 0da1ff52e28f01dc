// Commands on topics that exist, as records (Kafka: ReplicationControlManager and
// ConfigurationControlManager). Pure: they look at an image and change nothing.

import { applyConfigOps } from '../config/config-ops.ts'
import { BROKER_CONFIG } from '../config/broker-config-table.ts'
import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { AlterConfigsCommand, CreatePartitionsCommand, DeleteTopicCommand, MoveLeaderCommand } from './controller-commands.ts'
import type { ConfigImage, MetadataImage, PartitionImage, TopicImage } from './metadata-image.ts'
import { BROKER_RESOURCE, NO_LEADER, TOPIC_RESOURCE } from './metadata-records.ts'
import type { MetadataRecord } from './metadata-records.ts'
import type { LeaderPlacement } from './replica-placement.ts'

/** Throws UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID. */
export function deleteTopic(image: MetadataImage, command: DeleteTopicCommand): MetadataRecord[] {
  if ('name' in command) return [{ type: 'RemoveTopicRecord', record: { topicId: knownTopic(image, command.name).topicId } }]
  const { topicId } = command
  if (image.topicById(topicId) === undefined) {
    throw new MillraceError('UNKNOWN_TOPIC_ID', `there is no topic of id ${formatTopicId(topicId)}`, { retriable: false })
  }
  return [{ type: 'RemoveTopicRecord', record: { topicId } }]
}

/** How many partitions are to be added. Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS. */
export function partitionsToAdd(image: MetadataImage, { name, partitions }: CreatePartitionsCommand): number {
  const existing = knownTopic(image, name).partitions.length
  if (Number.isInteger(partitions) && partitions > existing) return partitions - existing
  const message = `topic "${name}" has ${existing} partition(s): it can be given more than that, not ${partitions}, and never fewer`
  throw new MillraceError('INVALID_PARTITIONS', message)
}

/** Partitions behind those that the topic has, one for each of the rows `slots`. */
export function newPartitions(
  topicId: TopicId,
  firstPartition: number,
  slots: readonly number[],
  placement: LeaderPlacement,
): MetadataRecord[] {
  return slots.map((slot, i) => {
    const leader = placement.next()
    const replicas = leader === NO_LEADER ? [] : [leader]
    const partitionId = firstPartition + i
    const record = { topicId, partitionId, slot, replicas, isr: replicas, leader, leaderEpoch: 0, partitionEpoch: 0 }
    return { type: 'PartitionRecord', record }
  })
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, INVALID_CONFIG. */
export function alterConfigs(image: MetadataImage, { resource, ops }: AlterConfigsCommand): MetadataRecord[] {
  const { type, name } = resource
  if (type === 'topic') {
    const current = image.topicConfig(knownTopic(image, name).name)
    return configRecords(TOPIC_RESOURCE, name, current, applyConfigOps(TOPIC_CONFIG, current, ops))
  }
  const brokerId = name === '' ? undefined : Number(name)
  if (brokerId !== undefined && image.broker(brokerId) === undefined) {
    const message = `there is no broker ${name}: name one by its id, or all by an empty name`
    throw new MillraceError('INVALID_REQUEST', message)
  }
  const current = image.brokerConfig(brokerId)
  return configRecords(BROKER_RESOURCE, name, current, applyConfigOps(BROKER_CONFIG, current, ops))
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE. None where the broker leads it already. */
export function moveLeader(image: MetadataImage, { topic: name, partition: partitionId, brokerId }: MoveLeaderCommand): MetadataRecord[] {
  const topic = knownTopic(image, name)
  const partition = topic.partitions[partitionId]
  if (partition === undefined) {
    const message = `topic "${name}" has no partition ${partitionId}: it has partitions 0 to ${topic.partitions.length - 1}`
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', message, { retriable: false })
  }
  if (image.broker(brokerId)?.fenced !== false) {
    throw new MillraceError('BROKER_NOT_AVAILABLE', `broker ${brokerId} cannot lead ${name}-${partitionId}: it does not live`)
  }
  return partition.leader === brokerId ? [] : [leaderChange(topic.topicId, partition, brokerId)]
}

/** Says only what changes. A leader that is named has a new epoch by that. */
export function leaderChange(topicId: TopicId, partition: PartitionImage, leader: number): MetadataRecord {
  const { partitionId, replicas } = partition
  const moves = leader !== NO_LEADER && !(replicas.length === 1 && replicas[0] === leader)
  const record = { topicId, partitionId, leader, ...(moves ? { replicas: [leader], isr: [leader] } : {}) }
  return { type: 'PartitionChangeRecord', record }
}

/** One record a config that is different. */
export function configRecords(resourceType: number, resourceName: string, before: ConfigImage, after: ConfigImage): MetadataRecord[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...names].filter((name) => before[name] !== after[name])
  return changed.map((name) => ({ type: 'ConfigRecord', record: { resourceType, resourceName, name, value: after[name] ?? null } }))
}

function knownTopic(image: MetadataImage, name: string): TopicImage {
  const topic = image.topic(name)
  if (topic !== undefined) return topic
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`, { retriable: false })
}
