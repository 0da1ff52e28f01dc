// The control calls between threads, typed once: what a broker answers to clients,
// to its peers and to its host, and what the host answers to clients. They travel
// over comlink; data never does.

import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { GroupApi, GroupRequestOf } from '../coordinator/group/group-requests.ts'
import type { TopicId } from '../ids.ts'
import type {
  AlterConfigsCommand,
  BrokerRegistration,
  Committed,
  CreatedTopic,
  CreatePartitionsCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  MoveLeaderCommand,
  ProducerIdsBlock,
} from '../metadata/controller-commands.ts'
import type { FetchBound, ListedOffset, TimeSpec } from '../partition/list-offsets.ts'
import type { LogDirectoryLayout } from '../io/io-control.ts'
import type { ProcessMemory } from './process-memory.ts'

/** A thread's bell: its id and the incarnation that makes the id its own. */
export interface ThreadBell {
  readonly id: number
  readonly incarnation: number
}

/** A look-up by time in one partition (Kafka: ListOffsetsPartition). */
export interface ListOffsetsRequest {
  readonly slot: number
  readonly topicId: TopicId
  readonly spec: TimeSpec
  readonly bound: FetchBound
}

/** Records to be deleted of one partition (Kafka: DeleteRecordsPartition). */
export interface DeleteRecordsRequest {
  readonly slot: number
  readonly topicId: TopicId
  readonly beforeOffset: number
}

/** A request to the coordinator of a group (Kafka's own, by the name of its API), for one partition of `__consumer_offsets`. */
export interface GroupRequest<Api extends GroupApi = GroupApi> {
  readonly slot: number
  readonly topicId: TopicId
  readonly api: Api
  readonly request: GroupRequestOf<Api>
  readonly clientId: string
  /** Of a member's heartbeat: the answer may be held back so long, until it says something new. */
  readonly holdMs?: number | undefined
}

/** Broker, to a client. Commands are answered only by the active controller (NOT_CONTROLLER otherwise). */
export interface BrokerControl {
  openLane(lane: SharedArrayBuffer): void
  createTopic(command: CreateTopicCommand): Promise<CreatedTopic>
  deleteTopic(command: DeleteTopicCommand): Promise<Committed>
  createPartitions(command: CreatePartitionsCommand): Promise<Committed>
  alterConfigs(command: AlterConfigsCommand): Promise<Committed>
  moveLeader(command: MoveLeaderCommand): Promise<Committed>
  /** A block of producer ids that nobody else gets (Kafka: AllocateProducerIds); one that is not used up is lost, and not missed. */
  allocateProducerIds(): Promise<ProducerIdsBlock>
  /** Answered only by the partition's leader (NOT_LEADER_OR_FOLLOWER otherwise); null: there is no such record. */
  listOffsets(request: ListOffsetsRequest): ListedOffset | null
  /** Answered only by the partition's leader: its first offset then. */
  deleteRecords(request: DeleteRecordsRequest): number
  /** Answered only by the group's coordinator (NOT_COORDINATOR otherwise), with Kafka's response. */
  askGroup(request: GroupRequest): Promise<unknown>
}

/** Broker, to another broker. */
export interface PeerControl {
  /** Answered only by the active controller. */
  registerBroker(registration: BrokerRegistration): Promise<void>
}

/** Broker, to the thread that started it. */
export interface HostedBrokerControl {
  /** Settles when the broker is registered and leads what it must. */
  ready(): Promise<void>
  acceptClient(thread: ThreadBell, port: MessagePort): void
  connectPeer(brokerId: number, incarnation: number, port: MessagePort): void
  /** The I/O thread was started again. */
  connectIo(port: MessagePort): void
  /** Publishes what was taken and stops turning; the thread then ends. */
  stop(): Promise<void>
}

/** A client's way to one incarnation of a broker. */
export interface BrokerConnection {
  readonly brokerId: number
  readonly incarnation: number
  /** Id of the bell to ring: said here, for the thread itself may not run yet. */
  readonly thread: number
  readonly port: MessagePort
}

/** What a thread gets when it attaches. */
export interface Attachment {
  readonly memory: ProcessMemory
  readonly bell: ThreadBell
  /** What was set for all brokers when millrace was opened. */
  readonly config: Readonly<Partial<BrokerConfig>>
  /** Where logs have their files; undefined: they are in memory only. */
  readonly logDirectories: LogDirectoryLayout | undefined
  readonly brokers: readonly BrokerConnection[]
}

/** Host, to an attached thread. The end of this channel says that all brokers are gone for good. */
export interface HostControl {
  attach(): Attachment
  /** The way to a broker once it runs as a later incarnation than the one that was lost; undefined when it never will. */
  connectBroker(brokerId: number, lostIncarnation: number): Promise<BrokerConnection | undefined>
}

/** What a broker thread is started with. */
export interface BrokerInit {
  readonly brokerId: number
  readonly incarnation: number
  readonly bell: ThreadBell
  readonly memory: ProcessMemory
  readonly idleStrategy: 'park' | 'spin'
  readonly config: Readonly<Partial<BrokerConfig>>
  readonly hostPort: MessagePort
  /** To the I/O thread; undefined: there is no data directory, and logs are in memory only. */
  readonly ioPort: MessagePort | undefined
  readonly peers: readonly { brokerId: number; incarnation: number; port: MessagePort }[]
  /** By broker id: the latest incarnation that was started before this thread, dead or alive; 0 for none. */
  readonly incarnations: readonly number[]
  /** Bytes of metadata records after which the controller makes a snapshot of them. */
  readonly metadataLogMaxRecordBytesBetweenSnapshots: number
  /** True for the first controller of a new millrace: it makes the metadata log. */
  readonly bootstrap: boolean
}
