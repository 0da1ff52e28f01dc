// The log directory of one broker, laid out as Kafka's. On the thread that writes the data directory.
//
//   meta.properties                     which broker of which cluster
//   .kafka_cleanshutdown                only while it is closed and whole
//   *-offset-checkpoint                 directory-checkpoints.ts
//   durable-ends  resume-points         ours: durable-end-file.ts, resume-point-file.ts
//   .millrace                           ours: boot-file.ts
//   <topic>-<partition>/                partition-directories.ts
//
// It is first only looked at, so that a data directory that is refused is as it was; then taken:
// the clean mark goes, and its going is synced, before anything else may change.

import { assert } from '../assert.ts'
import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { MillraceError } from '../errors.ts'
import { TOPIC_ID_ZERO } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { BOOT_FILE, decodeBootFile, encodeBootFile } from './boot-file.ts'
import { DirectoryCheckpoints } from './directory-checkpoints.ts'
import type { Checkpoints } from './directory-checkpoints.ts'
import { CLEAN_SHUTDOWN_FILE, decodeCleanShutdown, encodeCleanShutdown } from './clean-shutdown-file.ts'
import { DURABLE_ENDS_FILE, DurableEndFile } from './durable-end-file.ts'
import type { MarkedPartition } from './durable-end-file.ts'
import type { MetaProperties } from './meta-properties.ts'
import { listPartitionDirectories } from './partition-directories.ts'
import type { PartitionDirectory } from './partition-directories.ts'
import type { RecoveryJob } from './partition-recovery.ts'
import { RESUME_POINTS_FILE, ResumePoints } from './resume-point-file.ts'

const SMALL_FILE_BYTES_MAX = 1 << 16
const PROBE_FILE = '.millrace.probe'

/** What is said of each in LoadOptions. */
export type KnownOfLog = Omit<RecoveryJob, 'directory' | 'topicId' | 'config' | 'nowMs'>

export class BrokerDirectory {
  readonly path: string
  readonly meta: MetaProperties
  /** It was stopped in order, and nothing changed since: nothing needs to be scanned. */
  readonly isClean: boolean
  /** The broker's epoch when it was stopped in order; -1: none is known. */
  readonly brokerEpoch: number
  /**
   * The machine may have been started again since the logs were last whole: what was not synced may be gone.
   * Also where nobody can tell, as after a Kafka. Stays so until `recovered`.
   */
  readonly hasRebooted: boolean
  /** Nothing of millrace's own was in it: a Kafka's directory, or a new one. */
  readonly isForeign: boolean
  /** What is there of partitions, as it was opened. */
  readonly partitions: readonly PartitionDirectory[]
  /** Paths of what is to be removed: directories of partitions that were deleted. */
  readonly deleted: readonly string[]
  readonly checkpoints: DirectoryCheckpoints
  /** What a recovery need not read. */
  readonly resumePoints: ResumePoints
  readonly #disk: Disk
  readonly #log: (message: string) => void
  #durableEnds: DurableEndFile | undefined

