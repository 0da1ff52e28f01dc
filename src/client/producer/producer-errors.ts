// What a producer says when it cannot take a record or has lost one. Runs on the
// producer's thread, never for a record that goes its way.

import { MillraceError } from '../../errors.ts'
import type { ProducerBatch } from './producer-batch.ts'

export function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'this producer is closed: take another one from millrace.producer()')
}

export function abortedError(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'waiting was aborted by its signal', { cause: signal.reason })
}

/** The producer was closed before a batch was acknowledged. */
export function unsentError({ builder, destination }: ProducerBatch): MillraceError {
  const what = `${builder.recordCount} record(s) of ${destination!.topic}-${destination!.partition}`
  return new MillraceError(
    'CLOSED',
    `${what} were not acknowledged when the producer was closed: close it later, or with a larger timeoutMs`,
  )
}

/** Throws INVALID_TIMESTAMP. */
export function checkTimestamp(timestamp: number): number {
  // Below the largest safe integer, so that -1, Kafka's "none", is a safe distance away.
  if (Number.isSafeInteger(timestamp) && timestamp >= 0 && timestamp < Number.MAX_SAFE_INTEGER) return timestamp
  throw new MillraceError(
    'INVALID_TIMESTAMP',
    `a record's timestamp is a whole number of milliseconds since the epoch, not ${String(timestamp)}`,
  )
}

/** Throws INVALID_REQUEST for what is no record at all. */
export function checkRecord(record: unknown): void {
  if (typeof record === 'object' && record !== null) return
  throw new MillraceError('INVALID_REQUEST', 'a record to send is an object: { value }, and key, headers, timestamp or partition')
}
