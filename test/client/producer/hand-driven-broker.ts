// A producer whose broker is the test itself: batches stand on real lanes until the test
// takes them, and are answered when and as it says. Time is virtual. So that every refusal,
// failure and race of a producer can be had at will, on one thread.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { ThreadParker } from '../../../src/actor/thread-parker.ts'
import { Bells } from '../../../src/bells.ts'
import { Producer } from '../../../src/client/producer/producer.ts'
import { fillProducerOptions } from '../../../src/client/producer/producer-config.ts'
import type { ProducerOptions } from '../../../src/client/producer/producer-config.ts'
import { nullable, string } from '../../../src/client/serde.ts'
import type { Topic, TopicDefinition, TopicOptions } from '../../../src/client/topic-definition.ts'
import { defineTopic } from '../../../src/client/topic-definition.ts'
import { BoundTopic } from '../../../src/client/topic.ts'
import { topicConfigToText } from '../../../src/config/topic-config-check.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { BatchCompressor } from '../../../src/engine/batch-compressor.ts'
import type { CompressionPool } from '../../../src/engine/batch-compressor.ts'
import type { CompressionTask } from '../../../src/engine/compression-task.ts'
import type { EmbeddedEngine } from '../../../src/engine/embedded-engine.ts'
import { WakeLoop } from '../../../src/engine/wake-loop.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { formatTopicId, threadId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import { MetadataImage, configKey } from '../../../src/metadata/metadata-image.ts'
import type { MetadataContent, PartitionImage, TopicImage } from '../../../src/metadata/metadata-image.ts'
import { BROKER_RESOURCE, TOPIC_RESOURCE } from '../../../src/metadata/metadata-records.ts'
import { allocateLane } from '../../../src/lane/lane.ts'
import { LaneReader } from '../../../src/lane/lane-reader.ts'
import { LaneWriter } from '../../../src/lane/lane-writer.ts'
import { ControlBlock, NO_LEADER_WORD } from '../../../src/log/control-block.ts'
import { LogMemory, allocateLogMemory } from '../../../src/log/log-memory.ts'
import { DURABILITY_MEMORY, RETENTION_DEFAULT } from '../../../src/log/log-memory-layout.ts'
import type { Durability } from '../../../src/log/log-memory-layout.ts'
import { initialiseSlot } from '../../../src/log/partition-table.ts'
import type { TopicDescription } from '../../../src/metadata/topic-description.ts'
import { seededRandom } from '../../../src/random.ts'
import { compressBatch, decompressBatch } from '../../../src/record/batch-compression.ts'
import { baseSequence, batchCrc, compressionType, isCrcValid, producerEpoch, producerId } from '../../../src/record/record-batch.ts'
import { RecordCursor } from '../../../src/record/record-cursor.ts'

type TextOptions = TopicOptions<string | null, string, string | null, string>

export interface TakenRecord {
  readonly key: string | null
  readonly value: string
  readonly timestamp: number
}

/** A batch that the test took off a lane. */
export interface TakenBatch {
  readonly partition: number
  readonly acks: number
  readonly sizeInBytes: number
  /** The number of its codec; 0: none. */
  readonly compression: number
  readonly crc: 'none' | 'valid' | 'wrong'
  /** Which lane it came by: lanes are counted as they are opened. */
  readonly lane: number
  /** The broker at the end of that lane, and the epoch that it is taken for the leader of. */
  readonly brokerId: number
  readonly leaderEpoch: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly records: readonly TakenRecord[]
  readonly values: readonly string[]
  ack(baseOffset?: number): void
  refuse(errorCode: number): void
}

/** A batch that the producer has given to the pool, and that the test answers. */
export interface PooledBatch {
  readonly task: CompressionTask
  /** As a thread of the pool does. */
  compress(): void
  fail(error: Error): void
}

/** The pool that large batches are compressed on: what it was given waits for the test. */
export class HandDrivenPool implements CompressionPool {
  readonly given: PooledBatch[] = []
  isClosed = false

