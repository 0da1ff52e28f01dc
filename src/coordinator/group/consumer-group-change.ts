// What one event changes of a consumer group: the records, and the group as it will be once
// they are replayed, so that later parts of the same event see what earlier ones changed.
// Pure.

import type { CoordinatorReply, TimerChange } from '../coordinator-shard.ts'
import { equalAssignments } from './assignment.ts'
import type { Assignment } from './assignment.ts'
import { heldKeys } from './consumer-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import {
  currentAssignmentRecord,
  groupMetadataRecord,
  memberMetadataRecord,
  memberTombstones,
  regexRecord,
  regexTombstone,
  targetMemberRecord,
  targetMetadataRecord,
} from './consumer-group-records.ts'
import type { GroupRecord } from './group.ts'
import { timerName } from './member-names.ts'
import type { ConsumerGroupTimer } from './member-names.ts'

export class ConsumerGroupChange {
  readonly group: ConsumerGroup
  readonly records: GroupRecord[] = []
  readonly timers: TimerChange[] = []
  /** The group was a classic one: whoever made it this wants a new epoch, whatever else has changed. */
  isUpgrade = false
  /** To requests of classic members that the change sends back. */
  readonly replies: CoordinatorReply[] = []
  /** Who is no more in the group. */
  readonly removed: ConsumerGroupMember[] = []
  /** By `partitionKey`: what had an owner before, and has none now. */
  readonly freed = new Set<string>()
  readonly #members = new Map<string, ConsumerGroupMember | undefined>()
  readonly #targets = new Map<string, Assignment>()
  readonly #owners = new Map<string, string | undefined>()
  readonly #regexes = new Map<string, readonly string[] | undefined>()
  #memberCount: number
  #epoch: number
  #targetEpoch: number
  #metadataHash: bigint

  constructor(group: ConsumerGroup) {
    this.group = group
    this.#memberCount = group.memberCount()
    this.#epoch = group.epoch()
    this.#targetEpoch = group.targetEpoch()
    this.#metadataHash = group.metadataHash()
  }

  get groupId(): string {
    return this.group.groupId
  }

  get epoch(): number {
    return this.#epoch
  }

  get targetEpoch(): number {
    return this.#targetEpoch
  }

  get metadataHash(): bigint {
    return this.#metadataHash
  }

  get hasNewTarget(): boolean {
    return this.#targetEpoch !== this.group.targetEpoch()
  }

  get memberCount(): number {
    return this.#memberCount
  }

  member(memberId: string): ConsumerGroupMember | undefined {
    return this.#members.has(memberId) ? this.#members.get(memberId) : this.group.member(memberId)
  }

