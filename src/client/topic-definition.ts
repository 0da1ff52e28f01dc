// A topic as its users declare it: name, partitions, serdes, configs (Kafka: NewTopic,
// with the serdes that Kafka leaves to each client).
//
// Runs on any thread: a definition is a frozen value without threads, memory or
// promises in it, so a module may export it and every thread may import that module.
// Holds: everything in a definition has been checked; `millrace.topic(definition)`
// can still find that an existing topic differs.

import { checkOptions, show } from '../config-def.ts'
import type { ConfigTable } from '../config-def.ts'
import { MillraceError } from '../errors.ts'
import { msgpack } from './msgpack-serde.ts'
import { checkSerde, nullable, string } from './serde.ts'
import type { Serde } from './serde.ts'
import { checkTopicConfig, topicConfigNamed } from '../config/topic-config-check.ts'
import type { TopicConfig, TopicConfigOptions } from '../config/topic-config.ts'

/**
 * `K` and `V` are the key and value that records carry, `KIn` and `VIn` what `send`
 * takes: they differ where a schema transforms. All come from the serdes.
 */
export interface TopicOptions<K, V, KIn, VIn> {
  /** From 1. When the topic is made: num.partitions of the brokers unless given. An existing topic may have more, not fewer. */
  readonly partitions?: number
  /** From 1. When the topic is made: 1 unless given. An existing topic must have the same, if given. */
  readonly replicationFactor?: number
  /** Serde of the key; with one, `send` requires a key (unless it is nullable). Default: `nullable(string())`. */
  readonly key?: Serde<K, KIn>
  /** Serde of the value. Default: `msgpack()`. */
  readonly value?: Serde<V, VIn>
  /** Kafka's topic configs, in Kafka's names. An existing topic must have the same values for those given. */
  readonly config?: TopicConfigOptions
  /** Where schemas are checked: on 'produce', or on reading as well, 'both'. Default: 'produce'. */
  readonly validate?: 'produce' | 'both'
}

/** What `defineTopic` gives. */
export interface TopicDefinition<K = string | null, V = unknown, KIn = K, VIn = V> {
  readonly name: string
  /** Undefined: not said, so num.partitions for a new topic and any number for an existing one. */
  readonly partitions: number | undefined
  readonly replicationFactor: number | undefined
  readonly key: Serde<K, KIn>
  readonly value: Serde<V, VIn>
  /** Only the configs that were given. */
  readonly config: Readonly<Partial<TopicConfig>>
  readonly validate: 'produce' | 'both'
}

/** A topic that exists and is bound: what `await millrace.topic(…)` gives, and produce and consume take. */
export interface Topic<K = string | null, V = unknown, KIn = K, VIn = V> {
  readonly name: string
  /** Partitions that the topic has now. */
  readonly partitions: number
  /** 16 bytes as 22 characters of base64url (KIP-516): another one when a topic is deleted and made again. */
  readonly topicId: string
  readonly definition: TopicDefinition<K, V, KIn, VIn>
}

/** The key of a record to send: it may be left out where null is a key. */
export type KeyToSend<KIn> = null extends KIn ? { readonly key?: KIn | undefined } : { readonly key: KIn }

/**
 * Declares a topic. Nothing is created yet: `await millrace.topic(definition)` does
 * that. Throws INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR
 * or INVALID_CONFIG.
 */
export function defineTopic<K = string | null, V = unknown, KIn = K, VIn = V>(
  name: string,
  options?: TopicOptions<K, V, KIn, VIn>,
): TopicDefinition<K, V, KIn, VIn> {
  checkTopicName(name)
  const given = checkOptions<AnyTopicOptions>(TOPIC_OPTIONS, options)
  const validate = given.validate ?? 'produce'
  const serdes: { key: Serde<unknown, never>; value: Serde<unknown, never> } = {
    key: given.key === undefined ? DEFAULT_KEY : checkSerde(given.key, `key of topic "${name}"`),
    value: given.value === undefined ? DEFAULT_VALUE : checkSerde(given.value, `value of topic "${name}"`),
  }
  const checked = validate === 'both' ? checkedOnRead(name, serdes) : serdes
  const definition: TopicDefinition<unknown, unknown, never, never> = {
    name,
    partitions: given.partitions,
    replicationFactor: given.replicationFactor,
    key: checked.key,
    value: checked.value,
    config: checkTopicConfig(given.config),
    validate,
  }
  // The types are those of the serdes, or of the defaults where there is none.
  return Object.freeze(definition) as unknown as TopicDefinition<K, V, KIn, VIn>
}

/** Throws INVALID_REPLICATION_FACTOR. */
export function checkReplicationFactor({ name, replicationFactor = 1 }: { name: string; replicationFactor: number | undefined }): void {
  if (replicationFactor === 1) return
  const message = `topic "${name}" asks for ${replicationFactor} replicas: replication is not there yet, leave replicationFactor out`
  throw new MillraceError('INVALID_REPLICATION_FACTOR', message)
}

