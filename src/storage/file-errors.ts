// How the files of a log directory are refused: one wording for all that read them.
// Any thread.

import { MillraceError } from '../errors.ts'

/**
 * The error of a file that is not what it should be: `found` says what is there and
 * where, `remedy` what to do. Not retriable: the file stays as it is.
 */
export function damagedFile(path: string, found: string, remedy: string): MillraceError {
  return new MillraceError('KAFKA_STORAGE_ERROR', `${path} is damaged: found ${found}. ${remedy}`, { retriable: false })
}

/** The error of a file whose format version is above the one that is read here. */
export function newerFileFormat(path: string, version: number, newestRead: number): MillraceError {
  return new MillraceError(
    'UNSUPPORTED_VERSION',
    `${path} has format version ${version}, and the newest that millrace reads is ${newestRead}: open it with the newer release that wrote it`,
  )
}
