// What all events of consumer groups (KIP-848) share: from a change of who is there and what
// is wanted to new epochs, a new target assignment, and who is to hear of it.
// Pure.

import type { MetadataImage } from '../../metadata/metadata-image.ts'
import type { Random } from '../../random.ts'
import { isLocalHost } from '../client-host.ts'
import type { CoordinatorStep } from '../coordinator-shard.ts'
import type { SnapshotRegistry, TimelineMap } from '../timeline.ts'
import { partitionKey } from './assignment.ts'
import type { ConsumerGroupChange } from './consumer-group-change.ts'
import { hasRegex, isAway } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { Group, GroupRecord } from './group.ts'
import { memberKey } from './member-names.ts'
import { subscriptionHash } from './subscribed-topics.ts'
import type { CompilePattern } from './subscribed-topics.ts'
import { makeTargetAssignment } from './target-assignment.ts'

/** What the parts of a group coordinator have in common. */
export interface GroupParts {
  readonly groups: TimelineMap<string, Group>
  readonly registry: SnapshotRegistry
  readonly config: GroupCoordinatorConfig
  readonly random: Random
  readonly image: () => MetadataImage
  /** Of RE2; throws where the text is no pattern. */
  readonly compilePattern: CompilePattern
  /** Where members were removed and only classic ones are left: the step that makes it a classic group again, in place of the change. */
  readonly downgrade: (change: ConsumerGroupChange, now: Now) => CoordinatorStep<GroupRecord> | undefined
}

/** One event. */
export interface Now {
  /** Monotonic. */
  readonly nowMs: number
  /** Since the epoch. */
  readonly wallMs: number
}

/** Out of the group; and what was wanted by it alone is no more looked up. */
export function removeMembers(change: ConsumerGroupChange, members: Iterable<ConsumerGroupMember>, parts: GroupParts, now: Now): void {
  for (const member of members) change.removeMember(member.memberId)
  for (const member of change.removed) forgetRegex(change, member, parts, now)
}

/** The pattern that the member had, where nobody has it any more. */
export function forgetRegex(change: ConsumerGroupChange, before: ConsumerGroupMember, parts: GroupParts, now: Now): void {
  const pattern = before.subscribedTopicRegex
  if (!hasRegex(before) || change.regexTopics(pattern!) === undefined) return
  for (const member of change.members()) if (member.subscribedTopicRegex === pattern) return
  change.setRegex(pattern!, undefined, parts.image().offset, now.wallMs)
}

/** The group goes to its next epoch. */
export function bumpEpoch(change: ConsumerGroupChange, image: MetadataImage): void {
  change.nextEpoch(subscriptionHash(change, image))
}

/** Members in this process wait for nobody. */
export function hasLocalMembers(change: ConsumerGroupChange): boolean {
  for (const member of change.members()) if (isLocalHost(member.clientHost)) return true
  return false
}

/**
 * A new target assignment, where the group's epoch is past the last one's. Among members behind sockets there is some time between two,
 * so that many who come at once cost one. `isAskedLocally`: by a member of this process, who may be new.
 */
export function assignIfDue(
  change: ConsumerGroupChange,
  isAskedLocally: boolean,
  parts: GroupParts,
  now: Now,
  image = parts.image(),
): void {
  if (change.epoch === change.targetEpoch || change.memberCount === 0) return
  const isLocal = isAskedLocally || hasLocalMembers(change)
  const { consumerAssignmentIntervalMs: intervalMs, consumerAssignors: assignors } = parts.config
  const sinceMs = now.wallMs - change.group.targetTimestampMs()
  if (!isLocal && sinceMs >= 0 && sinceMs < intervalMs) {
    change.setTimer('assign', undefined, now.nowMs + intervalMs - sinceMs)
    return
  }
  makeTargetAssignment(change, { image, assignors, wallMs: now.wallMs })
  if (!isLocal) change.cancelTimer('assign', undefined)
}

/** The change as a step, with who is to hear of it besides `asker`. */
export function stepOf(change: ConsumerGroupChange, asker?: string): CoordinatorStep<GroupRecord> {
  const news = newsOf(change, asker)
  return {
    ...(change.records.length > 0 ? { records: change.records } : {}),
    ...(change.timers.length > 0 ? { timers: change.timers } : {}),
    ...(news.length > 0 ? { news } : {}),
  }
}

/** Who would get something else than before if they asked now. */
function newsOf(change: ConsumerGroupChange, asker: string | undefined): string[] {
  const { groupId } = change
  const news = change.removed.filter(({ memberId }) => memberId !== asker).map(({ memberId }) => memberKey(groupId, memberId))
  if (!change.hasNewTarget && change.freed.size === 0) return news
  for (const member of change.members()) {
    if (member.memberId === asker || isAway(member) || !hasNews(member, change)) continue
    news.push(memberKey(groupId, member.memberId))
  }
  return news
}

/** A new target has another epoch at least, for all but who must first give something up. */
function hasNews({ memberId, state }: ConsumerGroupMember, change: ConsumerGroupChange): boolean {
  if (change.hasNewTarget) return state !== 'UNREVOKED_PARTITIONS'
  if (state !== 'UNRELEASED_PARTITIONS') return false
  for (const [topic, partitions] of change.target(memberId)) {
    if (partitions.some((partition) => change.freed.has(partitionKey(topic, partition)))) return true
  }
  return false
}

/** The consumer group of that name; a new one, which the first record that is replayed makes again, where there is none. */
export function consumerGroupOrNew(groupId: string, { groups, registry }: GroupParts): ConsumerGroup {
  const group = groups.get(groupId)
  return group instanceof ConsumerGroup ? group : new ConsumerGroup(groupId, registry)
}
