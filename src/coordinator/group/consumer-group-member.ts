// A member of a consumer group (KIP-848), as its records tell of it.
// Pure. Holds: a member never changes; what changes is which one the group has.

import { formatTopicId, parseTopicId } from '../../ids.ts'
import type {
  ClassicMemberMetadata,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
  TopicPartitions,
} from '../../protocol/records/consumer-group-records.ts'
import { NO_PARTITIONS, holdSame } from './assignment.ts'
import type { HeldPartitions } from './assignment.ts'

/**
 * STABLE: it has all of the target that it was given at its epoch. UNREVOKED_PARTITIONS: it must give some up before it comes to the
 * next epoch. UNRELEASED_PARTITIONS: others still hold what it is to get. UNKNOWN: a state of a later version of Kafka.
 */
export type MemberState = 'STABLE' | 'UNREVOKED_PARTITIONS' | 'UNRELEASED_PARTITIONS' | 'UNKNOWN'

const STATE_CODES: Readonly<Record<MemberState, number>> = {
  STABLE: 0,
  UNREVOKED_PARTITIONS: 1,
  UNRELEASED_PARTITIONS: 2,
  UNKNOWN: 127,
}

const STATES_BY_CODE = new Map(Object.entries(STATE_CODES).map(([state, code]) => [code, state as MemberState]))

/** Member epochs that are none. */
export const JOIN_EPOCH = 0
export const LEAVE_EPOCH = -1
/** Of a static member that will come back: its partitions stay its own until its session ends. */
export const LEAVE_STATIC_EPOCH = -2

export interface ConsumerGroupMember {
  readonly memberId: string
  /** What it is with: what it told when it joined, and may change. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** Null and '' say that there is none. */
  readonly subscribedTopicRegex: string | null
  /** How long it may take to give partitions up; -1: it did not say. */
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Of a member that speaks the classic protocol. */
  readonly classicMember: ClassicMemberMetadata | null
  /** What it has. */
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: HeldPartitions
  /** Nobody else gets these before it says that it has given them up. */
  readonly pendingRevocation: HeldPartitions
}

export function newMember(memberId: string): ConsumerGroupMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: null,
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classicMember: null,
    memberEpoch: JOIN_EPOCH,
    previousMemberEpoch: -1,
    state: 'STABLE',
    assigned: NO_PARTITIONS,
    pendingRevocation: NO_PARTITIONS,
  }
}

export function hasRegex(member: ConsumerGroupMember): boolean {
  return member.subscribedTopicRegex !== null && member.subscribedTopicRegex !== ''
}

/** It gave its instance id back for the next who comes with it. */
export function isAway(member: ConsumerGroupMember): boolean {
  return member.memberEpoch === LEAVE_STATIC_EPOCH
}

export function withMetadata(member: ConsumerGroupMember, value: ConsumerGroupMemberMetadataValue): ConsumerGroupMember {
  const { classicMemberMetadata: classicMember, subscribedTopicNames, ...rest } = value
  return { ...member, ...rest, subscribedTopicNames: sortedNames(subscribedTopicNames), classicMember }
}

export function metadataOf(member: ConsumerGroupMember): ConsumerGroupMemberMetadataValue {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member
  const { rebalanceTimeoutMs, serverAssignor, classicMember: classicMemberMetadata } = member
  const names = [...subscribedTopicNames]
  return {
    instanceId,
    rackId,
    clientId,
    clientHost,
    subscribedTopicNames: names,
    subscribedTopicRegex,
    rebalanceTimeoutMs,
    serverAssignor,
    classicMemberMetadata,
  }
}

export function isSameMetadata(a: ConsumerGroupMember, b: ConsumerGroupMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    a.classicMember === b.classicMember &&
    isSameNames(a.subscribedTopicNames, b.subscribedTopicNames)
  )
}

export function isSameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]))
}

export function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

export function withCurrentAssignment(member: ConsumerGroupMember, value: ConsumerGroupCurrentMemberAssignmentValue): ConsumerGroupMember {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = value
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch,
    state: STATES_BY_CODE.get(state) ?? 'UNKNOWN',
    assigned: heldOf(assignedPartitions, memberEpoch),
    pendingRevocation: heldOf(partitionsPendingRevocation, memberEpoch),
  }
}

export function currentAssignmentOf(member: ConsumerGroupMember): ConsumerGroupCurrentMemberAssignmentValue {
  const { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = member
  return {
    memberEpoch,
    previousMemberEpoch,
    state: STATE_CODES[state],
    assignedPartitions: topicsOf(assigned),
    partitionsPendingRevocation: topicsOf(pendingRevocation),
  }
}

export function isSameAssignment(a: ConsumerGroupMember, b: ConsumerGroupMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.state === b.state &&
    holdSame(a.assigned, b.assigned) &&
    holdSame(a.pendingRevocation, b.pendingRevocation)
  )
}

/** Brokers before 4.3 write no epochs: then the partitions count as given at the member's. */
function heldOf(topics: readonly TopicPartitions[], memberEpoch: number): HeldPartitions {
  return new Map(
    topics
      .filter(({ partitions }) => partitions.length > 0)
      .map(({ topicId, partitions, assignmentEpochs }) => [
        formatTopicId(topicId),
        new Map(partitions.map((partition, i) => [partition, assignmentEpochs?.[i] ?? memberEpoch])),
      ]),
  )
}

function topicsOf(held: HeldPartitions): TopicPartitions[] {
  return [...held].map(([topic, partitions]) => {
    const ascending = [...partitions].sort(([a], [b]) => a - b)
    return {
      topicId: parseTopicId(topic),
      partitions: ascending.map(([partition]) => partition),
      assignmentEpochs: ascending.map(([, epoch]) => epoch),
    }
  })
}
