// The options of `fromTopic`. Runs on the user's thread, when a source is made.

import { fillOptions } from '../config-def.ts'
import type { ConfigTable, OptionsOf } from '../config-def.ts'
import { CONSUMER_CONFIG } from '../client/consumer/consumer-config.ts'
import type { RebalanceCallback } from '../client/consumer/consumer-config.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import { BY_DURATION } from '../client/consumer/offset-reset.ts'
import { answerForeignOption } from '../client/foreign-options.ts'
import { MillraceError } from '../errors.ts'

/** Records that were not emitted, because nobody had room for them, since the last time this was told. */
export interface Dropped {
  readonly topic: string
  readonly partition: number
  readonly dropped: number
}

export interface FilledFromTopicOptions {
  /**
   * Chains of one group share the partitions of the topic, go on where the group has committed, and commit what is settled. Without one,
   * all partitions are read and nothing is committed. Default: undefined.
   */
  readonly groupId: string | undefined
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
  /** What describes the group shows of this member, beside its thread. Default: ''. */
  readonly clientId: string
  /** How long after something was settled it is committed. Default: 5000. */
  readonly autoCommitIntervalMs: number
  /** Told of partitions that come, before they are read. What it throws ends the source. Default: undefined. */
  readonly onAssigned: RebalanceCallback | undefined
  /**
   * Told of partitions that go to others, before they do, when what is settled of them is committed; and of all when the source ends. What
   * it throws ends the source. Default: undefined.
   */
  readonly onRevoked: RebalanceCallback | undefined
  /**
   * Told of partitions that are others' already, because this member was put out of the group. What it throws ends the source.
   * Default: undefined.
   */
  readonly onLost: RebalanceCallback | undefined
  /**
   * Partitions to read, by number from 0; all of them unless given. With a groupId they are read by no member of the group, go on where it
   * has committed, and are committed. Default: undefined.
   */
  readonly partitions: Iterable<number> | undefined
  /** 'end': complete at the end offsets as they are when the subscription starts. Default: undefined. */
  readonly until: 'end' | undefined
  /**
   * Where to start, and to go on when retention has overtaken the source: the oldest record, the end, or the first record of the last
   * so much time ('by_duration:PT1H'). Default: 'earliest'.
   */
  readonly autoOffsetReset: 'earliest' | 'latest' | `by_duration:${string}`
  /** 'read_committed' reads up to the last stable offset: nothing of a transaction before it has ended. Default: 'read_uncommitted'. */
  readonly isolationLevel: 'read_uncommitted' | 'read_committed'
  /** Bytes that must be there before records are pulled, or fetchMaxWaitMs be over; 1: nothing is withheld. Default: 1. */
  readonly fetchMinBytes: number
  /** How long bytes wait for fetchMinBytes of them, from when they are there and asked for. Default: 500. */
  readonly fetchMaxWaitMs: number
  /** Records that may be held at a time; the source pulls no more meanwhile. Default: 1000. */
  readonly maxInFlight: number
  /** Bytes of batches whose records are held; the source pulls no more meanwhile. Default: 16777216. */
  readonly maxInFlightBytes: number
  /**
   * False turns tracking off: nothing is held, millrace operators take what comes whenever it comes, and the source waits for nobody.
   * Default: true.
   */
  readonly lossless: boolean
  /**
   * Under lossless: false, what becomes of records that come while maxInFlight or maxInFlightBytes are held: 'drop-newest' drops them,
   * 'drop-oldest' lets the newest maxInFlight of them wait, 'latest' the newest. Without it, the source waits for nobody.
   * Default: undefined.
   */
  readonly overflow: 'drop-oldest' | 'drop-newest' | 'latest' | undefined
  /** Told how many records overflow has dropped; a throw ends the source with it. Without it, a warning. Default: undefined. */
  readonly onDropped: ((event: Dropped) => void) | undefined
  /** Told when retention took records before they were read; a throw ends the source with it. Without it, a warning. Default: undefined. */
  readonly onOvertaken: ((event: Overtaken) => void) | undefined
}

/** What `fromTopic(topic, options)` takes; everything has a default. */
export type FromTopicOptions = OptionsOf<FilledFromTopicOptions>

const { groupId, groupInstanceId, groupRemoteAssignor, clientId, autoCommitIntervalMs, onAssigned } = CONSUMER_CONFIG.settings
const ONLY_IN_A_GROUP = ['groupInstanceId', 'groupRemoteAssignor', 'onAssigned', 'onRevoked', 'onLost'] as const

