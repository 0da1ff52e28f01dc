// What a broker does when the metadata log says something new (Kafka:
// BrokerMetadataPublisher). Runs on the broker's thread, in its duty cycle.
// Holds: it acts on committed records alone, and leads only what they give to the
// incarnation that it is: what a dead incarnation of it led stays alone until this one
// is registered, and the same batch of records elects it anew.

import type { ThreadId } from '../ids.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import type { BrokerPartitions, LeadAssignment } from './broker-partitions.ts'

export interface BrokerMetadataOptions {
  readonly brokerId: number
  readonly incarnation: number
  readonly thread: ThreadId
  readonly memory: LogMemory
  readonly partitions: BrokerPartitions
}

export class BrokerMetadata {
  readonly loader: MetadataLoader
  readonly #options: BrokerMetadataOptions

  constructor(options: BrokerMetadataOptions) {
    this.#options = options
    this.loader = new MetadataLoader(options.memory)
  }

  /** Asked before the thread parks, with its bell armed: leaves the mark by which it is rung at the next commit. */
  awaitNews(): boolean {
    this.loader.prepareWait(this.#options.thread)
    return this.loader.hasNews
  }

  /** Takes in what was committed and does what follows from it; 1 when that was something. */
  follow(): number {
    const delta = this.loader.load()
    if (delta === undefined) return 0
    this.#publish(delta)
    return 1
  }

  #publish(delta: MetadataDelta): void {
    const { brokerId, incarnation, partitions } = this.#options
    const self = delta.image.broker(brokerId)
    if (self?.brokerEpoch !== incarnation || self.fenced) return
    const assignments: LeadAssignment[] = []
    for (const { topic, partition } of delta.changedPartitions()) {
      if (partition.leader !== brokerId) continue
      const { partitionId, slot, leaderEpoch } = partition
      const config = delta.image.topicConfig(topic.name)
      assignments.push({ topic: topic.name, topicId: topic.topicId, partitionId, slot, leaderEpoch, config })
    }
    partitions.lead(assignments)
  }
}
