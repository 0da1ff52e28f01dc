// How batches are refused: one wording for all that read them. Any thread.

import { MillraceError } from '../errors.ts'
import { COMPRESSION_NAMES } from './record-batch-layout.ts'

/** The error of bytes that are no batch: `what` was found at byte `position` of the memory they lie in. */
export function corruptBatch(what: string, position: number): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `found ${what} at byte ${position}: the batch is damaged`)
}

/** The error of a compressed batch whose records no codec gives back. */
export function corruptCompression(codec: string, what: string): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `found ${what} where records compressed with ${codec} must be: the batch is damaged`)
}

/** The error of a batch that may well be whole, and would take more memory than is given for one. */
export function tooLargeDecompressed(codec: string, maxBytes: number): MillraceError {
  const message = `a batch compressed with ${codec} holds more than ${maxBytes} bytes: produce smaller batches, or skip it by seeking behind it`
  return new MillraceError('RECORD_LIST_TOO_LARGE', message)
}

/** The error of a batch that may well be whole, in a compression that nobody reads here. */
export function unsupportedCompression(type: number): MillraceError {
  const name = COMPRESSION_NAMES[type]
  if (name === undefined) {
    const message = `a batch is compressed with type ${type}, which is none of Kafka's: produce with gzip, snappy, lz4 or zstd`
    return new MillraceError('UNSUPPORTED_COMPRESSION_TYPE', message)
  }
  return new MillraceError(
    'UNSUPPORTED_COMPRESSION_TYPE',
    `a batch is compressed with ${name}, and its records are walked only decompressed`,
  )
}
