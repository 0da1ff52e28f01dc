// The active controller: decides by the pure Controller, writes what it decides to
// the metadata log, replays it, and tells brokers to lead. It runs on the broker
// that leads `__cluster_metadata-0`, one message to completion at a time.
// Holds: no broker is told of a decision before its record is in the log, so a
// successor that replays the log can only repeat what was said, never contradict it.
// A restarted instance and a successor on another broker start alike: by replay.

import type { Actor, Reply } from '../actor/actor.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { Controller } from './controller.ts'
import type { CreateTopicCommand } from './controller.ts'
import type { ControllerMessage } from './controller-messages.ts'
import type { TopicImage } from './metadata-image.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { CLUSTER_METADATA_SLOT } from './metadata-records.ts'
import type { TopicDescription } from './topic-description.ts'

/** A partition that a broker is to lead, and under which epoch. */
export interface LeadAssignment {
  readonly topic: string
  readonly topicId: TopicId
  readonly partitionId: number
  readonly slot: number
  readonly leaderEpoch: number
  readonly config: Readonly<Record<string, string>>
}

/** What the controller needs of its broker. */
export interface ControllerEffects {
  readonly clock: Clock
  readonly random: Random
  /** Rows of the partition table. */
  readonly partitionsMax: number
  /** Makes the control block of a new partition ready for its first leader; does nothing when it is. */
  initialisePartition(assignment: LeadAssignment): void
  /** Tells a broker to lead; rejects when it dies first. Telling twice does no harm. */
  lead(brokerId: number, assignments: readonly LeadAssignment[]): Promise<void>
  /** Takes over the log memory that a dead broker owned; before anybody leads its partitions. */
  adoptMemory(brokerId: number, incarnation: number, isLedByDead: (slot: number) => boolean): void
}

export class ControllerActor implements Actor<ControllerMessage> {
  readonly #controller = new Controller()
  readonly #log: MetadataLog
  readonly #effects: ControllerEffects

  constructor(log: MetadataLog, effects: ControllerEffects) {
    this.#log = log
    this.#effects = effects
  }

  onStart(): void {
    this.#log.readAll((record) => this.#controller.replay(record))
  }

