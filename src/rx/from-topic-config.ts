// The options of `fromTopic`. Runs on the user's thread, when a source is made.

import { fillOptions, foldName } from '../config-def.ts'
import type { ConfigTable, OptionsOf } from '../config-def.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import { BY_DURATION } from '../client/consumer/offset-reset.ts'
import { answerForeignOption } from '../client/foreign-options.ts'
import { MillraceError } from '../errors.ts'

export interface FilledFromTopicOptions {
  /** Partitions to read, by number from 0; all of them unless given. Default: undefined. */
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
  /** Told when retention took records before they were read; a throw ends the source with it. Without it, a warning. Default: undefined. */
  readonly onOvertaken: ((event: Overtaken) => void) | undefined
}

/** What `fromTopic(topic, options)` takes; everything has a default. */
export type FromTopicOptions = OptionsOf<FilledFromTopicOptions>

export const FROM_TOPIC_CONFIG: ConfigTable<FilledFromTopicOptions> = {
  what: 'fromTopic option',
  settings: {
    partitions: {
      type: 'custom',
      expects: 'an array, or anything else to iterate over, of partition numbers',
      accepts: (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Partitions to read, by number from 0; all of them unless given.',
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
    onOvertaken: {
      type: 'custom',
      expects: 'a function of { topic, partition, missed, from, to }',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'Told when retention took records before they were read; a throw ends the source with it. Without it, a warning.',
    },
  },
  renamed: { fromBeginning: 'autoOffsetReset', assign: 'partitions', concurrency: 'maxInFlight' },
  answer: (name) => {
    if (name === 'overflow') return 'what overflows is not dropped yet: leave it out'
    if (name === 'maxPollRecords') return 'records are pulled as they are held: bound them by maxInFlight'
    if (foldName(name) === 'groupid') return 'a stream is no member of a group yet: leave it out, or read by millrace.consumer({ groupId })'
    return answerForeignOption(name)
  },
}

/** Throws INVALID_CONFIG. */
export function fillFromTopicOptions(options: FromTopicOptions | undefined): Readonly<FilledFromTopicOptions> {
  const filled = fillOptions(FROM_TOPIC_CONFIG, options)
  for (const name of ['maxInFlight', 'maxInFlightBytes'] as const) {
    if (!filled.lossless && options?.[name] !== undefined) {
      throw new MillraceError(
        'INVALID_CONFIG',
        `fromTopic option ${name} counts records that are held, and lossless: false holds none: leave one of them out`,
      )
    }
  }
  const partitions = filled.partitions === undefined ? undefined : [...filled.partitions]
  // No partition at all would mean all of them to a consumer.
  if (partitions?.length === 0)
    throw new MillraceError('INVALID_CONFIG', 'fromTopic option partitions names none: name some, or leave it out to read all')
  return { ...filled, partitions }
}
