// The control calls between threads, typed once: what a broker answers to clients,
// to its peers and to its host, and what the host answers to clients. They travel
// over comlink; data never does.

import type { MessagePort } from 'node:worker_threads'
import type { CreateTopicCommand } from '../metadata/controller.ts'
import type { LeadAssignment } from '../metadata/controller-actor.ts'
import type { TopicDescription } from '../metadata/topic-description.ts'
import type { ProcessMemory } from './process-memory.ts'

/** A thread's bell: its id and the incarnation that makes the id its own. */
export interface ThreadBell {
  readonly id: number
  readonly incarnation: number
}

/** Broker, to a client. The topic calls are answered only by the active controller (NOT_CONTROLLER otherwise). */
export interface BrokerControl {
  openLane(lane: SharedArrayBuffer): void
  createTopic(command: CreateTopicCommand): Promise<TopicDescription>
  describeTopic(name: string): Promise<TopicDescription | undefined>
  listTopics(): Promise<string[]>
}

/** Broker, to another broker. */
export interface PeerControl {
  lead(assignments: readonly LeadAssignment[]): void
  /** Answered only by the active controller. */
  registerBroker(brokerId: number, incarnation: number): Promise<void>
}

/** Broker, to the thread that started it. */
export interface HostedBrokerControl {
  /** Settles when the broker is registered and leads what it must. */
  ready(): Promise<void>
  acceptClient(thread: ThreadBell, port: MessagePort): void
  connectPeer(brokerId: number, incarnation: number, port: MessagePort): void
  /** Publishes what was taken and stops turning; the thread then ends. */
  stop(): Promise<void>
}

/** What a thread gets when it attaches. */
export interface Attachment {
  readonly memory: ProcessMemory
  readonly bell: ThreadBell
  readonly brokers: readonly { brokerId: number; incarnation: number; port: MessagePort }[]
}

/** Host, to an attached thread. */
export interface HostControl {
  attach(): Attachment
  /** A port to a broker that was started again; undefined while it is not running. */
  connectBroker(brokerId: number): { brokerId: number; incarnation: number; port: MessagePort } | undefined
}

/** What a broker thread is started with. */
export interface BrokerInit {
  readonly brokerId: number
  readonly incarnation: number
  readonly bell: ThreadBell
  readonly memory: ProcessMemory
  readonly idleStrategy: 'park' | 'spin'
  readonly hostPort: MessagePort
  readonly peers: readonly { brokerId: number; incarnation: number; port: MessagePort }[]
  /** True for the first controller of a new millrace: it makes the metadata log. */
  readonly bootstrap: boolean
}
