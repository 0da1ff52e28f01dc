// A consumer group (KIP-848), as its records tell of it: members, what each is to have (the
// target assignment) and what each has (the current one).
// Pure. Holds: it changes only by replay.
//
//   group epoch       goes up with each change of members, subscriptions or topics
//   assignment epoch  of the target assignment: the group epoch for which it was made
//   member epoch      goes up to the assignment epoch when the member has given up what it is not to have

import { LATEST, TimelineMap, TimelineValue } from '../timeline.ts'
import type { SnapshotRegistry } from '../timeline.ts'
import { NO_ASSIGNMENT, assignmentOf, partitionKeys } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, newMember, withCurrentAssignment, withMetadata } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { groupTombstones } from './consumer-group-records.ts'
import type { CheckedBy, Group, GroupRecord, GroupState, OffsetsUnusedSince } from './group.ts'

export class ConsumerGroup implements Group {
  readonly groupId: string
  readonly protocol = 'consumer'
  readonly #epoch: TimelineValue<number>
  readonly #metadataHash: TimelineValue<bigint>
  readonly #members: TimelineMap<string, ConsumerGroupMember>
  readonly #staticMembers: TimelineMap<string, string>
  readonly #targetEpoch: TimelineValue<number>
  readonly #targetTimestampMs: TimelineValue<number>
  readonly #targets: TimelineMap<string, Assignment>
  /** By `partitionKey`: the member that has the partition, or has not yet given it up. */
  readonly #owners: TimelineMap<string, string>
  /** Names of the topics that match, by pattern. */
  readonly #regexes: TimelineMap<string, readonly string[]>

  constructor(groupId: string, registry: SnapshotRegistry) {
    this.groupId = groupId
    this.#epoch = new TimelineValue(registry, 0)
    this.#metadataHash = new TimelineValue(registry, 0n)
    this.#members = new TimelineMap(registry)
    this.#staticMembers = new TimelineMap(registry)
    this.#targetEpoch = new TimelineValue(registry, 0)
    this.#targetTimestampMs = new TimelineValue(registry, 0)
    this.#targets = new TimelineMap(registry)
    this.#owners = new TimelineMap(registry)
    this.#regexes = new TimelineMap(registry)
  }

  epoch(epoch = LATEST): number {
    return this.#epoch.get(epoch)
  }

  /** Of the topics it is subscribed to; 0n: of none. Two hashes that differ say that there is another partition or topic. */
  metadataHash(epoch = LATEST): bigint {
    return this.#metadataHash.get(epoch)
  }

  targetEpoch(epoch = LATEST): number {
    return this.#targetEpoch.get(epoch)
  }

  /** Wall-clock time at which the target assignment was made; 0: none was. */
  targetTimestampMs(epoch = LATEST): number {
    return this.#targetTimestampMs.get(epoch)
  }

  target(memberId: string, epoch = LATEST): Assignment {
    return this.#targets.get(memberId, epoch) ?? NO_ASSIGNMENT
  }

  targets(epoch = LATEST): IterableIterator<[string, Assignment]> {
    return this.#targets.entries(epoch)
  }

  member(memberId: string, epoch = LATEST): ConsumerGroupMember | undefined {
    return this.#members.get(memberId, epoch)
  }

  members(epoch = LATEST): IterableIterator<ConsumerGroupMember> {
    return this.#members.values(epoch)
  }

  memberCount(epoch = LATEST): number {
    return this.#members.size(epoch)
  }

