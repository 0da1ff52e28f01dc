// What a broker's partitions need: of what the broker was started with, and of the thread that
// writes logs to files, which is asked as anybody is, so that tests answer in its place.

import type { TopicId } from '../ids.ts'
import type { KnownProducers } from '../partition/producer-state.ts'
import type { BrokerInit } from './broker-control.ts'

/** What a broker asks of the thread that writes logs to files. */
export interface LogFiles {
  /**
   * Who wrote the batches that are in the files, up to `endOffset` at least; undefined while that is being asked: ask again
   * when this thread is woken.
   */
  knownProducers(slot: number, topicId: TopicId, endOffset: number): KnownProducers | undefined
}

/** What a broker's partitions need of what it was started with. */
export type PartitionsInit = Pick<
  BrokerInit,
  'brokerId' | 'incarnation' | 'config' | 'memory' | 'metadataLogMaxRecordBytesBetweenSnapshots'
>
