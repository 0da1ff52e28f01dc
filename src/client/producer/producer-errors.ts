// What a producer says when it cannot take a record or has lost one. Runs on the
// producer's thread, never for a record that goes its way.

import { KAFKA_ERRORS, MillraceError, kafkaErrorName } from '../../errors.ts'
import type { ProducerBatch } from './producer-batch.ts'

export function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'this producer is closed: take another one from millrace.producer()')
}

export function abortedError(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'waiting was aborted by its signal', { cause: signal.reason })
}

/** The producer was closed before a batch was acknowledged. */
export function unsentError(batch: ProducerBatch): MillraceError {
  return new MillraceError(
    'CLOSED',
    `${recordsOf(batch)} were not acknowledged when the producer was closed: close it later, or with a larger timeoutMs`,
  )
}

/** The broker died, and the batch is not sent again. */
export function lostError(batch: ProducerBatch, brokerId: number): MillraceError {
  const message =
    `broker ${brokerId} died before it acknowledged ${recordsOf(batch)}: they may or may not be in the log; ` +
    'another broker leads on, so send them again if a duplicate does no harm, or raise retries'
  return new MillraceError('NETWORK_EXCEPTION', message)
}

/** The broker did not answer in time. */
export function unansweredError(batch: ProducerBatch, brokerId: number): MillraceError {
  const message = `broker ${brokerId} did not acknowledge ${recordsOf(batch)} within deliveryTimeoutMs: they may or may not be in the log`
  return new MillraceError('REQUEST_TIMED_OUT', message)
}

/** It did not get to a broker in time, or came back and did not get there again. */
export function overdueError(batch: ProducerBatch): MillraceError {
  // One that was out of order only waited for the one before it.
  const { refusal } = batch
  const isOutOfSequence = refusal === KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER || refusal === KAFKA_ERRORS.INVALID_PRODUCER_EPOCH
  if (refusal !== 0 && !isOutOfSequence) return refusalError(batch, refusal)
  const doubt = batch.inDoubt ? '; the one that died with them may have written them' : ''
  const message = `${recordsOf(batch)} could not be sent within deliveryTimeoutMs: their broker was slow or gone${doubt}`
  return new MillraceError('REQUEST_TIMED_OUT', message)
}

export function refusalError(batch: ProducerBatch, errorCode: number): MillraceError {
  const what = recordsOf(batch)
  const name = kafkaErrorName(errorCode)
  switch (errorCode) {
    case KAFKA_ERRORS.KAFKA_STORAGE_ERROR:
      if (batch.destination!.control.haveFilesFailed) {
        const message =
          `the files of ${batch.destination!.topic}-${batch.destination!.partition} failed, as millrace's log says: ${what} were not ` +
          'acknowledged, and may or may not be in the log; mend what is wrong with the disk, open millrace again, and look before you send again'
        return new MillraceError(name, message, { retriable: false })
      }
      return new MillraceError(
        name,
        `log memory is full and nothing in it may go: ${what} were not written; raise logMemoryBytes, ` +
          'give topics a retention.bytes other than -1, or send again later',
      )
    case KAFKA_ERRORS.MESSAGE_TOO_LARGE:
      return new MillraceError(
        name,
        `a batch of ${batch.sizeInBytes} bytes is above max.message.bytes of ${batch.destination!.topic}: ${what} were not written`,
      )
    case KAFKA_ERRORS.CORRUPT_MESSAGE:
      return new MillraceError(name, `the broker found ${what} damaged on the way and did not write them: send them again`)
    case KAFKA_ERRORS.UNKNOWN_TOPIC_ID: {
      const message = `topic ${batch.destination!.topic} was deleted: ${what} were not written; make it again and bind it anew`
      return new MillraceError(name, message, { retriable: false })
    }
    case KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER:
      return new MillraceError(name, `the log has lost acknowledged records before ${what}, which were not written: send them again`)
    case KAFKA_ERRORS.UNKNOWN_PRODUCER_ID:
      return new MillraceError(
        name,
        `the broker of ${what} died before it acknowledged them, and retention has taken all that this producer had written there: ` +
          'they may have been in the log; send them again if a duplicate does no harm, or give the topic or log memory more room',
      )
    default:
      return new MillraceError(name, `the broker refused ${what} with ${name}`)
  }
}

function recordsOf({ builder, destination }: ProducerBatch): string {
  return `${builder.recordCount} record(s) of ${destination!.topic}-${destination!.partition}`
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
