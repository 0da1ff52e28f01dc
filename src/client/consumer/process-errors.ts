// What ends a processing, and what its records are told. Runs on the consumer's thread.

import { MillraceError } from '../../errors.ts'
import type { ConsumerRecord } from './consumer-record.ts'

/** Why the signal of what runs fires when its partition is taken away. */
export function noLongerOurs(where: string): MillraceError {
  return new MillraceError('ABORTED', `${where} is not this consumer's any more: what is done here comes again elsewhere`)
}

/** Why it fires when a seek goes back behind what is in flight. */
export function rewound(where: string): MillraceError {
  return new MillraceError('ABORTED', `${where} is read again from an offset before`)
}

/** Why it fires on close. */
export function closedBefore(topic: string): MillraceError {
  return new MillraceError('CLOSED', `the processing of ${topic} was closed before this record was settled: it comes again`)
}

/** What whoever waits for a closed processing is told. */
export function processingClosed(topic: string): MillraceError {
  return new MillraceError('CLOSED', `the processing of ${topic} was closed`)
}

/** There is no dead-letter topic to take it. */
export function givenUp(record: ConsumerRecord, error: unknown, attempts: number): MillraceError {
  const tries = attempts === 0 ? 'cannot be decoded' : `was given up after ${attempts} attempt(s)`
  const remedy = 'mend the handler, or name a deadLetterTopic that takes such records'
  return new MillraceError('PROCESSING_FAILED', `${whereOf(record)} ${tries}: ${messageOf(error)}. It is not settled: ${remedy}`, {
    cause: error,
  })
}

/** It was to be written to the dead-letter topic. */
export function unburied(record: ConsumerRecord, error: unknown, cause: unknown): MillraceError {
  const message = `${whereOf(record)} was given up (${messageOf(error)}), and its dead letter cannot be written: ${messageOf(cause)}`
  return new MillraceError('PROCESSING_FAILED', message, { cause })
}

function whereOf({ topic, partition, offset }: ConsumerRecord): string {
  return `the record of ${topic}-${partition} at offset ${offset}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