export const FROM_TOPIC_CONFIG: ConfigTable<FilledFromTopicOptions> = {
  what: 'fromTopic option',
  settings: {
    groupId: {
      ...groupId,
      doc:
        'Chains of one group share the partitions of the topic, go on where the group has committed, and commit what is settled. Without ' +
        'one, all partitions are read and nothing is committed.',
    },
    groupInstanceId,
    groupRemoteAssignor,
    clientId,
    autoCommitIntervalMs,
    onAssigned: { ...onAssigned, doc: 'Told of partitions that come, before they are read. What it throws ends the source.' },
    onRevoked: {
      ...onAssigned,
      doc:
        'Told of partitions that go to others, before they do, when what is settled of them is committed; and of all when the source ' +
        'ends. What it throws ends the source.',
    },
    onLost: {
      ...onAssigned,
      doc: "Told of partitions that are others' already, because this member was put out of the group. What it throws ends the source.",
    },
    partitions: {
      type: 'custom',
      expects: 'an array, or anything else to iterate over, of partition numbers',
      accepts: (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
      default: undefined,
      takesEffect: 'at open',
      doc:
        'Partitions to read, by number from 0; all of them unless given. With a groupId they are read by no member of the group, go on ' +
        'where it has committed, and are committed.',
    },
    until: {
      type: 'one of',
      values: ['end'],
      default: undefined,
      takesEffect: 'at open',
      doc: "'end': complete at the end offsets as they are when the subscription starts.",
    },
    autoOffsetReset: {
      type: 'one of',
      values: ['earliest', 'latest'],
      others: BY_DURATION,
      spellings: { beginning: 'earliest', smallest: 'earliest', end: 'latest', largest: 'latest' },
      default: 'earliest',
      takesEffect: 'at open',
      doc:
        'Where to start, and to go on when retention has overtaken the source: the oldest record, the end, or the first record of the last ' +
        "so much time ('by_duration:PT1H').",
    },
    isolationLevel: {
      type: 'one of',
      values: ['read_uncommitted', 'read_committed'],
      spellings: { uncommitted: 'read_uncommitted', committed: 'read_committed' },
      default: 'read_uncommitted',
      takesEffect: 'at open',
      doc: "'read_committed' reads up to the last stable offset: nothing of a transaction before it has ended.",
    },
    fetchMinBytes: {
      type: 'int',
      min: 0,
      default: 1,
      unit: 'bytes',
      takesEffect: 'at open',
      doc: 'Bytes that must be there before records are pulled, or fetchMaxWaitMs be over; 1: nothing is withheld.',
    },
    fetchMaxWaitMs: {
      type: 'int',
      min: 0,
      default: 500,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'How long bytes wait for fetchMinBytes of them, from when they are there and asked for.',
    },
    maxInFlight: {
      type: 'int',
      min: 1,
      default: 1_000,
      unit: 'records',
      takesEffect: 'at open',
      doc: 'Records that may be held at a time; the source pulls no more meanwhile.',
    },
    maxInFlightBytes: {
      type: 'long',
      min: 1,
      default: 16 * 1024 * 1024,
      unit: 'bytes',
      takesEffect: 'at open',
      doc: 'Bytes of batches whose records are held; the source pulls no more meanwhile.',
    },
    lossless: {
      type: 'boolean',
      default: true,
      takesEffect: 'at open',
      doc: 'False turns tracking off: nothing is held, millrace operators take what comes whenever it comes, and the source waits for nobody.',
    },
    overflow: {
      type: 'one of',
      values: ['drop-oldest', 'drop-newest', 'latest'],
      default: undefined,
      takesEffect: 'at open',
      doc:
        "Under lossless: false, what becomes of records that come while maxInFlight or maxInFlightBytes are held: 'drop-newest' drops " +
        "them, 'drop-oldest' lets the newest maxInFlight of them wait, 'latest' the newest. Without it, the source waits for nobody.",
    },
    onDropped: {
      type: 'custom',
      expects: 'a function of { topic, partition, dropped }',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'Told how many records overflow has dropped; a throw ends the source with it. Without it, a warning.',
    },
    onOvertaken: {
      type: 'custom',
      expects: 'a function of { topic, partition, missed, from, to }',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'Told when retention took records before they were read; a throw ends the source with it. Without it, a warning.',
    },
  },
  relations: (filled) => {
    const { groupId: group, lossless, overflow, onDropped } = filled
    if (group === '') return 'fromTopic option groupId must not be empty: name the group, or leave it out to read all partitions'
    const needy = ONLY_IN_A_GROUP.find((name) => group === undefined && filled[name] !== undefined)
    if (needy !== undefined) return `fromTopic option ${needy} is for a member of a group: set groupId, or leave it out`
    if (overflow !== undefined && lossless)
      return 'fromTopic option overflow drops records, and lossless drops none: set lossless: false, or leave overflow out'
    if (onDropped !== undefined && overflow === undefined)
      return 'fromTopic option onDropped hears of what overflow drops: set overflow too'
    return undefined
  },
  renamed: { fromBeginning: 'autoOffsetReset', assign: 'partitions', concurrency: 'maxInFlight' },
  answer: (name) => {
    if (name === 'maxPollRecords') return 'records are pulled as they are held: bound them by maxInFlight'
    if (name === 'autoCommit') return 'what is settled is committed: to commit yourself, read by millrace.consumer({ autoCommit: false })'
    return answerForeignOption(name)
  },
}

/** Throws INVALID_CONFIG. */
export function fillFromTopicOptions(options: FromTopicOptions | undefined): Readonly<FilledFromTopicOptions> {
  const filled = fillOptions(FROM_TOPIC_CONFIG, options)
  for (const name of ['maxInFlight', 'maxInFlightBytes'] as const) {
    if (filled.lossless || filled.overflow !== undefined || options?.[name] === undefined) continue
    throw new MillraceError(
      'INVALID_CONFIG',
      `fromTopic option ${name} counts records that are held, and lossless: false holds none: leave one of them out, or set overflow`,
    )
  }
  const partitions = filled.partitions === undefined ? undefined : [...filled.partitions]
  // No partition at all would mean all of them to a consumer.
  if (partitions?.length === 0)
    throw new MillraceError('INVALID_CONFIG', 'fromTopic option partitions names none: name some, or leave it out to read all')
  return { ...filled, partitions }
}
