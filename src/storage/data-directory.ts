// The data directory of a process: one log directory a broker, one process at a time. On one
// thread, the one that writes it.
//
//   open        lock → look at everything, refuse → make what is missing → take: clean marks go
//   recovered   logs are whole: a reboot before now is done with
//   checkpoint  how far each log is synced, begins, is committed, is compacted
//   closeClean  checkpoints → clean marks → lock goes: the next open scans nothing
//   abandon     lock goes, nothing else: the next open finds what a kill leaves
//
// Holds: a broker's clean mark is there only while its checkpoints are whole and nothing changed
// since; what refuses to open is left as it was, clean marks too.

import { dirname } from 'node:path'
import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { BrokerDirectory, markedPartition } from './broker-directory.ts'
import { lookAtLayout, makeMissing } from './broker-layout.ts'
import type { BrokerPlace } from './broker-layout.ts'
import type { Checkpoints } from './directory-checkpoints.ts'
import { DataDirectoryLock } from './data-directory-lock.ts'
import type { ProcessIdentity } from './data-directory-lock.ts'
import { makePartitionDirectory } from './partition-directories.ts'
import { drawUniqueId, movedPartitionDirectoryName, partitionDirectoryName } from './partition-directory-name.ts'
import { isTopicName, parsePartition } from './topic-name.ts'

export interface DataDirectoryOptions {
  readonly disk: Disk
  /** Made when it is missing, with its parents. */
  readonly path: string
  /** How many brokers: 0 to `brokers` - 1, or one, under whatever id it has, where `path` is a Kafka broker's own directory. */
  readonly brokers: number
  readonly clock: Clock
  readonly random: Random
  readonly process: ProcessIdentity
  /** What is left alone, or taken as empty because it is damaged; a sentence each. Default: nobody is told. */
  readonly log?: (message: string) => void
}

/** What a broker's logs are when it is stopped in order. */
export interface BrokerAtClose {
  readonly nodeId: number
  readonly checkpoints: Partial<Checkpoints>
  /** -1: none. */
  readonly brokerEpoch: number
}

/** A partition's directory and whose mark in the durable ends is its. */
export interface PartitionName {
  readonly topic: string
  readonly partition: number
  readonly topicId: TopicId | undefined
}

/**
 * Locks, checks and takes a data directory; what was left is in `brokers` then. Throws DataDirectoryInUseError; INVALID_CONFIG
 * for what the caller may mend; INCONSISTENT_CLUSTER_ID; UNSUPPORTED_VERSION for a newer format; else KAFKA_STORAGE_ERROR.
 */
export function openDataDirectory(options: DataDirectoryOptions): DataDirectory {
  const { disk, path, random, process: self } = options
  assert(options.brokers >= 1, `a data directory of ${options.brokers} brokers`)
  makeDataDirectory(disk, path)
  const lock = DataDirectoryLock.take({ disk, path, self, random })
  try {
    return new DataDirectory(options, lock, openBrokers(options))
  } catch (error) {
    releaseQuietly(lock)
    throw error
  }
}

export class DataDirectory {
  readonly path: string
  /** By node id, rising. */
  readonly brokers: readonly BrokerDirectory[]
  readonly #options: DataDirectoryOptions
  readonly #lock: DataDirectoryLock
  #isOpen = true

  constructor(options: DataDirectoryOptions, lock: DataDirectoryLock, brokers: readonly BrokerDirectory[]) {
    this.path = options.path
    this.brokers = brokers
    this.#options = options
    this.#lock = lock
  }

  get clusterId(): string {
    return this.brokers[0]!.meta.clusterId
  }

  broker(nodeId: number): BrokerDirectory {
    this.#assertOpen()
    const broker = this.brokers.find((one) => one.nodeId === nodeId)
    assert(broker !== undefined, `${this.path} holds no directory of broker ${nodeId}`)
    return broker
  }

  /** All logs of all brokers are whole, or fenced. Until then a crash leaves `hasRebooted` as it was found. */
  recovered(): void {
    this.#assertOpen()
    const { clock, process: self } = this.#options
    for (const broker of this.brokers) broker.recovered(self.bootId, clock.nowMs())
  }

  /** Replaces the named checkpoint files of a broker, each in one step; the durable ends are synced too. */
  checkpoint(nodeId: number, checkpoints: Partial<Checkpoints>): void {
    this.broker(nodeId).checkpoint(checkpoints)
  }

  /**
   * All logs are synced, and written no more. Brokers that are not named, because some log of theirs is not
   * whole, are left unclean. Where it throws, nothing is clean that should not be: `abandon` is left to do.
   */
  closeClean(brokers: readonly BrokerAtClose[]): void {
    for (const { nodeId, checkpoints } of brokers) this.checkpoint(nodeId, checkpoints)
    this.recovered()
    for (const { nodeId, brokerEpoch } of brokers) this.broker(nodeId).markClean(brokerEpoch)
    this.#isOpen = false
    for (const broker of this.brokers) broker.close()
    this.#lock.release()
  }

  /** After a failure: lets go of the directory and writes nothing. May be called again, and after `closeClean`. */
  abandon(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const broker of this.brokers) closeQuietly(broker)
    releaseQuietly(this.#lock)
  }

