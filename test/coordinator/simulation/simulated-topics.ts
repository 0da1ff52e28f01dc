// The topics of a simulation: they are made, get partitions, are deleted and made again. The
// coordinator hears of each change a little later. Offsets of a topic begin at a number of
// its own, so that an offset tells of which topic id it is.

import { formatTopicId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import type { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import type { MetadataImage, TopicImage } from '../../../src/metadata/metadata-image.ts'
import { MetadataWorld } from '../../metadata/metadata-world.ts'

export const OFFSETS_A_TOPIC = 1_000_000_000

export class SimulatedTopics {
  readonly #world = new MetadataWorld(1)
  /** When each topic id was made. */
  readonly #madeAtMs = new Map<string, number>()
  readonly #nowMs: () => number
  readonly #bases = new Map<string, number>()
  #slots = 100

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get image(): MetadataImage {
    return this.#world.image
  }

  /** That members may read. */
  get names(): string[] {
    return [...this.image.topicNames].sort()
  }

  create(name: string, partitions: number): MetadataDelta {
    this.#slots += partitions
    const slots = Array.from({ length: partitions }, (_, i) => this.#slots + i)
    const id = this.#bases.size + 1
    const topicId: TopicId = [id, id, id, id]
    this.#bases.set(formatTopicId(topicId), id * OFFSETS_A_TOPIC)
    this.#madeAtMs.set(formatTopicId(topicId), this.#nowMs())
    return this.#world.apply(this.#world.controller.createTopic({ name, partitions, config: {} }, topicId, slots))
  }

  addPartition(name: string): MetadataDelta {
    const partitions = this.image.topic(name)!.partitions.length + 1
    return this.#world.apply(this.#world.controller.createPartitions({ name, partitions }, [this.#slots++ + 10_000]))
  }

  delete(name: string): MetadataDelta {
    return this.#world.apply(this.#world.controller.deleteTopic({ name }))
  }

  topic(name: string): TopicImage | undefined {
    return this.image.topic(name)
  }

  /** As `formatTopicId` tells it. */
  keyOf(name: string): string | undefined {
    return this.image.content.topicKeys.get(name)
  }

  /** How long ago a topic id was made, by `formatTopicId`. */
  ageMs(topicKey: string): number {
    return this.#nowMs() - this.#madeAtMs.get(topicKey)!
  }

  /** The first offset of a topic id, by `formatTopicId`. */
  baseOf(topicKey: string): number {
    return this.#bases.get(topicKey)!
  }
}