  async receive(message: ControllerMessage): Promise<void> {
    switch (message.type) {
      case 'registerBroker':
        return answer(message.reply, () => this.#registerBroker(message.brokerId, message.incarnation))
      case 'brokerDied':
        return answer(message.reply, () => this.#fence(message.brokerId, message.incarnation))
      case 'peerConnected':
        return answer(message.reply, () => this.#retell((leader) => leader === message.brokerId))
      case 'takeOver':
        return answer(message.reply, () => this.#takeOver(message.isAlive))
      case 'createTopic':
        return answer(message.reply, () => this.#createTopic(message.command))
      case 'describeTopic': {
        const topic = this.#controller.image.topic(message.name)
        return message.reply.resolve(topic === undefined ? undefined : describe(topic))
      }
      case 'listTopics':
        return message.reply.resolve([...this.#controller.image.topics].map((topic) => topic.name))
    }
  }

  async #registerBroker(brokerId: number, incarnation: number): Promise<void> {
    const known = this.#controller.image.broker(brokerId)
    if (known?.incarnation === incarnation && !known.fenced) return
    if (known !== undefined && !known.fenced) await this.#fence(brokerId, known.incarnation)
    this.#commit(this.#controller.registerBroker(brokerId, incarnation))
    await this.#elect(brokerId)
  }

  async #fence(brokerId: number, incarnation: number): Promise<void> {
    const records = this.#controller.fenceBroker(brokerId, incarnation)
    if (records.length === 0) return
    // The metadata log itself may have been led by the dead one; it is led by this thread now, so it is safe to look at.
    const ledByDead = new Set<number>([CLUSTER_METADATA_SLOT])
    for (const topic of this.#controller.image.topics) {
      for (const partition of topic.partitions) if (partition.leader === brokerId) ledByDead.add(partition.slot)
    }
    this.#effects.adoptMemory(brokerId, incarnation, (slot) => ledByDead.has(slot))
    this.#commit(records)
    await this.#elect()
  }

  async #takeOver(isAlive: (brokerId: number, incarnation: number) => boolean): Promise<void> {
    const { image } = this.#controller
    for (const { brokerId, incarnation, fenced } of [...image.brokers]) {
      if (!fenced && !isAlive(brokerId, incarnation)) await this.#fence(brokerId, incarnation)
    }
    // The one before may have died between deciding and telling.
    await this.#retell(() => true)
  }

  /** Tells brokers again what they lead. */
  async #retell(isTold: (leader: number) => boolean): Promise<void> {
    const { image } = this.#controller
    const told: [number, LeadAssignment][] = []
    for (const topic of image.topics) {
      for (const { partitionId, slot, leader, leaderEpoch } of topic.partitions) {
        if (image.broker(leader)?.fenced !== false || !isTold(leader)) continue
        told.push([leader, assignmentOf(topic, partitionId, slot, leaderEpoch)])
      }
    }
    await this.#tell(told)
  }

  async #createTopic(command: CreateTopicCommand): Promise<TopicDescription> {
    const { image } = this.#controller
    const slots = Array.from({ length: command.partitions }, (_, i) => image.nextSlot + i)
    if (image.nextSlot + command.partitions > this.#effects.partitionsMax) {
      const message = `topic "${command.name}" would pass the ${this.#effects.partitionsMax} partitions of this millrace: raise partitionsMax`
      throw new MillraceError('INVALID_PARTITIONS', message)
    }
    this.#commit(this.#controller.createTopic(command, this.#newTopicId(), slots))
    const topic = image.topic(command.name)!
    const told = topic.partitions.map(({ partitionId, slot, leader, leaderEpoch }): [number, LeadAssignment] => [
      leader,
      assignmentOf(topic, partitionId, slot, leaderEpoch),
    ])
    await this.#tell(told)
    return describe(topic)
  }

  /** Finds leaders for orphans; `also`: a broker that lives again, but not as the incarnation that led. */
  async #elect(also = -1): Promise<void> {
    const { records, changes } = this.#controller.electLeaders(also)
    if (changes.length === 0) return
    this.#commit(records)
    const { image } = this.#controller
    await this.#tell(
      changes.map((change) => [change.leader, assignmentOf(image.topic(change.topic)!, change.partitionId, change.slot, change.leaderEpoch)]),
    )
  }

  /**
   * Tells each broker of its partitions in one call, when their control blocks are ready: the
   * controller that decided may have died before it made them. A broker that dies before it
   * answers is not an error of this message: its death is the next one.
   */
  async #tell(told: readonly (readonly [number, LeadAssignment])[]): Promise<void> {
    const byBroker = new Map<number, LeadAssignment[]>()
    for (const [brokerId, assignment] of told) {
      this.#effects.initialisePartition(assignment)
      const own = byBroker.get(brokerId)
      if (own === undefined) byBroker.set(brokerId, [assignment])
      else own.push(assignment)
    }
    await Promise.allSettled([...byBroker].map(([brokerId, own]) => this.#effects.lead(brokerId, own)))
  }

  #commit(records: readonly MetadataRecord[]): void {
    this.#log.append(records, this.#effects.clock.nowMs())
    for (const record of records) this.#controller.replay(record)
  }

  #newTopicId(): TopicId {
    const word = (): number => this.#effects.random.uint32() | 0
    return [word(), word(), word(), word()]
  }
}

/** Operating errors are answers; a failed assertion ends this instance, and a fresh one replays the log. */
async function answer<T>(reply: Reply<T>, command: () => Promise<T>): Promise<void> {
  try {
    reply.resolve(await command())
  } catch (error) {
    if (error instanceof MillraceError && error.code !== 'ASSERTION_FAILED') return reply.reject(error)
    reply.reject(new MillraceError('ACTOR_FAILED', 'the controller failed before it answered: it may or may not have done what was asked', { cause: error }))
    throw error
  }
}

function assignmentOf(topic: TopicImage, partitionId: number, slot: number, leaderEpoch: number): LeadAssignment {
  const { name, topicId, config } = topic
  return { topic: name, topicId, partitionId, slot, leaderEpoch, config }
}

function describe(topic: TopicImage): TopicDescription {
  const partitions = topic.partitions.map(({ partitionId, slot, leader, leaderEpoch }) => ({ partition: partitionId, slot, leader, leaderEpoch }))
  return { name: topic.name, topicId: topic.topicId, config: topic.config, partitions }
}
