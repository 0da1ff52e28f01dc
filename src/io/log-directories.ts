// The log directories of a process and the writers of the partitions in them: which one
// has a partition's files, what is synced ahead, checkpointed, and left at the end (Kafka:
// LogManager, LogDirectory). Runs on the I/O thread.
// Holds: a partition's files stay in the directory in which they were made, whoever leads
// it. A recovery point is checkpointed only after the sync that it tells of.

import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { BROKER_CONFIG } from '../config/broker-config-table.ts'
import { configFromCheckedText } from '../config/config-text.ts'
import { effectiveTopicValue } from '../config/effective-topic-config.ts'
import { TOPIC_CONFIG } from '../config/topic-config-table.ts'
import type { Clock } from '../clock.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { CLUSTER_METADATA_SLOT } from '../metadata/metadata-records.ts'
import type { ConfigImage, MetadataImage } from '../metadata/metadata-image.ts'
import type { Random } from '../random.ts'
import type { PartitionOffset } from '../storage/offset-checkpoint.ts'
import { markedPartition } from '../storage/broker-directory.ts'
import type { BrokerDirectory } from '../storage/broker-directory.ts'
import { compactionConfigOf } from '../storage/cleanable-segments.ts'
import type { CompactionConfig } from '../storage/cleanable-segments.ts'
import type { DataDirectory, PartitionName } from '../storage/data-directory.ts'
import type { PartitionFiles } from '../storage/partition-files.ts'
import { partitionFilesConfigOf } from '../storage/partition-files-config.ts'
import type { PartitionFilesConfig } from '../storage/partition-files-config.ts'
import type { ResumePoint } from '../storage/resume-point.ts'
import { writeMetadataCheckpoint } from './metadata-checkpoint.ts'
import { METADATA_CONFIG, METADATA_PARTITION, createPartitionFiles } from './partition-creation.ts'
import { PartitionWriter } from './partition-writer.ts'
import type { FlushPolicy } from './partition-writer.ts'

export interface LogDirectoriesOptions {
  readonly memory: LogMemory
  readonly disk: Disk
  readonly directory: DataDirectory
  readonly clock: Clock
  readonly random: Random
  /** Of all brokers. */
  readonly config: Readonly<Partial<BrokerConfig>>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** A partition, and what its topic says of its files. */
interface Held {
  readonly writer: PartitionWriter
  readonly name: PartitionName
  readonly home: Home
  config: PartitionFilesConfig
  /** Its next sync makes a resume point: there was none to be made when its directory was checkpointed. */
  wantsResumePoint: boolean
  compaction: CompactionConfig
}

/** One log directory, and how far it is synced. */
interface Home {
  readonly broker: BrokerDirectory
  unsyncedBytes: number
  /** What waits to be synced for the directory's sake. */
  readonly ahead: Set<PartitionWriter>
  /** Synced since the last checkpoint. */
  uncheckpointedBytes: number
}

export class LogDirectories {
  readonly #options: LogDirectoriesOptions
  readonly #homes: readonly Home[]
  readonly #held = new Map<number, Held>()
  readonly #unclean = new Set<BrokerDirectory>()
  /** What was altered of the brokers' configs since. */
  #config: Readonly<Partial<BrokerConfig>>
  /** Directories of deleted partitions, and when they may go, on the monotonic clock. */
  #deleted: { readonly path: string; readonly dueMs: number }[] = []

