// The partitions that one broker leads, and the log memory it gives them.
// Runs on the broker's thread, in its duty cycle.
// Holds: a partition is led only after its leader word was taken by compare-and-exchange;
// every refusal is answered, none in silence.

import type { Bells } from '../bells.ts'
import type { Clock } from '../clock.ts'
import { BROKER_CONFIG } from '../config/broker-config-table.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { TRANSACTION_SETTINGS } from '../config/broker-transaction-settings.ts'
import { configFromCheckedText } from '../config/config-text.ts'
import { KAFKA_ERRORS } from '../errors.ts'
import { equalTopicIds, partitionIndex, slot as slotOf } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { FrameFields } from '../lane/lane-layout.ts'
import type { LaneReader } from '../lane/lane-reader.ts'
import { killPoint } from '../kill-points.ts'
import { ControlBlock, NO_LEADER_WORD, leaderBrokerOf, leaderEpochOf } from '../log/control-block.ts'
import { ExtentAllocator } from '../log/extent-allocator.ts'
import { logConfigOf, retentionKindOf } from '../log/log-config.ts'
import type { ConfigText, LogConfig } from '../log/log-config.ts'
import { LogManager } from '../log/log-manager.ts'
import { LogMemory } from '../log/log-memory.ts'
import { DURABILITY_MEMORY } from '../log/log-memory-layout.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { MemoryRetention } from '../log/memory-retention.ts'
import { initialiseSlot } from '../log/partition-table.ts'
import type { ConfigImage, PartitionImage, TopicImage } from '../metadata/metadata-image.ts'
import { CLUSTER_METADATA_SLOT } from '../metadata/metadata-records.ts'
import { refuseBatch } from '../partition/batch-answer.ts'
import { PARKED_BYTES_MAX } from '../partition/parked-batches.ts'
import { PartitionActor } from '../partition/partition-actor.ts'
import type { KnownProducers } from '../partition/producer-state.ts'
import type { LogFiles, PartitionsInit } from './log-files.ts'
import { LeftLogs } from './left-logs.ts'
import { MetadataLead } from './metadata-lead.ts'
import { TurnTime } from '../partition/turn-time.ts'
import type { BrokerTable } from './broker-table.ts'

/** A partition that this broker is to lead, and under which epoch. */
export interface LeadAssignment {
  readonly topic: string
  readonly topicId: TopicId
  readonly partitionId: number
  readonly slot: number
  readonly leaderEpoch: number
  readonly config: ConfigImage
}

const NOBODY: KnownProducers = { endOffset: 0, producers: [] }

interface LedPartition {
  readonly actor: PartitionActor
  readonly control: ControlBlock
  /** What the topic's configs mean to the leader of its partitions. */
  config: LogConfig
}

/** How soon parked batches are tried again: about as long as freed log memory rests. */
const RETRY_PARKED_MS = 1
/** Below what a partition parks at the most by far more than a turn takes off the lanes. */
const HOLD_UP_BYTES = PARKED_BYTES_MAX / 4

export class BrokerPartitions {
  readonly #brokerId: number
  /** What the broker was started with, and what was altered since. */
  readonly #startConfig: Readonly<Partial<BrokerConfig>>
  #config: Readonly<Partial<BrokerConfig>>
  readonly #bells: Bells
  readonly #clock: Clock
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  readonly #retention: MemoryRetention
  readonly #logs: LogManager
  readonly #time: TurnTime
  /** The metadata log, when this broker leads it. */
  readonly metadata: MetadataLead
  /** What dead brokers and deleted topics left. */
  readonly left: LeftLogs
  /** By slot. */
  readonly #led: (LedPartition | undefined)[] = []
  readonly #files: LogFiles | undefined
  /** Something was appended that is to be written to files, and the thread that does it was not rung yet. */
  #isWriteWanted = false
  readonly #dirty: LedPartition[] = []
  readonly #unannounced: LedPartition[] = []
  #parked: LedPartition[] = []

