// What `createTopics` takes (Kafka: NewTopic): a name, a definition, or the parts of one.
// Runs on the user's thread. Holds: all topics of a call are checked before one is made.

import type { TopicConfigOptions } from '../../config/topic-config.ts'
import { topicConfigToText } from '../../config/topic-config-check.ts'
import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import { TOPIC_ID_ZERO, formatTopicId } from '../../ids.ts'
import type { CreateTopicCommand } from '../../metadata/controller-commands.ts'
import type { TopicDescription } from '../../metadata/topic-description.ts'
import { checkReplicationFactor, defineTopic } from '../topic-definition.ts'
import { BoundTopic } from '../topic.ts'
import { checkNamedOnce } from './each-item.ts'

/**
 * A topic to be made (Kafka: NewTopic). What `defineTopic` gives is one too: its serdes play no part, they belong to
 * whoever binds it.
 */
export interface NewTopic {
  /** 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-". */
  readonly name: string
  /** From 1. Default: num.partitions of the brokers, which is 1 unless given. */
  readonly partitions?: number | undefined
  /** Only 1 so far. Default: 1. */
  readonly replicationFactor?: number | undefined
  /** Kafka's topic configs, in Kafka's names. */
  readonly config?: TopicConfigOptions | undefined
}

/** A topic that was made (Kafka: TopicMetadataAndConfig). */
export interface CreatedTopic {
  readonly name: string
  /** 22 characters of base64url (KIP-516); all A where it was only validated (Kafka: Uuid.ZERO_UUID). */
  readonly topicId: string
  readonly partitions: number
  readonly replicationFactor: number
  /** The configs that were given, in Kafka's names. */
  readonly config: Readonly<Record<string, string>>
}

export function createdTopic({ name, topicId, partitions, config }: TopicDescription): CreatedTopic {
  return { name, topicId: formatTopicId(topicId), partitions: partitions.length, replicationFactor: 1, config: { ...config } }
}

/** What a topic would be, had it been made. */
export function validatedTopic({ name, partitions, config }: CreateTopicCommand): CreatedTopic {
  return { name, topicId: formatTopicId(TOPIC_ID_ZERO), partitions, replicationFactor: 1, config: { ...config } }
}

/** Throws INVALID_REQUEST, and what `defineTopic` throws. */
export function createTopicCommands(topics: readonly (string | NewTopic)[], numPartitions: number): CreateTopicCommand[] {
  if (!Array.isArray(topics)) {
    throw new MillraceError('INVALID_REQUEST', `createTopics takes an array of topics; ${show(topics)} was given`)
  }
  const commands = topics.map((topic: string | NewTopic) => createTopicCommand(topic, numPartitions))
  checkNamedOnce(
    commands.map(({ name }) => name),
    'topic',
  )
  return commands
}

function createTopicCommand(topic: string | NewTopic, numPartitions: number): CreateTopicCommand {
  const definition = typeof topic === 'string' ? defineTopic(topic) : definitionOf(topic)
  checkReplicationFactor(definition)
  return { name: definition.name, partitions: definition.partitions ?? numPartitions, config: topicConfigToText(definition.config) }
}

function definitionOf(topic: NewTopic): ReturnType<typeof defineTopic> {
  if (topic instanceof BoundTopic) {
    throw new MillraceError('INVALID_REQUEST', `topic "${topic.name}" is there: it was bound by millrace.topic`)
  }
  if (typeof topic !== 'object' || topic === null) {
    throw new MillraceError(
      'INVALID_REQUEST',
      `a topic to be made is a name, { name, partitions, config } or a definition; ${show(topic)} was given`,
    )
  }
  if ('topic' in topic) throw new MillraceError('INVALID_CONFIG', 'there is no topic option "topic": it is called name here')
  const { name, ...options } = topic
  // The serdes of a definition are checked already.
  for (const own of ['key', 'value', 'validate']) delete (options as Record<string, unknown>)[own]
  return defineTopic(name, options as object)
}
