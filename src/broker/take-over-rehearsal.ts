// A rehearsal of a take-over: two brokers in memory of their own, of which one is given up for dead and the
// other becomes the controller, adopts, leads and appends. A function that never ran is read from its source,
// and runs slowly at first; a partition whose leader died would wait for all of that, for several times as
// long as for the take-over itself. Runs on a broker's thread, once, when that broker is at work
// (`worker-main.ts`).
// Holds: it touches nothing of the broker that it runs beside. No turn of the event loop comes within a step.

import { Bells, THREAD_KIND_BROKER } from '../bells.ts'
import type { Clock } from '../clock.ts'
import { slot as slotOf, threadId } from '../ids.ts'
import { killPoints } from '../kill-points.ts'
import { allocateLane } from '../lane/lane.ts'
import { LANE_CAPACITY_MIN_BYTES } from '../lane/lane-layout.ts'
import { LaneWriter, OFFERED } from '../lane/lane-writer.ts'
import { LOG_MEMORY_BYTES_MIN } from '../log/log-memory-layout.ts'
import { ControlBlock } from '../log/control-block.ts'
import { ControllerActor } from '../metadata/controller-actor.ts'
import type { ControllerMessage } from '../metadata/controller-messages.ts'
import { encodeBatch } from '../metadata/metadata-batch.ts'
import type { Random } from '../random.ts'
import { stampProducer } from '../record/record-batch.ts'
import { BrokerLanes } from './broker-lanes.ts'
import { BrokerMetadata } from './broker-metadata.ts'
import { BrokerPartitions } from './broker-partitions.ts'
import { BrokerTable } from './broker-table.ts'
import { controllerEffects } from './controller-effects.ts'
import { allocateProcessMemory } from './process-memory.ts'
import type { ProcessMemory } from './process-memory.ts'

export interface RehearsalEnvironment {
  readonly clock: Clock
  readonly random: Random
}

const TOPIC = 'rehearsal'
const PARTITIONS = 4
const BATCHES = 8
const PRODUCER_ID = 1
const BYTES_BETWEEN_SNAPSHOTS = 1024 * 1024

/** What a broker is made of, but its thread, its ports and its turns. */
class RehearsedBroker {
  readonly metadata: BrokerMetadata
  readonly #environment: RehearsalEnvironment
  readonly #brokerId: number
  readonly #bells: Bells
  readonly #table: BrokerTable
  readonly #partitions: BrokerPartitions
  readonly #lanes: BrokerLanes
  readonly #lane: LaneWriter
  #controller: ControllerActor | undefined
  #batches = 0

  constructor(environment: RehearsalEnvironment, memory: ProcessMemory, brokerId: number) {
    this.#environment = environment
    this.#brokerId = brokerId
    this.#bells = new Bells(memory.bells)
    this.#table = new BrokerTable(memory.brokers)
    const thread = threadId(this.#bells.claim(THREAD_KIND_BROKER).id)
    this.#table.started(brokerId, 1, thread, 0)
    const metadataLogMaxRecordBytesBetweenSnapshots = BYTES_BETWEEN_SNAPSHOTS
    const init = { brokerId, incarnation: 1, config: {}, memory, metadataLogMaxRecordBytesBetweenSnapshots }
    this.#partitions = new BrokerPartitions(init, this.#bells, this.#table, environment.clock)
    const partitions = this.#partitions
    this.metadata = new BrokerMetadata({ brokerId, incarnation: 1, thread, memory: partitions.memory, partitions, table: this.#table })
    this.#lanes = new BrokerLanes(this.#bells, {
      onBatch: (lane, bytes, start, end) => partitions.onBatch(lane, lane.frame, bytes, start, end),
      onCorruptLane: () => undefined,
    })
    const lane = allocateLane({
      capacityBytes: LANE_CAPACITY_MIN_BYTES,
      ackSlots: BATCHES,
      producerThread: thread,
      brokerThread: thread,
    })
    this.#lanes.open(lane, this)
    this.#lane = new LaneWriter(lane, () => undefined)
  }

  makeMetadataLog(): void {
    this.#partitions.metadata.make()
  }

  /** Becomes the controller, and finds the first incarnation of a broker dead. */
  async takeOver(dead = -1): Promise<void> {
    const log = this.#partitions.metadata.take(this.#partitions.metadata.leaderWord)!
    this.#controller = new ControllerActor(
      log,
      controllerEffects({
        environment: this.#environment,
        partitions: this.#partitions,
        metadata: this.metadata,
        table: this.#table,
        follow: () => void this.metadata.follow(),
        isAlive: (brokerId, incarnation) => brokerId !== dead || incarnation > 1,
      }),
    )
    await this.#controller.onStart()
    await this.ask<void>((reply) => ({ type: 'takeOver', reply }))
  }

