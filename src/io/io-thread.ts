// Everything that is written to a data directory: which partition's turn it is, when what
// is written is synced, what is checkpointed (Kafka: LogManager, and the log's own thread
// pools). Runs on the I/O thread, in its duty cycle; pure of threads, so that tests run it.
//
//   leaders mark partitions ─▶ written, a few MiB each ─▶ synced where that is asked ─▶ leaders are told
//                                       └─▶ past SYNC_AHEAD_BYTES a directory: synced, checkpointed
//
// Syncs go on beside the writes. Holds: a turn is bounded; no partition waits for more than a turn of each other one;
// past the recovery points of a directory (durable-ends) lie at most UNSYNCED_AHEADS times SYNC_AHEAD_BYTES and a turn's
// writes, past its checkpoints and resume points SYNC_AHEAD_BYTES more.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { equalTopicIds } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import { CLUSTER_METADATA_SLOT, METADATA_SNAPSHOT_SLOT } from '../metadata/metadata-records.ts'
import type { KnownProducers } from '../partition/producer-state.ts'
import { decodeProducerSnapshot } from '../storage/producer-snapshot.ts'
import type { LogDirectories } from './log-directories.ts'
import { DirectoryCleaner } from './directory-cleaner.ts'
import type { CleanerPool } from './directory-cleaner.ts'
import { tellLeader } from './leader-notice.ts'
import type { PartitionWriter } from './partition-writer.ts'
import { SyncQueue } from './sync-queue.ts'

/** What one partition may write in a turn. */
const PARTITION_BYTES_A_TURN = 4 * 1024 * 1024
const PARTITIONS_A_TURN = 256
/** No other partition begins to write in a turn behind so much. */
const BYTES_A_TURN = 4 * 1024 * 1024
/** What a directory holds unsynced before it is synced for its own sake, and synced before that is checkpointed. */
const SYNC_AHEAD_BYTES = 16 * 1024 * 1024
/** How many times that it holds unsynced before it takes nothing more. */
const UNSYNCED_AHEADS = 2

export interface IoThreadOptions {
  readonly memory: LogMemory
  readonly directories: LogDirectories
  /** What the metadata log told when the directory was opened. */
  readonly image: MetadataImage
  readonly clock: Clock
  /** Wakes a broker. */
  readonly ringBroker: (brokerId: number) => void
  /** A sync, or a compaction on its thread, has ended, between two turns: there may be work. */
  readonly wake: () => void
  readonly retentionCheckIntervalMs: number
  /** What a directory may hold unsynced, and synced but not checkpointed, in bytes; 16 MiB when left out. */
  readonly syncAheadBytes?: number
  /** Threads for compaction; asked when there is something to compact. */
  readonly cleanerPool: (threads: number) => CleanerPool
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export class IoThread {
  readonly #memory: LogMemory
  readonly #options: IoThreadOptions
  readonly #directories: LogDirectories
  readonly #metadata: MetadataLoader
  readonly #cleaner: DirectoryCleaner
  /** Slots whose writers have something to do. */
  readonly #wanted = new Set<number>()
  readonly #syncs: SyncQueue
  readonly #syncAheadBytes: number
  #isClosing = false
  /** Slots in which something is unsynced that is to be synced in a while. */
  readonly #toFlush = new Set<number>()
  #flushMs = Number.POSITIVE_INFINITY
  #retainMs: number

  constructor(options: IoThreadOptions) {
    this.#options = options
    this.#memory = options.memory
    this.#directories = options.directories
    this.#metadata = new MetadataLoader(options.memory, options.image)
    this.#syncs = new SyncQueue(
      (writer, onEnd) => this.#directories.startSync(writer, onEnd),
      (writer) => this.#syncEnded(writer),
    )
    this.#syncAheadBytes = options.syncAheadBytes ?? SYNC_AHEAD_BYTES
    this.#retainMs = options.clock.monotonicMs() + options.retentionCheckIntervalMs
    const { directories, clock, cleanerPool, wake, log } = options
    const onChanged = (writer: PartitionWriter): void => this.#changed(writer)
    const onSyncWanted = (writer: PartitionWriter): void => {
      this.#syncs.add(writer)
      this.#syncs.pump()
    }
    this.#cleaner = new DirectoryCleaner({ directories, clock, cleanerPool, onResult: wake, onChanged, onSyncWanted, log })
    for (const writer of this.#directories.writers()) {
      this.#cleaner.follow(writer)
      // What an I/O thread before had written, and died before it told.
      this.#tell(writer.control)
    }
  }

