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

/** Told of partitions, by the names of their topics; may be async, and is waited for. */
export type RebalanceCallback = (partitions: readonly NamedPartition[]) => void | Promise<void>

/** A partition, by the name of its topic. */
export interface NamedPartition {
  readonly topic: string
  readonly partition: number
}

export interface FilledConsumerOptions {
  /**
   * Consumers of one group share the partitions of the topics that they read, and commit how far they have come. Without one, all
   * partitions are read and nothing is committed. Default: undefined.
   */
  readonly groupId: string | undefined
  /** What describes the group shows of this member, beside its thread. Default: ''. */
  readonly clientId: string
  /**
   * Makes it a static member (KIP-345): what it had stays free for it when it is closed and opened again under this name, until the
   * session timeout is over. Default: undefined.
   */
  readonly groupInstanceId: string | undefined
  /**
   * How the group shares partitions out (KIP-848), 'uniform' or 'range'; without it, the first of the brokers' group.consumer.assignors.
   * Default: undefined.
   */
  readonly groupRemoteAssignor: string | undefined
  /** Commits what is settled each autoCommitIntervalMs, when partitions go to others, and at the end of a loop. Default: true. */
  readonly autoCommit: boolean
  /** How long after something was settled it is committed. Default: 5000. */
  readonly autoCommitIntervalMs: number
  /**
   * How long a batch may be in its user's hands: then this member is out of the group until the next is asked for. As long may it take to
   * give up partitions. Default: 300000.
   */
  readonly maxPollIntervalMs: number
  /** Told of partitions that come, before they are read: seek here, if need be. What it throws ends the loops. Default: undefined. */
  readonly onAssigned: RebalanceCallback | undefined
  /**
   * Told of partitions that go to others, before they do, and of all when the last loop ends or the consumer is closed: commit here,
   * if need be. What it throws ends the loops. Default: undefined.
   */
  readonly onRevoked: RebalanceCallback | undefined
  /**
   * Told of partitions that are others' already, because this member was put out of the group. What it throws ends the loops.
   * Default: undefined.
   */
  readonly onLost: RebalanceCallback | undefined
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

const NEED_A_GROUP = ['groupInstanceId', 'groupRemoteAssignor', 'onAssigned', 'onRevoked', 'onLost'] as const

const CALLBACK = {
  type: 'custom',
  expects: 'a function of [{ topic, partition }, …]',
  accepts: (value: unknown) => typeof value === 'function',
  default: undefined,
  takesEffect: 'at open',
} as const

export const CONSUMER_CONFIG: ConfigTable<FilledConsumerOptions> = {
  what: 'consumer option',
  settings: {
    groupId: {
      type: 'string',
      default: undefined,
      kafkaName: 'group.id',
      takesEffect: 'at open',
      doc:
        'Consumers of one group share the partitions of the topics that they read, and commit how far they have come. Without one, all ' +
        'partitions are read and nothing is committed.',
    },
    clientId: {
      type: 'string',
      default: '',
      kafkaName: 'client.id',
      takesEffect: 'at open',
      doc: 'What describes the group shows of this member, beside its thread.',
    },
    groupInstanceId: {
      type: 'string',
      default: undefined,
      kafkaName: 'group.instance.id',
      takesEffect: 'at open',
      doc:
        'Makes it a static member (KIP-345): what it had stays free for it when it is closed and opened again under this name, until the ' +
        'session timeout is over.',
    },
    groupRemoteAssignor: {
      type: 'string',
      default: undefined,
      kafkaName: 'group.remote.assignor',
      takesEffect: 'at open',
      doc:
        "How the group shares partitions out (KIP-848), 'uniform' or 'range'; without it, the first of the brokers' " +
        'group.consumer.assignors.',
    },
    autoCommit: {
      type: 'boolean',
      default: true,
      kafkaName: 'enable.auto.commit',
      takesEffect: 'at open',
      doc: 'Commits what is settled each autoCommitIntervalMs, when partitions go to others, and at the end of a loop.',
    },
    autoCommitIntervalMs: {
      type: 'int',
      min: 0,
      default: 5_000,
      unit: 'ms',
      kafkaName: 'auto.commit.interval.ms',
      takesEffect: 'at open',
      doc: 'How long after something was settled it is committed.',
    },
    maxPollIntervalMs: {
      type: 'int',
      min: 1,
      default: 300_000,
      unit: 'ms',
      kafkaName: 'max.poll.interval.ms',
      takesEffect: 'at open',
      doc:
        "How long a batch may be in its user's hands: then this member is out of the group until the next is asked for. As long may it " +
        'take to give up partitions.',
    },
    onAssigned: {
      ...CALLBACK,
      doc: 'Told of partitions that come, before they are read: seek here, if need be. What it throws ends the loops.',
    },
    onRevoked: {
      ...CALLBACK,
      doc:
        'Told of partitions that go to others, before they do, and of all when the last loop ends or the consumer is closed: commit ' +
        'here, if need be. What it throws ends the loops.',
    },
    onLost: {
      ...CALLBACK,
      doc: "Told of partitions that are others' already, because this member was put out of the group. What it throws ends the loops.",
    },
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
    group: 'groupId',
    instanceId: 'groupInstanceId',
    assignor: 'groupRemoteAssignor',
    enableAutoCommit: 'autoCommit',
    autocommit: 'autoCommit',
    autoCommitInterval: 'autoCommitIntervalMs',
    rebalanceTimeout: 'maxPollIntervalMs',
    onPartitionsAssigned: 'onAssigned',
    onPartitionsRevoked: 'onRevoked',
    onPartitionsLost: 'onLost',
  },
  relations: ({ groupId, ...filled }) => {
    if (groupId === '') return 'consumer option groupId must not be empty: name the group, or leave it out to read all partitions'
    const needy = NEED_A_GROUP.find((name) => groupId === undefined && filled[name] !== undefined)
    return needy === undefined ? undefined : `consumer option ${needy} is for a member of a group: set groupId, or leave it out`
  },
  answer: answerForeignOption,
}

export function fillConsumerOptions(options?: ConsumerOptions): Readonly<FilledConsumerOptions> {
  return fillOptions(CONSUMER_CONFIG, options)
}
