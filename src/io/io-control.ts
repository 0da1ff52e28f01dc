// The control calls of the I/O thread of a data directory, typed once: what it answers to
// brokers, and to the thread that started it. They travel over comlink; data never does.

import type { MessagePort } from 'node:worker_threads'
import type { TopicId } from '../ids.ts'
import type { KnownProducers } from '../partition/producer-state.ts'

/** What files hold of the cluster when millrace is opened. */
export interface RecoveredMetadata {
  /** The batches of a snapshot of all of it; none of a new cluster. */
  readonly snapshot: readonly Uint8Array[]
  readonly clusterId: TopicId
}

/** Where log directories lie. */
export interface LogDirectoryLayout {
  readonly dataDir: string
  /** `dataDir` is itself the log directory of its one broker, as Kafka made it; else there is one a broker in it. */
  readonly isOneBroker: boolean
}

/** The directory of a partition's files, in the log directory of a node. */
export function partitionDirectoryPath(
  { dataDir, isOneBroker }: LogDirectoryLayout,
  nodeId: number,
  topic: string,
  partition: number,
): string {
  return `${isOneBroker ? dataDir : `${dataDir}/broker-${nodeId}`}/${topic}-${partition}`
}

/** I/O thread, to a broker. */
export interface IoControl {
  /** Settles when everything in the data directory is recovered. */
  recovered(): Promise<RecoveredMetadata>
  /** Where log directories are; settles with `recovered`. */
  layout(): Promise<LogDirectoryLayout>
  /** Who wrote what is in a partition's files. Rejects with UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR. */
  knownProducers(slot: number, topicId: TopicId): Promise<KnownProducers>
}

/** I/O thread, to the thread that started it. */
export interface HostedIoControl {
  /** Settles when the directory is open and everything in it is recovered; rejects with why it cannot be. */
  ready(): Promise<LogDirectoryLayout>
  connectBroker(port: MessagePort): void
  /** Writes and syncs all that was published, and leaves the directory as after a clean stop. */
  stop(): Promise<void>
}
