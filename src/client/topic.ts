// A topic that exists and is bound to one attached thread: what produce and consume take.
// Holds: it is made only from a description by the controller.

import { effectiveTopicValue } from '../config/effective-topic-config.ts'
import { topicConfigFromText } from '../config/topic-config-check.ts'
import { show } from '../config-def.ts'
import type { EmbeddedEngine } from '../engine/embedded-engine.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { TopicDescription } from '../metadata/topic-description.ts'
import type { Serde } from './serde.ts'
import type { Topic, TopicDefinition } from './topic-definition.ts'
import { TopicFollower } from './topic-settings.ts'
import type { TopicSettings } from './topic-settings.ts'

type AnyDefinition = TopicDefinition<unknown, unknown, never, never>

export class BoundTopic implements Topic<unknown, unknown, never, never> {
  readonly name: string
  readonly topicId: string
  readonly topicIdWords: TopicId
  readonly definition: AnyDefinition
  readonly keySerde: Serde<unknown, never>
  readonly valueSerde: Serde<unknown, never>
  /** Batches carry a CRC: not where they never leave memory. */
  readonly withCrc: boolean
  // Private, so that printing or comparing a topic does not walk all memory of the process.
  readonly #engine: EmbeddedEngine
  readonly #owner: object
  readonly #follower: TopicFollower

  constructor(definition: AnyDefinition, description: TopicDescription, engine: EmbeddedEngine, owner: object) {
    const config = topicConfigFromText(description.config)
    this.name = description.name
    this.topicIdWords = description.topicId
    this.topicId = formatTopicId(description.topicId)
    this.definition = definition
    this.keySerde = definition.key
    this.valueSerde = definition.value
    this.withCrc = effectiveTopicValue('millrace.durability', config, engine.brokerConfig) !== 'memory'
    this.#engine = engine
    this.#owner = owner
    this.#follower = new TopicFollower(engine, description)
  }

  /** As the cluster has it now, or had it last, where it was deleted. */
  get settings(): TopicSettings {
    return this.#follower.settings
  }

  /** The row of each partition's control block. */
  get slots(): readonly number[] {
    return this.settings.slots
  }

  get partitions(): number {
    return this.slots.length
  }

  get engine(): EmbeddedEngine {
    return this.#engine
  }

  /** The millrace it is bound by, for sources and sinks that are given a topic alone. */
  get owner(): object {
    return this.#owner
  }

  toJSON(): object {
    const { name, topicId, partitions } = this
    return { name, topicId, partitions }
  }
}

/** Refuses what is not a bound topic, saying how to get one. */
export function asBoundTopic(topic: unknown): BoundTopic {
  if (topic instanceof BoundTopic) return topic
  const name = typeof topic === 'object' && topic !== null && 'name' in topic ? String(topic.name) : undefined
  let what = name === undefined ? `${show(topic)} is not a topic` : `topic "${name}" is only defined`
  if (topic instanceof Promise) what = 'this is the promise of a topic'
  throw new MillraceError('INVALID_REQUEST', `${what}: bind it first with \`await millrace.topic(…)\``)
}

/** Refuses a topic of another millrace: its partitions are rows of another memory. */
export function checkAttached(topic: BoundTopic, engine: EmbeddedEngine): void {
  if (topic.engine === engine) return
  const message = `topic ${topic.name} was bound by another millrace than this producer or consumer is of: bind it with this one's \`topic(…)\``
  throw new MillraceError('INVALID_REQUEST', message)
}
