// What calls about groups ask of their thread's engine, and what they make of the
// coordinators' answers. Runs on the user's thread.

import { show } from '../../config-def.ts'
import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../../coordinator/group/group-requests.ts'
import type { OffsetQuery } from '../../engine/partition-calls.ts'
import { MillraceError, kafkaErrorName } from '../../errors.ts'
import type { KafkaErrorName } from '../../errors.ts'
import type { MetadataImage, PartitionImage } from '../../metadata/metadata-image.ts'
import type { FetchBound, ListedOffset } from '../../partition/list-offsets.ts'
import { checkNamedOnce } from './each-item.ts'

/** The coordinators of groups, through changes of leader. */
export interface GroupCoordinators {
  /** The partitions of `__consumer_offsets`: none before there is a first group. */
  readonly partitions: readonly PartitionImage[]
  ask<Api extends GroupApi>(api: Api, groupId: string, request: GroupRequestOf<Api>, options: CallEnd): Promise<GroupResponseOf<Api>>
  askPartition<Api extends GroupApi>(
    api: Api,
    partition: PartitionImage,
    request: GroupRequestOf<Api>,
    options: CallEnd,
  ): Promise<GroupResponseOf<Api>>
}

/** What ends a call early. */
export interface CallEnd {
  readonly signal?: AbortSignal | undefined
}

export interface GroupEngine {
  readonly groups: GroupCoordinators
  readonly metadata: MetadataImage
  mayAnswer(signal: AbortSignal | undefined): Promise<void>
  listOffsets(queries: readonly OffsetQuery[], bound: FetchBound, signal?: AbortSignal): Promise<(ListedOffset | null)[]>
}

/** As Kafka takes group ids from admin clients, but for the empty one. Throws INVALID_GROUP_ID. */
export function checkGroupId(groupId: unknown): string {
  if (typeof groupId === 'string' && groupId !== '') return groupId
  throw new MillraceError('INVALID_GROUP_ID', `a group id is a text that is not empty; ${show(groupId)} was given`)
}

/** One or an array. Throws INVALID_GROUP_ID, INVALID_REQUEST. */
export function checkGroupIds(groupIds: string | readonly string[], call: string): readonly string[] {
  const given: readonly unknown[] = typeof groupIds === 'string' ? [groupIds] : groupIds
  if (!Array.isArray(given)) {
    throw new MillraceError('INVALID_REQUEST', `${call} takes ids of groups, one or an array; ${show(given)} was given`)
  }
  const checked = given.map((groupId) => checkGroupId(groupId))
  checkNamedOnce(checked, 'group')
  return checked
}

/** Throws what the answer says; `what`: of a partition, `topic "clicks", partition 3`. */
export function checkAnswer(errorCode: number, groupId: string, what = ''): void {
  if (errorCode !== 0) throw groupError(kafkaErrorName(errorCode), groupId, what)
}

export function groupError(code: KafkaErrorName, groupId: string, what = ''): MillraceError {
  const sentence = SENTENCES[code] ?? (() => `the coordinator of group ${show(groupId)} answered ${code}`)
  return new MillraceError(code, `${what === '' ? '' : `${what}: `}${sentence(show(groupId))}`, { retriable: RETRIABLE.has(code) })
}

const RETRIABLE: ReadonlySet<KafkaErrorName> = new Set(['REBALANCE_IN_PROGRESS', 'UNSTABLE_OFFSET_COMMIT'])

const SENTENCES: Readonly<Partial<Record<KafkaErrorName, (group: string) => string>>> = {
  GROUP_ID_NOT_FOUND: (group) => `there is no group ${group}: listGroups tells which there are`,
  NON_EMPTY_GROUP: (group) => `group ${group} has members: close its consumers first`,
  GROUP_SUBSCRIBED_TO_TOPIC: (group) => `a member of group ${group} is subscribed to the topic: close it first`,
  OFFSET_METADATA_TOO_LARGE: (group) => `metadata of an offset of group ${group} is longer than offset.metadata.max.bytes`,
  INVALID_COMMIT_OFFSET_SIZE: (group) => `the offsets of group ${group} are more than a batch holds: alter fewer at a time`,
}
