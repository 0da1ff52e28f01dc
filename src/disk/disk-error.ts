// The one error of a disk: which file, what was tried, where, why, and what to do.

import { MillraceError } from '../errors.ts'

export type DiskOperation =
  | 'open'
  | 'close'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'size'
  | 'stat'
  | 'list'
  | 'make-directory'
  | 'rename'
  | 'remove'
  | 'remove-directory'
  | 'sync-directory'
  | 'free-bytes'

/** What a caller may want to tell apart; the errno code stands in `errno`. */
export type DiskErrorReason =
  | 'no-space' // the disk, or the user's quota, is full: goes on after space was freed
  | 'not-found'
  | 'exists' // something is there already, or a directory is not empty
  | 'wrong-kind' // a file where a directory should be, or the other way round
  | 'no-permission'
  | 'too-many-open-files'
  | 'sync-failed' // a sync failed before: this file, or directory, is not trusted any more
  | 'too-large' // more bytes than the caller takes
  | 'io' // all else: the disk itself

export interface DiskFailure {
  readonly path: string
  readonly operation: DiskOperation
  readonly reason?: DiskErrorReason
  /** Where in the file, in bytes. */
  readonly position?: number
  /** Of a write: how many of its bytes are in the file. */
  readonly arrivedBytes?: number
  /** Of a write or read: how many there should be. */
  readonly wantedBytes?: number
  readonly cause?: unknown
}

/**
 * KAFKA_STORAGE_ERROR of a file. `cause` is the system's error with its errno code; both survive
 * a message port, the fields here do not: there, look at `cause.code`.
 */
export class DiskError extends MillraceError {
  readonly path: string
  readonly operation: DiskOperation
  readonly reason: DiskErrorReason
  /** `ENOSPC`, `EIO` …, where the system gave one. */
  readonly errno: string | undefined
  readonly position: number | undefined
  readonly arrivedBytes: number | undefined

  constructor(failure: DiskFailure) {
    const errno = errnoOf(failure.cause)
    const reason = failure.reason ?? (errno === undefined ? 'io' : (REASONS.get(errno) ?? 'io'))
    super('KAFKA_STORAGE_ERROR', describe(failure, reason, errno), 'cause' in failure ? { cause: failure.cause } : {})
    this.path = failure.path
    this.operation = failure.operation
    this.reason = reason
    this.errno = errno
    this.position = failure.position
    this.arrivedBytes = failure.arrivedBytes
  }
}

/** The errno code of an error of the system, undefined of any other. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

const REASONS: ReadonlyMap<string, DiskErrorReason> = new Map<string, DiskErrorReason>([
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
  ['ENOENT', 'not-found'],
  ['EEXIST', 'exists'],
  ['ENOTEMPTY', 'exists'],
  ['ENOTDIR', 'wrong-kind'],
  ['EISDIR', 'wrong-kind'],
  ['EACCES', 'no-permission'],
  ['EPERM', 'no-permission'],
  ['EROFS', 'no-permission'],
  ['EMFILE', 'too-many-open-files'],
  ['ENFILE', 'too-many-open-files'],
])

const WHAT_TO_DO: Readonly<Record<DiskErrorReason, string>> = {
  'no-space': 'the disk is full: free space on it, or let retention take more',
  'not-found': 'it is not there: restore it, or correct the path',
  exists: 'something is there already: move it away',
  'wrong-kind': 'a file stands where a directory should be, or a directory where a file should be: move it away',
  'no-permission': 'give the user that this process runs as the right to read and write it',
  'too-many-open-files': 'raise the limit of open files of this process (ulimit -n)',
  'sync-failed':
    'a sync of it failed before, so nobody knows what of it is on the disk: find out why (the kernel log says), then open it again and recover',
  'too-large': 'it is larger than such a file ever gets: look whether it is damaged, and move it away',
  io: 'look at the kernel log and the health of the disk, then open it again and recover',
}

function describe(failure: DiskFailure, reason: DiskErrorReason, errno: string | undefined): string {
  const { path, operation, position, arrivedBytes, wantedBytes, cause } = failure
  const at = position === undefined ? '' : ` at byte ${position}`
  let count = ''
  if (arrivedBytes !== undefined) count = `, ${arrivedBytes}${wantedBytes === undefined ? '' : ` of ${wantedBytes}`} bytes arrived`
  else if (wantedBytes !== undefined) count = `, ${wantedBytes} bytes`
  const why = errno ?? (cause instanceof Error ? cause.message : reason)
  return `${operation} of ${path}${at} failed (${why}${count}): ${WHAT_TO_DO[reason]}`
}
