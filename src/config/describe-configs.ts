// What is set, and where it comes from (Kafka: DescribeConfigs, KIP-133, KIP-226): for
// each config its value, the source of that value, and what else was said about it.
// Pure; runs on any thread.
// Holds: the first synonym is where the value comes from.

import { settingsOf } from '../config-def.ts'
import type { ConfigTable, Setting } from '../config-def.ts'
import { BROKER_CONFIG } from './broker-config-table.ts'
import type { BrokerConfig } from './broker-config.ts'
import { TOPIC_DEFAULT_SOURCES } from './broker-topic-defaults.ts'
import { valueToText } from './config-text.ts'
import { effectiveTopicConfig } from './effective-topic-config.ts'
import { TOPIC_CONFIG } from './topic-config-table.ts'
import type { TopicConfig } from './topic-config.ts'

/** Where a value was set. Kafka's numbers for them are 1 to 5, in this order. */
export const CONFIG_SOURCES = [
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
] as const
/** Where a value was set, in the names of Kafka. */
export type ConfigSource = (typeof CONFIG_SOURCES)[number]

/** Kafka's types; their numbers on the wire are 1 to 9, in this order. */
export const CONFIG_TYPES = ['BOOLEAN', 'STRING', 'INT', 'SHORT', 'LONG', 'DOUBLE', 'LIST', 'CLASS', 'PASSWORD'] as const
/** The type of a config, in the names of Kafka. */
export type ConfigType = (typeof CONFIG_TYPES)[number]

/** A value that was said about a config, under this or another name. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string
  readonly source: ConfigSource
}

/** A config as it is. */
export interface DescribedConfig {
  readonly name: string
  /** As text; null for one that has no value of its own until it is given. */
  readonly value: string | null
  readonly source: ConfigSource
  /** Whether nobody set it. */
  readonly isDefault: boolean
  /** Whether it can only be given when the topic is made or millrace is opened. */
  readonly isReadOnly: boolean
  /** Whether its value is a secret, and not told. */
  readonly isSensitive: boolean
  /** All that was said about it, what counts first. Empty unless asked for. */
  readonly synonyms: readonly ConfigSynonym[]
  readonly type: ConfigType
  /** What it means; null unless asked for. */
  readonly documentation: string | null
}

/** Broker configs by where they were set; what stands earlier here counts. */
export interface BrokerConfigLayers {
  /** Altered for this broker. */
  readonly dynamicBroker?: Readonly<Partial<BrokerConfig>>
  /** Altered for all brokers. */
  readonly dynamicDefault?: Readonly<Partial<BrokerConfig>>
  /** Given to openMillrace. */
  readonly static?: Readonly<Partial<BrokerConfig>>
}

export interface DescribeConfigsOptions {
  /** Only these; all unless given. What is not in the table is left out, as Kafka does. */
  readonly names?: readonly string[] | undefined
  readonly synonyms?: boolean
  readonly documentation?: boolean
}

/** What a broker works with: the configs that were set, the layers over each other. */
export function layeredBrokerConfig(layers: BrokerConfigLayers): Readonly<Partial<BrokerConfig>> {
  return { ...layers.static, ...layers.dynamicDefault, ...layers.dynamicBroker }
}

export function describeTopicConfigs(
  topic: Readonly<Partial<TopicConfig>>,
  layers: BrokerConfigLayers,
  options: DescribeConfigsOptions = {},
): DescribedConfig[] {
  const effective = effectiveTopicConfig(topic, layeredBrokerConfig(layers))
  return settingsAskedFor(TOPIC_CONFIG, options).map(([name, setting]) => {
    const topicName = name as keyof TopicConfig
    const own = topic[topicName]
    const sources = TOPIC_DEFAULT_SOURCES[topicName] ?? []
    const synonyms = brokerSynonyms(
      sources.map((source) => source.name),
      layers,
    )
    if (own !== undefined) synonyms.unshift({ name, value: valueToText(setting, own), source: 'DYNAMIC_TOPIC_CONFIG' })
    return described(name, setting, effective[topicName], synonyms, options)
  })
}

export function describeBrokerConfigs(layers: BrokerConfigLayers, options: DescribeConfigsOptions = {}): DescribedConfig[] {
  const config = layeredBrokerConfig(layers)
  return settingsAskedFor(BROKER_CONFIG, options).map(([name, setting]) => {
    const brokerName = name as keyof BrokerConfig
    const synonyms = brokerSynonyms(namesAskedAfter(brokerName), layers)
    return described(name, setting, config[brokerName] ?? setting.default, synonyms, options)
  })
}

function settingsAskedFor<Filled extends object>(
  table: ConfigTable<Filled>,
  { names }: DescribeConfigsOptions,
): [string, Setting<unknown>][] {
  const all = settingsOf(table)
  return names === undefined ? all : all.filter(([name]) => names.includes(name))
}

/** The broker config itself, and those that decide when it is not set. */
function namesAskedAfter(name: keyof BrokerConfig): (keyof BrokerConfig)[] {
  for (const sources of Object.values(TOPIC_DEFAULT_SOURCES)) {
    const names = sources.map((source) => source.name)
    const at = names.indexOf(name)
    if (at >= 0) return names.slice(at)
  }
  return [name]
}

/** What was said under these names, layer by layer and within a layer name by name, as Kafka orders it. */
function brokerSynonyms(names: readonly (keyof BrokerConfig)[], layers: BrokerConfigLayers): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  const add = (name: keyof BrokerConfig, value: unknown, source: ConfigSource): void => {
    const setting = BROKER_CONFIG.settings[name] as Setting<unknown>
    if (value !== undefined) found.push({ name, value: valueToText(setting, value), source })
  }
  for (const name of names) add(name, layers.dynamicBroker?.[name], 'DYNAMIC_BROKER_CONFIG')
  for (const name of names) add(name, layers.dynamicDefault?.[name], 'DYNAMIC_DEFAULT_BROKER_CONFIG')
  for (const name of names) add(name, layers.static?.[name], 'STATIC_BROKER_CONFIG')
  for (const name of names) add(name, BROKER_CONFIG.settings[name].default, 'DEFAULT_CONFIG')
  return found
}

function described(
  name: string,
  setting: Setting<unknown>,
  value: unknown,
  synonyms: readonly ConfigSynonym[],
  options: DescribeConfigsOptions,
): DescribedConfig {
  const source = synonyms[0]?.source ?? 'DEFAULT_CONFIG'
  return {
    name,
    value: value === undefined ? null : valueToText(setting, value),
    source,
    isDefault: source === 'DEFAULT_CONFIG',
    isReadOnly: setting.takesEffect === 'at open',
    // No table has a setting that holds a secret.
    isSensitive: false,
    synonyms: options.synonyms === true ? synonyms : [],
    type: kafkaType(setting),
    documentation: options.documentation === true ? setting.doc : null,
  }
}

function kafkaType(setting: Setting<unknown>): ConfigType {
  switch (setting.type) {
    case 'one of':
    case 'string':
    case 'custom':
      return 'STRING'
    default:
      return setting.type.toUpperCase() as ConfigType
  }
}
