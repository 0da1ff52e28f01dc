// What a broker does when the metadata log says something new (Kafka:
// BrokerMetadataPublisher). Runs on the broker's thread, in its duty cycle.
//
//   a partition's new leader is    it is led here    so
//   this broker                    no                led as soon as its leader word is free, or names one who is gone
//   another                        yes               published, answered, let go of: the other is woken
//   nobody: the topic is deleted   yes               answered, freed
//
// Holds: it acts on committed records alone, and leads only what they give to the
// incarnation that it is: what a dead incarnation of it led stays alone until this one
// is registered, and the same batch of records elects it anew. Nothing is taken from a
// living broker: that one has let go first.

import type { ThreadId } from '../ids.ts'
import { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { isLiving } from '../metadata/controller.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/metadata-image.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import type { BrokerPartitions, LeadAssignment } from './broker-partitions.ts'
import type { BrokerTable } from './broker-table.ts'

export interface BrokerMetadataOptions {
  readonly brokerId: number
  readonly incarnation: number
  readonly thread: ThreadId
  readonly memory: LogMemory
  readonly partitions: BrokerPartitions
  readonly table: BrokerTable
  /** Behind all that was done: what this broker leads may have changed. `delta` undefined: nothing else has. */
  readonly onFollowed?: (delta: MetadataDelta | undefined) => void
}

export class BrokerMetadata {
  readonly loader: MetadataLoader
  readonly #options: BrokerMetadataOptions
  /** By slot: partitions that are to be led here, once who leads them has let go. */
  readonly #awaited = new Map<number, LeadAssignment>()
  /** Nobody, this broker itself under an earlier epoch, or one that is fenced. */
  readonly #isGone = (brokerId: number): boolean =>
    brokerId < 0 || brokerId === this.#options.brokerId || !isLiving(this.loader.image.broker(brokerId))

  constructor(options: BrokerMetadataOptions) {
    this.#options = options
    this.loader = new MetadataLoader(options.memory)
  }

  /** Asked before the thread parks, with its bell armed: leaves the marks by which it is rung when there is something to do. */
  awaitNews(): boolean {
    this.loader.prepareWait(this.#options.thread)
    if (this.loader.hasNews) return true
    for (const slot of this.#awaited.keys()) {
      const control = new ControlBlock(this.#options.memory, slot)
      control.addWaiter(this.#options.thread)
      if (this.#isGone(control.leaderBroker)) return true
    }
    return false
  }

  /** Takes in what was committed and does what follows from it; 1 when that was something. */
  follow(): number {
    const delta = this.loader.load()
    if (delta === undefined && this.#awaited.size === 0) return 0
    const done = delta === undefined ? this.#leadAwaited() : this.#publish(delta)
    if (done > 0) this.#options.onFollowed?.(delta)
    return done
  }

  #publish(delta: MetadataDelta): number {
    const { brokerId, partitions, table } = this.#options
    const { image } = delta
    for (const topic of delta.deletedTopics()) this.#delete(topic)
    // Before anything is led: it is what logs inherit.
    if (delta.areBrokersReconfigured) partitions.setConfig({ ...image.brokerConfig(), ...image.brokerConfig(brokerId) })
    if (this.#isRegistered(image)) {
      if (!this.#isRegistered(delta.previous)) this.#resignForDead(image)
      for (const { topic, partition } of delta.changedPartitions()) {
        this.#awaited.delete(partition.slot)
        if (partition.leader === brokerId) this.#awaited.set(partition.slot, assignmentOf(image, topic, partition))
        else partitions.handOver(partition.slot)
      }
      const reconfigured = delta.areBrokersReconfigured ? image.topics : delta.reconfiguredTopics()
      for (const topic of reconfigured) this.#reconfigure(image, topic)
      this.#leadAwaited()
    }
    table.publishMetadataOffset(brokerId, image.offset)
    return 1
  }

  /** Whether the image knows this very incarnation. */
  #isRegistered(image: MetadataImage): boolean {
    const { brokerId, incarnation } = this.#options
    const self = image.broker(brokerId)
    return self?.brokerEpoch === incarnation && !self.fenced
  }

  #leadAwaited(): number {
    let led = 0
    for (const [slot, assignment] of this.#awaited) {
      if (!this.#options.partitions.lead(assignment, this.#isGone)) continue
      this.#awaited.delete(slot)
      led++
    }
    return led
  }

  #delete({ topicId, partitions }: TopicImage): void {
    for (const { slot } of partitions) {
      const awaited = this.#awaited.get(slot)
      // Whoever led it has let go, so nobody else frees it.
      if (awaited !== undefined) this.#options.partitions.lead(awaited, this.#isGone)
      this.#awaited.delete(slot)
      this.#options.partitions.delete(slot, topicId)
    }
  }

  #reconfigure(image: MetadataImage, { name, partitions }: TopicImage): void {
    const config = image.topicConfig(name)
    for (const { slot } of partitions) {
      this.#options.partitions.reconfigure(slot, config)
      const awaited = this.#awaited.get(slot)
      if (awaited !== undefined) this.#awaited.set(slot, { ...awaited, config })
    }
  }

  /** What a dead incarnation was to let go of when it died: nobody else may. */
  #resignForDead(image: MetadataImage): void {
    const { brokerId, partitions } = this.#options
    for (const topic of image.topics) {
      for (const { slot, leader } of topic.partitions) {
        if (leader !== brokerId && !partitions.leads(slot)) partitions.left.resignForDead(slot)
      }
    }
  }
}

function assignmentOf(image: MetadataImage, { name, topicId }: TopicImage, partition: PartitionImage): LeadAssignment {
  const { partitionId, slot, leaderEpoch } = partition
  return { topic: name, topicId, partitionId, slot, leaderEpoch, config: image.topicConfig(name) }
}
