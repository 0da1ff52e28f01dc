// What a thread of a torture is to do: plain values, so that they go to a worker.

import type { ConsumerOptions, MillraceHandle, ProducerOptions } from '../../src/index.ts'

/** A topic of a round; its partitions are the logs from `firstLog` on. */
export interface TortureTopic {
  readonly name: string
  readonly firstLog: number
  readonly partitions: number
}

/**
 * - `steady`: one `send` after the other to every log at once, so that no log holds up another;
 * - `send`: some at a time, to logs at random; `keyed` and `unkeyed` let millrace choose the partition;
 * - `sendAll`: many with one promise; `offer`: without a promise, flushed now and then.
 */
export type ProducerMode = 'steady' | 'send' | 'keyed' | 'unkeyed' | 'sendAll' | 'offer'

export interface ProducerTask {
  readonly role: 'producer'
  readonly mode: ProducerMode
  readonly options: ProducerOptions
  /** Sends may end with REQUEST_TIMED_OUT, BUFFER_EXHAUSTED or, of a topic that is full, KAFKA_STORAGE_ERROR: it has little patience. */
  readonly isHasty: boolean
  readonly inFlight: number
  readonly bytesMax: number
  readonly recordsAJob: number
  readonly pauseMs: number
}

export interface ConsumerTask {
  readonly role: 'consumer'
  readonly mode: 'batches' | 'records'
  /** Index among the topics of the round. */
  readonly topic: number
  readonly options: ConsumerOptions
  /** Goes somewhere back once in so many batches; 0: never. */
  readonly seeksEvery: number
}

export interface TortureThreadData {
  readonly handle: MillraceHandle
  readonly topics: readonly TortureTopic[]
  readonly task: ProducerTask | ConsumerTask
  /** Number among all producers of the round. */
  readonly producer: number
  readonly seed: number
  readonly round: SharedArrayBuffer
  readonly words: SharedArrayBuffer
  readonly tape: SharedArrayBuffer
  /** Fault words of this thread alone: line 0. */
  readonly faults: SharedArrayBuffer
}
