// What ends an Observable whose record was given up.

import { givenUp, unburied } from '../../client/consumer/process-errors.ts'
import { MillraceError } from '../../errors.ts'
import { readRecordOf } from '../millrace-record.ts'
import type { MillraceRecord } from '../millrace-record.ts'

/** There is no dead-letter topic to take it. */
export function givenUpFor(record: MillraceRecord<unknown, unknown> | undefined, error: unknown, attempts: number): MillraceError {
  if (record !== undefined) return givenUp(readRecordOf(record), error, attempts)
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('PROCESSING_FAILED', `what came by was given up after ${attempts} attempt(s): ${message}. Mend the handler`, {
    cause: error,
  })
}

/** Its dead letter cannot be written. */
export function failedFor(record: MillraceRecord<unknown, unknown>, error: unknown, cause: unknown): MillraceError {
  return unburied(readRecordOf(record), error, cause)
}
