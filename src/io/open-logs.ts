// Opens a data directory: takes it, recovers every log in it, and makes the control blocks
// by which brokers and readers know them (Kafka: LogManager.loadLogs). Runs on the I/O
// thread, before any broker leads anything.
//
//   locked, checked ─▶ metadata log ─▶ image ─▶ each partition's files ─▶ control blocks ─▶ brokers go on
//                                               (log-recovery.ts)
//
// Holds: a log whose files are damaged is fenced and told, and holds up no other one. What
// a directory holds beside the partitions of the cluster is set aside, never deleted here.

import type { BrokerConfig } from '../config/broker-config.ts'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disk/disk.ts'
import { MillraceError } from '../errors.ts'
import { equalTopicIds, formatTopicId, parseTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { ControlBlock } from '../log/control-block.ts'
import { logConfigOf, retentionKindOf } from '../log/log-config.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { DURABILITY_DISK, DURABILITY_MEMORY, RETENTION_INTERNAL } from '../log/log-memory-layout.ts'
import { initialiseSlot } from '../log/partition-table.ts'
import type { RecoveredLog } from '../log/partition-table.ts'
import { MetadataImage } from '../metadata/metadata-image.ts'
import type { ConfigImage, PartitionImage, TopicImage } from '../metadata/metadata-image.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import { CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC, CLUSTER_METADATA_TOPIC_ID } from '../metadata/metadata-records.ts'
import { encodeSnapshot } from '../metadata/metadata-snapshot.ts'
import type { Random } from '../random.ts'
import { damagedFile } from '../storage/file-errors.ts'
import { META_PROPERTIES_FILE } from '../storage/meta-properties.ts'
import { PARTITION_METADATA_FILE } from '../storage/partition-metadata-file.ts'
import { markedPartition } from '../storage/broker-directory.ts'
import type { BrokerDirectory } from '../storage/broker-directory.ts'
import type { MarkedPartition } from '../storage/durable-end-file.ts'
import { openDataDirectory } from '../storage/data-directory.ts'
import type { DataDirectory } from '../storage/data-directory.ts'
import type { ProcessIdentity } from '../storage/data-directory-lock.ts'
import type { PartitionDirectory } from '../storage/partition-directories.ts'
import { drawUniqueId, movedPartitionDirectoryName } from '../storage/partition-directory-name.ts'
import { PartitionFiles } from '../storage/partition-files.ts'
import type { RecoveryJob } from '../storage/partition-recovery.ts'
import type { RecoveredMetadata } from './io-control.ts'
import { LogDirectories } from './log-directories.ts'
import { METADATA_CONFIG, METADATA_PARTITION } from './partition-creation.ts'
import { recoverAll, recoverHere } from './log-recovery.ts'
import type { RecoveryAnswer, RecoveryThreads } from './log-recovery.ts'
import { readMetadata, reopenedImage } from './metadata-recovery.ts'

export interface OpenLogsOptions {
  readonly memory: LogMemory
  readonly disk: Disk
  readonly path: string
  readonly brokers: number
  readonly config: Readonly<Partial<BrokerConfig>>
  readonly clock: Clock
  readonly random: Random
  readonly process: ProcessIdentity
  /** Log memory is that of a process that goes on: only the thread that wrote the files has died. */
  readonly isAgain: boolean
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export interface OpenedLogs {
  readonly directories: LogDirectories
  readonly metadata: RecoveredMetadata
  readonly image: MetadataImage
  /** The data directory is itself the log directory of its one broker. */
  readonly isOneBroker: boolean
}

/** All on this thread. Throws what `openDataDirectory` does, INVALID_CONFIG, and KAFKA_STORAGE_ERROR where the metadata log is damaged. */
export function openLogs(options: OpenLogsOptions): OpenedLogs {
  const opening = begin(options)
  const step = opening.next()
  if (step.done) return step.value
  let answers: RecoveryAnswer[]
  try {
    answers = step.value.map((job) => recoverHere(options.disk, job))
  } catch (error) {
    return opening.throw(error).value as OpenedLogs
  }
  return opening.next(answers).value as OpenedLogs
}

/** The same, with threads for what is to be scanned; `start` is called only where they pay. */
export async function openLogsOn(start: () => RecoveryThreads, options: OpenLogsOptions): Promise<OpenedLogs> {
  const opening = begin(options)
  const step = opening.next()
  if (step.done) return step.value
  let answers: RecoveryAnswer[]
  try {
    answers = await recoverAll(options.disk, step.value, start)
  } catch (error) {
    return opening.throw(error).value as OpenedLogs
  }
  return opening.next(answers).value as OpenedLogs
}

/** Asks once for the recovery of all partitions, by the order of their jobs. */
type Opening = Generator<readonly RecoveryJob[], OpenedLogs, readonly RecoveryAnswer[]>

function* begin(options: OpenLogsOptions): Opening {
  const { disk, path, brokers, clock, random, process, log } = options
  const directory = openDataDirectory({ disk, path, brokers, clock, random, process, log: (message) => log('warn', message) })
  try {
    return yield* new LogOpener(options, directory).open()
  } catch (error) {
    directory.abandon()
    throw error
  }
}

/** A partition that may have files. */
interface Sought {
  readonly topic: TopicImage
  readonly partition: PartitionImage
  readonly found: FoundDirectory | undefined
}

const FENCING_CODES: readonly string[] = ['KAFKA_STORAGE_ERROR', 'UNSUPPORTED_VERSION']
const PUT_BACK = 'Put back a copy of it, or delete the topic.'

interface FoundDirectory extends PartitionDirectory {
  readonly broker: BrokerDirectory
}

class LogOpener {
  readonly #options: OpenLogsOptions
  readonly #directory: DataDirectory
  readonly #directories: LogDirectories
  readonly #found = new Map<string, FoundDirectory>()
  /** Partitions whose files are gone, or cannot be told to be theirs. */
  readonly #lost = new Set<string>()
  #metadata: RecoveredMetadata | undefined

  constructor(options: OpenLogsOptions, directory: DataDirectory) {
    const { memory, disk, clock, random, config, log } = options
    this.#options = options
    this.#directory = directory
    this.#directories = new LogDirectories({ memory, disk, directory, clock, random, config, log })
    for (const broker of directory.brokers) {
      for (const partition of broker.partitions) this.#found.set(`${partition.topic}-${partition.partition}`, { ...partition, broker })
    }
  }

  *open(): Opening {
    const image = yield* this.#options.isAgain ? this.#openAgain() : this.#openFirst()
    this.#directory.recovered()
    const isOneBroker = this.#directory.brokers[0]!.path === this.#directory.path
    return { directories: this.#directories, metadata: this.#metadata!, image, isOneBroker }
  }

  *#openFirst(): Generator<readonly RecoveryJob[], MetadataImage, readonly RecoveryAnswer[]> {
    const { memory, brokers, clock, disk } = this.#options
    const found = this.#found.get(`${CLUSTER_METADATA_TOPIC}-0`)
    if (found === undefined) this.#assertNoMetadataLost()
    const files = found === undefined ? undefined : this.#openMetadata(found)
    const read = files === undefined ? MetadataImage.EMPTY : readMetadata(disk, files.path, files.endOffset)
    const hasFiles = ({ name }: TopicImage): boolean => this.#configOf(read, name).durability !== DURABILITY_MEMORY
    const options = { brokers, partitionsMax: memory.partitionsMax, hasFiles, newUuid: () => this.#newUuid() }
    const clusterId = this.#clusterId()
    const reopened = reopenedImage(read, options)
    const image = new MetadataImage(reopened.offset, { ...reopened.content, clusterId })
    const leaderEpoch = (files?.leaderEpochs.at(-1)?.epoch ?? -1) + 1
    const { offset: endOffset } = image
    // All of it is in the snapshot: the log in memory begins behind.
    const recovered = { leaderEpoch, startOffset: endOffset, endOffset, syncedEndOffset: endOffset }
    const kind = RETENTION_INTERNAL
    initialiseSlot(memory, CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC_ID, CLUSTER_METADATA_SLOT, kind, DURABILITY_DISK, recovered)
    if (files !== undefined) this.#holdMetadata(files, found!.broker)
    const sought = this.#seek(image, ({ name }) => this.#configOf(image, name).durability !== DURABILITY_MEMORY)
    const answers = yield this.#jobs(image, sought)
    let next = 0
    for (const one of sought) this.#openPartition(image, one, one.found === undefined ? undefined : answers[next++]!)
    this.#setStraysAside(image)
    this.#forgetMarks(image)
    this.#metadata = { snapshot: files === undefined ? [] : encodeSnapshot(image, clock.nowMs()), clusterId }
    return files === undefined ? MetadataImage.EMPTY : image
  }

  #holdMetadata(files: PartitionFiles, broker: BrokerDirectory): void {
    const control = new ControlBlock(this.#options.memory, CLUSTER_METADATA_SLOT)
    this.#directories.hold(control, files, METADATA_PARTITION, broker, METADATA_CONFIG)
  }

  /** The partitions of all topics, with their directories where they have some and `hasFiles` says that they may. */
  #seek(image: MetadataImage, hasFiles: (topic: TopicImage, partition: PartitionImage) => boolean): Sought[] {
    const sought: Sought[] = []
    for (const topic of image.topics) {
      for (const partition of topic.partitions) {
        const found = hasFiles(topic, partition) ? this.#directoryOf(topic, partition.partitionId) : undefined
        sought.push({ topic, partition, found })
      }
    }
    return sought
  }

  /** Of those that have directories, in their order. */
  #jobs(image: MetadataImage, sought: readonly Sought[]): RecoveryJob[] {
    return sought.flatMap(({ topic, found }) =>
      found === undefined ? [] : [this.#jobOf(found, image.topicConfig(topic.name), topic.topicId)],
    )
  }

  #openPartition(image: MetadataImage, { topic, partition, found }: Sought, answer: RecoveryAnswer | undefined): void {
    const { memory } = this.#options
    const { name, topicId } = topic
    const { slot, partitionId, leaderEpoch } = partition
    const config = this.#configOf(image, name)
    const initialise = (recovered: RecoveredLog): void => {
      initialiseSlot(memory, slot, topicId, partitionId, retentionKindOf(name, config), config.durability, recovered)
    }
    const control = new ControlBlock(memory, slot)
    try {
      const mayHaveFiles = config.durability !== DURABILITY_MEMORY
      const lost = mayHaveFiles && found === undefined ? this.#lossOf(topic, partitionId) : undefined
      if (lost !== undefined) throw lost
      if (found === undefined) return initialise({ leaderEpoch, startOffset: 0, endOffset: 0, syncedEndOffset: 0 })
      const files = this.#openFiles(found, image.topicConfig(name), topicId, answer!)
      const { startOffset, endOffset, syncedEndOffset } = files
      initialise({ leaderEpoch, startOffset, endOffset, syncedEndOffset })
      this.#directories.hold(control, files, { topic: name, partition: partitionId, topicId }, found.broker, image.topicConfig(name))
    } catch (error) {
      // A file of a newer format fences its partition too: nothing of it is changed.
      if (!(error instanceof MillraceError) || !FENCING_CODES.includes(error.code)) throw error
      initialise({ leaderEpoch, startOffset: 0, endOffset: 0, syncedEndOffset: 0 })
      control.markFilesDamaged()
      for (const broker of this.#directory.brokers)
        if (found === undefined || broker === found.broker) this.#directories.leaveUnclean(broker)
      this.#options.log('error', `partition ${name}-${partitionId} is fenced: ${error.message}`)
    }
  }

  #jobOf({ broker, topic, partition, path }: FoundDirectory, text: ConfigImage, topicId: TopicId): RecoveryJob {
    const config = this.#directories.filesConfig(text)
    const known = broker.knownOf({ topic, partition, topicId }, config.isCompacted)
    return { directory: path, topicId, config, nowMs: this.#options.clock.nowMs(), ...known }
  }

  #openMetadata(found: FoundDirectory): PartitionFiles {
    const job = this.#jobOf(found, METADATA_CONFIG, CLUSTER_METADATA_TOPIC_ID)
    return this.#openFiles(found, METADATA_CONFIG, CLUSTER_METADATA_TOPIC_ID, recoverHere(this.#options.disk, job))
  }

  /** Throws why it cannot be recovered. */
  #openFiles(found: FoundDirectory, text: ConfigImage, topicId: TopicId, answer: RecoveryAnswer): PartitionFiles {
    if ('failure' in answer) throw answer.failure
    const { disk, clock, random, log } = this.#options
    const { broker, topic, partition, path } = found
    const marked = markedPartition({ topic, partition, topicId })
    const { recovered } = answer
    for (const message of recovered.messages) log('warn', message)
    // What was cut or exchanged makes it untrue for good.
    if (!broker.isClean && !recovered.isResumed) broker.resumePoints.drop(marked)
    const config = this.#directories.filesConfig(text)
    const options = { disk, directory: path, topicId, config, clock, random }
    const files = PartitionFiles.openRecovered(options, recovered)
    // What is read from here on must not go with the next loss of power: all was synced, and is known to be.
    if (!broker.isClean) files.sync()
    const { durableEnds } = broker
    const place = durableEnds.placeOf(marked)
    durableEnds.note(place)
    // Or the next reboot would take for torn what is damaged of it.
    if (files.syncedEndOffset > durableEnds.durableEnd(marked)) durableEnds.mark(place, files.syncedEndOffset)
    return files
  }

  /** Without it no topic would be known, and all partitions would be set aside. */
  #assertNoMetadataLost(): void {
    const marked = markedPartition(METADATA_PARTITION)
    const lost = this.#directory.brokers.find(({ durableEnds }) => durableEnds.durableEnd(marked) > 0)
    if (lost === undefined) return
    const path = `${lost.path}/${CLUSTER_METADATA_TOPIC}-0`
    throw damagedFile(path, 'nothing, where the metadata log was', 'Put back a copy of it, or give millrace another `dataDir`.')
  }

  /** The directory that is this very partition's. */
  #directoryOf({ name, topicId }: TopicImage, partition: number): FoundDirectory | undefined {
    const found = this.#found.get(`${name}-${partition}`)
    return found === undefined || (found.topicId !== undefined && !equalTopicIds(found.topicId, topicId)) ? undefined : found
  }

  /**
   * The error of a partition that had files which are not there. Without a synced mark a power cut may have taken
   * the directory too: then there is none.
   */
  #lossOf({ name, topicId }: TopicImage, partition: number): MillraceError | undefined {
    const marked = markedPartition({ topic: name, partition, topicId })
    for (const { path, durableEnds, hasRebooted } of this.#directory.brokers) {
      if (!durableEnds.isKnown(marked) || (hasRebooted && durableEnds.durableEnd(marked) === 0)) continue
      this.#lost.add(`${name}-${partition}`)
      const other = this.#found.get(`${name}-${partition}`)
      const id = formatTopicId(topicId)
      if (other === undefined)
        return damagedFile(`${path}/${name}-${partition}`, 'nothing, where the files of the partition were', PUT_BACK)
      const found = `topic id ${formatTopicId(other.topicId!)} in line 2, and the files that were there are of topic id ${id}`
      return damagedFile(`${other.path}/${PARTITION_METADATA_FILE}`, found, `Put back a copy of it, with "topic_id: ${id}".`)
    }
    return undefined
  }

  /** Of partitions that the cluster does not have any more. */
  #forgetMarks(image: MetadataImage): void {
    const marked: MarkedPartition[] = [METADATA_PARTITION]
    for (const { name, topicId, partitions } of image.topics)
      for (const { partitionId } of partitions) marked.push({ topic: name, partition: partitionId, topicId })
    for (const { durableEnds } of this.#directory.brokers) durableEnds.retain(marked)
  }

  /** Directories of topics that the cluster does not know: deleted ones that a crash left, or what somebody put there. */
  #setStraysAside(image: MetadataImage): void {
    for (const found of this.#found.values()) {
      if (found.topic === CLUSTER_METADATA_TOPIC) continue
      if (this.#lost.has(`${found.topic}-${found.partition}`)) continue
      const topic = image.topic(found.topic)
      if (topic?.partitions[found.partition] !== undefined && this.#directoryOf(topic, found.partition) === found) continue
      const path = this.#setAside(found)
      this.#options.log('warn', `${found.path} belongs to no topic of this cluster, and is set aside as ${path}`)
    }
  }

  /** As Kafka does with a directory that is not the broker's. */
  #setAside({ topic, partition, path, broker }: FoundDirectory): string {
    const { disk, random } = this.#options
    const uniqueId = drawUniqueId(random)
    const aside = `${broker.path}/${movedPartitionDirectoryName(topic, partition, uniqueId, 'stray')}`
    disk.rename(path, aside)
    disk.syncDirectory(broker.path)
    broker.checkpoints.drop(topic, partition)
    return aside
  }

  /** What is in memory goes on; of the files, what was written and not said to be is the same as what is in memory. */
  *#openAgain(): Generator<readonly RecoveryJob[], MetadataImage, readonly RecoveryAnswer[]> {
    const { memory } = this.#options
    const loader = new MetadataLoader(memory)
    loader.load()
    const { image } = loader
    const found = this.#found.get(`${CLUSTER_METADATA_TOPIC}-0`)
    if (found !== undefined) {
      const files = this.#openMetadata(found)
      publishEnds(new ControlBlock(memory, CLUSTER_METADATA_SLOT), files)
      this.#holdMetadata(files, found.broker)
    }
    const sought = this.#seek(image, (_, { slot }) => this.#goesOn(slot))
    const answers = yield this.#jobs(image, sought)
    let next = 0
    for (const one of sought) if (one.found !== undefined) this.#openPartitionAgain(image, one, answers[next++]!)
    memory.writeWanted.mark(CLUSTER_METADATA_SLOT)
    this.#metadata = { snapshot: [], clusterId: this.#clusterId() }
    return image
  }

  #goesOn(slot: number): boolean {
    const { memory } = this.#options
    const control = new ControlBlock(memory, slot)
    if (!control.isInUse || !control.hasFiles || control.haveFilesFailed) return false
    // The one before may have taken its mark and died before it had made a directory.
    memory.writeWanted.mark(slot)
    return true
  }

  #openPartitionAgain(image: MetadataImage, { topic, partition, found }: Sought, answer: RecoveryAnswer): void {
    const { name, topicId } = topic
    const { slot, partitionId } = partition
    const control = new ControlBlock(this.#options.memory, slot)
    const config = image.topicConfig(name)
    const files = this.#openFiles(found!, config, topicId, answer)
    publishEnds(control, files)
    this.#directories.hold(control, files, { topic: name, partition: partitionId, topicId }, found!.broker, config)
  }

  #configOf(image: MetadataImage, topic: string): ReturnType<typeof logConfigOf> {
    return logConfigOf(image.topicConfig(topic), this.#options.config)
  }

  #clusterId(): TopicId {
    const { clusterId, brokers } = this.#directory
    try {
      return parseTopicId(clusterId)
    } catch {
      const path = `${brokers[0]!.path}/${META_PROPERTIES_FILE}`
      throw damagedFile(path, `cluster.id=${clusterId}, which is no UUID of 22 characters`, 'Put back a copy of it.')
    }
  }

  #newUuid(): TopicId {
    const word = (): number => this.#options.random.uint32() | 0
    for (;;) {
      const id: TopicId = [word(), word(), word(), word()]
      if (!formatTopicId(id).startsWith('-')) return id
    }
  }
}

function publishEnds(control: ControlBlock, { endOffset, syncedEndOffset }: PartitionFiles): void {
  control.publishWrittenEnd(endOffset)
  control.publishSyncedEnd(syncedEndOffset)
}
