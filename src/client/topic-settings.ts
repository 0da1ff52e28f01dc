// What producers and consumers must know of a topic, as this thread's image of the cluster
// has it at this moment: partitions are added, leaders moved and configs altered while it
// is bound. Runs on the thread that bound it.
// Holds: a topic that was deleted stays as it was last.

import type { BrokerConfig } from '../config/broker-config.ts'
import { BROKER_CONFIG } from '../config/broker-config-table.ts'
import { configFromCheckedText } from '../config/config-text.ts'
import { effectiveTopicValue } from '../config/effective-topic-config.ts'
import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import type { TopicConfig } from '../config/topic-config.ts'
import type { EmbeddedEngine } from '../engine/embedded-engine.ts'
import type { TopicId } from '../ids.ts'
import type { ConfigImage, MetadataImage, TopicImage } from '../metadata/metadata-image.ts'
import type { TopicDescription } from '../metadata/topic-description.ts'
import { COMPRESSION_NAMES } from '../record/record-batch-layout.ts'

/** A codec by its number in a batch's attributes, and its level. */
export interface Compression {
  readonly type: number
  readonly level: number
}

export interface TopicSettings {
  /** By partition: the row of its control block. */
  readonly slots: readonly number[]
  /** By partition: the largest batch that its leader takes, header included. */
  readonly maxMessageBytes: readonly number[]
  /** It is compacted: a record without a key is refused, for nobody could say which is the last. */
  readonly requiresKeys: boolean
  /** How its batches are kept; undefined: as their producer likes. */
  readonly compression: Compression | undefined
}

export class TopicFollower {
  readonly #engine: EmbeddedEngine
  readonly #topicId: TopicId
  #image: MetadataImage | undefined
  /** What the settings were made of. */
  #topic: TopicImage | undefined
  #configs: ReadonlyMap<string, ConfigImage> | undefined
  #settings: TopicSettings

  constructor(engine: EmbeddedEngine, { topicId, partitions, config }: TopicDescription) {
    this.#engine = engine
    this.#topicId = topicId
    this.#settings = settingsOf(partitions, config, engine)
  }

  /** The same object for as long as nothing of it changes. */
  get settings(): TopicSettings {
    const image = this.#engine.metadata
    if (image !== this.#image) this.#follow(image)
    return this.#settings
  }

  #follow(image: MetadataImage): void {
    this.#image = image
    const topic = image.topicById(this.#topicId)
    const { configs } = image.content
    if (topic === undefined || (topic === this.#topic && configs === this.#configs)) return
    this.#topic = topic
    this.#configs = configs
    this.#settings = settingsOf(topic.partitions, image.topicConfig(topic.name), this.#engine)
  }
}

/** What was said about all brokers, or about one, when millrace was opened and since. */
export function brokerConfigNow({ brokerConfig, metadata }: EmbeddedEngine, brokerId?: number): Readonly<Partial<BrokerConfig>> {
  const altered = brokerId === undefined ? metadata.brokerConfig() : { ...metadata.brokerConfig(), ...metadata.brokerConfig(brokerId) }
  return { ...brokerConfig, ...configFromCheckedText(BROKER_CONFIG, altered) }
}

function settingsOf(
  partitions: readonly { readonly slot: number; readonly leader: number }[],
  config: ConfigImage,
  engine: EmbeddedEngine,
): TopicSettings {
  const own = configFromCheckedText(TOPIC_CONFIG, config)
  const limits = new Map<number, number>()
  const limitOf = (leader: number): number => {
    const known = limits.get(leader)
    if (known !== undefined) return known
    const limit = effectiveTopicValue('max.message.bytes', own, brokerConfigNow(engine, leader < 0 ? undefined : leader))
    limits.set(leader, limit)
    return limit
  }
  const ofTopic = <Name extends keyof TopicConfig>(name: Name): TopicConfig[Name] => effectiveTopicValue(name, own, brokerConfigNow(engine))
  return {
    slots: partitions.map(({ slot }) => slot),
    maxMessageBytes: partitions.map(({ leader }) => limitOf(leader)),
    requiresKeys: ofTopic('cleanup.policy').includes('compact'),
    compression: compressionOf(ofTopic),
  }
}

function compressionOf(of: <Name extends keyof TopicConfig>(name: Name) => TopicConfig[Name]): Compression | undefined {
  const name = of('compression.type')
  switch (name) {
    case 'producer':
      return undefined
    case 'uncompressed':
      return { type: 0, level: 0 }
    case 'snappy':
      return { type: COMPRESSION_NAMES.indexOf(name), level: 0 }
    default:
      return { type: COMPRESSION_NAMES.indexOf(name), level: of(`compression.${name}.level`) }
  }
}
