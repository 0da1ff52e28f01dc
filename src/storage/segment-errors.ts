// How a reader of segment files says that it cannot read: one wording. Any thread.

import { MillraceError } from '../errors.ts'

/** Where a reader stands. */
export interface SegmentPlace {
  readonly path: string
  /** Bytes from the beginning of the file. */
  readonly filePosition: number
  /** The offset that was to be read. */
  readonly offset: number
}

/** Bytes of a segment file that are no batch where one must be. Not retriable: the file stays as it is. */
export function corruptSegment(found: string, { path, filePosition, offset }: SegmentPlace): MillraceError {
  const remedy =
    'The batch is not handed out. Put the file back from a copy, or seek behind it (or deleteRecords up to there), which leaves out what it held'
  return new MillraceError('CORRUPT_MESSAGE', `${path} is damaged at byte ${filePosition}, offset ${offset}: found ${found}. ${remedy}.`, {
    retriable: false,
  })
}

/** The files that should hold an offset were not there, however often they were looked for. */
export function missingSegment(directory: string | undefined, offset: number, cause: unknown): MillraceError {
  const where = directory ?? 'a partition whose directory is not known'
  const message = `no segment file in ${where} holds offset ${offset}, though the log does: look whether files were moved or deleted by hand`
  return new MillraceError('KAFKA_STORAGE_ERROR', message, { cause })
}

/** The system refuses to list, open or read. */
export function unreadableSegment(path: string, offset: number, cause: unknown): MillraceError {
  const { code = 'an error', message = String(cause) } = cause as { code?: string; message?: string }
  const remedy =
    code === 'EMFILE' || code === 'ENFILE'
      ? 'this process has too many open files: raise its limit (ulimit -n), or read fewer partitions at once'
      : 'look at the disk and at the permissions, then read again'
  return new MillraceError('KAFKA_STORAGE_ERROR', `${path} cannot be read for offset ${offset}: ${code} (${message}); ${remedy}`, { cause })
}

/** Whether a file or directory is not there (any more), or a file that was opened is gone. */
export function isGone(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE'
}