  /** Without `files` logs are in memory only. */
  constructor(init: PartitionsInit, bells: Bells, table: BrokerTable, clock: Clock, files?: LogFiles) {
    this.#files = files
    this.#brokerId = init.brokerId
    this.#startConfig = init.config
    this.#config = init.config
    this.#bells = bells
    this.#clock = clock
    this.#memory = new LogMemory(init.memory.log)
    const ringBroker = (brokerId: number): void => table.ring(bells, brokerId)
    const { brokerId, incarnation: brokerEpoch } = init
    this.#allocator = new ExtentAllocator({ memory: this.#memory, brokerId, brokerEpoch, clock, ringBroker })
    this.#retention = new MemoryRetention({ memory: this.#memory, allocator: this.#allocator })
    this.#logs = new LogManager({ memory: this.#memory, allocator: this.#allocator, clock })
    this.#time = new TurnTime(clock)
    this.left = new LeftLogs(brokerId, this.#memory, this.#allocator, bells)
    this.metadata = new MetadataLead({
      brokerId,
      memory: this.#memory,
      allocator: this.#allocator,
      bells,
      bytesBetweenSnapshots: init.metadataLogMaxRecordBytesBetweenSnapshots,
      ringIo: () => this.#ringIo(),
    })
  }

  get memory(): LogMemory {
    return this.#memory
  }

  /** Partitions with batches that wait for memory. */
  get parkedCount(): number {
    return this.#parked.length
  }

  /**
   * Whether so much waits for log memory that no more is to be taken off the lanes: memory
   * comes within milliseconds, and until then producers are to wait, not to be refused.
   */
  get isHeldUp(): boolean {
    for (let i = 0; i < this.#parked.length; i++) if (this.#parked[i]!.actor.parkedBytes >= HOLD_UP_BYTES) return true
    return false
  }

  get hasAttention(): boolean {
    return this.#allocator.hasAttention || this.#memory.hasWritten(this.#brokerId)
  }

  // --- the duty cycle -----------------------------------------------------------

  onBatch(lane: LaneReader, frame: FrameFields, bytes: Uint8Array, start: number, end: number): void {
    const led = this.#led[frame.slot]
    if (led === undefined) return refuseBatch(lane, frame.batchId, frame.acks, KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER)
    const { actor } = led
    const wasDirty = actor.dirty
    const wasParked = actor.parkedCount
    actor.onBatch(lane, frame, bytes, start, end)
    if (actor.dirty && !wasDirty) this.#dirty.push(led)
    if (actor.parkedCount > 0 && wasParked === 0) this.#parked.push(led)
  }

  /** Tries parked batches again; the number of partitions where something moved. */
  retryParked(): number {
    const nowMs = this.#clock.monotonicMs()
    let moved = 0
    for (const led of this.#parked) {
      const wasDirty = led.actor.dirty
      if (led.actor.retryParked(nowMs)) moved++
      if (led.actor.dirty && !wasDirty) this.#dirty.push(led)
    }
    this.#parked = this.#parked.filter((led) => led.actor.parkedCount > 0)
    return moved
  }

  /** Publishes what this turn appended; the number of partitions. */
  advance(): number {
    const count = this.#dirty.length
    for (let i = 0; i < count; i++) {
      const led = this.#dirty[i]!
      led.actor.advance()
      this.#announceLater(led)
      if (led.actor.log.hasFiles) this.#isWriteWanted = true
      else if (led.config.retentionBytes >= 0) trimToSize(led)
    }
    this.#dirty.length = 0
    this.#time.turnEnded()
    return count
  }

  /** Watermarks and acks follow what was written to files; the number of partitions. */
  followFiles(): number {
    const memory = this.#memory
    if (!memory.hasWritten(this.#brokerId)) return 0
    memory.takeWritten(this.#brokerId)
    let moved = 0
    for (
      let slot = memory.written.nextMarked(0, memory.slotsHigh);
      slot >= 0;
      slot = memory.written.nextMarked(slot + 1, memory.slotsHigh)
    ) {
      const led = this.#led[slot]
      if (led === undefined) {
        // Whoever comes by for a log of its own leaves the mark to the one that it is for.
        if (slot === CLUSTER_METADATA_SLOT && this.metadata.isHeld && memory.written.take(slot)) this.metadata.filesMoved()
        continue
      }
      // The bit goes first: what is written meanwhile is looked at again.
      memory.written.take(slot)
      led.actor.filesMoved()
      // Retention may have moved the log start: the files follow.
      if (memory.writeWanted.isMarked(slot)) this.#isWriteWanted = true
      this.#announceLater(led)
      moved++
    }
    return moved
  }

  #announceLater(led: LedPartition): void {
    if (!led.actor.isAnnounced) return
    led.actor.isAnnounced = false
    this.#unannounced.push(led)
  }

  #ringIo(): void {
    this.#isWriteWanted = false
    const thread = this.#memory.ioThread
    if (thread !== undefined) this.#bells.ring(thread)
  }

  /** Wakes the readers of what was published since the last call, and who writes it to files. */
  announce(): void {
    if (this.#isWriteWanted) this.#ringIo()
    for (let i = 0; i < this.#unannounced.length; i++) this.#unannounced[i]!.actor.announce(this.#bells)
    this.#unannounced.length = 0
  }

  /** Log memory's share of a turn; the work that is left for the next one. */
  keepMemory(isIdle: boolean): number {
    this.#allocator.tick()
    const trimmed = this.#retention.tick() + this.#logs.tick(this.#allocator.nowMs, isIdle)
    return trimmed > 0 || (isIdle && this.#allocator.touchAhead()) ? 1 : 0
  }

  /** Milliseconds until log memory has something to do though nobody rings. */
  dueInMs(): number {
    const nowMs = this.#clock.monotonicMs()
    const dueMs = Math.min(this.#allocator.dueInMs(nowMs), this.#logs.dueInMs(nowMs))
    return this.#parked.length > 0 ? Math.min(RETRY_PARKED_MS, dueMs) : dueMs
  }

  /** Partitions forget producers that have written nothing for so long. */
  expireProducers(): void {
    const nowMs = this.#clock.monotonicMs()
    const expirationMs = this.#config['producer.id.expiration.ms'] ?? TRANSACTION_SETTINGS['producer.id.expiration.ms'].default
    for (const led of this.#led) led?.actor.expireProducers(nowMs, expirationMs)
  }

  /** Something of a partition is to go from its files, or into them. */
  writeWanted(slot: number): void {
    if (this.#memory.writeWanted.isMarked(slot)) this.#ringIo()
  }

  // --- leading --------------------------------------------------------------------

  /** Makes the control block of a new partition; does nothing when it is there. */
  initialise({ name, topicId }: TopicImage, { slot, partitionId }: PartitionImage, config: ConfigImage): void {
    const logConfig = this.#logConfigOf(config)
    initialiseSlot(this.#memory, slot, topicId, partitionId, retentionKindOf(name, logConfig), logConfig.durability)
  }

  /** Without a data directory everything is in memory only. */
  #logConfigOf(text: ConfigText): LogConfig {
    const config = logConfigOf(text, this.#config)
    return this.#files === undefined && config.durability !== DURABILITY_MEMORY ? { ...config, durability: DURABILITY_MEMORY } : config
  }

  /**
   * Leads the partition from now on; false while its leader word names a broker that is not gone: that one
   * is still to let go. One that another leads by now, under a later epoch, counts as done.
   */
  lead(assignment: LeadAssignment, isGone: (brokerId: number) => boolean): boolean {
    const { slot, topic, topicId, partitionId, leaderEpoch } = assignment
    const control = new ControlBlock(this.#memory, slot)
    // It may be this broker that leads it, under the epoch before.
    if (this.#led[slot] !== undefined && control.leaderEpoch < leaderEpoch) this.handOver(slot)
    const word = control.leaderWord()
    if (word !== NO_LEADER_WORD && leaderEpochOf(word) >= leaderEpoch) return true
    if (!isGone(leaderBrokerOf(word))) return false
    // Who wrote what is not in memory any more only the files know.
    const memoryStart = control.hasFiles ? control.memoryStartOffset : 0
    // What lies below the log start may still be in memory, and goes when the log is opened: the leader before died while it trimmed.
    const behind = Math.max(memoryStart, control.logStartOffset)
    const known = memoryStart > 0 ? this.#files?.knownProducers(slot, topicId, behind) : NOBODY
    if (known === undefined || !control.tryLead(word, this.#brokerId, leaderEpoch)) return false
    killPoint('broker.lead.taken')
    const identity = { slot: slotOf(slot), topic, topicId, partition: partitionIndex(partitionId), leaderEpoch }
    const config = this.#logConfigOf(assignment.config)
    const log = MemoryLog.open(control, this.#memory, this.#allocator, leaderEpoch, config)
    const actor = new PartitionActor(identity, control, log, this.#time, known)
    this.#led[slot] = { actor, control, config }
    this.#retention.register(log)
    // One in files is compacted there. Were a tombstone to go from memory first, an older value in the files would count again.
    if (!log.hasFiles) this.#logs.register(log)
    // The leader before may have died between publishing an end and moving the watermark.
    actor.advance()
    if (log.hasFiles) {
      actor.filesMoved()
      this.#ringIo()
    }
    // Producers wait here for a leader, readers for the watermark.
    control.ringWaiters(this.#bells)
    return true
  }

  /** Another broker is to lead: publishes and answers what there is, lets go of the leader word, and wakes who waits for that. */
  handOver(slot: number): void {
    const led = this.#led[slot]
    if (led === undefined) return
    this.advance()
    killPoint('broker.handover.published')
    led.actor.resign()
    this.#forget(slot)
    led.actor.log.close()
    led.control.tryResign(led.control.leaderWord())
    killPoint('broker.handover.resigned')
    led.control.ringWaiters(this.#bells)
  }

  /** The topic is deleted: frees the log, if this broker leads it. */
  delete(slot: number, topicId: TopicId): void {
    const led = this.#led[slot]
    if (led === undefined || !equalTopicIds(led.actor.identity.topicId, topicId)) return
    this.advance()
    led.actor.resign(KAFKA_ERRORS.UNKNOWN_TOPIC_ID)
    this.#forget(slot)
    killPoint('broker.delete.answered')
    led.actor.log.delete()
    killPoint('broker.delete.freed')
    led.control.tryResign(led.control.leaderWord())
    // Readers and producers that wait find the topic gone.
    led.control.ringWaiters(this.#bells)
  }

  /** The broker's configs that were altered are these from now on. What its logs inherit of them, `reconfigure` applies. */
  setConfig(altered: ConfigText): void {
    this.#config = { ...this.#startConfig, ...configFromCheckedText(BROKER_CONFIG, altered) }
  }

  leads(slot: number): boolean {
    return this.#led[slot] !== undefined
  }

  /** The leader of a partition that this broker leads. */
  actorOf(slot: number): PartitionActor | undefined {
    return this.#led[slot]?.actor
  }

  /** Appends a batch of this broker's own to a partition that it leads: its base offset, or an APPEND_ code. A turn publishes it. */
  append(slot: number, batch: Uint8Array): number {
    const led = this.#led[slot]!
    const wasDirty = led.actor.dirty
    const baseOffset = led.actor.append(batch)
    if (led.actor.dirty && !wasDirty) this.#dirty.push(led)
    return baseOffset
  }

  /** The topic's configs are these from now on; does nothing where this broker does not lead the partition. */
  reconfigure(slot: number, text: ConfigText): void {
    const led = this.#led[slot]
    if (led === undefined) return
    led.config = this.#logConfigOf(text)
    led.actor.log.reconfigure(led.config)
    // A log without files gets none while it lives, and one with files keeps them.
    if (led.control.hasFiles && led.config.durability !== DURABILITY_MEMORY) led.control.setDurability(led.config.durability)
    if (led.actor.log.hasFiles) return led.actor.filesMoved()
    led.control.setRetentionKind(retentionKindOf(led.actor.identity.topic, led.config))
    if (led.config.retentionBytes >= 0) trimToSize(led)
    this.#logs.reconfigured(slot)
  }

  /** This broker stops: those who wait for it are told. */
  resign(): void {
    for (const led of this.#led) {
      led?.actor.resign()
      led?.actor.log.close()
      if (led !== undefined) this.#forget(led.actor.log.slot)
    }
  }

  #forget(slot: number): void {
    this.#led[slot] = undefined
    this.#parked = this.#parked.filter(({ actor }) => actor.log.slot !== slot)
    this.#retention.unregister(slot)
    this.#logs.unregister(slot)
  }
}

function trimToSize({ actor, config }: LedPartition): void {
  if (config.isDeleted) actor.log.trimToBytes(config.retentionBytes)
}
