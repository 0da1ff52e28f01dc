// One millrace over a data directory on a simulated disk, all on this thread: a broker that leads
// everything, a controller as small as can be, and the I/O thread's own turns. A process ends by
// being let go of; the next one opens what is left of the disk.

import type { BrokerConfig } from '../../src/config/broker-config.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { ConfigText } from '../../src/log/log-config.ts'
import { logConfigOf, retentionKindOf } from '../../src/log/log-config.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import type { CleanerPool } from '../../src/io/directory-cleaner.ts'
import { IoThread } from '../../src/io/io-thread.ts'
import { openLogs } from '../../src/io/open-logs.ts'
import type { OpenedLogs } from '../../src/io/open-logs.ts'
import { encodeBatch } from '../../src/metadata/metadata-batch.ts'
import { MetadataDelta } from '../../src/metadata/metadata-delta.ts'
import type { MetadataImage } from '../../src/metadata/metadata-image.ts'
import { CLUSTER_METADATA_SLOT, FIRST_TOPIC_SLOT, TOPIC_RESOURCE } from '../../src/metadata/metadata-records.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { decodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'
import { encodeRecord } from '../../src/metadata/metadata-records.ts'
import { seededRandom } from '../../src/random.ts'
import { writeCrc } from '../../src/record/record-batch.ts'
import type { ProcessIdentity } from '../../src/storage/data-directory-lock.ts'
import { cleanSegments } from '../../src/storage/segment-cleaner.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { LogFixture, MIB } from '../log/log-fixture.ts'
import { keyedBatch } from '../log/keyed-batches.ts'
import type { KeyedBatchOptions, KeyedRecord } from '../log/keyed-batches.ts'
import { patternBatch } from '../log/pattern-batches.ts'

export const DATA_DIR = '/data'

/** No two processes draw alike. */
let processes = 0

export interface IoWorldOptions {
  readonly bootId?: string
  readonly brokers?: number
  readonly seed?: number
  /** So that little is much; default: 24 MiB. */
  readonly syncAheadBytes?: number
  /** Log memory without logs, of nobody else. Default: new. */
  readonly buffers?: LogMemoryBuffers
  /** Of all brokers. */
  readonly config?: Readonly<Partial<BrokerConfig>>
}

export class IoWorld {
  readonly clock = new VirtualClock(1_700_000_000_000)
  readonly fixture: LogFixture
  readonly messages: string[] = []
  /** Compactions that have come back. */
  cleanedJobs = 0
  opened: OpenedLogs
  io: IoThread
  /** The cluster as the controller has it. */
  image: MetadataImage
  readonly #metadata: MemoryLog
  readonly #logs = new Map<number, MemoryLog>()
  readonly #process: ProcessIdentity
  readonly #disk: SimulatedDisk
  readonly #brokers: number
  readonly #syncAheadBytes: number
  readonly #seed: number
  readonly #config: Readonly<Partial<BrokerConfig>>
  #number = 0