  constructor(options: LogDirectoriesOptions) {
    this.#options = options
    this.#config = options.config
    this.#homes = options.directory.brokers.map((broker) => ({ broker, unsyncedBytes: 0, ahead: new Set(), uncheckpointedBytes: 0 }))
    for (const { broker } of this.#homes) for (const path of broker.deleted) this.#deleted.push({ path, dueMs: 0 })
  }

  /** The configs of a topic as its files see them. */
  filesConfig(config: ConfigImage): PartitionFilesConfig {
    return partitionFilesConfigOf(config, this.#config)
  }

  #flushPolicyOf(text: ConfigImage): FlushPolicy {
    const topic = configFromCheckedText(TOPIC_CONFIG, text)
    return {
      messages: effectiveTopicValue('flush.messages', topic, this.#config),
      ms: effectiveTopicValue('flush.ms', topic, this.#config),
    }
  }

  setBrokerConfig(altered: ConfigImage): void {
    this.#config = { ...this.#options.config, ...configFromCheckedText(BROKER_CONFIG, altered) }
  }

  /** Of all brokers, as they are now. */
  get brokerConfig(): Readonly<Partial<BrokerConfig>> {
    return this.#config
  }

  reconfigure(slot: number, config: ConfigImage): void {
    const held = this.#held.get(slot)
    if (held === undefined) return
    held.config = this.filesConfig(config)
    held.compaction = compactionConfigOf(config, this.#config)
    held.writer.files.setConfig(held.config)
    held.writer.flush = this.#flushPolicyOf(config)
  }

  nameOf({ slot }: PartitionWriter): PartitionName {
    return this.#held.get(slot)!.name
  }

  compactionOf({ slot }: PartitionWriter): CompactionConfig {
    return this.#held.get(slot)!.compaction
  }

  /** All below was compacted, as it is written down; undefined: nothing ever was. */
  cleanedOffset({ slot }: PartitionWriter): number | undefined {
    const { home, name } = this.#held.get(slot)!
    return home.broker.checkpoints.of(name.topic, name.partition).cleanerOffsets[0]?.offset
  }

  /**
   * Writes down how far a partition is compacted, and how far it is synced: holes lie below both of these. Throws
   * KAFKA_STORAGE_ERROR.
   */
  checkpointCleaned({ slot, files }: PartitionWriter, offset: number): void {
    const { home, name } = this.#held.get(slot)!
    const { topic, partition } = name
    const { durableEnds } = home.broker
    durableEnds.mark(durableEnds.placeOf(markedPartition(name)), files.syncedEndOffset)
    const others = home.broker.checkpoints.current.cleanerOffsets.filter((each) => each.topic !== topic || each.partition !== partition)
    this.#options.directory.checkpoint(home.broker.nodeId, { cleanerOffsets: [...others, { topic, partition, offset }] })
  }

  /** Who writes the partition of a slot, if it has been written. */
  held(slot: number): PartitionWriter | undefined {
    return this.#held.get(slot)?.writer
  }

  *writers(): Generator<PartitionWriter> {
    for (const { writer } of this.#held.values()) yield writer
  }

  /** The partition has these files, in the log directory of the node. */
  hold(control: ControlBlock, files: PartitionFiles, name: PartitionName, broker: BrokerDirectory, text: ConfigImage): PartitionWriter {
    const config = this.filesConfig(text)
    const home = this.#homes.find((each) => each.broker === broker)!
    const writer = new PartitionWriter(this.#options.memory, control, files, this.#flushPolicyOf(text))
    const compaction = compactionConfigOf(text, this.#config)
    this.#held.set(control.slot, { writer, name, home, config, compaction, wantsResumePoint: false })
    control.setHome(broker.nodeId)
    return writer
  }

  /** The topic is deleted. */
  delete(slot: number): void {
    const held = this.#held.get(slot)
    if (held === undefined) return
    const { writer, name, home } = held
    this.#held.delete(slot)
    home.broker.resumePoints.drop(markedPartition(name))
    home.unsyncedBytes -= Math.min(home.unsyncedBytes, writer.files.synced.unsyncedBytes)
    home.ahead.delete(writer)
    try {
      if (writer.failure === undefined) writer.files.closeFiles()
      const path = this.#options.directory.removePartitionDirectory(home.broker.nodeId, name)
      // Who reads it has it open a while longer.
      this.#deleted.push({ path, dueMs: this.#options.clock.monotonicMs() + held.config.fileDeleteDelayMs })
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#options.log('error', `the files of a deleted topic stay: ${error.message}`)
    }
  }

  wrote({ slot }: PartitionWriter, bytes: number): void {
    this.#held.get(slot)!.home.unsyncedBytes += bytes
  }

  /** Syncs a partition, and remembers how far. */
  sync(writer: PartitionWriter): void {
    const before = writer.files.synced.bytes
    if (writer.sync()) this.#synced(writer, before)
  }

  /** The same, while it is written on: `onEnd` hears of the end, or of a failure, perhaps before this returns. */
  startSync(writer: PartitionWriter, onEnd: () => void): void {
    const before = writer.files.synced.bytes
    const held = this.#held.get(writer.slot)!
    const point = held.wantsResumePoint ? resumePointOf(writer) : undefined
    writer.startSync(() => {
      this.#synced(writer, before)
      if (point !== undefined && writer.failure === undefined) this.#resumeAt(held, point)
      onEnd()
    })
  }

  #resumeAt(held: Held, point: ResumePoint): void {
    // Its topic may have been deleted meanwhile.
    if (this.#held.get(held.writer.slot) !== held) return
    held.home.broker.resumePoints.put(markedPartition(held.name), point)
    held.wantsResumePoint = false
  }

  #synced(writer: PartitionWriter, syncedBytesBefore: number): void {
    const held = this.#held.get(writer.slot)
    // Its topic may have been deleted meanwhile.
    if (held?.writer !== writer) return
    const { home, name } = held
    home.ahead.delete(writer)
    if (writer.failure !== undefined) return
    const bytes = writer.files.synced.bytes - syncedBytesBefore
    home.unsyncedBytes = Math.max(0, home.unsyncedBytes - bytes)
    home.uncheckpointedBytes += bytes
    const { durableEnds } = home.broker
    writer.guard(() => durableEnds.mark(durableEnds.placeOf(markedPartition(name)), writer.files.syncedEndOffset))
  }

  /** Whether a directory holds more than `bytes` unsynced. */
  isUnsyncedAbove(bytes: number): boolean {
    return this.#homes.some(({ unsyncedBytes }) => unsyncedBytes > bytes)
  }

  /** What is to be synced where more than `bytes` of a directory are not; the next round only when all of it has ended. */
  takeAhead(bytes: number): PartitionWriter[] {
    const taken: PartitionWriter[] = []
    for (const home of this.#homes) {
      if (home.unsyncedBytes <= bytes || home.ahead.size > 0) continue
      // Counted anew: what failed counts no more.
      home.unsyncedBytes = 0
      for (const { writer, home: own } of this.#held.values()) {
        if (own !== home || writer.failure !== undefined || writer.files.synced.unsyncedBytes === 0) continue
        home.unsyncedBytes += writer.files.synced.unsyncedBytes
        home.ahead.add(writer)
        taken.push(writer)
      }
    }
    return taken
  }

  /** Writes down how far directories are synced in which that is more than `bytes` old. */
  checkpointSynced(bytes: number): void {
    for (const home of this.#homes) if (home.uncheckpointedBytes > bytes) this.#checkpoint(home)
  }

  /** Milliseconds until something is due though nothing is written. */
  dueInMs(nowMs: number): number {
    let dueMs = Number.POSITIVE_INFINITY
    for (const deleted of this.#deleted) dueMs = Math.min(dueMs, deleted.dueMs)
    return Math.max(0, dueMs - nowMs)
  }

  /** Removes what has waited long enough. */
  tick(nowMs: number): void {
    if (this.#deleted.length === 0 || this.dueInMs(nowMs) > 0) return
    for (const { path } of this.#deleted.filter(({ dueMs }) => dueMs <= nowMs)) {
      try {
        this.#options.directory.removeDeleted(path)
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        this.#options.log('error', `a deleted partition's directory stays: ${error.message}`)
      }
    }
    this.#deleted = this.#deleted.filter(({ dueMs }) => dueMs > nowMs)
  }

  /**
   * Deletes what lies wholly below the log start, which is written down before. The metadata log begins in memory where
   * its last snapshot there ends; in files only behind one that is in a file.
   */
  followStart(writer: PartitionWriter, image: MetadataImage): void {
    const { control, files, slot } = writer
    const { disk, clock, directory } = this.#options
    const { home, name } = this.#held.get(slot)!
    const isMetadata = slot === CLUSTER_METADATA_SLOT
    if (isMetadata && image.offset < control.logStartOffset) return
    const startOffset = isMetadata ? image.offset : control.logStartOffset
    writer.guard(() => {
      if (isMetadata) writeMetadataCheckpoint(disk, files.path, image, control.leaderEpoch, clock.nowMs())
      const others = this.#checkpoints(home).logStarts.filter(
        ({ topic, partition }) => topic !== name.topic || partition !== name.partition,
      )
      const logStarts = [...others, { topic: name.topic, partition: name.partition, offset: startOffset }]
      directory.checkpoint(home.broker.nodeId, { logStarts })
      files.advanceStart(startOffset, clock.nowMs())
    })
  }

  /** A partition there is fenced: the next to open the directory must look at it as this one did. */
  leaveUnclean(broker: BrokerDirectory): void {
    this.#unclean.add(broker)
  }

  /** All is written. A directory in which something failed is left as after a kill. */
  closeClean(): void {
    const clean = this.#homes.filter((home) => this.#closeFiles(home) && !this.#unclean.has(home.broker))
    this.#options.directory.closeClean(
      clean.map((home) => ({ nodeId: home.broker.nodeId, checkpoints: this.#checkpoints(home), brokerEpoch: -1 })),
    )
  }

  /** Makes the files of a partition that has none yet. Undefined: it is to have none, is gone, or they cannot be made. */
  make(control: ControlBlock, image: MetadataImage): PartitionWriter | undefined {
    if (!control.isInUse || !control.hasFiles || control.isDeleting || control.haveFilesFailed) return undefined
    const topic = image.topicById(control.topicId)
    const isMetadata = control.slot === CLUSTER_METADATA_SLOT
    if (topic === undefined && !isMetadata) return undefined
    const name = isMetadata ? METADATA_PARTITION : { topic: topic!.name, partition: control.partition, topicId: control.topicId }
    // In the directory of who leads it now; where there is one directory, in that.
    const leader = isMetadata ? 0 : topic!.partitions[control.partition]!.leader
    const home = this.#homes[Math.max(0, Math.min(leader, this.#homes.length - 1))]!
    const text = isMetadata ? METADATA_CONFIG : image.topicConfig(name.topic)
    try {
      const files = createPartitionFiles(this.#options, home.broker, name, this.filesConfig(text))
      return this.hold(control, files, name, home.broker, text)
    } catch (error) {
      // Without the metadata log nothing goes on.
      if (!(error instanceof DiskError) || isMetadata) throw error
      control.failFiles()
      this.leaveUnclean(home.broker)
      const partition = `${name.topic}-${name.partition}`
      this.#options.log('error', `no files for ${partition}: ${error.message}; it takes nothing until millrace is opened again`)
      return undefined
    }
  }

  #checkpoint(home: Home): void {
    home.uncheckpointedBytes = 0
    try {
      this.#options.directory.checkpoint(home.broker.nodeId, this.#checkpoints(home))
      for (const held of this.#held.values()) if (held.home === home) this.#noteResumePoint(held)
      home.broker.resumePoints.write()
    } catch (error) {
      // The checkpoints before still hold: recovery only has more to look at.
      if (!(error instanceof DiskError)) throw error
      this.#options.log('error', `the checkpoints of ${home.broker.path} were not written: ${error.message}`)
    }
  }

  #noteResumePoint(held: Held): void {
    const { files } = held.writer
    const isSynced = files.syncedEndOffset === files.endOffset
    const point = isSynced ? resumePointOf(held.writer) : undefined
    if (point === undefined) held.wantsResumePoint = !isSynced
    else this.#resumeAt(held, point)
  }

  #checkpoints(home: Home): {
    recoveryPoints: PartitionOffset[]
    logStarts: PartitionOffset[]
    highWatermarks: PartitionOffset[]
  } {
    const recoveryPoints: PartitionOffset[] = []
    const logStarts: PartitionOffset[] = []
    const highWatermarks: PartitionOffset[] = []
    for (const { writer, name, home: own } of this.#held.values()) {
      if (own !== home) continue
      const { topic, partition } = name
      const { files, control } = writer
      recoveryPoints.push({ topic, partition, offset: files.syncedEndOffset })
      highWatermarks.push({ topic, partition, offset: Math.min(control.highWatermark, files.endOffset) })
      if (files.startOffset > 0) logStarts.push({ topic, partition, offset: files.startOffset })
    }
    return { recoveryPoints, logStarts, highWatermarks }
  }

  /** Whether all of its partitions are whole and synced. */
  #closeFiles(home: Home): boolean {
    let isClean = true
    for (const { writer, home: own } of this.#held.values()) {
      if (own !== home) continue
      if (!writer.files.close()) isClean = false
    }
    return isClean
  }
}

/** Where a recovery may go on, once all that is written now is synced. */
function resumePointOf(writer: PartitionWriter): ResumePoint | undefined {
  let point: ResumePoint | undefined
  if (writer.failure === undefined) writer.guard(() => (point = writer.files.resumePoint()))
  return point
}