  private constructor(disk: Disk, path: string, meta: MetaProperties, bootId: string, log: (message: string) => void) {
    this.path = path
    this.meta = meta
    this.#disk = disk
    this.#log = log
    this.brokerEpoch = this.#readCleanShutdown()
    this.isClean = this.brokerEpoch > NOT_CLEAN
    if (this.brokerEpoch === NOT_CLEAN) this.brokerEpoch = -1
    this.isForeign = !disk.exists(this.#at(BOOT_FILE))
    this.hasRebooted = this.#readHasRebooted(bootId)
    this.checkpoints = DirectoryCheckpoints.read(disk, path, log)
    this.resumePoints = ResumePoints.read(disk, this.#at(RESUME_POINTS_FILE), bootId)
    const { partitions, deleted } = listPartitionDirectories(disk, path, log)
    this.partitions = partitions
    this.deleted = deleted
  }

  /** Reads all that was left; changes nothing but for a probe whether it may. */
  static look(disk: Disk, path: string, meta: MetaProperties, bootId: string, log: (message: string) => void): BrokerDirectory {
    probe(disk, path)
    return new BrokerDirectory(disk, path, meta, bootId, log)
  }

  /** From here on a crash leaves it unclean. */
  take(): void {
    const mark = this.#at(CLEAN_SHUTDOWN_FILE)
    if (this.#disk.exists(mark)) {
      this.#disk.remove(mark)
      this.#disk.syncDirectory(this.path)
    }
    this.resumePoints.retain(this.partitions)
    this.#durableEnds = DurableEndFile.open(this.#disk, this.#at(DURABLE_ENDS_FILE), this.#log)
  }

  get nodeId(): number {
    return this.meta.nodeId
  }

  get durableEnds(): DurableEndFile {
    assert(this.#durableEnds !== undefined, `${this.path} is taken before its durable ends are read`)
    return this.#durableEnds
  }

  /** All logs are whole: from now on only a later start of the machine counts as a reboot. */
  recovered(bootId: string, nowMs: number): void {
    // What was a Kafka's is not from now on: by these marks it is opened.
    this.durableEnds.sync()
    writeBootFile(this.#disk, this.path, bootId, nowMs)
  }

  /** Also what was marked in the durable ends survives a power cut when this returns. */
  checkpoint(checkpoints: Partial<Checkpoints>): void {
    this.durableEnds.sync()
    this.checkpoints.replace(checkpoints)
  }

  /** What is written down of a partition's log, for its recovery; `isCompacted`: its topic is. */
  knownOf(marked: MarkedPartition, isCompacted: boolean): KnownOfLog {
    const { isClean, hasRebooted, isForeign } = this
    const { recoveryPoints, logStarts, cleanerOffsets } = this.checkpoints.of(marked.topic, marked.partition)
    const durableEnd = this.durableEnds.durableEnd(marked)
    // The mark is written with each sync, the checkpoint once for many of them.
    const recoveryPoint = Math.max(durableEnd, recoveryPoints[0]?.offset ?? 0)
    // Of a log of ours a start is written down before it moves: a first segment that begins above it has lost others.
    const logStartOffset = logStarts[0]?.offset ?? (isForeign ? undefined : 0)
    // What was compacted once has holes, whatever its topic says by now; but only where it was synced before. What is left
    // out elsewhere is missing, of a log that a loss of power cut in its middle.
    const mayHaveHoles = isCompacted || cleanerOffsets.length > 0
    const holesBelow = !mayHaveHoles ? 0 : isForeign ? Number.POSITIVE_INFINITY : recoveryPoint
    const resumePoint = this.resumePoints.get(marked)
    return { isClean, hasRebooted, durableEnd, recoveryPoint, logStartOffset, holesBelow, resumePoint }
  }

  /** Last of all: nothing may change after it. */
  markClean(brokerEpoch: number): void {
    replaceFile(this.#disk, this.#at(CLEAN_SHUTDOWN_FILE), new TextEncoder().encode(encodeCleanShutdown(brokerEpoch)))
  }

  /** Closes its files; syncs nothing. */
  close(): void {
    this.#durableEnds?.close()
  }

  /** NOT_CLEAN without a mark, or with one that says nothing. */
  #readCleanShutdown(): number {
    const path = this.#at(CLEAN_SHUTDOWN_FILE)
    const text = readText(this.#disk, path)
    if (text === undefined) return NOT_CLEAN
    return this.#unlessDamaged(() => decodeCleanShutdown(path, text), NOT_CLEAN)
  }

  #readHasRebooted(bootId: string): boolean {
    const path = this.#at(BOOT_FILE)
    const text = readText(this.#disk, path)
    if (text === undefined) return true
    return this.#unlessDamaged(() => bootId === '' || decodeBootFile(path, text).bootId !== bootId, true)
  }

  #unlessDamaged<Value>(decode: () => Value, otherwise: Value): Value {
    try {
      return decode()
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'KAFKA_STORAGE_ERROR') throw error
      this.#log(error.message)
      return otherwise
    }
  }

  #at(name: string): string {
    return `${this.path}/${name}`
  }
}

const NOT_CLEAN = -2

export function markedPartition({
  topic,
  partition,
  topicId,
}: {
  topic: string
  partition: number
  topicId: TopicId | undefined
}): MarkedPartition {
  return { topic, partition, topicId: topicId ?? TOPIC_ID_ZERO }
}

export function writeBootFile(disk: Disk, directory: string, bootId: string, nowMs: number): void {
  replaceFile(disk, `${directory}/${BOOT_FILE}`, new TextEncoder().encode(encodeBootFile({ bootId, openedMs: nowMs })))
}

/** A small file as text; undefined where there is none. */
export function readText(disk: Disk, path: string): string | undefined {
  try {
    return new TextDecoder().decode(readWhole(disk, path, SMALL_FILE_BYTES_MAX))
  } catch (error) {
    if (error instanceof DiskError && error.reason === 'not-found') return undefined
    throw error
  }
}

/** Throws now what the first write would: no permission, a read-only file system, no space. */
function probe(disk: Disk, directory: string): void {
  const path = `${directory}/${PROBE_FILE}`
  if (disk.exists(path)) disk.remove(path)
  const file = disk.open(path, 'create')
  try {
    file.write(Uint8Array.of(0), 0, 1, 0)
  } finally {
    file.close()
    disk.remove(path)
  }
}
