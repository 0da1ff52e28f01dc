// The options of a consumer: Kafka's consumer configs, in camelCase.
//
// Runs on the user's thread, when a consumer is opened. Holds: the code of the
// consumer sees only `FilledConsumerOptions`. One default differs from Kafka's:
// autoOffsetReset is 'earliest' (as in Kafka Streams), 'latest' there.

import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { answerForeignOption } from '../foreign-options.ts'

export interface FilledConsumerOptions {
  /**
   * Where reading starts without a position, and goes on when retention has overtaken it: the oldest record,
   * the end, or nowhere ('none': an OFFSET_OUT_OF_RANGE error). Default: 'earliest'.
   */
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  /** Bytes of batches read from all partitions together in one go; the first batch is always read whole. Default: 52428800. */
  readonly fetchMaxBytes: number
  /** Bytes of batches read from one partition in one go; the first batch is always read whole. Default: 1048576. */
  readonly maxPartitionFetchBytes: number
}

/** What `millrace.consumer(options)` takes; everything has a default. */
export type ConsumerOptions = OptionsOf<FilledConsumerOptions>

export const CONSUMER_CONFIG: ConfigTable<FilledConsumerOptions> = {
  what: 'consumer option',
  settings: {
    autoOffsetReset: {
      type: 'one of',
      values: ['earliest', 'latest', 'none'],
      spellings: { beginning: 'earliest', smallest: 'earliest', end: 'latest', largest: 'latest', error: 'none', fail: 'none' },
      default: 'earliest',
      kafkaName: 'auto.offset.reset',
      takesEffect: 'at open',
      doc:
        'Where reading starts without a position, and goes on when retention has overtaken it: the oldest record, ' +
        "the end, or nowhere ('none': an OFFSET_OUT_OF_RANGE error).",
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
  },
  renamed: {
    fromBeginning: 'autoOffsetReset',
    mode: 'autoOffsetReset',
    startOffset: 'autoOffsetReset',
    maxBytes: 'fetchMaxBytes',
    maxBytesPerPartition: 'maxPartitionFetchBytes',
    fetchMessageMaxBytes: 'maxPartitionFetchBytes',
  },
  answer: answerForeignOption,
}

export function fillConsumerOptions(options?: ConsumerOptions): Readonly<FilledConsumerOptions> {
  return fillOptions(CONSUMER_CONFIG, options)
}
