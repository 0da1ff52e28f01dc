// The active controller: decides by the pure Controller, writes what it decides to the
// metadata log, and makes ready what the records need before anybody sees them. It runs on
// the broker that leads `__cluster_metadata-0`, one message to completion at a time.
//
//   command ─▶ records ─▶ append ─▶ control blocks of new partitions ─▶ publish ─▶ every broker acts
//
// Holds: brokers and clients act on committed records alone, so nobody is told anything
// and nobody is waited for: one that stands still holds up no failover. A dead broker's
// memory is adopted before the record that gives its partitions to others. A successor
// brings to an end what stands in the log, so what a record names is always ready when it
// can be seen. A defect ends its thread; a successor starts by replay.

import type { Actor, Reply } from '../actor/actor.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { killPoint } from '../kill-points.ts'
import type { Random } from '../random.ts'
import { Controller, isLiving } from './controller.ts'
import type {
  BrokerRegistration,
  Committed,
  CreatedTopic,
  CreatePartitionsCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  ProducerIdsBlock,
} from './controller-commands.ts'
import type { ControllerMessage } from './controller-messages.ts'
import type { ConfigImage, PartitionImage, TopicImage } from './metadata-image.ts'
import type { MetadataLoader } from './metadata-loader.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { RowList } from './row-list.ts'

/** What the controller needs of its broker. */
export interface ControllerEffects {
  readonly clock: Clock
  readonly random: Random
  /** Of a new cluster whose id was decided elsewhere. */
  readonly clusterId: TopicId | undefined
  /** The image of this thread. */
  readonly metadata: MetadataLoader
  /** Rows of the partition table. */
  readonly partitionsMax: number
  /** One past the highest row that was ever used. */
  slotsHigh(): number
  /** Takes in what is committed, and does for this broker what follows from it. */
  follow(): void
  /** Makes the control block of a partition ready for its first leader; does nothing when it is. */
  initialisePartition(topic: TopicImage, partition: PartitionImage, config: ConfigImage): void
  /** Whether a broker that registered, or asks to, may still run: nothing is adopted from one that does. */
  isAlive(brokerId: number, incarnation: number): boolean
  /** Takes over the log memory that a broker owned up to a dead incarnation; before anybody leads its partitions. */
  adoptMemory(brokerId: number, incarnation: number): void
  /** Up to where in the metadata log a broker has acted on it. */
  metadataOffsetOf(brokerId: number): number
  /** Frees the log of a row that no topic has any more, where whoever led it is gone. */
  dropDeleted(slot: number, isGone: (brokerId: number) => boolean): void
  /** Whether the row of the partition table is free; one that a deleted topic left is released first, if it may be. */
  isFree(slot: number, mayRelease: boolean): boolean
}

/** How soon the log's memory is looked at again when it was full: about as long as freed memory rests. */
const LOOK_FOR_ROOM_MS = 1
const COMMAND_WAITS_MS = 1_000

export class ControllerActor implements Actor<ControllerMessage> {
  readonly #controller: Controller
  readonly #log: MetadataLog
  readonly #effects: ControllerEffects
  #rows = new RowList([], 0)
  /** Behind the last record that removed a topic: a broker that has not come so far may still hold its rows. */
  #removedOffset = 0

  constructor(log: MetadataLog, effects: ControllerEffects) {
    this.#controller = new Controller(effects.metadata)
    this.#log = log
    this.#effects = effects
  }

  async onStart(): Promise<void> {
    this.#effects.follow()
    this.#rows = new RowList(this.#controller.image.topics, this.#effects.slotsHigh())
    // What the controller before had appended, and may have died over.
    await this.#publish()
    this.#removedOffset = this.#controller.image.offset
  }

