// The partitions that a consumer's user has assigned to it by hand (Kafka: assign), by topic.

import type { BoundTopic } from '../topic.ts'

export interface BoundPartition {
  readonly topic: BoundTopic
  readonly partition: number
}

export class ManualAssignment {
  /** By topic id. */
  readonly #topics = new Map<string, { readonly topic: BoundTopic; readonly partitions: Set<number> }>()

  /** Nothing is assigned by hand. */
  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  /** These, in place of those before. */
  set(partitions: Iterable<BoundPartition>): void {
    this.#topics.clear()
    for (const { topic, partition } of partitions) {
      const entry = this.#topics.get(topic.topicId)
      if (entry === undefined) this.#topics.set(topic.topicId, { topic, partitions: new Set([partition]) })
      else entry.partitions.add(partition)
    }
  }

  /** Of a topic, as it was bound when they were assigned; none of its partitions may be. */
  of({ topicId }: BoundTopic): number[] {
    return [...(this.#topics.get(topicId)?.partitions ?? [])]
  }

  all(): BoundPartition[] {
    return [...this.#topics.values()].flatMap(({ topic, partitions }) => [...partitions].map((partition) => ({ topic, partition })))
  }
}
