// How batches are refused: one wording for all that read them. Any thread.

import { MillraceError } from '../errors.ts'
import { COMPRESSION_NAMES } from './record-batch-layout.ts'

/** The error of bytes that are no batch: `what` was found at byte `position` of the memory they lie in. */
export function corruptBatch(what: string, position: number): MillraceError {
  return new MillraceError('CORRUPT_MESSAGE', `found ${what} at byte ${position}: the batch is damaged`)
}

/** The error of a batch that may well be whole, in a compression that is not read yet. */
export function unsupportedCompression(type: number): MillraceError {
  const name = COMPRESSION_NAMES[type] ?? `type ${type}`
  return new MillraceError(
    'UNSUPPORTED_COMPRESSION_TYPE',
    `a batch is compressed with ${name}, which millrace cannot read yet: produce without compression`,
  )
}