/** Loads what the serdes of a topic need before their first call. */
export async function prepareSerdes(definition: TopicDefinition<unknown, unknown, never, never>): Promise<void> {
  await Promise.all([definition.key.prepare?.(), definition.value.prepare?.()])
}

const DEFAULT_KEY: Serde<string | null> = nullable(string())
const DEFAULT_VALUE: Serde<unknown> = msgpack()

function checkedOnRead(
  name: string,
  { key, value }: { key: Serde<unknown, never>; value: Serde<unknown, never> },
): { key: Serde<unknown, never>; value: Serde<unknown, never> } {
  if (key.checkedOnRead === undefined && value.checkedOnRead === undefined) {
    const remedy = 'give value: json(schema) or msgpack(schema), or leave validate out'
    throw new MillraceError('INVALID_CONFIG', `topic "${name}" has no schema that validate: 'both' could check on reading: ${remedy}`)
  }
  return { key: key.checkedOnRead?.() ?? key, value: value.checkedOnRead?.() ?? value }
}

const TOPIC_NAME_CHARS_MAX = 249

/** Kafka's rules for a topic's name; throws INVALID_TOPIC_EXCEPTION. */
export function checkTopicName(name: unknown): string {
  const isName = typeof name === 'string' && name.length <= TOPIC_NAME_CHARS_MAX && /^[a-zA-Z0-9._-]+$/.test(name)
  if (isName && name !== '.' && name !== '..') return name
  const rule = `a topic's name is 1 to ${TOPIC_NAME_CHARS_MAX} characters of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor ".."`
  const length = typeof name === 'string' && name.length > TOPIC_NAME_CHARS_MAX ? ` (${name.length} characters)` : ''
  throw new MillraceError('INVALID_TOPIC_EXCEPTION', `${rule}; ${show(name)}${length} was given`)
}

/** The options as they come at run time, each of them perhaps missing. */
interface AnyTopicOptions {
  readonly partitions: number | undefined
  readonly replicationFactor: number | undefined
  readonly key: Serde<unknown, never> | undefined
  readonly value: Serde<unknown, never> | undefined
  readonly config: TopicConfigOptions | undefined
  readonly validate: 'produce' | 'both'
}

const PARTITIONS_MAX = 262_144
const REPLICAS_MAX = 64

const TOPIC_OPTIONS: ConfigTable<AnyTopicOptions> = {
  what: 'topic option',
  settings: {
    partitions: {
      type: 'int',
      min: 1,
      max: PARTITIONS_MAX,
      default: undefined,
      unit: 'partitions',
      code: 'INVALID_PARTITIONS',
      takesEffect: 'at open',
      doc: 'From 1. When the topic is made: num.partitions of the brokers unless given. An existing topic may have more, not fewer.',
    },
    replicationFactor: {
      type: 'int',
      min: 1,
      max: REPLICAS_MAX,
      default: undefined,
      unit: 'replicas',
      code: 'INVALID_REPLICATION_FACTOR',
      takesEffect: 'at open',
      doc: 'From 1. When the topic is made: 1 unless given. An existing topic must have the same, if given.',
    },
    // checkSerde says more than a table can
    key: {
      type: 'custom',
      expects: 'a serde',
      accepts: () => true,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Serde of the key; with one, `send` requires a key (unless it is nullable).',
    },
    value: {
      type: 'custom',
      expects: 'a serde',
      accepts: () => true,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Serde of the value.',
    },
    config: {
      type: 'custom',
      expects: "an object of Kafka's topic configs, as in { 'retention.bytes': 1_000_000 }",
      accepts: (value) => typeof value === 'object' && value !== null,
      default: undefined,
      takesEffect: 'at open',
      doc: "Kafka's topic configs, in Kafka's names. An existing topic must have the same values for those given.",
    },
    validate: {
      type: 'one of',
      values: ['produce', 'both'],
      default: 'produce',
      takesEffect: 'at open',
      doc: "Where schemas are checked: on 'produce', or on reading as well, 'both'.",
    },
  },
  renamed: {
    numPartitions: 'partitions',
    partitionCount: 'partitions',
    replicas: 'replicationFactor',
    rf: 'replicationFactor',
    configs: 'config',
    configEntries: 'config',
    keySerde: 'key',
    valueSerde: 'value',
    schema: 'value',
  },
  answer: (name) => answerConfigName(name),
}

/** A topic config that was put beside `config` instead of into it. */
function answerConfigName(name: string): string | undefined {
  const config = topicConfigNamed(name)
  return config === undefined ? undefined : `it is a topic config: write config: { '${config}': … }`
}
