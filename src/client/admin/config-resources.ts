// Configs of topics and brokers as they are, with where each value comes from (Kafka:
// ConfigResource, DescribeConfigs, KIP-133). Runs on the user's thread; the image of the
// cluster answers, and no broker hears of it.

import { BROKER_CONFIG } from '../../config/broker-config-table.ts'
import { configFromCheckedText, configFromText } from '../../config/config-text.ts'
import { describeBrokerConfigs, describeTopicConfigs } from '../../config/describe-configs.ts'
import type { BrokerConfigLayers, DescribedConfig } from '../../config/describe-configs.ts'
import { TOPIC_CONFIG } from '../../config/topic-config-table.ts'
import { show } from '../../config-def.ts'
import type { ConfigTable } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { checkBrokerId } from './described-cluster.ts'
import { existingTopic } from './described-topic.ts'

/** Whose configs are meant (Kafka: ConfigResource). */
export type ConfigResource = TopicResource | BrokerResource

/** The configs of a topic. */
export interface TopicResource {
  readonly type: 'topic'
  readonly name: string
}

/** The configs of a broker, or, without a name, of all brokers (Kafka: the cluster-wide default). */
export interface BrokerResource {
  readonly type: 'broker'
  /** The broker's id. */
  readonly name?: number | string | undefined
}

/** A resource and its configs, by name (Kafka: Config). */
export interface DescribedConfigs {
  readonly type: 'topic' | 'broker'
  /** The topic's name, the broker's id as text, or '' for all brokers. */
  readonly name: string
  readonly configs: Readonly<Record<string, DescribedConfig>>
}

/** What is told of configs. */
export interface ConfigsAsked {
  readonly names: readonly string[] | undefined
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

/** In errors: topic "clicks", broker 3. */
export function resourceTitle(resource: ConfigResource): string {
  if (resource.type === 'topic') return `topic "${resource.name}"`
  return resource.name === undefined || resource.name === '' ? 'all brokers' : `broker ${resource.name}`
}

/** Throws INVALID_REQUEST for what is no resource. */
export function checkResource<Resource extends ConfigResource>(resource: Resource, call: string): Resource {
  const type: unknown = typeof resource === 'object' && resource !== null ? resource.type : undefined
  const isOne = type === 'broker' || (type === 'topic' && typeof resource.name === 'string')
  if (isOne) return resource
  throw new MillraceError(
    'INVALID_REQUEST',
    `${call} takes { type: 'topic', name }, { type: 'broker', name } or an array of them; ${show(resource)} was given`,
  )
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED, and INVALID_CONFIG for a name that is none. */
export function describedConfigs(engine: EmbeddedEngine, resource: ConfigResource, asked: ConfigsAsked): DescribedConfigs {
  const { includeSynonyms: synonyms, includeDocumentation: documentation, names } = asked
  const options = { names, synonyms, documentation }
  if (resource.type === 'topic') {
    checkNames(TOPIC_CONFIG, names)
    const { name } = existingTopic(engine, resource.name)
    const own = configFromCheckedText(TOPIC_CONFIG, engine.metadata.topicConfig(name))
    return { type: 'topic', name, configs: byName(describeTopicConfigs(own, brokerLayers(engine), options)) }
  }
  checkNames(BROKER_CONFIG, names)
  const brokerId = brokerIdOf(engine, resource)
  return {
    type: 'broker',
    name: brokerId === undefined ? '' : String(brokerId),
    configs: byName(describeBrokerConfigs(brokerLayers(engine, brokerId), options)),
  }
}

/** Undefined for all brokers. Throws BROKER_ID_NOT_REGISTERED. */
export function brokerIdOf(engine: EmbeddedEngine, { name }: BrokerResource): number | undefined {
  if (name === undefined || name === '') return undefined
  return checkBrokerId(engine, typeof name === 'string' && /^\d+$/.test(name) ? Number(name) : name)
}

/** What was said about broker configs, for one broker or for all. */
function brokerLayers(engine: EmbeddedEngine, brokerId?: number): BrokerConfigLayers {
  const { metadata } = engine
  return {
    static: engine.brokerConfig,
    dynamicDefault: configFromCheckedText(BROKER_CONFIG, metadata.brokerConfig()),
    ...(brokerId === undefined ? {} : { dynamicBroker: configFromCheckedText(BROKER_CONFIG, metadata.brokerConfig(brokerId)) }),
  }
}

function byName(described: readonly DescribedConfig[]): Record<string, DescribedConfig> {
  return Object.fromEntries(described.map((config) => [config.name, config]))
}

function checkNames<Config extends object>(table: ConfigTable<Config>, names: readonly string[] | undefined): void {
  for (const name of names ?? []) if (!Object.hasOwn(table.settings, name)) configFromText(table, { [name]: '' })
}