  /** Whether a turn would find something to do. */
  hasWork(): boolean {
    if (this.#isHeldBack) return false
    return this.#wanted.size > 0 || this.#memory.writeWanted.nextMarked(0, this.#memory.slotsHigh) >= 0
  }

  /** Milliseconds until a turn has something to do though nobody rings. */
  dueInMs(nowMs: number): number {
    return Math.max(0, Math.min(this.#retainMs - nowMs, this.#flushMs - nowMs, this.#directories.dueInMs(nowMs), this.#cleaner.dueInMs()))
  }

  /** One turn; 0 when there was nothing to do. */
  turn(): number {
    this.#takeMarks()
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs >= this.#flushMs) for (const slot of this.#toFlush) this.#wanted.add(slot)
    let work = 0
    let bytes = 0
    for (const slot of this.#wanted) {
      if (work === PARTITIONS_A_TURN || bytes >= BYTES_A_TURN || this.#isHeldBack) break
      work++
      // It goes to the back of the row, if it is not done.
      this.#wanted.delete(slot)
      const writer = this.#writerOf(slot)
      if (writer !== undefined) bytes += this.#serve(writer, nowMs)
    }
    for (const writer of this.#directories.takeAhead(this.#syncAheadBytes)) this.#syncs.add(writer)
    this.#syncs.pump()
    this.#directories.checkpointSynced(this.#syncAheadBytes)
    this.#scheduleFlushes()
    if (nowMs >= this.#retainMs) this.#retain(nowMs)
    this.#directories.tick(nowMs)
    return work + this.#cleaner.tick()
  }

  /** Who wrote what is in a partition's files; all that is published is in them then. Throws UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR. */
  knownProducers(slot: number, topicId: TopicId): KnownProducers {
    this.#takeMarks()
    const writer = this.#writerOf(slot)
    if (writer === undefined || !equalTopicIds(writer.control.topicId, topicId)) {
      throw new MillraceError('UNKNOWN_TOPIC_ID', `slot ${slot} has no files of that topic`)
    }
    const nowMs = this.#options.clock.monotonicMs()
    // Not held back: what is not in the files yet is bounded by log memory.
    while (writer.isBehind && this.#serve(writer, nowMs) > 0);
    if (writer.failure !== undefined) throw writer.failure
    return { endOffset: writer.files.endOffset, producers: decodeProducerSnapshot(writer.files.path, writer.files.producerSnapshot()) }
  }

  /** Nothing is compacted any more, and no other thread is in the directory; to be awaited before `close`. Never rejects. */
  stopCleaning(): Promise<void> {
    return this.#cleaner.stop()
  }

  /** When no compaction runs; a turn puts in place what they made. */
  cleaningIdle(): Promise<void> {
    return this.#cleaner.idle()
  }

  /** Everything that is published is written and synced, and the directory is left as after a clean stop. */
  close(): void {
    this.#isClosing = true
    this.#syncs.clear()
    do this.#takeMarks()
    while (this.turn() > 0)
    this.#directories.closeClean()
  }

  /** The marks first, then the metadata: a leader marks what it leads by committed records. */
  #takeMarks(): void {
    const { writeWanted, slotsHigh } = this.#memory
    for (let slot = writeWanted.nextMarked(0, slotsHigh); slot >= 0; slot = writeWanted.nextMarked(slot + 1, slotsHigh)) {
      if (writeWanted.take(slot)) this.#wanted.add(slot)
    }
    const delta = this.#metadata.load()
    if (delta !== undefined) this.#follow(delta)
  }

  #follow(delta: MetadataDelta): void {
    for (const { partitions } of delta.deletedTopics()) {
      for (const { slot } of partitions) {
        this.#wanted.delete(slot)
        const writer = this.#directories.held(slot)
        if (writer !== undefined) this.#syncs.remove(writer)
        this.#cleaner.remove(slot)
        this.#directories.delete(slot)
      }
    }
    const topics = delta.areBrokersReconfigured ? delta.image.topics : delta.reconfiguredTopics()
    if (delta.areBrokersReconfigured) this.#directories.setBrokerConfig(delta.image.brokerConfig())
    for (const topic of topics) {
      for (const { slot } of topic.partitions) {
        this.#directories.reconfigure(slot, delta.image.topicConfig(topic.name))
        const writer = this.#directories.held(slot)
        if (writer !== undefined) this.#cleaner.follow(writer)
      }
    }
  }

  #writerOf(slot: number): PartitionWriter | undefined {
    if (slot === METADATA_SNAPSHOT_SLOT) return undefined
    const held = this.#directories.held(slot)
    if (held !== undefined) return held
    const control = new ControlBlock(this.#memory, slot)
    const made = this.#directories.make(control, this.#metadata.image)
    if (made !== undefined) this.#cleaner.follow(made)
    else if (control.haveFilesFailed) this.#tell(control)
    return made
  }

  /** A directory waits for its syncs before it takes more. */
  get #isHeldBack(): boolean {
    return !this.#isClosing && this.#directories.isUnsyncedAbove(UNSYNCED_AHEADS * this.#syncAheadBytes)
  }

  /** The bytes that were written. */
  #serve(writer: PartitionWriter, nowMs: number): number {
    const bytes = writer.write(PARTITION_BYTES_A_TURN, nowMs)
    this.#directories.wrote(writer, bytes)
    if (writer.mustFollowStart) this.#directories.followStart(writer, this.#metadata.image)
    if (bytes > 0) this.#cleaner.consider(writer)
    if (writer.isBehind) this.#wanted.add(writer.slot)
    if (writer.mustSync(nowMs)) this.#sync(writer)
    if (bytes > 0 && !writer.isAwaitedSynced) this.#tell(writer.control)
    if (writer.flushDueMs < Number.POSITIVE_INFINITY) this.#toFlush.add(writer.slot)
    this.#report(writer)
    return bytes
  }

  #sync(writer: PartitionWriter): void {
    // The last syncs are waited for: nobody comes back to hear of their ends.
    if (!this.#isClosing) this.#syncs.add(writer)
    else {
      this.#directories.sync(writer)
      this.#tell(writer.control)
    }
  }

  #syncEnded(writer: PartitionWriter): void {
    if (this.#isClosing || this.#directories.held(writer.slot) !== writer) return
    this.#changed(writer)
    // What was written meanwhile may wait for the next one.
    this.#wanted.add(writer.slot)
    this.#options.wake()
  }

  #scheduleFlushes(): void {
    this.#flushMs = Number.POSITIVE_INFINITY
    for (const slot of this.#toFlush) {
      const dueMs = this.#directories.held(slot)?.flushDueMs ?? Number.POSITIVE_INFINITY
      if (dueMs === Number.POSITIVE_INFINITY) this.#toFlush.delete(slot)
      else this.#flushMs = Math.min(this.#flushMs, dueMs)
    }
  }

  #retain(nowMs: number): void {
    this.#retainMs = nowMs + this.#options.retentionCheckIntervalMs
    const wallMs = this.#options.clock.nowMs()
    for (const writer of this.#directories.writers()) {
      if (writer.slot !== CLUSTER_METADATA_SLOT && writer.retain(wallMs)) this.#tell(writer.control)
      this.#report(writer)
    }
  }

  /** Something was synced, or put in place by compaction, or has failed. */
  #changed(writer: PartitionWriter): void {
    this.#tell(writer.control)
    this.#report(writer)
  }

  /** Tells of files that have failed, once. */
  #report(writer: PartitionWriter): void {
    if (writer.failure === undefined || writer.isFailureTold) return
    writer.isFailureTold = true
    this.#cleaner.remove(writer.slot)
    const remedy = 'it takes nothing more until millrace is opened again'
    this.#options.log('error', `the files of ${writer.files.path} failed: ${writer.failure.message}; ${remedy}`)
    this.#tell(writer.control)
  }

  /** Has the leader look at what is written. */
  #tell(control: ControlBlock): void {
    tellLeader(this.#memory, control, this.#options.ringBroker)
  }
}