  async receive(message: ControllerMessage): Promise<void> {
    switch (message.type) {
      case 'registerBroker':
        return answer(message.reply, () => this.#registerBroker(message.registration))
      case 'brokerDied':
        return answer(message.reply, () => this.#fence([message]))
      case 'takeOver':
        return answer(message.reply, () => this.#takeOver())
      case 'createTopic':
        return answer(message.reply, () => this.#createTopic(message.command))
      case 'deleteTopic':
        return answer(message.reply, () => this.#deleteTopic(message.command))
      case 'createPartitions':
        return answer(message.reply, () => this.#createPartitions(message.command))
      case 'alterConfigs':
        return answer(message.reply, () => this.#run(message.command, this.#controller.alterConfigs(message.command)))
      case 'moveLeader':
        return answer(message.reply, () => this.#run({}, this.#controller.moveLeader(message.command)))
      case 'allocateProducerIds':
        return answer(message.reply, () => this.#allocateProducerIds())
    }
  }

  async #registerBroker(registration: BrokerRegistration): Promise<void> {
    const { brokerId, incarnation } = registration
    const known = this.#controller.image.broker(brokerId)
    if (known?.brokerEpoch === incarnation && !known.fenced) return
    // Its end may have been heard of before its question was taken.
    if ((known?.brokerEpoch ?? 0) > incarnation || !this.#effects.isAlive(brokerId, incarnation)) {
      throw new MillraceError('STALE_BROKER_EPOCH', `broker ${brokerId} has ended as incarnation ${incarnation}`)
    }
    if (known !== undefined && !known.fenced) await this.#fence([{ brokerId, incarnation: known.brokerEpoch }])
    // An incarnation may have owned memory and died before it was registered.
    if (incarnation > 1) this.#effects.adoptMemory(brokerId, incarnation - 1)
    await this.#commit(this.#controller.registerBroker(registration))
  }

  async #fence(dead: readonly { readonly brokerId: number; readonly incarnation: number }[]): Promise<void> {
    const records = this.#controller.fenceBrokers(dead)
    if (records.length === 0) return
    for (const { brokerId, incarnation } of dead) this.#effects.adoptMemory(brokerId, incarnation)
    await this.#commit(records)
    this.#dropDeleted()
  }

  async #takeOver(): Promise<void> {
    await this.#commit(this.#controller.bootstrap(this.#effects.clusterId ?? this.#newUuid()))
    const dead = [...this.#controller.image.brokers]
      .filter(({ brokerId, brokerEpoch, fenced }) => !fenced && !this.#effects.isAlive(brokerId, brokerEpoch))
      .map(({ brokerId, brokerEpoch }) => ({ brokerId, incarnation: brokerEpoch }))
    await this.#fence(dead)
  }

  async #createTopic(command: CreateTopicCommand): Promise<CreatedTopic> {
    this.#controller.checkCreateTopic(command)
    const slots = await this.#freeSlots(command.name, command.partitions)
    const topicId = this.#newUuid()
    return { topicId, ...(await this.#run(command, this.#controller.createTopic(command, topicId, slots))) }
  }

  async #createPartitions(command: CreatePartitionsCommand): Promise<Committed> {
    const slots = await this.#freeSlots(command.name, this.#controller.partitionsToAdd(command))
    return this.#run(command, this.#controller.createPartitions(command, slots))
  }

  async #deleteTopic(command: DeleteTopicCommand): Promise<Committed> {
    const committed = await this.#run({}, this.#controller.deleteTopic(command))
    this.#removedOffset = committed.metadataOffset
    return committed
  }

  async #run({ validateOnly }: { validateOnly?: boolean | undefined }, records: readonly MetadataRecord[]): Promise<Committed> {
    return { metadataOffset: await this.#commit(validateOnly === true ? [] : records, COMMAND_WAITS_MS) }
  }

  async #allocateProducerIds(): Promise<ProducerIdsBlock> {
    const { records, block } = this.#controller.allocateProducerIds()
    await this.#commit(records, COMMAND_WAITS_MS)
    return block
  }

  /** Rows for new partitions of a topic. Those of deleted topics are given again when every living broker has let go of them. */
  async #freeSlots(name: string, count: number): Promise<number[]> {
    const { clock, partitionsMax } = this.#effects
    const untilMs = clock.monotonicMs() + COMMAND_WAITS_MS
    for (;;) {
      this.#effects.follow()
      // Asked once a round and before the rows are looked at: a broker that lets go meanwhile has given rows that this round did not see.
      const letGo = this.#haveLetGo
      const free = this.#findFreeSlots(count, letGo)
      if (free.length === count) return free
      // Brokers that stand still hold rows up, and for so long only.
      if (letGo || clock.monotonicMs() >= untilMs) {
        const message = `topic "${name}" would pass the ${partitionsMax} partitions of this millrace: raise partitionsMax`
        throw new MillraceError('INVALID_PARTITIONS', message)
      }
      await new Promise<void>((resolve) => clock.setTimer(LOOK_FOR_ROOM_MS, resolve))
    }
  }

  #findFreeSlots(count: number, mayRelease: boolean): number[] {
    const { partitionsMax } = this.#effects
    if (mayRelease) this.#dropDeleted()
    const free: number[] = []
    for (const slot of this.#rows.untaken(partitionsMax)) {
      if (free.length === count) break
      if (this.#effects.isFree(slot, mayRelease)) free.push(slot)
    }
    return free
  }

  /** Whether every living broker knows of all topics that were removed. */
  get #haveLetGo(): boolean {
    for (const broker of this.#controller.image.brokers) {
      if (isLiving(broker) && this.#effects.metadataOffsetOf(broker.brokerId) < this.#removedOffset) return false
    }
    return true
  }

  /** Frees what the dead led of topics that are deleted: nobody else would. */
  #dropDeleted(): void {
    const isGone = (brokerId: number): boolean => brokerId < 0 || !isLiving(this.#controller.image.broker(brokerId))
    for (const slot of this.#rows.left) this.#effects.dropDeleted(slot, isGone)
  }

  /**
   * Appends to the log, then lets it be seen; one past the last record. Where log memory is full this
   * waits until retention has made room: a failover that was given up would leave partitions without a leader.
   */
  async #commit(records: readonly MetadataRecord[], waitsMs = Number.POSITIVE_INFINITY): Promise<number> {
    if (records.length === 0) return this.#controller.image.offset
    const { clock } = this.#effects
    const untilMs = clock.monotonicMs() + waitsMs
    while (!this.#log.append(records, clock.nowMs())) {
      if (clock.monotonicMs() >= untilMs) {
        const remedy = 'make fewer topics or partitions, or raise logMemoryBytes'
        throw new MillraceError('KAFKA_STORAGE_ERROR', `the metadata log found no room in log memory: ${remedy}`)
      }
      await new Promise<void>((resolve) => clock.setTimer(LOOK_FOR_ROOM_MS, resolve))
    }
    await this.#publish()
    this.#log.keepBounded(this.#controller.image, clock.nowMs())
    return this.#controller.image.offset
  }

  /** Makes ready what is appended and not seen yet, then lets it be seen once it is durable, and acts on it as every broker does. */
  async #publish(): Promise<void> {
    const uncommitted = this.#effects.metadata.loadUncommitted()
    for (const { partitions } of uncommitted.deletedTopics()) for (const { slot } of partitions) this.#rows.leave(slot)
    for (const { topic, partition, previous } of uncommitted.changedPartitions()) {
      if (previous !== undefined) continue
      this.#rows.take(partition.slot)
      this.#effects.initialisePartition(topic, partition, uncommitted.image.topicConfig(topic.name))
    }
    killPoint('controller.initialised')
    if (!this.#log.isDurable) await this.#log.untilDurable()
    this.#log.publish()
    this.#effects.follow()
  }

  /** As Kafka's: random, no topic's, and none that a shell takes for an option. */
  #newUuid(): TopicId {
    const word = (): number => this.#effects.random.uint32() | 0
    for (;;) {
      const id: TopicId = [word(), word(), word(), word()]
      if (!formatTopicId(id).startsWith('-') && this.#controller.image.topicById(id) === undefined) return id
    }
  }
}

/** Operating errors are answers; a defect ends this instance, and a successor replays the log. */
async function answer<T>(reply: Reply<T>, command: () => Promise<T>): Promise<void> {
  try {
    reply.resolve(await command())
  } catch (error) {
    if (error instanceof MillraceError && error.code !== 'ASSERTION_FAILED') return reply.reject(error)
    reply.reject(
      new MillraceError('ACTOR_FAILED', 'the controller failed before it answered: it may or may not have done what was asked', {
        cause: error,
      }),
    )
    throw error
  }
}
