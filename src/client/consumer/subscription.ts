// The topics that one loop of a group's consumer reads: those that it names, or all that
// match a pattern, as this thread's image of the cluster has them.

import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { formatTopicId } from '../../ids.ts'
import { describeTopic } from '../../metadata/topic-description.ts'
import { BoundTopic } from '../topic.ts'
import { defineTopic, prepareSerdes } from '../topic-definition.ts'
import type { TopicDefinition } from '../topic-definition.ts'
import type { AnyTopicPattern } from './topic-pattern.ts'

export class Subscription {
  readonly #engine: EmbeddedEngine
  readonly #pattern: AnyTopicPattern | undefined
  /** By topic id. */
  readonly #topics = new Map<string, BoundTopic>()
  #isPrepared = false

  constructor(engine: EmbeddedEngine, what: readonly BoundTopic[] | AnyTopicPattern) {
    this.#engine = engine
    this.#pattern = Array.isArray(what) ? undefined : (what as AnyTopicPattern)
    if (this.#pattern === undefined) for (const topic of what as readonly BoundTopic[]) this.#topics.set(topic.topicId, topic)
    else this.follow()
  }

  get topics(): ReadonlyMap<string, BoundTopic> {
    return this.#topics
  }

  /** Loads what the serdes of a pattern need: those of bound topics are ready. */
  async prepare(): Promise<void> {
    if (this.#isPrepared || this.#pattern === undefined) return
    this.#isPrepared = true
    await prepareSerdes(this.#define('pattern'))
  }

  /** Takes in what has changed of the cluster; whether other topics are read now. Throws UNKNOWN_TOPIC_ID for a topic that was named. */
  follow(): boolean {
    const { metadata } = this.#engine
    let changed = false
    for (const [key, { name, topicIdWords }] of this.#topics) {
      if (metadata.topicById(topicIdWords) !== undefined) continue
      if (this.#pattern === undefined) {
        throw new MillraceError('UNKNOWN_TOPIC_ID', `topic ${name} was deleted while it was read: bind it again`, { retriable: false })
      }
      this.#topics.delete(key)
      changed = true
    }
    if (this.#pattern === undefined) return changed
    for (const { name, topicId } of metadata.topics) {
      const key = formatTopicId(topicId)
      if (this.#topics.has(key) || !this.#pattern.matches(name)) continue
      this.#topics.set(key, new BoundTopic(this.#define(name), describeTopic(metadata, name)!, this.#engine, this.#engine))
      changed = true
    }
    return changed
  }

  #define(name: string): TopicDefinition<unknown, unknown, never, never> {
    return defineTopic<unknown, unknown, never, never>(name, this.#pattern!.options)
  }
}