  run(task: CompressionTask): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      const compress = (): void => resolve(compressBatch(task.bytes, 0, task.bytes.length, task, { withCrc: false }))
      this.given.push({ task, compress, fail: reject })
    })
  }

  close(): Promise<void> {
    this.isClosed = true
    for (const { fail } of this.given.splice(0)) fail(new Error('the pool is closed'))
    return Promise.resolve()
  }
}

const PRODUCER_THREAD = threadId(1)
const BROKER_THREAD = threadId(0)
const ACK_SLOTS = 1_024

export class HandDrivenBroker {
  readonly clock = new VirtualClock()
  readonly pool = new HandDrivenPool()
  readonly lanes: LaneReader[] = []
  /** The capacities of the lanes that were opened, and the brokers that read them. */
  readonly laneCapacities: number[] = []
  readonly laneBrokers: number[] = []
  /** The ids that producers get, in this order; none: they wait. */
  readonly producerIds = Array.from({ length: 100 }, (_, i) => i + 1_000)
  /** Of topics that are made from now on. */
  durability: Durability = DURABILITY_MEMORY
  readonly #bells = new Bells(Bells.allocate())
  readonly #memory = new LogMemory(allocateLogMemory({ logMemoryBytes: 16 * 1024 * 1024, partitionsMax: 256 }))
  readonly #parker = new ThreadParker(this.#bells, PRODUCER_THREAD)
  readonly #engine: EmbeddedEngine
  readonly #lost = new Set<(brokerId: number) => void>()
  readonly #over = new Set<(error: MillraceError) => void>()
  readonly #deadLanes = new Set<number>()
  readonly #deadBrokers = new Set<number>()
  #nextSlot = 1
  #offset = 0
  #image = MetadataImage.EMPTY

