// The next step of a member from what it has towards what it is to have (KIP-848).
// Pure. Holds: a partition is given only when nobody else has it or has yet to give it up.
//
//   STABLE ──────── new target, nothing to give up ───────────────▶ STABLE, or UNRELEASED_PARTITIONS
//     └──────────── new target, something to give up ─────────────▶ UNREVOKED_PARTITIONS
//   UNREVOKED_PARTITIONS ── it says that it has given it up ──────▶ as from STABLE
//   UNRELEASED_PARTITIONS ─ others have given up what it is to get ▶ as from STABLE

import { NO_PARTITIONS, partitionKey } from './assignment.ts'
import type { Assignment, HeldPartitions } from './assignment.ts'
import { isSameAssignment } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

export interface Reconciliation {
  readonly targetEpoch: number
  /** Of this member. */
  readonly target: Assignment
  /** What the member says it has; undefined: it did not say. */
  readonly owned: Assignment | undefined
  /** By `partitionKey`. */
  readonly owner: (partitionKey: string) => string | undefined
}

/** The member itself where there is no step to take. */
export function nextAssignment(member: ConsumerGroupMember, to: Reconciliation): ConsumerGroupMember | 'FENCED_MEMBER_EPOCH' {
  const next = stepFrom(member, to)
  return next === 'FENCED_MEMBER_EPOCH' || !isSameAssignment(member, next) ? next : member
}

function stepFrom(member: ConsumerGroupMember, to: Reconciliation): ConsumerGroupMember | 'FENCED_MEMBER_EPOCH' {
  switch (member.state) {
    case 'STABLE':
      return member.memberEpoch === to.targetEpoch ? member : towards(member, member.memberEpoch, to)
    case 'UNREVOKED_PARTITIONS':
      // It has what it kept of the next epoch once it gave the rest up; more may have to go by now.
      return stillHas(to.owned, member.pendingRevocation) ? member : towards(member, member.memberEpoch + 1, to)
    case 'UNRELEASED_PARTITIONS':
      return towards(member, member.memberEpoch, to)
    case 'UNKNOWN':
      // What a later version meant by its state nobody here knows: it is sound again when the member has nothing.
      if (to.owned === undefined || to.owned.size > 0) return 'FENCED_MEMBER_EPOCH'
      return towards(member, to.targetEpoch, to)
  }
}

/** `revokingEpoch`: its epoch while it gives partitions up. */
function towards(member: ConsumerGroupMember, revokingEpoch: number, to: Reconciliation): ConsumerGroupMember {
  const { target, targetEpoch, owner } = to
  const kept = new Map<string, ReadonlyMap<number, number>>()
  const revoked = new Map<string, ReadonlyMap<number, number>>()
  for (const [topic, partitions] of member.assigned) {
    const wanted = new Set(target.get(topic))
    put(kept, topic, new Map([...partitions].filter(([partition]) => wanted.has(partition))))
    put(revoked, topic, new Map([...partitions].filter(([partition]) => !wanted.has(partition))))
  }
  if (stillHas(to.owned, revoked)) {
    return {
      ...at(member, revokingEpoch),
      state: 'UNREVOKED_PARTITIONS',
      assigned: kept,
      pendingRevocation: revoked,
    }
  }
  let isUnreleased = false
  const assigned = new Map(kept)
  for (const [topic, partitions] of target) {
    const had = kept.get(topic)
    const given = new Map(had)
    for (const partition of partitions) {
      if (given.has(partition)) continue
      const holder = owner(partitionKey(topic, partition))
      if (holder === undefined || holder === member.memberId) given.set(partition, targetEpoch)
      else isUnreleased = true
    }
    put(assigned, topic, given)
  }
  return {
    ...at(member, targetEpoch),
    state: isUnreleased ? 'UNRELEASED_PARTITIONS' : 'STABLE',
    assigned,
    pendingRevocation: NO_PARTITIONS,
  }
}

function at(member: ConsumerGroupMember, epoch: number): ConsumerGroupMember {
  return epoch === member.memberEpoch ? member : { ...member, memberEpoch: epoch, previousMemberEpoch: member.memberEpoch }
}

function put(held: Map<string, ReadonlyMap<number, number>>, topic: string, partitions: ReadonlyMap<number, number>): void {
  if (partitions.size > 0) held.set(topic, partitions)
}

/** Of a member that did not say, all of it. */
function stillHas(owned: Assignment | undefined, revoked: HeldPartitions): boolean {
  if (revoked.size === 0) return false
  if (owned === undefined) return true
  for (const [topic, partitions] of owned) {
    const gone = revoked.get(topic)
    if (gone !== undefined && partitions.some((partition) => gone.has(partition))) return true
  }
  return false
}
