// Everything that is written to a data directory: which partition's turn it is, when what
// is written is synced, what is checkpointed (Kafka: LogManager, and the log's own thread
// pools). Runs on the I/O thread, in its duty cycle; pure of threads, so that tests run it.
//
//   leaders mark partitions ─▶ written, a few MiB each ─▶ synced where that is asked ─▶ leaders are told
//                                       └─▶ past SYNC_AHEAD_BYTES a directory: synced, checkpointed
//
// Holds: a turn is bounded; no partition waits for more than a turn of each other one;
// past the recovery points of a directory (durable-ends) lie at most SYNC_AHEAD_BYTES and a turn's
// writes, past its checkpoints and resume points twice that.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { equalTopicIds } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import { CLUSTER_METADATA_SLOT, METADATA_SNAPSHOT_SLOT } from '../metadata/metadata-records.ts'
import type { KnownProducers } from '../partition/producer-state.ts'
import { decodeProducerSnapshot } from '../storage/producer-snapshot.ts'
import type { LogDirectories } from './log-directories.ts'
import type { PartitionWriter } from './partition-writer.ts'

/** Bytes that are copied out of log memory at once: few enough to stay in a core's cache. */
const CHUNK_BYTES = 512 * 1024
/** What one partition may write in a turn. */
const PARTITION_BYTES_A_TURN = 4 * 1024 * 1024
const PARTITIONS_A_TURN = 256
/** No other partition begins to write in a turn behind so much. */
const BYTES_A_TURN = 4 * 1024 * 1024
const SYNC_AHEAD_BYTES = 24 * 1024 * 1024

