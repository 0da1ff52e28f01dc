// The topics that one producer has sent to, and where their records wait. Private to the
// producer's thread.
// Holds: however often a topic is bound, its partitions have one queue each.

import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import type { Random } from '../../random.ts'
import { checkAttached } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { FilledProducerOptions } from './producer-config.ts'
import { TopicQueues } from './topic-queues.ts'

export class ProducerTopics {
  readonly #engine: EmbeddedEngine
  readonly #options: FilledProducerOptions
  readonly #random: Random
  readonly #close: (queue: PartitionQueue) => void
  /** By topic id. */
  readonly #topics = new Map<string, TopicQueues>()
  #image: MetadataImage | undefined

  /** `close`: ends the open batch of a queue, which leaves. */
  constructor(engine: EmbeddedEngine, options: FilledProducerOptions, random: Random, close: (queue: PartitionQueue) => void) {
    this.#engine = engine
    this.#options = options
    this.#random = random
    this.#close = close
  }

  /** Throws INVALID_REQUEST for a topic of another millrace. */
  of(topic: BoundTopic): TopicQueues {
    checkAttached(topic, this.#engine)
    let queues = this.#topics.get(topic.topicId)
    if (queues === undefined) {
      queues = new TopicQueues(topic, this.#engine, this.#options, this.#random, this.#close)
      this.#topics.set(topic.topicId, queues)
    }
    queues.bind(topic)
    return queues
  }

  /** Topics as the cluster has them now; a look at one word where nothing was committed. */
  follow(): void {
    const image = this.#engine.metadata
    if (image === this.#image) return
    this.#image = image
    for (const queues of this.#topics.values()) queues.follow()
  }

  /** Adds the batches that have not left yet. */
  addBatches(batches: Set<ProducerBatch>): void {
    for (const queues of this.#topics.values()) queues.addBatches(batches)
  }

  /** Gives up the batches that have not left. */
  failAll(fail: (batch: ProducerBatch) => void): void {
    for (const queues of this.#topics.values()) queues.failAll(fail)
  }
}
