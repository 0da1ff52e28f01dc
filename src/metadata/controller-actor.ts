// The active controller: decides by the pure Controller, writes what it decides to
// the metadata log, replays it, and tells brokers to lead. It runs on the broker
// that leads `__cluster_metadata-0`, one message to completion at a time.
// Holds: no broker is told of a decision before its record is in the log, so a
// successor that replays the log can only repeat what was said, never contradict it.
// It waits for no broker to do what it was told: one that stands still would hold up
// the failover of all others. A defect ends its thread; a successor starts by replay.

import type { Actor, Reply } from '../actor/actor.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { Controller } from './controller.ts'
import type { CreateTopicCommand, ProducerIdsBlock } from './controller.ts'
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
  /** Whether a broker that registered, or asks to, may still run: nothing is adopted from one that does. */
  isAlive(brokerId: number, incarnation: number): boolean
  /**
   * Tells this incarnation of a broker to lead, and no other: a later one leads nothing before it is
   * registered, or two could. Rejects when it dies first. Telling twice does no harm.
   */
  lead(brokerId: number, incarnation: number, assignments: readonly LeadAssignment[]): Promise<void>
  /** Takes over the log memory that a broker owned up to a dead incarnation; before anybody leads its partitions. */
  adoptMemory(brokerId: number, incarnation: number, isLedByDead: (slot: number) => boolean): void
}

