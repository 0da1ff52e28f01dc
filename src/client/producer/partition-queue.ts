// The batches of one partition that have not left yet: one open, some sealed
// (Kafka: the deque of RecordAccumulator). Private to the producer's thread.
// Holds: sealed batches leave in the order in which they were sealed.

import type { TopicId } from '../../ids.ts'
import type { ControlBlock } from '../../log/control-block.ts'
import type { Compression } from '../topic-settings.ts'
import { PartitionSequence } from './partition-sequence.ts'
import type { BatchDestination, ProducerBatch } from './producer-batch.ts'

/** Hears of closed batches: the partitioner of the topic. */
export interface BatchClosedListener {
  batchClosed(partition: number, sizeInBytes: number, isFull: boolean): void
}

export class PartitionQueue implements BatchDestination {
  readonly owner: BatchClosedListener
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly control: ControlBlock
  /** Largest batch that the leader takes, header included; altered with the topic's and the broker's configs. */
  maxMessageBytes: number
  readonly withCrc: boolean
  /** What becomes of its batches when they are sealed; altered with the topic's configs. */
  compression: Compression
  open: ProducerBatch | undefined = undefined
  readonly sealed: ProducerBatch[] = []
  /** Bytes of memory that its next batch is to begin with. */
  nextBatchBytes = 0
  /** Batches that were sealed so far: gives each its place. */
  sealedCount = 0
  /** Batches on their way to a leader, and that leader's epoch. */
  inFlight = 0
  inFlightEpoch = -1
  /** A broker said that it is not the leader of this epoch: nothing leaves before there is a later one. */
  refusedEpoch = -1
  readonly sequence = new PartitionSequence()
  /** A batch came back, or was given up: nothing leaves before nothing is in flight (see batch-returns.ts). */
  isHeld = false
  /** Nor before this time, monotonic milliseconds; 0: at once. */
  retryAtMs = 0
  /** True while it stands in the sender's list of queues with something to send. */
  ready = false
  /** True while it stands in the list of queues whose open batch is not due yet. */
  lingering = false

  constructor(
    owner: BatchClosedListener,
    topic: string,
    topicId: TopicId,
    partition: number,
    control: ControlBlock,
    options: { maxMessageBytes: number; withCrc: boolean; compression: Compression },
  ) {
    this.owner = owner
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.control = control
    this.maxMessageBytes = options.maxMessageBytes
    this.withCrc = options.withCrc
    this.compression = options.compression
  }
}