  /** Makes a partition's directory, with its `partition.metadata` where the topic id is given. Returns its path. */
  makePartitionDirectory(nodeId: number, name: PartitionName): string {
    const { topic, partition, topicId } = name
    checkPartitionName(name)
    const broker = this.broker(nodeId)
    // What is left of a topic that had the name must not be taken for the new one's.
    broker.checkpoints.drop(topic, partition)
    return makePartitionDirectory(this.#options.disk, broker.path, topic, partition, topicId)
  }

  /** Renames a partition's directory out of the way, and forgets its offsets. Returns the path that is to be removed later. */
  removePartitionDirectory(nodeId: number, name: PartitionName): string {
    const { topic, partition } = name
    const { disk, random } = this.#options
    checkPartitionName(name)
    const broker = this.broker(nodeId)
    const uniqueId = drawUniqueId(random)
    const path = `${broker.path}/${movedPartitionDirectoryName(topic, partition, uniqueId, 'delete')}`
    disk.rename(`${broker.path}/${partitionDirectoryName(topic, partition)}`, path)
    disk.syncDirectory(broker.path)
    broker.durableEnds.erase(markedPartition(name))
    broker.checkpoints.drop(topic, partition)
    return path
  }

  /** Removes what `removePartitionDirectory` renamed, or `BrokerDirectory.deleted` names: may take long. */
  removeDeleted(path: string): void {
    this.#assertOpen()
    this.#options.disk.removeDirectory(path, true)
  }

  /** Moves a partition, whose files nobody writes, to another broker's directory, with its offsets. Returns its new path. */
  movePartition(fromNodeId: number, toNodeId: number, name: PartitionName): string {
    const { topic, partition } = name
    const { disk } = this.#options
    checkPartitionName(name)
    const [from, to] = [this.broker(fromNodeId), this.broker(toNodeId)]
    const directory = partitionDirectoryName(topic, partition)
    const path = `${to.path}/${directory}`
    assert(fromNodeId !== toNodeId, `${directory} is moved to the broker that has it`)
    // A rename would replace an empty directory.
    if (disk.exists(path)) throw new DiskError({ path, operation: 'rename', reason: 'exists' })
    // Offsets arrive before it and leave after it: a crash between finds them beside the directory, whichever it is in.
    const marked = markedPartition(name)
    const durableEnd = from.durableEnds.durableEnd(marked)
    if (durableEnd > 0) to.durableEnds.mark(to.durableEnds.placeOf(marked), durableEnd)
    to.durableEnds.sync()
    to.checkpoints.put(topic, partition, from.checkpoints.of(topic, partition))
    disk.rename(`${from.path}/${directory}`, path)
    // The new name first: a crash between may show it in both, which is one directory still, or in the new place.
    disk.syncDirectory(to.path)
    disk.syncDirectory(from.path)
    from.durableEnds.erase(marked)
    from.checkpoints.drop(topic, partition)
    return path
  }

  #assertOpen(): void {
    assert(this.#isOpen, `${this.path} is used after it was closed`)
  }
}

function openBrokers({ disk, path, brokers, clock, random, process: self, log = () => {} }: DataDirectoryOptions): BrokerDirectory[] {
  const look = ({ path: directory, meta }: BrokerPlace): BrokerDirectory => BrokerDirectory.look(disk, directory, meta!, self.bootId, log)
  const places = lookAtLayout(disk, path, brokers)
  const looked = new Map(places.filter(({ meta }) => meta !== undefined).map((place) => [place.nodeId, look(place)]))
  refuseTwins([...looked.values()])
  const made = makeMissing(disk, path, places, random, self.bootId, clock.nowMs())
  const all = made.map((place) => looked.get(place.nodeId) ?? look(place))
  const taken: BrokerDirectory[] = []
  try {
    for (const broker of all) {
      taken.push(broker)
      broker.take()
    }
  } catch (error) {
    for (const broker of taken) closeQuietly(broker)
    throw error
  }
  return all
}

/** A rename leaves a partition in one place, so two mean a copy made by hand; which one is right, a program cannot tell. */
function refuseTwins(brokers: readonly BrokerDirectory[]): void {
  const paths = new Map<string, string>()
  for (const { partitions } of brokers) {
    for (const { topic, partition, path } of partitions) {
      const name = partitionDirectoryName(topic, partition)
      const other = paths.get(name)
      if (other !== undefined) {
        const message = `partition ${name} is in two places, ${other} and ${path}: move one of them away, the one with the older or shorter log`
        throw new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
      }
      paths.set(name, path)
    }
  }
}

function checkPartitionName({ topic, partition }: PartitionName): void {
  if (!isTopicName(topic)) {
    throw new MillraceError('INVALID_TOPIC_EXCEPTION', `${JSON.stringify(topic)} cannot be a topic's name, so it has no directory`)
  }
  if (partition < 0 || parsePartition(String(partition)) !== partition) {
    throw new MillraceError('INVALID_PARTITIONS', `${partition} cannot be a partition of topic "${topic}", so it has no directory`)
  }
}

function makeDataDirectory(disk: Disk, path: string): void {
  if (disk.exists(path)) {
    if (disk.stat(path).isDirectory) return
    throw new MillraceError('INVALID_CONFIG', `dataDir ${path} is a file: name a directory, or a path where nothing is`)
  }
  const parents: string[] = []
  for (let directory = path; !disk.exists(directory) && dirname(directory) !== directory; ) {
    directory = dirname(directory)
    parents.push(directory)
  }
  disk.makeDirectory(path, true)
  for (const parent of parents) disk.syncDirectory(parent)
}

function closeQuietly(broker: BrokerDirectory): void {
  try {
    broker.close()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}

function releaseQuietly(lock: DataDirectoryLock): void {
  try {
    lock.release()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}