  constructor() {
    const engine: Partial<Record<keyof EmbeddedEngine, unknown>> = {
      threadId: PRODUCER_THREAD,
      bells: this.#bells,
      clock: this.clock,
      memory: this.#memory,
      brokerConfig: {},
      compressor: new BatchCompressor(() => this.pool),
      wakeLoop: new WakeLoop(this.#parker),
      controlBlock: (slot: number) => new ControlBlock(this.#memory, slot),
      takeProducerId: () => this.producerIds.shift(),
      openLane: (brokerId: number, capacityBytes: number) => this.#openLane(brokerId, capacityBytes),
      onBrokerLost: (listener: (brokerId: number) => void) => {
        this.#lost.add(listener)
        return () => this.#lost.delete(listener)
      },
      onOver: (listener: (error: MillraceError) => void) => {
        this.#over.add(listener)
        return () => this.#over.delete(listener)
      },
    }
    Object.defineProperty(engine, 'metadata', { get: () => this.#image })
    this.#engine = engine as unknown as EmbeddedEngine
  }

  producer(options?: ProducerOptions, seed = 1): Producer {
    return new Producer(this.#engine, fillProducerOptions(options), seededRandom(seed), () => undefined)
  }

  /** A topic of text, led by broker 0 unless said; -1: by nobody. */
  topic(options: TextOptions = {}, leader = 0): Topic<string | null, string> {
    const definition = defineTopic(`topic-${this.#nextSlot}`, { key: nullable(string()), value: string(), ...options })
    return this.#bind(definition, this.#describe(definition, leader))
  }

  /** One topic, bound twice; the second binding writes "second " before each value. */
  boundTwice(): [Topic<string | null, string>, Topic<string | null, string>] {
    const definition = defineTopic('bound-twice', { key: nullable(string()), value: string() })
    const value = { ...string(), serialize: (text: string) => `second ${text}` }
    const description = this.#describe(definition, 0)
    return [this.#bind(definition, description), this.#bind(defineTopic('bound-twice', { key: nullable(string()), value }), description)]
  }

  #describe({ name, partitions: count, config }: TopicDefinition<string | null, string>, leader: number): TopicDescription {
    const topicId: TopicId = [0, 0, 0, this.#nextSlot]
    const key = formatTopicId(topicId)
    const { topicKeys, configs } = this.#image.content
    const text = topicConfigToText(config)
    this.#commit({
      topicKeys: new Map([...topicKeys, [name, key]]),
      configs: new Map([...configs, [configKey(TOPIC_RESOURCE, name), text]]),
    })
    const partitions = Array.from({ length: count ?? 1 }, (_, partition) => this.#newPartition(topicId, partition, leader))
    this.#setTopic({ name, topicId, partitions })
    return { name, topicId, config: text, partitions: partitions.map((each) => ({ ...each, partition: each.partitionId })) }
  }

  #newPartition(topicId: TopicId, partitionId: number, leader: number): PartitionImage {
    const slot = this.#nextSlot++
    initialiseSlot(this.#memory, slot, topicId, partitionId, RETENTION_DEFAULT, this.durability)
    if (leader >= 0) new ControlBlock(this.#memory, slot).tryLead(NO_LEADER_WORD, leader, 0)
    return { partitionId, slot, leader, leaderEpoch: 0, partitionEpoch: 0, replicas: [], isr: [] }
  }

  #commit(change: Partial<MetadataContent>): void {
    this.#image = new MetadataImage(this.#image.offset + 1, { ...this.#image.content, ...change })
  }

  #setTopic(topic: TopicImage): void {
    this.#commit({ topicsById: new Map([...this.#image.content.topicsById, [formatTopicId(topic.topicId), topic]]) })
  }

  /** The topic is given partitions, so many in all, led by broker 0. */
  grow(topic: Topic<string | null, string>, count: number): void {
    const image = this.#image.topic(topic.name)!
    const partitions = [...image.partitions]
    while (partitions.length < count) partitions.push(this.#newPartition(image.topicId, partitions.length, 0))
    this.#setTopic({ ...image, partitions })
  }

  /** The configs of a topic are these, or, without one, those of a broker, or of all. */
  alter(resource: Topic<string | null, string> | number | 'all brokers', config: Readonly<Record<string, string>>): void {
    const brokerName = resource === 'all brokers' ? '' : String(resource)
    const key = typeof resource === 'object' ? configKey(TOPIC_RESOURCE, resource.name) : configKey(BROKER_RESOURCE, brokerName)
    this.#commit({ configs: new Map([...this.#image.content.configs, [key, config]]) })
  }

  deleteTopic(topic: Topic<string | null, string>): void {
    const { topicsById, topicKeys } = this.#image.content
    const rest = [...topicsById].filter(([key]) => key !== topic.topicId)
    this.#commit({ topicsById: new Map(rest), topicKeys: new Map([...topicKeys].filter(([name]) => name !== topic.name)) })
  }

  #bind(definition: TopicDefinition<string | null, string>, description: TopicDescription): Topic<string | null, string> {
    return new BoundTopic(definition as never, description, this.#engine, this) as unknown as Topic<string | null, string>
  }

  /** Broker `leader` leads all partitions of a topic that nobody led. */
  lead(topic: Topic<string | null, string>, leader: number): void {
    for (const slot of (topic as unknown as BoundTopic).slots) {
      const control = new ControlBlock(this.#memory, slot)
      control.tryLead(NO_LEADER_WORD, leader, 0)
      control.ringWaiters(this.#bells)
    }
  }

  /** What all threads know of a partition. */
  control(topic: Topic<string | null, string>, partition: number): ControlBlock {
    return new ControlBlock(this.#memory, (topic as unknown as BoundTopic).slots[partition]!)
  }

  /** The leader of a partition after the one that died or let go; with a broker below 0 there is none. */
  elect(topic: Topic<string | null, string>, partition: number, leader: number, epoch: number): void {
    const control = this.control(topic, partition)
    this.#deadBrokers.delete(leader)
    if (leader < 0) control.tryResign(control.leaderWord())
    else control.tryLead(control.leaderWord(), leader, epoch)
    control.ringWaiters(this.#bells)
  }

  /** The broker is dead: nobody reads its lanes any more, and the producer hears of it. */
  kill(brokerId: number): void {
    this.#deadBrokers.add(brokerId)
    for (const [lane, id] of this.laneBrokers.entries()) if (id === brokerId) this.#deadLanes.add(lane)
    this.loseBroker(brokerId)
  }

  /** The broker reads its lanes no longer, and says so; it lives. The lanes by number. */
  dropLanes(brokerId: number): Set<number> {
    const dropped = new Set<number>()
    for (const [lane, id] of this.laneBrokers.entries()) {
      if (id !== brokerId || this.#deadLanes.has(lane)) continue
      this.lanes[lane]!.close()
      this.#deadLanes.add(lane)
      dropped.add(lane)
    }
    return dropped
  }

  /** Takes what stands on the lanes, a batch of each in turn, as a broker does whose turns are short. */
  take(isTurn: (brokerId: number) => boolean = () => true): TakenBatch[] {
    const taken: TakenBatch[] = []
    for (let before = -1; taken.length > before; ) {
      before = taken.length
      for (const [lane, reader] of this.lanes.entries()) {
        if (this.#deadLanes.has(lane) || !isTurn(this.laneBrokers[lane]!)) continue
        reader.poll({ onFrame: (bytes, start, end) => taken.push(this.#batch(lane, reader, bytes, start, end)) }, 1)
      }
    }
    for (const reader of this.lanes) reader.flush()
    return taken
  }

  /** Takes and acknowledges until the producer sends no more; what came. */
  async serve(): Promise<TakenBatch[]> {
    const served: TakenBatch[] = []
    for (let idle = 0; idle < 3; ) {
      const taken = this.take()
      for (const batch of taken) batch.ack()
      served.push(...taken)
      idle = taken.length === 0 ? idle + 1 : 0
      await nextTurn()
    }
    return served
  }

  loseBroker(brokerId: number): void {
    // The producer's thread looks again when a connection is gone, as the engine has it.
    queueMicrotask(() => this.#engine.wakeLoop.wake())
    for (const listener of [...this.#lost]) listener(brokerId)
  }

  close(): void {
    this.#parker.close()
  }

  #openLane(brokerId: number, capacityBytes: number): LaneWriter | undefined {
    if (this.#deadBrokers.has(brokerId)) return undefined
    this.laneBrokers.push(brokerId)
    const lane = allocateLane({ capacityBytes, ackSlots: ACK_SLOTS, producerThread: PRODUCER_THREAD, brokerThread: BROKER_THREAD })
    this.lanes.push(new LaneReader(lane, (thread) => this.#bells.ring(thread)))
    this.laneCapacities.push(capacityBytes)
    return new LaneWriter(lane, () => undefined)
  }

  #batch(lane: number, reader: LaneReader, bytes: Uint8Array, start: number, end: number): TakenBatch {
    const { batchId, partition, acks, leaderEpoch } = reader.frame
    const copy = new Uint8Array(bytes.subarray(start, end))
    const records = readRecords(decompressBatch(copy, 0, copy.length))
    return {
      partition,
      acks,
      sizeInBytes: end - start,
      compression: compressionType(copy, 0),
      crc: batchCrc(copy, 0) === 0 ? 'none' : isCrcValid(copy, 0, copy.length) ? 'valid' : 'wrong',
      lane,
      brokerId: this.laneBrokers[lane]!,
      leaderEpoch,
      producerId: producerId(copy, 0),
      producerEpoch: producerEpoch(copy, 0),
      baseSequence: baseSequence(copy, 0),
      records,
      values: records.map(({ value }) => value),
      ack: (baseOffset = this.#offset) => {
        this.#offset = baseOffset + records.length
        reader.ack(batchId, 0, baseOffset, -1)
        reader.flush()
      },
      refuse: (errorCode) => {
        reader.ack(batchId, errorCode, -1, -1)
        reader.flush()
      },
    }
  }
}

function readRecords(batch: Uint8Array): TakenRecord[] {
  const records: TakenRecord[] = []
  const cursor = new RecordCursor()
  cursor.reset(batch, 0, batch.length, 0)
  const text = (start: number, end: number): string => Buffer.from(batch.subarray(start, end)).toString()
  while (cursor.next()) {
    const key = cursor.keyStart < 0 ? null : text(cursor.keyStart, cursor.keyEnd)
    records.push({ key, value: text(cursor.valueStart, cursor.valueEnd), timestamp: cursor.timestamp })
  }
  return records
}
