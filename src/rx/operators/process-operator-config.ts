// The options of the operator `process`: those of `consumer.process`, less the bounds of what is in
// flight, which its source has.

import { PROCESS_CONFIG, fillRetryOptions } from '../../client/consumer/process-config.ts'
import type { RetryOptions } from '../../client/consumer/process-config.ts'
import type { RetryPolicy } from '../../client/consumer/retry-backoff.ts'
import type { ProcessOrder } from '../../client/consumer/work-queue.ts'
import { checkTopicName } from '../../client/topic-definition.ts'
import type { Clock } from '../../clock.ts'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, CustomSetting, OptionsOf } from '../../config-def.ts'
import { CLOCK_SETTING } from './clock-setting.ts'

/** A value whose handler failed, and is run again. */
export interface RetriedValue<T = unknown> {
  readonly value: T
  readonly error: unknown
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** Until the next one. */
  readonly delayMs: number
}

/** A value that was given up, and is in the dead-letter topic. */
export interface DeadValue<T = unknown> {
  readonly value: T
  readonly error: unknown
  /** How often the handler was run; 0: it could not be decoded. */
  readonly attempts: number
}

interface TableOfProcessOperatorOptions {
  /** Handlers that run at the same time at the most. Default: 1. */
  readonly concurrency: number
  /**
   * What is kept in order: records of one key, with those that have none in no order ('key'), of one partition ('partition'), or
   * nothing ('none'). A record is begun when the one before it is settled. Default: 'key'.
   */
  readonly order: ProcessOrder
  /** When a handler that failed is run again: { attempts, backoffMs, backoffMaxMs }. Default: undefined. */
  readonly retry: RetryOptions | undefined
  /**
   * Topic that takes records which were given up, as they were, with headers that say why; made if it is missing. Without one, such
   * a record ends the Observable with PROCESSING_FAILED. Default: undefined.
   */
  readonly deadLetterTopic: string | undefined
  /** Told of each attempt that failed and will be followed by another; what it throws ends the Observable. Default: undefined. */
  readonly onRetry: ((event: RetriedValue<never>) => void) | undefined
  /** Told of each value that is in the dead-letter topic; what it throws ends the Observable. Default: undefined. */
  readonly onDeadLetter: ((event: DeadValue<never>) => void) | undefined
  /** Tells time, for tests. Default: undefined. */
  readonly clock: Clock | undefined
}

/** What the operator `process` works with. */
export interface FilledProcessOperatorOptions extends TableOfProcessOperatorOptions {
  readonly retry: Readonly<RetryOptions & RetryPolicy>
}

/** What the operator `process` takes beside its handler; everything has a default. */
export type ProcessOperatorOptions<T> = Omit<OptionsOf<TableOfProcessOperatorOptions>, 'onRetry' | 'onDeadLetter'> & {
  readonly onRetry?: ((event: RetriedValue<T>) => void) | undefined
  readonly onDeadLetter?: ((event: DeadValue<T>) => void) | undefined
}

const { concurrency, order, retry, deadLetterTopic } = PROCESS_CONFIG.settings

const PROCESS_OPERATOR_CONFIG: ConfigTable<TableOfProcessOperatorOptions> = {
  what: 'process option',
  settings: {
    concurrency,
    order,
    retry,
    deadLetterTopic,
    onRetry: callback(
      '{ value, error, attempt, delayMs }',
      'Told of each attempt that failed and will be followed by another; what it throws ends the Observable.',
    ),
    onDeadLetter: callback(
      '{ value, error, attempts }',
      'Told of each value that is in the dead-letter topic; what it throws ends the Observable.',
    ),
    clock: CLOCK_SETTING,
  },
  renamed: {
    partitionsConsumedConcurrently: 'concurrency',
    parallelism: 'concurrency',
    ordering: 'order',
    deadLetterQueue: 'deadLetterTopic',
    dlq: 'deadLetterTopic',
    dlt: 'deadLetterTopic',
  },
  answer: (name) => {
    if (name.startsWith('maxInFlight')) return 'its source bounds what is in flight: fromTopic(topic, { maxInFlight, maxInFlightBytes })'
    return PROCESS_CONFIG.answer?.(name)
  },
}

function callback<T>(event: string, doc: string): CustomSetting<T | undefined> {
  return {
    type: 'custom',
    expects: `a function of ${event}`,
    accepts: (value) => typeof value === 'function',
    default: undefined,
    takesEffect: 'at open',
    doc,
  }
}

/** Throws INVALID_CONFIG, INVALID_TOPIC_EXCEPTION. */
export function fillProcessOperatorOptions<T>(options: ProcessOperatorOptions<T> | undefined): FilledProcessOperatorOptions {
  const filled = fillOptions(PROCESS_OPERATOR_CONFIG, options as OptionsOf<TableOfProcessOperatorOptions> | undefined)
  if (filled.deadLetterTopic !== undefined) checkTopicName(filled.deadLetterTopic)
  return { ...filled, retry: fillRetryOptions(filled.retry) }
}
