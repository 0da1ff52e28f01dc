// The door to the brokers of this process, for one attached thread: shared memory for
// data, control channels for everything else.
// Runs on the attached thread.
// Holds: who leads what is read from shared memory at each use, never remembered; what
// the cluster is, from this thread's own image, which follows the metadata log when it is
// asked, or at each commit while somebody listens.

import { openAttachPort } from '../actor/attach-port.ts'
import type { AttachAddress } from '../actor/attach-port.ts'
import { connectControl } from '../actor/control-channel.ts'
import type { ControlCalls, ControlClient } from '../actor/control-channel.ts'
import { ThreadParker } from '../actor/thread-parker.ts'
import { Bells } from '../bells.ts'
import type { Attachment, BrokerControl, HostControl } from '../broker/broker-control.ts'
import { BrokerTable } from '../broker/broker-table.ts'
import type { Clock } from '../clock.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { MillraceError } from '../errors.ts'
import type { ErrorName } from '../errors.ts'
import { slot, threadId } from '../ids.ts'
import type { ThreadId } from '../ids.ts'
import type { LogDirectoryLayout } from '../io/io-control.ts'
import { allocateLane } from '../lane/lane.ts'
import { LaneWriter } from '../lane/lane-writer.ts'
import { ControlBlock } from '../log/control-block.ts'
import { LogMemory } from '../log/log-memory.ts'
import type {
  AlterConfigsCommand,
  CreatePartitionsCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  MoveLeaderCommand,
  ProducerIdsBlock,
} from '../metadata/controller-commands.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import { CLUSTER_METADATA_SLOT } from '../metadata/metadata-records.ts'
import { describeTopic } from '../metadata/topic-description.ts'
import type { ClusterDescription, TopicDescription } from '../metadata/topic-description.ts'
import type { FetchBound, ListedOffset } from '../partition/list-offsets.ts'
import type { PartitionFiles } from '../storage/segment-files.ts'
import { BatchCompressor } from './batch-compressor.ts'
import { BrokerConnections } from './broker-connections.ts'
import { EngineMetadata } from './engine-metadata.ts'
import { GroupCalls } from './group-calls.ts'
import { LeaderCalls } from './leader-calls.ts'
import { PartitionCalls } from './partition-calls.ts'
import type { OffsetQuery, PartitionRow } from './partition-calls.ts'
import { partitionFilesOf } from './partition-files.ts'
import { ProducerIds } from './producer-ids.ts'
import { checkDurability } from './topic-durability.ts'
import { WakeLoop } from './wake-loop.ts'

export interface AttachOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** How long a control call looks for a controller that answers (Kafka: default.api.timeout.ms is 60 s). */
  readonly controlTimeoutMs?: number
  /** Where the positions of new lanes start, in bytes: for tests near 2^31 and 2^32. */
  readonly laneStartPosition?: number
  /** Where large batches are compressed; threads of a pool unless said. */
  readonly compressor?: BatchCompressor | undefined
}

const CONTROL_TIMEOUT_MS = 30_000
const DELETED: ReadonlySet<ErrorName> = new Set<ErrorName>(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])
/** Unacknowledged batches that a lane takes; 24 bytes each. */
const ACK_SLOTS_A_LANE = 1_024

export class EmbeddedEngine {
  readonly threadId: ThreadId
  readonly bells: Bells
  readonly wakeLoop: WakeLoop
  readonly memory: LogMemory
  readonly brokerTable: BrokerTable
  /** What was set for all brokers when millrace was opened. */
  readonly brokerConfig: Readonly<Partial<BrokerConfig>>
  /** Where logs have their files; undefined: they are in memory only. */
  readonly #logDirectories: LogDirectoryLayout | undefined
  readonly clock: Clock
  /** Where what memory no longer holds is read. */
  readonly partitionFiles: PartitionFiles
  /** For all producers of this thread. */
  readonly compressor: BatchCompressor
  readonly #producerIds: ProducerIds
  readonly #parker: ThreadParker
  readonly #bellIncarnation: number
  readonly #leaders: LeaderCalls
  readonly #partitions: PartitionCalls
  /** Calls to the coordinators of groups. */
  readonly groups: GroupCalls
  readonly #laneStartPosition: number
  readonly #host: ControlClient<HostControl>
  readonly #metadataControl: ControlBlock
  readonly #metadata: EngineMetadata
  readonly #connections: BrokerConnections
  readonly #overListeners = new Set<(error: MillraceError) => void>()
  #closed = false
  /** Why millrace is over for this thread, when this thread has not closed it itself. */
  #over: MillraceError | undefined

