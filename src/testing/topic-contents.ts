// What a test puts into topics, and finds in them.

import type { EmbeddedMillrace } from '../client/millrace.ts'
import type { Producer } from '../client/producer/producer.ts'
import type { RecordMetadata } from '../client/producer/producer-batch.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import type { Topic } from '../client/topic-definition.ts'
import type { TestRecord } from './expected-records.ts'
import type { OpenClients } from './open-clients.ts'
import { PLAIN_VALUES } from './plain-values.ts'

/** A topic by its name, for plain text and JSON, or one that is bound, for what its serdes take and give. */
export type NamedTopic<K, V, KIn, VIn> = string | Topic<K, V, KIn, VIn>

type AnyTopic = Topic<unknown, unknown, unknown, unknown>

export class TopicContents {
  readonly #millrace: EmbeddedMillrace
  readonly #clients: OpenClients
  #producer: Producer | undefined

  constructor(millrace: EmbeddedMillrace, clients: OpenClients) {
    this.#millrace = millrace
    this.#clients = clients
  }

  async produce(topic: NamedTopic<unknown, unknown, never, never>, records: readonly object[]): Promise<RecordMetadata[]> {
    const bound = await this.#bind(topic)
    this.#producer ??= this.#clients.own(() => this.#millrace.producer())
    return this.#producer.sendAll(bound, records as unknown as readonly ProducerRecord<unknown, unknown>[])
  }

  /** All that can be read now: in a partition by offset, between partitions by time; none of a topic that is not there. */
  async records(topic: NamedTopic<unknown, unknown, never, never>): Promise<TestRecord[]> {
    if (typeof topic === 'string' && !(await this.#millrace.admin.listTopics({ listInternal: true })).includes(topic)) return []
    const bound = await this.#bind(topic)
    const consumer = this.#clients.own(() => this.#millrace.consumer())
    const byPartition = new Map<number, TestRecord[]>()
    try {
      for await (const record of consumer.records(bound, { until: 'end' })) {
        const { partition, offset, timestamp, key, value, headers } = record
        const found = byPartition.get(partition) ?? []
        found.push({ topic: bound.name, partition, offset, timestamp, key, value, headers: Object.fromEntries(headers.toJSON()) })
        byPartition.set(partition, found)
      }
    } finally {
      await consumer.close()
    }
    return mergeByTime([...byPartition.entries()].sort(([a], [b]) => a - b).map(([, records]) => records))
  }

  async close(): Promise<void> {
    await this.#producer?.close()
  }

  async #bind(topic: NamedTopic<unknown, unknown, never, never>): Promise<AnyTopic> {
    if (typeof topic !== 'string') return topic as unknown as AnyTopic
    return this.#millrace.topic(topic, { key: PLAIN_VALUES, value: PLAIN_VALUES })
  }
}

function mergeByTime(partitions: readonly TestRecord[][]): TestRecord[] {
  const merged: TestRecord[] = []
  const next = partitions.map(() => 0)
  for (;;) {
    let first = -1
    for (const [i, records] of partitions.entries()) {
      const head = records[next[i]!]
      if (head !== undefined && (first < 0 || head.timestamp < partitions[first]![next[first]!]!.timestamp)) first = i
    }
    if (first < 0) return merged
    merged.push(partitions[first]![next[first]!++]!)
  }
}