  /** The member that has the instance id. */
  staticMember(instanceId: string): ConsumerGroupMember | undefined {
    const memberId = this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  owner(partitionKey: string): string | undefined {
    return this.#owners.get(partitionKey)
  }

  /** All that have an owner, by `partitionKey`. */
  owners(epoch = LATEST): IterableIterator<[string, string]> {
    return this.#owners.entries(epoch)
  }

  /** Names of the topics that match; undefined: the pattern was not looked up. */
  regexTopics(pattern: string, epoch = LATEST): readonly string[] | undefined {
    return this.#regexes.get(pattern, epoch)
  }

  regexes(epoch = LATEST): IterableIterator<[string, readonly string[]]> {
    return this.#regexes.entries(epoch)
  }

  protocolType(): string {
    return 'consumer'
  }

  state(epoch = LATEST): GroupState {
    if (this.#members.size(epoch) === 0) return 'Empty'
    const targetEpoch = this.#targetEpoch.get(epoch)
    if (this.#epoch.get(epoch) > targetEpoch) return 'Assigning'
    for (const { state, memberEpoch } of this.#members.values(epoch)) {
      if (state !== 'STABLE' || memberEpoch !== targetEpoch) return 'Reconciling'
    }
    return 'Stable'
  }

  checkCommit(memberId: string, _instanceId: string | null, memberEpoch: number): CheckedBy {
    // An admin commits while nobody is there; so does a consumer that assigns partitions to itself.
    if (memberEpoch < 0 && this.#members.size() === 0) return 'NONE'
    return this.#checkEpoch(this.#members.get(memberId), memberEpoch)
  }

  checkFetch(memberId: string, memberEpoch: number, epoch = LATEST): CheckedBy {
    if (memberId === '' && memberEpoch < 0) return 'NONE'
    return this.#checkEpoch(this.#members.get(memberId, epoch), memberEpoch)
  }

  checkDelete(): CheckedBy {
    return this.#members.size() === 0 ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  isSubscribedTo(topic: string, epoch = LATEST): boolean {
    for (const { subscribedTopicNames, subscribedTopicRegex } of this.#members.values(epoch)) {
      if (subscribedTopicNames.includes(topic)) return true
      if (subscribedTopicRegex !== null && this.#regexes.get(subscribedTopicRegex, epoch)?.includes(topic) === true) return true
    }
    return false
  }

  offsetsUnusedSince(): OffsetsUnusedSince {
    return this.#members.size() === 0 ? { kind: 'since commit' } : { kind: 'in use' }
  }

  tombstones(): GroupRecord[] {
    return groupTombstones(this)
  }

  /** All kinds of records whose keys begin with the group's id, but for the one that takes the group away. */
  replay(record: GroupRecord): void {
    switch (record.type) {
      case 'ConsumerGroupMetadata':
        if (record.value === null) return
        this.#epoch.set(record.value.epoch)
        this.#metadataHash.set(record.value.metadataHash)
        return
      case 'ConsumerGroupMemberMetadata':
        if (record.value === null) return this.#removeMember(record.key.memberId)
        return this.#setMember(withMetadata(this.#memberOrNew(record.key.memberId), record.value))
      case 'ConsumerGroupTargetAssignmentMetadata':
        this.#targetEpoch.set(record.value?.assignmentEpoch ?? 0)
        this.#targetTimestampMs.set(record.value?.assignmentTimestamp ?? 0)
        return
      case 'ConsumerGroupTargetAssignmentMember':
        if (record.value === null) this.#targets.delete(record.key.memberId)
        else this.#targets.set(record.key.memberId, assignmentOf(record.value.topicPartitions))
        return
      case 'ConsumerGroupCurrentMemberAssignment':
        if (record.value === null) return this.#clearCurrentAssignment(record.key.memberId)
        return this.#setMember(withCurrentAssignment(this.#memberOrNew(record.key.memberId), record.value))
      case 'ConsumerGroupRegularExpression':
        if (record.value === null) this.#regexes.delete(record.key.regularExpression)
        else this.#regexes.set(record.key.regularExpression, [...record.value.topics].sort())
        return
      default:
        // Kafka 4.0 wrote what topics a group knew; the hash took its place.
        return
    }
  }

  #checkEpoch(member: ConsumerGroupMember | undefined, memberEpoch: number): CheckedBy {
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (member.memberEpoch === memberEpoch) return 'NONE'
    return member.classicMember === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
  }

  #memberOrNew(memberId: string): ConsumerGroupMember {
    return this.#members.get(memberId) ?? newMember(memberId)
  }

  #setMember(member: ConsumerGroupMember): void {
    const { memberId, instanceId } = member
    const before = this.#members.get(memberId)
    this.#members.set(memberId, member)
    if (before !== undefined && before.instanceId !== instanceId) this.#releaseInstance(before)
    if (instanceId !== null && this.#staticMembers.get(instanceId) !== memberId) this.#staticMembers.set(instanceId, memberId)
    this.#moveOwnership(before, member)
  }

  #clearCurrentAssignment(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    const { assigned, pendingRevocation, state } = newMember(memberId)
    this.#setMember({ ...member, memberEpoch: LEAVE_EPOCH, previousMemberEpoch: JOIN_EPOCH, state, assigned, pendingRevocation })
  }

  #removeMember(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#members.delete(memberId)
    this.#releaseInstance(member)
    this.#moveOwnership(member, undefined)
  }

  #releaseInstance({ instanceId, memberId }: ConsumerGroupMember): void {
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) this.#staticMembers.delete(instanceId)
  }

  #moveOwnership(before: ConsumerGroupMember | undefined, after: ConsumerGroupMember | undefined): void {
    if (before?.assigned === after?.assigned && before?.pendingRevocation === after?.pendingRevocation) return
    const kept = new Set(after === undefined ? [] : heldKeys(after))
    if (before !== undefined) {
      for (const key of heldKeys(before)) {
        if (!kept.has(key) && this.#owners.get(key) === before.memberId) this.#owners.delete(key)
      }
    }
    for (const key of kept) if (this.#owners.get(key) !== after!.memberId) this.#owners.set(key, after!.memberId)
  }
}

/** What nobody else may be given, by `partitionKey`. */
export function* heldKeys({ assigned, pendingRevocation }: ConsumerGroupMember): Generator<string> {
  yield* partitionKeys(assigned)
  yield* partitionKeys(pendingRevocation)
}
