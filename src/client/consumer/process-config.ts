// The options of `consumer.process`. Kafka has none of them: a work queue is built beside
// its consumer there. Runs on the user's thread, when processing starts.
// Holds: the code sees only `FilledProcessOptions`.

import { INT_MAX, fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import { answerForeignOption } from '../foreign-options.ts'
import { checkTopicName } from '../topic-definition.ts'
import type { RetryPolicy } from './retry-backoff.ts'
import type { ProcessOrder } from './work-queue.ts'

/** How often a record is tried, and how long it waits in between; each has a default. */
export type RetryOptions = OptionsOf<FilledRetryOptions>

interface FilledRetryOptions extends RetryPolicy {
  /** How often a record's handler is run at the most; 1: once. Default: 5. */
  readonly attempts: number
  /** How long a record waits for its second attempt, in ms; doubles each time, a fifth more or less. Default: 1000. */
  readonly backoffMs: number
  /** The longest that a record waits for its next attempt, in ms. Default: 60000. */
  readonly backoffMaxMs: number
}

interface TableOfProcessOptions {
  /** Handlers that run at the same time at the most. Default: 1. */
  readonly concurrency: number
  /**
   * What is kept in order: records of one key, with those that have none in no order ('key'), of one partition ('partition'), or
   * nothing ('none'). A record is begun when the one before it is settled. Default: 'key'.
   */
  readonly order: ProcessOrder
  /**
   * Records taken and not settled yet at the most: those that run, wait behind their key, back off, or are on their way to the
   * dead-letter topic. Default: 1000.
   */
  readonly maxInFlight: number
  /** Bytes of batches that are kept for records in flight; no other batch is read meanwhile. Default: 16777216. */
  readonly maxInFlightBytes: number
  /** When a handler that failed is run again: { attempts, backoffMs, backoffMaxMs }. Default: undefined. */
  readonly retry: RetryOptions | undefined
  /**
   * Topic that takes records which were given up, as they were, with headers that say why; made if it is missing. Without one, such
   * a record ends the processing with PROCESSING_FAILED. Default: undefined.
   */
  readonly deadLetterTopic: string | undefined
}

/** What `consumer.process` works with. */
export interface FilledProcessOptions extends TableOfProcessOptions {
  readonly retry: Readonly<FilledRetryOptions>
}

/** What `consumer.process(topic, options, handler)` takes; everything has a default. */
export type ProcessOptions = OptionsOf<TableOfProcessOptions>

export const RETRY_CONFIG: ConfigTable<FilledRetryOptions> = {
  what: 'retry option',
  settings: {
    attempts: {
      type: 'int',
      min: 1,
      max: INT_MAX,
      default: 5,
      takesEffect: 'at open',
      doc: "How often a record's handler is run at the most; 1: once.",
    },
    backoffMs: {
      type: 'int',
      min: 0,
      default: 1_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'How long a record waits for its second attempt, in ms; doubles each time, a fifth more or less.',
    },
    backoffMaxMs: {
      type: 'int',
      min: 0,
      default: 60_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'The longest that a record waits for its next attempt, in ms.',
    },
  },
  renamed: {
    retries: 'attempts',
    maxAttempts: 'attempts',
    maxRetries: 'attempts',
    delay: 'backoffMs',
    delayMs: 'backoffMs',
    backoff: 'backoffMs',
    initialRetryTime: 'backoffMs',
    maxDelay: 'backoffMaxMs',
    maxDelayMs: 'backoffMaxMs',
    maxRetryTime: 'backoffMaxMs',
  },
  answer: (name) => (FIXED_IN_RETRIES.has(name) ? 'the wait doubles each time, with a jitter of a fifth' : undefined),
}

const FIXED_IN_RETRIES: ReadonlySet<string> = new Set(['factor', 'multiplier', 'jitter', 'type'])

export const PROCESS_CONFIG: ConfigTable<TableOfProcessOptions> = {
  what: 'process option',
  settings: {
    concurrency: {
      type: 'int',
      min: 1,
      default: 1,
      takesEffect: 'at open',
      doc: 'Handlers that run at the same time at the most.',
    },
    order: {
      type: 'one of',
      values: ['partition', 'key', 'none'],
      spellings: { keys: 'key', partitions: 'partition', unordered: 'none', false: 'none' },
      default: 'key',
      takesEffect: 'at open',
      doc:
        "What is kept in order: records of one key, with those that have none in no order ('key'), of one partition ('partition'), or " +
        "nothing ('none'). A record is begun when the one before it is settled.",
    },
    maxInFlight: {
      type: 'int',
      min: 1,
      default: 1_000,
      unit: 'records',
      takesEffect: 'at open',
      doc:
        'Records taken and not settled yet at the most: those that run, wait behind their key, back off, or are on their way to the ' +
        'dead-letter topic.',
    },
    maxInFlightBytes: {
      type: 'long',
      min: 1,
      default: 16 * 1024 * 1024,
      unit: 'bytes',
      takesEffect: 'at open',
      doc: 'Bytes of batches that are kept for records in flight; no other batch is read meanwhile.',
    },
    retry: {
      type: 'custom',
      expects: 'an object { attempts, backoffMs, backoffMaxMs }',
      accepts: (value) => typeof value === 'object' && value !== null,
      default: undefined,
      takesEffect: 'at open',
      doc: 'When a handler that failed is run again: { attempts, backoffMs, backoffMaxMs }.',
    },
    deadLetterTopic: {
      type: 'string',
      default: undefined,
      takesEffect: 'at open',
      doc:
        'Topic that takes records which were given up, as they were, with headers that say why; made if it is missing. Without one, such ' +
        'a record ends the processing with PROCESSING_FAILED.',
    },
  },
  renamed: {
    partitionsConsumedConcurrently: 'concurrency',
    parallelism: 'concurrency',
    ordering: 'order',
    prefetch: 'maxInFlight',
    deadLetterQueue: 'deadLetterTopic',
    dlq: 'deadLetterTopic',
    dlt: 'deadLetterTopic',
  },
  answer: (name) => {
    if (ANSWERS.has(name)) return ANSWERS.get(name)
    return answerForeignOption(name)
  },
  relations: ({ concurrency, maxInFlight }) =>
    maxInFlight < concurrency
      ? `process option maxInFlight (${maxInFlight}) must not be below concurrency (${concurrency}): what runs is in flight`
      : undefined,
}

const IN_RETRY = 'it belongs into retry: { attempts, backoffMs, backoffMaxMs }'

/** Of work queues that people know. */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  ...['attempts', 'retries', 'maxRetries', 'backoff', 'backoffMs', 'backoffMaxMs'].map((name) => [name, IN_RETRY] as const),
  ['delay', 'records are worked on in the order of the log: there are no delayed ones'],
  ['priority', 'records are worked on in the order of the log: take a topic for each priority'],
  ['limiter', 'there is no rate limit: bound it by concurrency, or wait in the handler'],
  ['groupId', 'it is an option of the consumer: millrace.consumer({ groupId })'],
])

/** Throws INVALID_CONFIG, INVALID_TOPIC_EXCEPTION. */
export function fillProcessOptions(options: ProcessOptions | undefined): Readonly<FilledProcessOptions> {
  const filled = fillOptions(PROCESS_CONFIG, options)
  if (filled.deadLetterTopic !== undefined) checkTopicName(filled.deadLetterTopic)
  return Object.freeze({ ...filled, retry: fillRetryOptions(filled.retry) })
}

/** Throws INVALID_CONFIG. */
export function fillRetryOptions(options: RetryOptions | undefined): Readonly<FilledRetryOptions> {
  const retry = fillOptions(RETRY_CONFIG, options)
  if (retry.backoffMaxMs < retry.backoffMs && options?.backoffMaxMs !== undefined) {
    throw new MillraceError(
      'INVALID_CONFIG',
      `retry option backoffMaxMs (${retry.backoffMaxMs}) must not be below backoffMs (${retry.backoffMs}): it bounds it`,
    )
  }
  return retry
}