  static async attach(address: AttachAddress, options: AttachOptions): Promise<EmbeddedEngine> {
    const port = await openAttachPort(address, options)
    const host = connectControl<HostControl>(port, { name: 'the thread that opened millrace' })
    try {
      return new EmbeddedEngine(host, await host.with({ signal: options.signal }).attach(), options)
    } catch (error) {
      host.close()
      throw error
    }
  }

  private constructor(
    host: ControlClient<HostControl>,
    { memory, bell, config, logDirectories, brokers }: Attachment,
    options: AttachOptions,
  ) {
    this.threadId = threadId(bell.id)
    this.#bellIncarnation = bell.incarnation
    this.clock = options.clock
    this.#laneStartPosition = options.laneStartPosition ?? 0
    this.compressor = options.compressor ?? new BatchCompressor()
    this.bells = new Bells(memory.bells)
    this.memory = new LogMemory(memory.log)
    this.brokerConfig = config
    this.#logDirectories = logDirectories
    this.partitionFiles = partitionFilesOf(logDirectories, this)
    this.brokerTable = new BrokerTable(memory.brokers)
    this.#parker = new ThreadParker(this.bells, this.threadId)
    this.wakeLoop = new WakeLoop(this.#parker)
    this.#leaders = new LeaderCalls({
      clock: this.clock,
      parker: this.#parker,
      timeoutMs: options.controlTimeoutMs ?? CONTROL_TIMEOUT_MS,
      connectionTo: (brokerId) => this.#connections.get(brokerId)?.control,
      reconnect: (brokerId) => void this.#connections.reconnect(brokerId),
      closedError: () => (this.#closed ? this.#closedError() : undefined),
    })
    this.#partitions = new PartitionCalls(this, this.#leaders)
    this.groups = new GroupCalls(this, this.#leaders)
    this.#host = host
    this.#connections = new BrokerConnections(host, {
      onChange: () => this.#connectionsChanged(),
      hasStarted: (brokerId, incarnation) => this.brokerTable.incarnationOf(brokerId) >= incarnation,
      isClosing: () => this.isClosing,
    })
    this.#metadataControl = new ControlBlock(this.memory, slot(CLUSTER_METADATA_SLOT))
    this.#metadata = new EngineMetadata(this.memory, this.threadId, this.wakeLoop)
    const allocate = (): Promise<ProducerIdsBlock> => this.allocateProducerIds()
    this.#producerIds = new ProducerIds({ allocate, clock: this.clock, onAllocated: () => this.#connectionsChanged() })
    for (const broker of brokers) this.#connections.connect(broker)
    // Those that are dead now, and are started again.
    for (const brokerId of this.brokerTable.brokerIds()) void this.#connections.reconnect(brokerId)
    host.onClose(() => this.#hostGone())
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whoever opened millrace closes it: lanes and brokers end, and what is not answered by then is over with it (`onOver`). */
  get isClosing(): boolean {
    return this.brokerTable.isClosing
  }

  controlBlock(slotNumber: number): ControlBlock {
    return new ControlBlock(this.memory, slot(slotNumber))
  }

  /** The cluster as it is committed at this moment. */
  get metadata(): MetadataImage {
    return this.#metadata.current()
  }

  /**
   * Calls back with what each commit changes, from now on, in order; the process is not kept alive
   * by it. Nothing is looked at, and nobody wakes this thread, before there is a first listener or
   * after the last. Gives the way to take it back.
   */
  onMetadata(listener: (delta: MetadataDelta) => void): () => void {
    return this.#metadata.listen(listener)
  }

  /** Checks what createTopic checks, and nothing else. */
  async validateTopic(command: CreateTopicCommand, signal?: AbortSignal): Promise<void> {
    checkDurability(command, this.#logDirectories !== undefined)
    await this.#onController((controller) => controller.createTopic({ ...command, validateOnly: true }), signal)
  }

  /** Resolves when its partitions are led. Rejects with TOPIC_ALREADY_EXISTS, and what else the controller answers. */
  async createTopic(command: CreateTopicCommand, signal?: AbortSignal): Promise<TopicDescription> {
    checkDurability(command, this.#logDirectories !== undefined)
    await this.#onController((controller) => controller.createTopic(command), signal)
    // What is answered is committed, so it is seen here, unless it was deleted since.
    return this.#untilLed(command.name, signal)
  }

  /**
   * Deletes a topic, by name or id (Kafka: deleteTopics). Its memory is free at once; producers get UNKNOWN_TOPIC_ID,
   * readers hear that it was deleted. Rejects with UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID.
   */
  async deleteTopic(command: DeleteTopicCommand, signal?: AbortSignal): Promise<void> {
    const isThere = (): boolean =>
      ('name' in command ? this.metadata.topic(command.name) : this.metadata.topicById(command.topicId)) !== undefined
    const wasThere = isThere()
    try {
      await this.#onController((controller) => controller.deleteTopic(command), signal)
    } catch (error) {
      // The controller may have died when it had done it, and its successor does not know whose it was.
      if (!(error instanceof MillraceError) || !DELETED.has(error.code) || !wasThere || isThere()) throw error
    }
  }

  /** Gives a topic more partitions (Kafka: createPartitions, KIP-195); resolves when they are led. Rejects with INVALID_PARTITIONS. */
  async createPartitions(command: CreatePartitionsCommand, signal?: AbortSignal): Promise<TopicDescription> {
    await this.#onController((controller) => controller.createPartitions(command), signal)
    return this.#untilLed(command.name, signal)
  }

  /**
   * Changes configs of a topic or of brokers, all operations or none (Kafka: incrementalAlterConfigs, KIP-339). Leaders
   * apply them as soon as they hear of it. Rejects with INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION.
   */
  async alterConfigs(command: AlterConfigsCommand, signal?: AbortSignal): Promise<void> {
    await this.#onController((controller) => controller.alterConfigs(command), signal)
  }

  /**
   * Has another broker lead a partition, which goes on without a loss (Kafka: a reassignment, for the leader alone);
   * resolves when it does. Rejects with UNKNOWN_TOPIC_OR_PARTITION, BROKER_NOT_AVAILABLE.
   */
  async moveLeader(command: MoveLeaderCommand, signal?: AbortSignal): Promise<void> {
    await this.#onController((controller) => controller.moveLeader(command), signal)
    await this.#untilLed(command.topic, signal)
  }

  /** The cluster, without its topics (Kafka: describeCluster). */
  describeCluster(): ClusterDescription {
    const image = this.metadata
    const brokers = [...image.brokers].sort((a, b) => a.brokerId - b.brokerId)
    return { clusterId: image.clusterId, controllerId: this.#metadataControl.leaderBroker, metadataOffset: image.offset, brokers }
  }

  /** For what is answered at once: behind the job that asks, whose abort counts. Rejects with ABORTED, CLOSED. */
  async mayAnswer(signal: AbortSignal | undefined): Promise<void> {
    await Promise.resolve()
    if (signal?.aborted === true) throw new MillraceError('ABORTED', 'the call was aborted by its signal', { cause: signal.reason })
    if (this.#closed) throw this.#closedError()
  }

  /** undefined when there is no such topic. No round trip: it is this thread's image that answers. */
  async describeTopic(name: string, signal?: AbortSignal): Promise<TopicDescription | undefined> {
    await this.mayAnswer(signal)
    return describeTopic(this.metadata, name)
  }

  async listTopics(signal?: AbortSignal): Promise<string[]> {
    await this.mayAnswer(signal)
    return [...this.metadata.topicNames]
  }

  /** A block of producer ids, for this thread alone. */
  allocateProducerIds(signal?: AbortSignal): Promise<ProducerIdsBlock> {
    return this.#onController((controller) => controller.allocateProducerIds(), signal)
  }

  /** A producer id that nobody else has; undefined while a block of them is on its way: who waits is woken when it has come. */
  takeProducerId(): number | undefined {
    return this.#closed ? undefined : this.#producerIds.take()
  }

  /**
   * Looks offsets up, in the order of the queries (Kafka: ListOffsets): the ends at once, in shared memory; by
   * time from the partition's leader, through changes of leader. Null where there is no such record. Rejects with
   * UNKNOWN_TOPIC_ID, REQUEST_TIMED_OUT, ABORTED, CLOSED.
   */
  listOffsets(queries: readonly OffsetQuery[], bound: FetchBound, signal?: AbortSignal): Promise<(ListedOffset | null)[]> {
    return Promise.all(queries.map((query) => this.#partitions.listOffset(query, bound, signal)))
  }

  /**
   * Deletes the records below `offset`, or all that are committed now with -1 (Kafka: DeleteRecords); the first
   * offset then. Rejects with OFFSET_OUT_OF_RANGE, POLICY_VIOLATION, UNKNOWN_TOPIC_ID, REQUEST_TIMED_OUT, ABORTED, CLOSED.
   */
  deleteRecords(partition: PartitionRow, offset: number, signal?: AbortSignal): Promise<number> {
    return this.#partitions.deleteRecords(partition, offset, signal)
  }

  /**
   * A lane to a broker; undefined while there is no connection to it. The broker reads it as soon
   * as it hears of it. Whoever offers rings the broker's bell: the lane does not.
   */
  openLane(brokerId: number, capacityBytes: number): LaneWriter | undefined {
    const connection = this.#connections.get(brokerId)
    if (connection === undefined) {
      void this.#connections.reconnect(brokerId)
      return undefined
    }
    const { threadId: producerThread } = this
    const startPosition = this.#laneStartPosition
    const lane = allocateLane({ capacityBytes, ackSlots: ACK_SLOTS_A_LANE, producerThread, brokerThread: connection.thread, startPosition })
    // If the broker dies before it hears of the lane, its port says so.
    connection.control
      .with({ hold: false })
      .openLane(lane)
      .catch(() => undefined)
    return new LaneWriter(lane, () => undefined)
  }

  /** Calls back with each broker whose thread has ended. Gives the way to take it back. */
  onBrokerLost(listener: (brokerId: number) => void): () => void {
    return this.#connections.onLost(listener)
  }

  /**
   * Calls back when millrace is over for this thread: its opener has closed it or has ended, or no broker is
   * left. Gives the way to take it back.
   */
  onOver(listener: (error: MillraceError) => void): () => void {
    this.#overListeners.add(listener)
    return () => this.#overListeners.delete(listener)
  }

  /** Detaches this thread: no call, no bell and no port of it is left. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#metadata.close()
    this.#connections.close()
    this.#host.close()
    this.compressor.close()
    this.#parker.close()
    this.bells.release(this.threadId, this.#bellIncarnation)
  }

  #hostGone(): void {
    if (this.#closed) return
    this.#over = this.brokerTable.areAllGivenUp
      ? new MillraceError(
          'BROKER_NOT_AVAILABLE',
          'every broker of this millrace died too often and was given up: see its log, and open another one',
        )
      : new MillraceError('CLOSED', 'the thread that opened this millrace has closed it, or has ended: attach to one that is open')
    for (const listener of [...this.#overListeners]) listener(this.#over)
    this.close()
  }

  /** Everybody who waits on this thread looks again. */
  #connectionsChanged(): void {
    this.wakeLoop.wake()
    this.bells.ring(this.threadId)
  }

  /** Asks the active controller; when it dies, the one after it. Rejects with what it answers, or REQUEST_TIMED_OUT. */
  #onController<T>(call: (controller: ControlCalls<BrokerControl>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#leaders.ask(this.#metadataControl, 'controller', call, signal)
  }

  async #untilLed(name: string, signal: AbortSignal | undefined): Promise<TopicDescription> {
    const topic = describeTopic(this.metadata, name)
    if (topic === undefined) {
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic "${name}" was deleted meanwhile`, { retriable: false })
    }
    const partitions = topic.partitions.map(({ slot: row, leaderEpoch }) => ({ control: this.controlBlock(row), leaderEpoch }))
    await this.#leaders.untilLed(`leader of ${name}`, partitions, signal)
    return topic
  }

  #closedError(): MillraceError {
    return this.#over ?? new MillraceError('CLOSED', 'millrace is closed on this thread')
  }
}