export interface IoThreadOptions {
  readonly memory: LogMemory
  readonly directories: LogDirectories
  /** What the metadata log told when the directory was opened. */
  readonly image: MetadataImage
  readonly clock: Clock
  /** Wakes a broker. */
  readonly ringBroker: (brokerId: number) => void
  readonly retentionCheckIntervalMs: number
  /** What a directory may hold unsynced, and synced but not checkpointed, in bytes; 24 MiB when left out. */
  readonly syncAheadBytes?: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export class IoThread {
  readonly #memory: LogMemory
  readonly #options: IoThreadOptions
  readonly #directories: LogDirectories
  readonly #metadata: MetadataLoader
  readonly #target: ReadTarget = { bytes: new Uint8Array(CHUNK_BYTES), length: 0 }
  /** Slots whose writers have something to do. */
  readonly #wanted = new Set<number>()
  readonly #toSync: PartitionWriter[] = []
  /** Slots in which something is unsynced that is to be synced in a while. */
  readonly #toFlush = new Set<number>()
  #flushMs = Number.POSITIVE_INFINITY
  #retainMs: number

  constructor(options: IoThreadOptions) {
    this.#options = options
    this.#memory = options.memory
    this.#directories = options.directories
    this.#metadata = new MetadataLoader(options.memory, options.image)
    this.#retainMs = options.clock.monotonicMs() + options.retentionCheckIntervalMs
    // What an I/O thread before had written, and died before it told.
    for (const writer of this.#directories.writers()) this.#tell(writer)
  }

  /** Whether a turn would find something to do. */
  hasWork(): boolean {
    return this.#wanted.size > 0 || this.#memory.writeWanted.nextMarked(0, this.#memory.slotsHigh) >= 0
  }

  /** Milliseconds until a turn has something to do though nobody rings. */
  dueInMs(nowMs: number): number {
    return Math.max(0, Math.min(this.#retainMs - nowMs, this.#flushMs - nowMs, this.#directories.dueInMs(nowMs)))
  }

  /** One turn; 0 when there was nothing to do. */
  turn(): number {
    this.#takeMarks()
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs >= this.#flushMs) for (const slot of this.#toFlush) this.#wanted.add(slot)
    let work = this.#wanted.size
    let turns = PARTITIONS_A_TURN
    let bytes = 0
    for (const slot of this.#wanted) {
      if (turns-- === 0 || bytes >= BYTES_A_TURN) break
      // It goes to the back of the row, if it is not done.
      this.#wanted.delete(slot)
      const writer = this.#writerOf(slot)
      if (writer !== undefined) bytes += this.#serve(writer, nowMs)
    }
    this.#syncAwaited()
    this.#scheduleFlushes()
    work += this.#directories.syncAhead(this.#options.syncAheadBytes ?? SYNC_AHEAD_BYTES, (writer) => this.#report(writer))
    if (nowMs >= this.#retainMs) this.#retain(nowMs)
    this.#directories.tick(nowMs)
    return work
  }

  /** Who wrote what is in a partition's files; all that is published is in them then. Throws UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR. */
  knownProducers(slot: number, topicId: TopicId): KnownProducers {
    this.#takeMarks()
    const writer = this.#writerOf(slot)
    if (writer === undefined || !equalTopicIds(writer.control.topicId, topicId)) {
      throw new MillraceError('UNKNOWN_TOPIC_ID', `slot ${slot} has no files of that topic`)
    }
    const nowMs = this.#options.clock.monotonicMs()
    while (writer.isBehind && this.#serve(writer, nowMs) > 0);
    if (writer.failure !== undefined) throw writer.failure
    return { endOffset: writer.files.endOffset, producers: decodeProducerSnapshot(writer.files.path, writer.files.producerSnapshot()) }
  }

  /** Everything that is published is written and synced, and the directory is left as after a clean stop. */
  close(): void {
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
        this.#directories.delete(slot)
      }
    }
    const topics = delta.areBrokersReconfigured ? delta.image.topics : delta.reconfiguredTopics()
    if (delta.areBrokersReconfigured) this.#directories.setBrokerConfig(delta.image.brokerConfig())
    for (const topic of topics) {
      for (const { slot } of topic.partitions) this.#directories.reconfigure(slot, delta.image.topicConfig(topic.name))
    }
  }

  #writerOf(slot: number): PartitionWriter | undefined {
    return slot === METADATA_SNAPSHOT_SLOT ? undefined : this.#directories.writerOf(slot, this.#metadata.image)
  }

  /** The bytes that were written. */
  #serve(writer: PartitionWriter, nowMs: number): number {
    const bytes = writer.write(this.#target, PARTITION_BYTES_A_TURN, nowMs)
    this.#directories.wrote(writer, bytes)
    if (writer.mustFollowStart) this.#directories.followStart(writer, this.#metadata.image)
    if (writer.isBehind) this.#wanted.add(writer.slot)
    if (writer.mustSync(nowMs)) this.#toSync.push(writer)
    else if (bytes > 0) this.#tell(writer)
    if (writer.flushDueMs < Number.POSITIVE_INFINITY) this.#toFlush.add(writer.slot)
    this.#report(writer)
    return bytes
  }

  #scheduleFlushes(): void {
    this.#flushMs = Number.POSITIVE_INFINITY
    for (const slot of this.#toFlush) {
      const dueMs = this.#directories.held(slot)?.flushDueMs ?? Number.POSITIVE_INFINITY
      if (dueMs === Number.POSITIVE_INFINITY) this.#toFlush.delete(slot)
      else this.#flushMs = Math.min(this.#flushMs, dueMs)
    }
  }

  /** One sync of a partition for all batches of it that wait. */
  #syncAwaited(): void {
    for (const writer of this.#toSync) {
      this.#directories.sync(writer)
      this.#tell(writer)
      this.#report(writer)
    }
    this.#toSync.length = 0
  }

  #retain(nowMs: number): void {
    this.#retainMs = nowMs + this.#options.retentionCheckIntervalMs
    const wallMs = this.#options.clock.nowMs()
    for (const writer of this.#directories.writers()) {
      if (writer.slot !== CLUSTER_METADATA_SLOT && writer.retain(wallMs)) this.#tell(writer)
      this.#report(writer)
    }
  }

  /** Tells of files that have failed, once. */
  #report(writer: PartitionWriter): void {
    if (writer.failure === undefined || writer.isFailureTold) return
    writer.isFailureTold = true
    const remedy = 'it takes nothing more until millrace is opened again'
    this.#options.log('error', `the files of ${writer.files.path} failed: ${writer.failure.message}; ${remedy}`)
    this.#tell(writer)
  }

  /** Has the leader look at what is written. */
  #tell({ slot, control }: PartitionWriter): void {
    this.#memory.written.mark(slot)
    const leader = control.leaderBroker
    // Who leads it next looks without being told.
    if (leader < 0) return
    this.#memory.noteWritten(leader)
    this.#options.ringBroker(leader)
  }
}
