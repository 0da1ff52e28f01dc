// What a consumer says when its group does not want it, or an offset could not be
// committed: what happened, and what to do. Pure.

import { MillraceError } from '../../errors.ts'
import type { ErrorName } from '../../errors.ts'

interface Who {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly groupRemoteAssignor: string | null
}

/** A member that cannot join, or was put out and must not come back by itself. */
export function membershipError(code: ErrorName, detail: string | null, who: Who): MillraceError {
  return new MillraceError(code, sentence(code, detail ?? code, who), { retriable: false })
}

function sentence(code: ErrorName, detail: string, { groupId, groupInstanceId, groupRemoteAssignor }: Who): string {
  const group = `group "${groupId}"`
  switch (code) {
    case 'UNRELEASED_INSTANCE_ID':
      return `another member of ${group} has groupInstanceId "${groupInstanceId}" and is alive: close it first, or take another id`
    case 'FENCED_INSTANCE_ID':
      return `another member has joined ${group} with groupInstanceId "${groupInstanceId}", and this one is out: give each member its own`
    case 'GROUP_MAX_SIZE_REACHED':
      return `${group} has as many members as it may (group.consumer.max.size): end one, or allow more`
    case 'UNSUPPORTED_ASSIGNOR':
      return `${group} cannot be assigned by "${groupRemoteAssignor}": name one of group.consumer.assignors, or leave groupRemoteAssignor out`
    case 'INVALID_REGULAR_EXPRESSION':
      return `${group} was given a pattern that is none (${detail}): write another one`
    default:
      return `this consumer cannot be a member of ${group}: ${detail}`
  }
}

/** An offset that was not committed, because the partition is not this member's any more. */
export function lateCommitError(groupId: string, partitions: string): MillraceError {
  const message =
    `${partitions} went to another member of group "${groupId}", or this one is out of it: nothing was committed, and what was not ` +
    'committed before is read again there. Commit in onRevoked, and ask for the next batch within maxPollIntervalMs'
  return new MillraceError('STALE_MEMBER_EPOCH', message)
}

export function commitError(code: ErrorName, groupId: string, partitions: string): MillraceError {
  const remedies: Partial<Record<ErrorName, string>> = {
    OFFSET_METADATA_TOO_LARGE: 'shorten the metadata, or allow more by offset.metadata.max.bytes',
    UNKNOWN_TOPIC_OR_PARTITION: 'the topic or the partition is not there',
    UNKNOWN_TOPIC_ID: 'the topic was deleted: bind it again',
    UNKNOWN_MEMBER_ID: 'the group has members: only they commit, so end them first, or take another groupId',
    GROUP_ID_NOT_FOUND: 'the group was deleted meanwhile',
  }
  return new MillraceError(code, `offsets of ${partitions} were not committed by group "${groupId}": ${remedies[code] ?? code}`)
}

export function noGroupError(what: string): MillraceError {
  return new MillraceError('INVALID_REQUEST', `${what} needs a group: open the consumer with millrace.consumer({ groupId: '…' })`)
}

/** Of a request to the coordinator that was not answered. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  return new MillraceError('UNKNOWN_SERVER_ERROR', `the group's coordinator was asked, and something broke: ${String(error)}`, {
    cause: error,
  })
}
