// What a processor is made of, and what its users see of it beside itself. Types only.

import type { Clock } from '../../clock.ts'
import type { Random } from '../../random.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { FilledProcessOptions } from './process-config.ts'
import type { ProcessSource } from './process-source.ts'

/** What a handler of `process` is told beside its record. */
export interface ProcessContext {
  /** Fires when the record's partition goes to another consumer, and on close: what is done from then on counts for nothing. */
  readonly signal: AbortSignal
  /** How often the record is tried, this time included: from 1. */
  readonly attempt: number
}

/**
 * What `process` runs for each record: when its promise resolves, the record is settled. When
 * it rejects or throws, the record is tried again, unless the error says `retriable: false`.
 */
export type ProcessHandler<K, V> = (record: ConsumerRecord<K, V>, context: ProcessContext) => unknown

/** A record whose handler failed, and is run again. */
export interface RetryEvent<K = unknown, V = unknown> {
  readonly record: ConsumerRecord<K, V>
  readonly error: unknown
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** Until the next one. */
  readonly delayMs: number
}

/** A record that was given up, and is in the dead-letter topic. */
export interface DeadLetterEvent<K = unknown, V = unknown> {
  readonly record: ConsumerRecord<K, V>
  readonly error: unknown
  /** How often the handler was run; 0: the record could not be decoded. */
  readonly attempts: number
}

/** What the shell is handed by `consumer.process`. */
export interface ProcessorParts<K, V> {
  readonly topic: string
  /** Of the topic. */
  readonly partitions: number
  readonly source: ProcessSource<K, V>
  readonly options: FilledProcessOptions
  readonly handler: ProcessHandler<K, V>
  readonly clock: Clock
  readonly random: Random
  /** Undefined: there is no dead-letter topic. */
  readonly openDeadLetters: (() => Promise<DeadLetters>) | undefined
  readonly onClose: () => void
}