  ask<T>(message: (reply: { resolve: (value: T) => void; reject: (error: unknown) => void }) => ControllerMessage): Promise<T> {
    return new Promise<T>((resolve, reject) => void this.#controller!.receive(message({ resolve, reject })))
  }

  async register(brokerId: number, incarnation: number): Promise<void> {
    const registration = { brokerId, incarnation, incarnationId: [0, 0, 0, brokerId + 1] as const }
    await this.ask<void>((reply) => ({ type: 'registerBroker', registration, reply }))
  }

  /** A turn: takes one batch for each partition that this broker leads, publishes, answers, and looks for more. */
  turn(): void {
    this.metadata.follow()
    const { image } = this.metadata.loader
    const { topicId, partitions } = image.topic(TOPIC)!
    const batch = encodeBatch([{ type: 'TopicRecord', record: { name: TOPIC, topicId } }], 0)
    for (const { partitionId, slot, leader, leaderEpoch } of partitions) {
      if (leader !== this.#brokerId) continue
      stampProducer(batch, 0, PRODUCER_ID + this.#brokerId, 0, this.#batches)
      const [topicId0, topicId1, topicId2, topicId3] = topicId
      const ids = { topicId0, topicId1, topicId2, topicId3 }
      Object.assign(this.#lane.frame, { batchId: this.#batches, slot, partition: partitionId, ...ids, leaderEpoch, acks: -1, flags: 1 })
      if (this.#lane.offer(batch, 0, batch.length) !== OFFERED) return
    }
    this.#batches++
    this.#lanes.poll()
    this.#partitions.advance()
    this.#partitions.announce()
    this.#lanes.flush()
    this.#partitions.keepMemory(false)
    this.metadata.awaitNews()
    this.#lane.pollAcks(NO_ACKS, BATCHES)
  }

  /** The end of the log of a partition. */
  endOffset(slot: number): number {
    return new ControlBlock(this.#partitions.memory, slotOf(slot)).highWatermark
  }
}

const NO_ACKS = { onAck: () => undefined }

export class TakeOverRehearsal {
  readonly #old: RehearsedBroker
  readonly #new: RehearsedBroker

  constructor(environment: RehearsalEnvironment) {
    const memory = allocateProcessMemory({ logMemoryBytes: LOG_MEMORY_BYTES_MIN, partitionsMax: 2 * PARTITIONS })
    this.#old = new RehearsedBroker(environment, memory, 0)
    this.#new = new RehearsedBroker(environment, memory, 1)
  }

  /** To be run one after the other; the broker whose thread this is has its turns between them. */
  readonly steps: readonly (() => Promise<void>)[] = [
    async () => {
      this.#old.makeMetadataLog()
      await this.#old.takeOver()
      await this.#old.register(0, 1)
      await this.#old.register(1, 1)
    },
    async () => {
      await this.#old.ask((reply) => ({ type: 'createTopic', command: { name: TOPIC, partitions: PARTITIONS, config: {} }, reply }))
    },
    async () => {
      for (let i = 0; i < BATCHES; i++) {
        this.#old.turn()
        this.#new.turn()
      }
    },
    async () => {
      await this.#new.takeOver(0)
      this.#new.turn()
      await this.#new.register(0, 2)
    },
  ].map((step) => () => withoutKillPoints(step))

  /** Of each partition: who leads it, and how much it holds. */
  describe(): { leader: number; endOffset: number }[] {
    const { partitions } = this.#new.metadata.loader.image.topic(TOPIC)!
    return partitions.map(({ leader, slot }) => ({ leader, endOffset: this.#new.endOffset(slot) }))
  }
}

/** A fault test means what the broker itself does. */
async function withoutKillPoints(step: () => Promise<void>): Promise<void> {
  const { hook } = killPoints
  killPoints.hook = undefined
  try {
    await step()
  } finally {
    killPoints.hook = hook
  }
}
