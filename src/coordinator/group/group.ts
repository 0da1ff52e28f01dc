// What a group of either protocol is to the rest of the coordinator: to committed offsets,
// to whoever lists, describes and deletes groups (Kafka: Group).
// Pure. Reads that take an epoch take that of a snapshot (timeline.ts), LATEST without one.

import type { ErrorName } from '../../errors.ts'
import type { CoordinatorRecord } from '../../protocol/coordinator-record.ts'
import type { GroupRecordTypes } from '../../protocol/records/group-records.ts'

/** A record of `__consumer_offsets`. */
export type GroupRecord = CoordinatorRecord<GroupRecordTypes>

/** Kafka's names. 'Assigning' and 'Reconciling' are of KIP-848, 'PreparingRebalance' and 'CompletingRebalance' of classic groups. */
export type GroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export type GroupProtocol = 'classic' | 'consumer'

/** 'NONE' says that there is no error. */
export type CheckedBy = ErrorName | 'NONE'

/** Since when offsets of a group that nobody holds count as unused (Kafka: OffsetExpirationCondition). */
export type OffsetsUnusedSince =
  /** Members hold them: they stay, but for topics that nobody of the group is subscribed to, whose offsets count from their commit. */
  | { readonly kind: 'in use' }
  /** Each from its own commit: a group that commits and has no members. */
  | { readonly kind: 'since commit' }
  /** Wall-clock time at which the group became empty; or from the commit, where that came later. */
  | { readonly kind: 'since'; readonly timeMs: number }

export interface Group {
  readonly groupId: string
  readonly protocol: GroupProtocol
  /** Of the protocol between its members: 'consumer', or '' where none is known. */
  protocolType(epoch?: number): string
  state(epoch?: number): GroupState
  memberCount(epoch?: number): number
  /**
   * Of a commit: UNKNOWN_MEMBER_ID; STALE_MEMBER_EPOCH (KIP-848); ILLEGAL_GENERATION, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS
   * (classic).
   */
  checkCommit(memberId: string, instanceId: string | null, memberEpochOrGeneration: number): CheckedBy
  /** Of an OffsetFetch that names a member (v9): UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH. */
  checkFetch(memberId: string, memberEpoch: number, epoch?: number): CheckedBy
  /** NON_EMPTY_GROUP while there are members. */
  checkDelete(): CheckedBy
  /** Of OffsetDelete for topics in use: whether somebody of the group is subscribed to the topic, by name. */
  isSubscribedTo(topic: string, epoch?: number): boolean
  offsetsUnusedSince(): OffsetsUnusedSince
  /** The records that take the group away, without its offsets. */
  tombstones(): GroupRecord[]
}
