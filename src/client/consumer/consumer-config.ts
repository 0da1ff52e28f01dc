// The options of a consumer: Kafka's consumer configs, in camelCase.
//
// Runs on the user's thread, when a consumer is opened. Holds: the code of the
// consumer sees only `FilledConsumerOptions`. Two defaults differ from Kafka's:
// autoOffsetReset is 'earliest' (as in Kafka Streams), 'latest' there; maxPollRecords is
// without a bound, 500 there, where poll() copies records into a list in any case: here a
// bound costs a second copy, and batches are bounded in bytes anyway.

import { INT_MAX, fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { answerForeignOption } from '../foreign-options.ts'
import { BY_DURATION } from './offset-reset.ts'
import type { AutoOffsetReset } from './offset-reset.ts'

export interface FilledConsumerOptions {
  /**
   * Where reading starts without a position, and goes on when retention has overtaken it: the oldest record,
   * the end, the first record of the last so much time ('by_duration:PT1H', KIP-1106), or nowhere ('none': an
   * OFFSET_OUT_OF_RANGE error). Default: 'earliest'.
   */
  readonly autoOffsetReset: AutoOffsetReset
  /** Bytes that must be there before any are handed out, or fetchMaxWaitMs be over; 1: nothing is withheld. Default: 1. */
  readonly fetchMinBytes: number
  /** How long bytes wait for fetchMinBytes of them, from when they are there and asked for. Default: 500. */
  readonly fetchMaxWaitMs: number
  /** Bytes of batches read from all partitions together in one go; the first batch is always read whole. Default: 52428800. */
  readonly fetchMaxBytes: number
  /** Bytes of batches read from one partition in one go; the first batch is always read whole. Default: 1048576. */
  readonly maxPartitionFetchBytes: number
  /** Records that one batch hands out at the most; a bound costs a second copy of each record. Default: 2147483647. */
  readonly maxPollRecords: number
  /**
   * 'read_committed' reads up to the last stable offset: nothing of a transaction before it has ended. Nothing differs while there
   * are no transactions. Default: 'read_uncommitted'.
   */
  readonly isolationLevel: 'read_uncommitted' | 'read_committed'
}

/** What `millrace.consumer(options)` takes; everything has a default. */
export type ConsumerOptions = OptionsOf<FilledConsumerOptions>

export const CONSUMER_CONFIG: ConfigTable<FilledConsumerOptions> = {
  what: 'consumer option',
  settings: {
    autoOffsetReset: {
      type: 'one of',
      values: ['earliest', 'latest', 'none'],
      others: BY_DURATION,
      spellings: { beginning: 'earliest', smallest: 'earliest', end: 'latest', largest: 'latest', error: 'none', fail: 'none' },
      default: 'earliest',
      kafkaName: 'auto.offset.reset',
      takesEffect: 'at open',
      doc:
        'Where reading starts without a position, and goes on when retention has overtaken it: the oldest record, ' +
        "the end, the first record of the last so much time ('by_duration:PT1H', KIP-1106), or nowhere ('none': an " +
        'OFFSET_OUT_OF_RANGE error).',
    },
    fetchMinBytes: {
      type: 'int',
      min: 0,
      default: 1,
      unit: 'bytes',
      kafkaName: 'fetch.min.bytes',
      takesEffect: 'at open',
      doc: 'Bytes that must be there before any are handed out, or fetchMaxWaitMs be over; 1: nothing is withheld.',
    },
    fetchMaxWaitMs: {
      type: 'int',
      min: 0,
      default: 500,
      unit: 'ms',
      kafkaName: 'fetch.max.wait.ms',
      takesEffect: 'at open',
      doc: 'How long bytes wait for fetchMinBytes of them, from when they are there and asked for.',
    },
    fetchMaxBytes: {
      type: 'int',
      min: 0,
      default: 52_428_800,
      unit: 'bytes',
      kafkaName: 'fetch.max.bytes',
      takesEffect: 'at open',
      doc: 'Bytes of batches read from all partitions together in one go; the first batch is always read whole.',
    },
    maxPartitionFetchBytes: {
      type: 'int',
      min: 0,
      default: 1_048_576,
      unit: 'bytes',
      kafkaName: 'max.partition.fetch.bytes',
      takesEffect: 'at open',
      doc: 'Bytes of batches read from one partition in one go; the first batch is always read whole.',
    },
    maxPollRecords: {
      type: 'int',
      min: 1,
      default: INT_MAX,
      unit: 'records',
      kafkaName: 'max.poll.records',
      takesEffect: 'at open',
      doc: 'Records that one batch hands out at the most; a bound costs a second copy of each record.',
    },
    isolationLevel: {
      type: 'one of',
      values: ['read_uncommitted', 'read_committed'],
      spellings: { uncommitted: 'read_uncommitted', committed: 'read_committed' },
      default: 'read_uncommitted',
      kafkaName: 'isolation.level',
      takesEffect: 'at open',
      doc:
        "'read_committed' reads up to the last stable offset: nothing of a transaction before it has ended. Nothing differs while " +
        'there are no transactions.',
    },
  },
  renamed: {
    fromBeginning: 'autoOffsetReset',
    mode: 'autoOffsetReset',
    startOffset: 'autoOffsetReset',
    maxBytes: 'fetchMaxBytes',
    maxBytesPerPartition: 'maxPartitionFetchBytes',
    fetchMessageMaxBytes: 'maxPartitionFetchBytes',
    minBytes: 'fetchMinBytes',
    maxWaitTime: 'fetchMaxWaitMs',
    maxWaitTimeInMs: 'fetchMaxWaitMs',
    maxRecords: 'maxPollRecords',
    readUncommitted: 'isolationLevel',
  },
  answer: answerForeignOption,
}

export function fillConsumerOptions(options?: ConsumerOptions): Readonly<FilledConsumerOptions> {
  return fillOptions(CONSUMER_CONFIG, options)
}