/** How soon the log's memory is looked at again when it was full: about as long as freed memory rests. */
const LOOK_FOR_ROOM_MS = 1
const CREATE_TOPIC_WAITS_MS = 1_000
const ALLOCATE_IDS_WAITS_MS = 1_000

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
        return answer(message.reply, async () => this.#retell((leader) => leader === message.brokerId))
      case 'takeOver':
        return answer(message.reply, () => this.#takeOver())
      case 'createTopic':
        return this.#createTopic(message.command, message.reply)
      case 'describeTopic': {
        const topic = this.#controller.image.topic(message.name)
        return message.reply.resolve(topic === undefined ? undefined : describe(topic))
      }
      case 'listTopics':
        return message.reply.resolve([...this.#controller.image.topics].map((topic) => topic.name))
      case 'allocateProducerIds':
        return answer(message.reply, () => this.#allocateProducerIds())
    }
  }

  async #registerBroker(brokerId: number, incarnation: number): Promise<void> {
    const known = this.#controller.image.broker(brokerId)
    if (known?.incarnation === incarnation && !known.fenced) return
    // Its end may have been heard of before its question was taken.
    if ((known?.incarnation ?? 0) > incarnation || !this.#effects.isAlive(brokerId, incarnation)) {
      throw new MillraceError('STALE_BROKER_EPOCH', `broker ${brokerId} has ended as incarnation ${incarnation}`)
    }
    if (known !== undefined && !known.fenced) await this.#fence(brokerId, known.incarnation)
    // An incarnation may have owned memory and died before it was registered.
    if (incarnation > 1) this.#effects.adoptMemory(brokerId, incarnation - 1, this.#ledBy(brokerId))
    await this.#commit(this.#controller.registerBroker(brokerId, incarnation))
    await this.#elect(brokerId)
  }

  async #fence(brokerId: number, incarnation: number): Promise<void> {
    const records = this.#controller.fenceBroker(brokerId, incarnation)
    if (records.length === 0) return
    this.#effects.adoptMemory(brokerId, incarnation, this.#ledBy(brokerId))
    await this.#commit(records)
    await this.#elect()
  }

  /** The slots that a broker led when it died. The metadata log's may be one: this thread leads it now, so it is safe to look at. */
  #ledBy(brokerId: number): (slot: number) => boolean {
    const slots = new Set<number>([CLUSTER_METADATA_SLOT])
    for (const topic of this.#controller.image.topics) {
      for (const partition of topic.partitions) if (partition.leader === brokerId) slots.add(partition.slot)
    }
    return (slot) => slots.has(slot)
  }

  async #takeOver(): Promise<void> {
    const { image } = this.#controller
    for (const { brokerId, incarnation, fenced } of [...image.brokers]) {
      if (!fenced && !this.#effects.isAlive(brokerId, incarnation)) await this.#fence(brokerId, incarnation)
    }
    // The one before may have died between deciding and telling.
    this.#retell(() => true)
  }

  /** Tells brokers again what they lead. */
  #retell(isTold: (leader: number) => boolean): void {
    const { image } = this.#controller
    const told: [number, LeadAssignment][] = []
    for (const topic of image.topics) {
      for (const { partitionId, slot, leader, leaderEpoch } of topic.partitions) {
        if (image.broker(leader)?.fenced !== false || !isTold(leader)) continue
        told.push([leader, assignmentOf(topic, partitionId, slot, leaderEpoch)])
      }
    }
    void this.#tell(told)
  }

  /** Answers when the leaders lead; the next message is taken before. */
  async #createTopic(command: CreateTopicCommand, reply: Reply<TopicDescription>): Promise<void> {
    await answerFailure(reply, async () => {
      const { image } = this.#controller
      const slots = Array.from({ length: command.partitions }, (_, i) => image.nextSlot + i)
      if (image.nextSlot + command.partitions > this.#effects.partitionsMax) {
        const message = `topic "${command.name}" would pass the ${this.#effects.partitionsMax} partitions of this millrace: raise partitionsMax`
        throw new MillraceError('INVALID_PARTITIONS', message)
      }
      await this.#commit(this.#controller.createTopic(command, this.#newTopicId(), slots), CREATE_TOPIC_WAITS_MS)
      const topic = image.topic(command.name)!
      const told = topic.partitions.map(({ partitionId, slot, leader, leaderEpoch }): [number, LeadAssignment] => [
        leader,
        assignmentOf(topic, partitionId, slot, leaderEpoch),
      ])
      void this.#tell(told).then(() => reply.resolve(describe(topic)))
    })
  }

  async #allocateProducerIds(): Promise<ProducerIdsBlock> {
    const { records, block } = this.#controller.allocateProducerIds()
    await this.#commit(records, ALLOCATE_IDS_WAITS_MS)
    return block
  }

  /** Finds leaders for orphans; `also`: a broker that lives again, but not as the incarnation that led. */
  async #elect(also = -1): Promise<void> {
    const { records, changes } = this.#controller.electLeaders(also)
    if (changes.length === 0) return
    await this.#commit(records)
    const { image } = this.#controller
    void this.#tell(
      changes.map((change) => [
        change.leader,
        assignmentOf(image.topic(change.topic)!, change.partitionId, change.slot, change.leaderEpoch),
      ]),
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
    const { image } = this.#controller
    await Promise.allSettled(
      [...byBroker].map(([brokerId, own]) => this.#effects.lead(brokerId, image.broker(brokerId)?.incarnation ?? 0, own)),
    )
  }

  /**
   * Appends to the log, then makes it true. Where log memory is full this waits until retention
   * has made room: a failover that was given up would leave partitions without a leader.
   */
  async #commit(records: readonly MetadataRecord[], waitsMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock } = this.#effects
    const untilMs = clock.monotonicMs() + waitsMs
    while (!this.#log.append(records, clock.nowMs())) {
      if (clock.monotonicMs() >= untilMs) {
        const remedy = 'make fewer topics or partitions, or raise logMemoryBytes'
        throw new MillraceError('KAFKA_STORAGE_ERROR', `the metadata log found no room in log memory: ${remedy}`)
      }
      await new Promise<void>((resolve) => clock.setTimer(LOOK_FOR_ROOM_MS, resolve))
    }
    for (const record of records) this.#controller.replay(record)
  }

  #newTopicId(): TopicId {
    const word = (): number => this.#effects.random.uint32() | 0
    return [word(), word(), word(), word()]
  }
}

async function answer<T>(reply: Reply<T>, command: () => Promise<T>): Promise<void> {
  await answerFailure(reply, async () => reply.resolve(await command()))
}

/** Operating errors are answers; a defect ends this instance, and a successor replays the log. */
async function answerFailure(reply: Reply<never>, command: () => Promise<void>): Promise<void> {
  try {
    await command()
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

function assignmentOf(topic: TopicImage, partitionId: number, slot: number, leaderEpoch: number): LeadAssignment {
  const { name, topicId, config } = topic
  return { topic: name, topicId, partitionId, slot, leaderEpoch, config }
}

function describe(topic: TopicImage): TopicDescription {
  const partitions = topic.partitions.map(({ partitionId, slot, leader, leaderEpoch }) => ({
    partition: partitionId,
    slot,
    leader,
    leaderEpoch,
  }))
  return { name: topic.name, topicId: topic.topicId, config: topic.config, partitions }
}