  *members(): Generator<ConsumerGroupMember> {
    for (const member of this.group.members()) {
      const now = this.member(member.memberId)
      if (now !== undefined) yield now
    }
    for (const [memberId, member] of this.#members) {
      if (member !== undefined && this.group.member(memberId) === undefined) yield member
    }
  }

  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? this.group.target(memberId)
  }

  owner(partitionKey: string): string | undefined {
    return this.#owners.has(partitionKey) ? this.#owners.get(partitionKey) : this.group.owner(partitionKey)
  }

  regexTopics(pattern: string): readonly string[] | undefined {
    return this.#regexes.has(pattern) ? this.#regexes.get(pattern) : this.group.regexTopics(pattern)
  }

  *regexes(): Generator<readonly [pattern: string, topics: readonly string[]]> {
    for (const pattern of new Set([...[...this.group.regexes()].map(([name]) => name), ...this.#regexes.keys()])) {
      const topics = this.regexTopics(pattern)
      if (topics !== undefined) yield [pattern, topics]
    }
  }

  /** The member that has the instance id. */
  staticMember(instanceId: string): ConsumerGroupMember | undefined {
    for (const member of this.#members.values()) if (member?.instanceId === instanceId) return member
    const member = this.group.staticMember(instanceId)
    return member === undefined ? undefined : this.member(member.memberId)
  }

  /** Who the member is and what it wants. */
  setMember(member: ConsumerGroupMember): void {
    this.#put(member)
    this.records.push(memberMetadataRecord(this.groupId, member))
  }

  /** What it has. */
  setCurrent(member: ConsumerGroupMember): void {
    this.#put(member)
    this.records.push(currentAssignmentRecord(this.groupId, member))
  }

  removeMember(memberId: string): void {
    const member = this.member(memberId)
    if (member === undefined) return
    this.#put(undefined, member)
    this.removed.push(member)
    this.records.push(...memberTombstones(this.groupId, memberId))
    this.cancelTimer('session', memberId)
    this.cancelTimer('rebalance', memberId)
  }

  /** A static member is there again under another member id: all that was its own goes over. */
  replaceMember(before: ConsumerGroupMember, after: ConsumerGroupMember): void {
    const target = this.target(before.memberId)
    this.removeMember(before.memberId)
    this.setMember(after)
    this.#targets.set(after.memberId, target)
    this.records.push(targetMemberRecord(this.groupId, after.memberId, target))
    this.setCurrent(after)
  }

  /** Undefined: nobody is subscribed to the pattern any more. */
  setRegex(pattern: string, topics: readonly string[] | undefined, imageOffset: number, wallMs: number): void {
    this.#regexes.set(pattern, topics)
    const { groupId } = this
    this.records.push(topics === undefined ? regexTombstone(groupId, pattern) : regexRecord(groupId, pattern, topics, imageOffset, wallMs))
  }

  /** A classic group becomes this one: its generation is the epoch of what all have. */
  beginAt(generation: number): void {
    this.isUpgrade = true
    this.#epoch = generation
    this.#targetEpoch = generation
  }

  /** What one is to have, as it is said already. */
  setTargetOf(memberId: string, target: Assignment): void {
    this.#targets.set(memberId, target)
    this.records.push(targetMemberRecord(this.groupId, memberId, target))
  }

  nextEpoch(metadataHash: bigint): void {
    this.#epoch++
    this.#metadataHash = metadataHash
    this.records.push(groupMetadataRecord(this.groupId, this.#epoch, metadataHash))
  }

  /** The target assignment of the group's epoch. */
  setTargets(targets: ReadonlyMap<string, Assignment>, wallMs: number): void {
    for (const [memberId, target] of targets) {
      if (equalAssignments(this.target(memberId), target)) continue
      this.#targets.set(memberId, target)
      this.records.push(targetMemberRecord(this.groupId, memberId, target))
    }
    this.#targetEpoch = this.#epoch
    this.records.push(targetMetadataRecord(this.groupId, this.#epoch, wallMs))
  }

  setTimer(kind: ConsumerGroupTimer, memberId: string | undefined, atMs: number): void {
    this.timers.push({ timer: timerName(kind, this.groupId, memberId), atMs })
  }

  cancelTimer(kind: ConsumerGroupTimer, memberId: string | undefined): void {
    this.timers.push({ timer: timerName(kind, this.groupId, memberId), atMs: undefined })
  }

  #put(after: ConsumerGroupMember | undefined, before = this.member(after!.memberId)): void {
    const memberId = (after ?? before)!.memberId
    this.#memberCount += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1)
    this.#members.set(memberId, after)
    if (before?.assigned === after?.assigned && before?.pendingRevocation === after?.pendingRevocation) return
    const held = new Set(after === undefined ? [] : heldKeys(after))
    for (const key of before === undefined ? [] : heldKeys(before)) {
      if (held.has(key) || this.owner(key) !== memberId) continue
      this.#owners.set(key, undefined)
      this.freed.add(key)
    }
    for (const key of held) {
      this.#owners.set(key, memberId)
      this.freed.delete(key)
    }
  }
}
