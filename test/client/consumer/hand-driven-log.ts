// A consumer whose brokers are the test itself: batches of any kind are appended to real logs
// in memory, logs are trimmed, deleted and handed over when the test says so, and time is
// virtual. So that all a reader may meet can be had at will, on one thread.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { ThreadParker } from '../../../src/actor/thread-parker.ts'
import { Bells } from '../../../src/bells.ts'
import { Consumer } from '../../../src/client/consumer/consumer.ts'
import { fillConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import { nullable, string } from '../../../src/client/serde.ts'
import { BoundTopic } from '../../../src/client/topic.ts'
import type { Topic } from '../../../src/client/topic-definition.ts'
import { defineTopic } from '../../../src/client/topic-definition.ts'
import type { VirtualClock } from '../../../src/clock.ts'
import type { EmbeddedEngine } from '../../../src/engine/embedded-engine.ts'
import type { OffsetQuery } from '../../../src/engine/partition-calls.ts'
import type { GroupCalls } from '../../../src/engine/group-calls.ts'
import { WakeLoop } from '../../../src/engine/wake-loop.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { formatTopicId, threadId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import { ControlBlock, leaderEpochOf } from '../../../src/log/control-block.ts'
import { RETENTION_DEFAULT } from '../../../src/log/log-memory-layout.ts'
import type { MemoryLog } from '../../../src/log/memory-log.ts'
import { APPEND_NO_MEMORY } from '../../../src/log/partition-log.ts'
import { initialiseSlot } from '../../../src/log/partition-table.ts'
import type { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import { MetadataImage } from '../../../src/metadata/metadata-image.ts'
import type { PartitionImage, TopicImage } from '../../../src/metadata/metadata-image.ts'
import { nodeSegmentFiles } from '../../../src/storage/segment-files.ts'
import type { PartitionFiles } from '../../../src/storage/segment-files.ts'
import { findOffset } from '../../../src/partition/list-offsets.ts'
import type { FetchBound, ListedOffset } from '../../../src/partition/list-offsets.ts'
import { transactionMarkerBatch } from '../../../src/record/control-record.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { LogFixture, MIB } from '../../log/log-fixture.ts'
import { plainBatch } from '../../record/plain-batch.ts'
import type { PlainBatchFields } from '../../record/plain-batch.ts'

export type TextTopic = Topic<string | null, string>

const CONSUMER_THREAD = threadId(1)
const NO_TIME = 0

export class HandDrivenLog {
  readonly fixture: LogFixture
  /** Called when somebody begins to hear of changes of the cluster. */
  onListen: () => void = () => undefined
  /** Look-ups by time wait for the test to let them be answered. */
  holdsLookUps = false
  readonly #heldLookUps: { answer: () => void; fail: (error: Error) => void }[] = []
  readonly #bells = new Bells(Bells.allocate())
  readonly #parker = new ThreadParker(this.#bells, CONSUMER_THREAD)
  readonly #engine: EmbeddedEngine
  readonly #over = new Set<(error: MillraceError) => void>()
  readonly #logs = new Map<number, MemoryLog>()
  readonly #metadataListeners = new Set<(delta: MetadataDelta) => void>()
  /** By topic id. */
  readonly #topics = new Map<string, TopicImage>()
  readonly #random: Random
  #nextSlot = 1

  constructor(
    options: {
      brokers?: number
      logMemoryBytes?: number
      partitionFiles?: PartitionFiles
      groups?: Pick<GroupCalls, 'ask' | 'fenceCount' | 'fenceWord'>
      random?: Random
    } = {},
  ) {
    this.#random = options.random ?? seededRandom(1)
    this.fixture = new LogFixture({ brokers: options.brokers ?? 1, logMemoryBytes: options.logMemoryBytes ?? 16 * MIB })
    const engine: Partial<Record<keyof EmbeddedEngine, unknown>> = {
      threadId: CONSUMER_THREAD,
      bells: this.#bells,
      clock: this.clock,
      memory: this.fixture.memory,
      brokerConfig: {},
      partitionFiles: options.partitionFiles ?? { files: nodeSegmentFiles, directoryOf: () => undefined },
      wakeLoop: new WakeLoop(this.#parker),
      controlBlock: (slot: number) => new ControlBlock(this.fixture.memory, slot),
      listOffsets: (queries: readonly OffsetQuery[], bound: FetchBound, signal?: AbortSignal) => this.#listOffsets(queries, bound, signal),
      onMetadata: (listener: (delta: MetadataDelta) => void) => {
        this.onListen()
        this.#metadataListeners.add(listener)
        return () => this.#metadataListeners.delete(listener)
      },
      onOver: (listener: (error: MillraceError) => void) => {
        this.#over.add(listener)
        return () => this.#over.delete(listener)
      },
    }
    Object.defineProperty(engine, 'metadata', { get: () => this.image })
    Object.defineProperty(engine, 'groups', { value: options.groups })
    this.#engine = engine as unknown as EmbeddedEngine
  }

  /** The cluster as it is now. */
  get image(): MetadataImage {
    const topicKeys = new Map([...this.#topics].map(([key, { name }]) => [name, key]))
    return new MetadataImage(0, { ...MetadataImage.EMPTY.content, topicsById: this.#topics, topicKeys })
  }

  get clock(): VirtualClock {
    return this.fixture.clock
  }

  /** Whether something on the consumer's thread waits, and keeps the process alive. */
  get isWaiting(): boolean {
    return this.#parker.held
  }

  consumer(options?: ConsumerOptions): Consumer {
    return new Consumer(this.#engine, fillConsumerOptions(options), () => undefined, this.#random)
  }

  /** A topic of text, led by broker 0. */
  topic(partitions = 1, name = `topic-${this.#nextSlot}`): TextTopic {
    const topicId: TopicId = [0, 0, 0, this.#nextSlot]
    const image: TopicImage = { name, topicId, partitions: Array.from({ length: partitions }, (_, id) => this.#newPartition(topicId, id)) }
    this.#topics.set(formatTopicId(topicId), image)
    const definition = defineTopic(name, { key: nullable(string()), value: string(), partitions })
    const described = image.partitions.map(({ partitionId: partition, slot, leader, leaderEpoch }) => ({
      partition,
      slot,
      leader,
      leaderEpoch,
    }))
    const description = { name, topicId, config: {}, partitions: described }
    return new BoundTopic(definition as never, description, this.#engine, this) as unknown as TextTopic
  }

  /** The topic is given one more partition; who listens is told, unless the test says that it was told nobody. */
  addPartition(topic: TextTopic, tell = true): void {
    const previous = this.#topics.get(topic.topicId)!
    const partition = this.#newPartition(previous.topicId, previous.partitions.length)
    const next = { ...previous, partitions: [...previous.partitions, partition] }
    this.#topics.set(topic.topicId, next)
    if (tell) this.tellAgain(topic)
  }

  /** Tells who listens of the topic's last partition. */
  tellAgain(topic: TextTopic): void {
    const image = this.#topics.get(topic.topicId)!
    const difference = { topic: image, partition: image.partitions.at(-1), previous: undefined }
    const delta = { changedPartitions: () => [difference] } as unknown as MetadataDelta
    for (const listener of [...this.#metadataListeners]) listener(delta)
  }

  tell(delta: MetadataDelta): void {
    for (const listener of [...this.#metadataListeners]) listener(delta)
  }

  /** The cluster does not have it any more. */
  forget(topic: TextTopic): void {
    this.#topics.delete(topic.topicId)
  }

  /** How many hear of changes of the cluster. */
  get metadataListeners(): number {
    return this.#metadataListeners.size
  }

  log(topic: TextTopic, partition = 0): MemoryLog {
    return this.#logs.get(this.#slot(topic, partition))!
  }

  control(topic: TextTopic, partition = 0): ControlBlock {
    return new ControlBlock(this.fixture.memory, this.#slot(topic, partition))
  }

  /** One batch with these values, committed. */
  append(topic: TextTopic, values: readonly string[], partition = 0, timestamps: readonly number[] = []): void {
    this.appendBatch(topic, textBatch(values, timestamps), partition)
  }

  /** A batch of the test's own making, committed unless said. */
  appendBatch(topic: TextTopic, batch: Uint8Array, partition = 0, commit = true): void {
    const log = this.log(topic, partition)
    let offset = log.append(batch, 0, batch.length)
    // Memory that was given back rests for some turns of its broker, or is another broker's until that one is asked.
    for (let turn = 0; offset === APPEND_NO_MEMORY && turn < 100; turn++) {
      this.fixture.turns(1)
      offset = log.append(batch, 0, batch.length)
    }
    if (offset < 0) throw new Error(`append answered ${offset}`)
    if (commit) this.commit(topic, partition)
  }

  /** Publishes what was appended, and wakes who waits for it. */
  commit(topic: TextTopic, partition = 0): void {
    this.log(topic, partition).advance()
    this.control(topic, partition).ringWaiters(this.#bells)
  }

  /** The partition is deleted, and who reads it hears of it. */
  delete(topic: TextTopic, partition = 0): void {
    this.log(topic, partition).delete()
    this.control(topic, partition).ringWaiters(this.#bells)
  }

  /** The leader dies, and another broker adopts what it had published. */
  failOver(topic: TextTopic, partition = 0): void {
    const slot = this.#slot(topic, partition)
    const control = this.control(topic, partition)
    const dead = this.fixture.brokers[control.leaderBroker]!
    const heir = this.fixture.brokers[(dead.id + 1) % this.fixture.brokers.length]!
    const slots = [...dead.logs.keys()]
    const next = this.fixture.startBroker(dead.id)
    heir.allocator.adopt(dead.id, dead.epoch, (each) => slots.includes(each))
    for (const each of slots) {
      // The one that was asked about goes to the heir, the others to the dead broker's next incarnation.
      const leader = each === slot ? heir : next
      const word = new ControlBlock(this.fixture.memory, each).leaderWord()
      const log = leader.lead(each, leaderEpochOf(word) + 1)
      log.advance()
      this.#logs.set(each, log)
      new ControlBlock(this.fixture.memory, each).ringWaiters(this.#bells)
    }
  }

  /** Lets the look-ups that wait be answered. */
  async answerLookUps(): Promise<void> {
    for (const { answer } of this.#heldLookUps.splice(0)) answer()
    await settle()
  }

  failLookUps(error: Error): void {
    for (const { fail } of this.#heldLookUps.splice(0)) fail(error)
  }

  close(): void {
    this.#parker.close()
  }

  #newPartition(topicId: TopicId, partitionId: number): PartitionImage {
    const slot = this.#nextSlot++
    initialiseSlot(this.fixture.memory, slot, topicId, partitionId, RETENTION_DEFAULT)
    this.#logs.set(slot, this.fixture.brokers[0]!.lead(slot))
    return { partitionId, slot, leader: 0, leaderEpoch: 1, partitionEpoch: 0, replicas: [0], isr: [0] }
  }

  #slot(topic: TextTopic, partition: number): number {
    return this.#topics.get(topic.topicId)!.partitions[partition]!.slot
  }

  async #listOffsets(
    queries: readonly OffsetQuery[],
    bound: FetchBound,
    signal: AbortSignal | undefined,
  ): Promise<(ListedOffset | null)[]> {
    if (this.holdsLookUps) await new Promise<void>((answer, fail) => this.#heldLookUps.push({ answer, fail }))
    signal?.throwIfAborted()
    return queries.map(({ slot, spec }) => {
      const control = new ControlBlock(this.fixture.memory, slot)
      if (spec === 'earliest') return { offset: control.logStartOffset, timestampMs: -1, leaderEpoch: control.leaderEpoch }
      if (spec === 'latest') return { offset: control[bound], timestampMs: -1, leaderEpoch: control.leaderEpoch }
      return findOffset(this.#logs.get(slot)!, this.fixture.memory, spec, bound)
    })
  }
}

/** A batch of text. Compaction is told by `offsetDeltas` and `lastOffsetDelta`. */
export function textBatch(values: readonly string[], timestamps: readonly number[] = [], fields: PlainBatchFields = {}): Uint8Array {
  const records = values.map((value, i) => ({ timestamp: timestamps[i] ?? NO_TIME, key: null, value: utf8(value), headers: [] }))
  return plainBatch(records, fields)
}

/** The end of a transaction: one offset, and nothing for users. */
export function markerBatch(timestampMs = NO_TIME): Uint8Array {
  return transactionMarkerBatch({ type: 'COMMIT', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0 }, timestampMs)
}

/** What compaction leaves of a batch none of whose records is left. */
export function emptiedBatch(offsets: number): Uint8Array {
  return plainBatch([], { lastOffsetDelta: offsets - 1 })
}

/** Some turns of the event loop: whoever was rung has looked. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await nextTurn()
}

/** "partition:offset value" of each record of a batch. */
export function recordsOf(batch: ConsumerBatch<unknown, unknown>): string[] {
  return [...batch].map(({ partition, offset, value }) => `${partition}:${offset} ${String(value)}`)
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