  constructor(disk: SimulatedDisk, options: IoWorldOptions = {}) {
    const { bootId = 'boot 1', brokers = 1, seed = ++processes, syncAheadBytes = 24 * MIB, buffers } = options
    this.fixture = new LogFixture({ logMemoryBytes: 16 * MIB, clock: this.clock, ...(buffers === undefined ? {} : { buffers }) })
    this.#syncAheadBytes = syncAheadBytes
    this.#process = { pid: 1, startedAt: '1', bootId, host: 'test', holder: 'test', isRunning: () => true }
    this.#disk = disk
    this.#brokers = brokers
    this.#seed = seed
    this.#config = { 'millrace.durability': 'cache', ...options.config }
    ;({ opened: this.opened, io: this.io } = this.#open(false))
    this.image = this.opened.image
    const { image } = this
    this.#metadata = this.#lead(CLUSTER_METADATA_SLOT)
    for (const { partitions } of image.topics) for (const { slot } of partitions) this.#lead(slot)
  }

  /** Makes a topic, as the controller does: the records are durable before anybody acts on them. False when the disk would not have it. */
  createTopic(name: string, config: ConfigText = {}, partitions = 1): boolean {
    const taken = [...this.image.topics].reduce((sum, topic) => sum + topic.partitions.length, 0)
    const topicId: [number, number, number, number] = [1, 2, 3, taken + 1]
    const records: MetadataRecord[] = [{ type: 'TopicRecord', record: { name, topicId } }]
    for (const [key, value] of Object.entries(config)) {
      records.push({ type: 'ConfigRecord', record: { resourceType: TOPIC_RESOURCE, resourceName: name, name: key, value } })
    }
    for (let partitionId = 0; partitionId < partitions; partitionId++) {
      const slot = FIRST_TOPIC_SLOT + taken + partitionId
      const place = { leader: 0, leaderEpoch: 0, partitionEpoch: 0, replicas: [0], isr: [0] }
      records.push({ type: 'PartitionRecord', record: { topicId, partitionId, slot, ...place } })
    }
    return this.#commit(records, () => {
      const logConfig = logConfigOf(config, { 'millrace.durability': 'cache' })
      for (const { slot, partitionId } of this.image.topic(name)!.partitions) {
        initialiseSlot(this.fixture.memory, slot, topicId, partitionId, retentionKindOf(name, logConfig), logConfig.durability)
        this.#lead(slot)
      }
    })
  }

  deleteTopic(name: string): boolean {
    const topic = this.image.topic(name)!
    return this.#commit([{ type: 'RemoveTopicRecord', record: { topicId: topic.topicId } }], () => {
      for (const { slot } of topic.partitions) this.log(slot).delete()
    })
  }

  /** The I/O thread has died, and another one goes on. */
  restartIo(): void {
    ;({ opened: this.opened, io: this.io } = this.#open(true))
  }

  #open(isAgain: boolean): { opened: OpenedLogs; io: IoThread } {
    const { memory } = this.fixture
    const { clock } = this
    const log = (_level: string, message: string): void => void this.messages.push(message)
    const config = this.#config
    const random = seededRandom(this.#seed + (isAgain ? 1_000_000 : 0))
    const common = { memory, clock, log }
    const process = this.#process
    const opened = openLogs({ ...common, disk: this.#disk, path: DATA_DIR, brokers: this.#brokers, config, random, process, isAgain })
    const { directories, image } = opened
    // A job is done at once, as another thread would: between two turns.
    const cleanerPool = (): CleanerPool => ({
      run: (job) =>
        Promise.resolve()
          .then(() => cleanSegments(this.#disk.another(), job))
          .finally(() => this.cleanedJobs++),
      close: () => Promise.resolve(),
    })
    const told = { ringBroker: () => undefined }
    const io = new IoThread({
      ...common,
      ...told,
      directories,
      image,
      wake: () => undefined,
      cleanerPool,
      retentionCheckIntervalMs: 1_000,
      syncAheadBytes: this.#syncAheadBytes,
    })
    return { opened, io }
  }

  /** The log of a partition. */
  log(slot: number): MemoryLog {
    return this.#logs.get(slot)!
  }

  slot(topic: string, partition = 0): number {
    return this.image.topic(topic)!.partitions[partition]!.slot
  }

  control(slot: number): ControlBlock {
    return new ControlBlock(this.fixture.memory, slot)
  }

  /** Appends batches, each with a number of its own, and says so to the I/O thread; the numbers. */
  append(slot: number, batches: number, sizeInBytes = 300, records = 1): number[] {
    const numbers: number[] = []
    for (let i = 0; i < batches; i++) {
      const number = this.#number++
      const bytes = patternBatch({ number, records, sizeInBytes, timestampMs: this.clock.nowMs() })
      // No producer: the body tells the batch, its sequence number must not.
      bytes.fill(0xff, 43, 53)
      writeCrc(bytes, 0, sizeInBytes)
      if (this.log(slot).append(bytes, 0, sizeInBytes) < 0) break
      numbers.push(number)
    }
    this.log(slot).advance()
    return numbers
  }

  /** Appends a batch as it is; the offset that it was given, -1: it was not taken. */
  appendBatch(slot: number, bytes: Uint8Array): number {
    const log = this.log(slot)
    const offset = log.endOffset
    if (log.append(bytes, 0, bytes.length) < 0) return -1
    log.advance()
    return offset
  }

  /** Appends one batch of records with keys, and says so to the I/O thread; its first offset, below 0 when it is refused. */
  appendKeyed(slot: number, records: readonly KeyedRecord[], options?: KeyedBatchOptions): number {
    const bytes = keyedBatch(records, { withCrc: true, ...options })
    const offset = this.log(slot).append(bytes, 0, bytes.length)
    this.log(slot).advance()
    return offset
  }

  /** Until all is written and nothing is due to be compacted, the back-off not waited for. */
  async clean(): Promise<void> {
    // The first look may only have something synced.
    for (let i = 0, idle = 0; i < 1_000 && idle < 2; i++) {
      const { cleanedJobs } = this
      this.run()
      this.clock.advance(60_000)
      this.run()
      await this.io.cleaningIdle()
      idle = this.cleanedJobs === cleanedJobs ? idle + 1 : 0
      if (idle === 2) return
    }
    throw new Error('compaction does not end')
  }

  /** Turns of the I/O thread until it has nothing to do, each followed by one of the broker. Throws where it comes to no rest. */
  run(turnsMax = 1_000): void {
    for (let i = 0; this.io.turn() > 0 || this.#disk.endSyncs() > 0; i++) {
      if (i === turnsMax) throw new Error(`the I/O thread finds something to do in each of ${turnsMax} turns`)
      this.advance()
    }
    this.advance()
  }

  /** The broker's part: watermarks follow the files. */
  advance(): void {
    for (const log of this.#logs.values()) {
      if (log.isClosed) continue
      log.advance()
      log.applyRetention()
    }
    this.fixture.turns(1, 1)
  }

  #lead(slot: number): MemoryLog {
    const log = this.fixture.brokers[0]!.lead(slot, this.control(slot).leaderEpoch + 1)
    this.#logs.set(slot, log)
    return log
  }

  #commit(records: readonly MetadataRecord[], act: () => void): boolean {
    const batch = encodeBatch(records, this.clock.nowMs())
    if (this.#metadata.append(batch, 0, batch.length) < 0) return false
    this.#metadata.publishEnds()
    this.io.turn()
    this.#disk.endSyncs()
    this.#metadata.publishEnds()
    if (this.#metadata.durableEndOffset < this.#metadata.endOffset) return false
    const delta = new MetadataDelta(this.image)
    for (const record of records) delta.replay(decodeMetadataRecord(encodeRecord(record)))
    this.image = delta.apply(this.#metadata.endOffset)
    act()
    this.#metadata.publishHighWatermark(this.#metadata.endOffset)
    return true
  }
}
