// The options of a producer: Kafka's producer configs, in camelCase.
//
// Runs on the user's thread, when a producer is opened. Holds: the code of the
// producer sees only `FilledProducerOptions`. Two defaults differ from Kafka's:
// lingerMs (5 there: here a batch leaves when the job ends, for no network waits to
// be filled) and batchSize (16384 there: a copy into a lane is cheapest from 64 KiB).

import { INT_MAX, checkOptions, fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import { answerForeignOption } from '../foreign-options.ts'
import { BATCH_BYTES_MAX } from '../../config/topic-config-table.ts'
import { COMPRESSION_NAMES } from '../../record/record-batch-layout.ts'
import type { Compression } from '../topic-settings.ts'
import type { PartitionFunction } from './partitioner.ts'

export interface FilledProducerOptions {
  /**
   * Replicas that must have a record before it is acknowledged: 0, nobody is asked; 1, the leader;
   * 'all', every in-sync replica. Default: 'all'.
   */
  readonly acks: 0 | 1 | 'all'
  /** How long a batch that is not full waits for more records, in ms; at 0 it leaves when the current job ends. Default: 0. */
  readonly lingerMs: number
  /** Bytes at which a batch is full; a larger record gets a batch of its own. Default: 65536. */
  readonly batchSize: number
  /** Bytes of memory for batches that are not acknowledged yet; when they are in use, `offer` gives false. Default: 33554432. */
  readonly bufferMemory: number
  /** How long `send` and `drained` wait for room, in ms, before they reject. Default: 60000. */
  readonly maxBlockMs: number
  /** Largest record in bytes, with its batch's header; a larger one is MESSAGE_TOO_LARGE. Default: 1048576. */
  readonly maxRequestSize: number
  /** How long a record may take from `send` to its acknowledgement, in ms, waiting for a leader included. Default: 120000. */
  readonly deliveryTimeoutMs: number
  /**
   * Whether every record is in the log once and in order, however often its batch is sent (KIP-98); needs acks 'all' and retries,
   * and is off without them unless it was asked for. Default: true.
   */
  readonly enableIdempotence: boolean
  /**
   * How often a batch is sent again that was refused for a while, or whose broker died; deliveryTimeoutMs bounds it too.
   * Default: 2147483647.
   */
  readonly retries: number
  /** How long a batch that was refused waits before it is sent again, in ms; doubles each time (KIP-580). Default: 100. */
  readonly retryBackoffMs: number
  /** The longest that a batch that was refused waits before it is sent again, in ms. Default: 1000. */
  readonly retryBackoffMaxMs: number
  /**
   * How batches are compressed, whole: 'none', 'gzip', 'snappy', 'lz4' or 'zstd'. Those of 96 KiB and more on threads for that,
   * smaller ones on the producer's own. A topic's compression.type comes first. Default: 'none'.
   */
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Level of gzip, 1 to 9; -1: the library's own, 6. Default: -1. */
  readonly compressionGzipLevel: number
  /** Level of lz4. No effect: there is one. Default: 9. */
  readonly compressionLz4Level: number
  /** Level of zstd. Default: 3. */
  readonly compressionZstdLevel: number
  /**
   * Who picks the partition: 'default', by murmur2 of the key as Kafka does, and sticky without a key (KIP-794);
   * 'roundRobin', one after the other whatever the key; or a function of (keyBytes, partitionCount, topicName).
   * Default: 'default'.
   */
  readonly partitioner: 'default' | 'roundRobin' | PartitionFunction
  /** Whether the default partitioner treats every record as if it had no key (KIP-794). Default: false. */
  readonly partitionerIgnoreKeys: boolean
  /** Whether records without a key go more often to partitions that fewer batches wait for (KIP-794). Default: true. */
  readonly partitionerAdaptivePartitioningEnable: boolean
  /**
   * How long a batch may wait for a partition's leader, in ms, before records without a key go elsewhere; 0: for ever (KIP-794).
   * Default: 0.
   */
  readonly partitionerAvailabilityTimeoutMs: number
}

/** What `millrace.producer(options)` takes; everything has a default. */
export type ProducerOptions = OptionsOf<FilledProducerOptions>

export const PRODUCER_CONFIG: ConfigTable<FilledProducerOptions> = {
  what: 'producer option',
  settings: {
    acks: {
      type: 'one of',
      values: [0, 1, 'all'],
      spellings: { '-1': 'all' },
      default: 'all',
      kafkaName: 'acks',
      takesEffect: 'at open',
      doc: "Replicas that must have a record before it is acknowledged: 0, nobody is asked; 1, the leader; 'all', every in-sync replica.",
    },
    lingerMs: {
      type: 'long',
      min: 0,
      max: INT_MAX,
      default: 0,
      unit: 'ms',
      kafkaName: 'linger.ms',
      takesEffect: 'at open',
      doc: 'How long a batch that is not full waits for more records, in ms; at 0 it leaves when the current job ends.',
    },
    batchSize: {
      type: 'int',
      min: 0,
      max: BATCH_BYTES_MAX,
      default: 65_536,
      unit: 'bytes',
      kafkaName: 'batch.size',
      takesEffect: 'at open',
      doc: 'Bytes at which a batch is full; a larger record gets a batch of its own.',
    },
    bufferMemory: {
      type: 'long',
      min: 0,
      default: 33_554_432,
      unit: 'bytes',
      kafkaName: 'buffer.memory',
      takesEffect: 'at open',
      doc: 'Bytes of memory for batches that are not acknowledged yet; when they are in use, `offer` gives false.',
    },
    maxBlockMs: {
      type: 'long',
      min: 0,
      max: INT_MAX,
      default: 60_000,
      unit: 'ms',
      kafkaName: 'max.block.ms',
      takesEffect: 'at open',
      doc: 'How long `send` and `drained` wait for room, in ms, before they reject.',
    },
    maxRequestSize: {
      type: 'int',
      min: 0,
      max: BATCH_BYTES_MAX,
      default: 1_048_576,
      unit: 'bytes',
      kafkaName: 'max.request.size',
      takesEffect: 'at open',
      doc: "Largest record in bytes, with its batch's header; a larger one is MESSAGE_TOO_LARGE.",
    },
    deliveryTimeoutMs: {
      type: 'int',
      min: 0,
      max: INT_MAX,
      default: 120_000,
      unit: 'ms',
      kafkaName: 'delivery.timeout.ms',
      takesEffect: 'at open',
      doc: 'How long a record may take from `send` to its acknowledgement, in ms, waiting for a leader included.',
    },
    enableIdempotence: {
      type: 'boolean',
      default: true,
      kafkaName: 'enable.idempotence',
      takesEffect: 'at open',
      doc:
        "Whether every record is in the log once and in order, however often its batch is sent (KIP-98); needs acks 'all' and retries, " +
        'and is off without them unless it was asked for.',
    },
    retries: {
      type: 'int',
      min: 0,
      max: INT_MAX,
      default: INT_MAX,
      kafkaName: 'retries',
      takesEffect: 'at open',
      doc: 'How often a batch is sent again that was refused for a while, or whose broker died; deliveryTimeoutMs bounds it too.',
    },
    retryBackoffMs: {
      type: 'long',
      min: 0,
      max: INT_MAX,
      default: 100,
      unit: 'ms',
      kafkaName: 'retry.backoff.ms',
      takesEffect: 'at open',
      doc: 'How long a batch that was refused waits before it is sent again, in ms; doubles each time (KIP-580).',
    },
    retryBackoffMaxMs: {
      type: 'long',
      min: 0,
      max: INT_MAX,
      default: 1_000,
      unit: 'ms',
      kafkaName: 'retry.backoff.max.ms',
      takesEffect: 'at open',
      doc: 'The longest that a batch that was refused waits before it is sent again, in ms.',
    },
    compressionType: {
      type: 'one of',
      values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'none',
      kafkaName: 'compression.type',
      takesEffect: 'at open',
      doc:
        "How batches are compressed, whole: 'none', 'gzip', 'snappy', 'lz4' or 'zstd'. Those of 96 KiB and more on threads for that, " +
        "smaller ones on the producer's own. A topic's compression.type comes first.",
    },
    compressionGzipLevel: {
      type: 'int',
      min: -1,
      max: 9,
      default: -1,
      kafkaName: 'compression.gzip.level',
      takesEffect: 'at open',
      doc: "Level of gzip, 1 to 9; -1: the library's own, 6.",
    },
    compressionLz4Level: {
      type: 'int',
      min: 1,
      max: 17,
      default: 9,
      kafkaName: 'compression.lz4.level',
      takesEffect: 'at open',
      support: 'accepted',
      doc: 'Level of lz4. No effect: there is one.',
    },
    compressionZstdLevel: {
      type: 'int',
      min: -131_072,
      max: 22,
      default: 3,
      kafkaName: 'compression.zstd.level',
      takesEffect: 'at open',
      doc: 'Level of zstd.',
    },
    partitioner: {
      type: 'custom',
      expects: "'default', 'roundRobin' or a function (keyBytes, partitionCount, topicName) => partition",
      accepts: (value) => value === 'default' || value === 'roundRobin' || typeof value === 'function',
      default: 'default',
      kafkaName: 'partitioner.class',
      takesEffect: 'at open',
      doc:
        "Who picks the partition: 'default', by murmur2 of the key as Kafka does, and sticky without a key (KIP-794); " +
        "'roundRobin', one after the other whatever the key; or a function of (keyBytes, partitionCount, topicName).",
    },
    partitionerIgnoreKeys: {
      type: 'boolean',
      default: false,
      kafkaName: 'partitioner.ignore.keys',
      takesEffect: 'at open',
      doc: 'Whether the default partitioner treats every record as if it had no key (KIP-794).',
    },
    partitionerAdaptivePartitioningEnable: {
      type: 'boolean',
      default: true,
      kafkaName: 'partitioner.adaptive.partitioning.enable',
      takesEffect: 'at open',
      doc: 'Whether records without a key go more often to partitions that fewer batches wait for (KIP-794).',
    },
    partitionerAvailabilityTimeoutMs: {
      type: 'long',
      min: 0,
      max: INT_MAX,
      default: 0,
      unit: 'ms',
      kafkaName: 'partitioner.availability.timeout.ms',
      takesEffect: 'at open',
      doc: "How long a batch may wait for a partition's leader, in ms, before records without a key go elsewhere; 0: for ever (KIP-794).",
    },
  },
  renamed: {
    compression: 'compressionType',
    compressionCodec: 'compressionType',
    'compression.codec': 'compressionType',
    createPartitioner: 'partitioner',
    partitionerClass: 'partitioner',
    'partitioner.class': 'partitioner',
    linger: 'lingerMs',
    queueBufferingMaxMs: 'lingerMs',
    'queue.buffering.max.ms': 'lingerMs',
    requiredAcks: 'acks',
    'request.required.acks': 'acks',
    timeout: 'deliveryTimeoutMs',
    idempotent: 'enableIdempotence',
    idempotence: 'enableIdempotence',
    maxRetries: 'retries',
    messageSendMaxRetries: 'retries',
    'message.send.max.retries': 'retries',
    messageTimeoutMs: 'deliveryTimeoutMs',
    'message.timeout.ms': 'deliveryTimeoutMs',
    batchBytes: 'batchSize',
    messageMaxBytes: 'maxRequestSize',
    'message.max.bytes': 'maxRequestSize',
  },
  answer: answerForeignOption,
  relations: ({ batchSize, bufferMemory, compressionGzipLevel, deliveryTimeoutMs, lingerMs, partitioner, partitionerIgnoreKeys }) => {
    if (compressionGzipLevel === 0) return 'producer option compressionGzipLevel is 1 to 9, or -1; 0 was given'
    if (bufferMemory < batchSize) {
      return `producer option bufferMemory (${bufferMemory}) must hold at least one batch of batchSize (${batchSize}): raise it, or lower batchSize`
    }
    if (deliveryTimeoutMs < lingerMs) {
      return `producer option deliveryTimeoutMs (${deliveryTimeoutMs}) must be at least lingerMs (${lingerMs}): a batch would expire while it lingers`
    }
    if (partitionerIgnoreKeys && partitioner !== 'default') {
      return 'producer option partitionerIgnoreKeys is of the default partitioner: leave it out; the others do as they like with keys'
    }
    return undefined
  },
}

export function fillProducerOptions(options?: ProducerOptions): Readonly<FilledProducerOptions> {
  const filled = fillOptions(PRODUCER_CONFIG, options)
  const missing = missingForIdempotence(filled)
  if (!filled.enableIdempotence || missing === undefined) return filled
  // Kafka's rule: what was given decides, and only two wishes that exclude each other are refused.
  if (checkOptions(PRODUCER_CONFIG, options).enableIdempotence === true) {
    throw new MillraceError(
      'INVALID_CONFIG',
      `producer option enableIdempotence needs ${missing}: give that, or leave enableIdempotence out`,
    )
  }
  return Object.freeze({ ...filled, enableIdempotence: false })
}

/** The codec and level that the options come to. */
export function producerCompression(options: FilledProducerOptions): Compression {
  const { compressionType, compressionGzipLevel, compressionLz4Level, compressionZstdLevel } = options
  const levels = { none: 0, snappy: 0, gzip: compressionGzipLevel, lz4: compressionLz4Level, zstd: compressionZstdLevel }
  return { type: COMPRESSION_NAMES.indexOf(compressionType), level: levels[compressionType] }
}

function missingForIdempotence({ acks, retries }: FilledProducerOptions): string | undefined {
  if (acks !== 'all') return `acks 'all', not ${acks}`
  return retries === 0 ? 'retries above 0' : undefined
}
