// How a classic group gets from one generation to the next: it waits for its members to
// join, lets go of those who do not, and tells the rest of the generation.
// Pure; what is said here happens to the group in memory and to the step that is made.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { ErrorName } from '../../errors.ts'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import { NO_BYTES } from './classic-member.ts'
import type { ClassicMember, DeferredRequest } from './classic-member.ts'
import { ClassicTimers } from './classic-timers.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { GroupStep } from './group-step.ts'
import type { CheckedBy } from './group.ts'
import { kafkaError } from './group-errors.ts'

/** A new member cannot send heartbeats while it waits: after so long it is taken for gone, as in Kafka. */
const NEW_MEMBER_TIMEOUT_MS = 300_000

export class ClassicRebalance {
  readonly timers = new ClassicTimers()
  readonly #config: GroupCoordinatorConfig

  constructor(config: GroupCoordinatorConfig) {
    this.#config = config
  }

  /** Something about the members is new: all have to join again, or those who have are enough. */
  prepareOrComplete(group: ClassicGroup, step: GroupStep): void {
    const state = group.state()
    if (state === 'PreparingRebalance') this.completeIfAllJoined(group, step)
    else if (state !== 'Dead') this.#prepare(group, step)
  }

  /** The first rebalance ends by its delay alone. */
  completeIfAllJoined(group: ClassicGroup, step: GroupStep): void {
    if (group.state() === 'PreparingRebalance' && group.initialDelay === undefined && group.hasAllJoined) this.#complete(group, step)
  }

  /** The time that members had to join is over. */
  joinTimerFired(group: ClassicGroup, step: GroupStep): void {
    if (group.state() !== 'PreparingRebalance') return
    const { initialDelay } = group
    if (initialDelay !== undefined && group.newMemberAdded && initialDelay.remainingMs > 0) {
      this.#awaitMore(group, Math.min(this.#config.initialRebalanceDelayMs, initialDelay.remainingMs), initialDelay.remainingMs, step)
    } else {
      this.#complete(group, step)
    }
  }

  /** The time that members had to send SyncGroup is over. */
  syncTimerFired(group: ClassicGroup, step: GroupStep): void {
    const state = group.state()
    if ((state !== 'CompletingRebalance' && state !== 'Stable') || group.pendingSync.size === 0) return
    for (const memberId of [...group.pendingSync]) this.putOut(group, group.members.get(memberId)!, step)
    this.#prepare(group, step)
  }

  synced(group: ClassicGroup, memberId: string, step: GroupStep): void {
    if (group.pendingSync.delete(memberId) && group.pendingSync.size === 0) this.timers.cancel(step, 'classic-sync', group.groupId)
  }

  // --- members

  /** It was heard of, or is told something and may be silent for a session from now. */
  touch(group: ClassicGroup, member: ClassicMember, step: GroupStep): void {
    const afterMs = member.isNew ? NEW_MEMBER_TIMEOUT_MS : member.sessionTimeoutMs
    this.timers.set(step, 'classic-session', group.groupId, member.memberId, afterMs)
  }

  /** It is out; its requests that wait are told so. What the group does about it is another matter. */
  letGo(group: ClassicGroup, member: ClassicMember, step: GroupStep, error: CheckedBy = 'UNKNOWN_MEMBER_ID'): void {
    this.answerWaiting(member, error, step)
    this.timers.cancel(step, 'classic-session', group.groupId, member.memberId)
    group.remove(member)
  }

  /** Out without having asked. */
  putOut(group: ClassicGroup, member: ClassicMember, step: GroupStep): void {
    this.letGo(group, member, step)
    if (member.isLocal) step.fence(member.clientHost)
  }

  // --- answers

  answerWaiting(member: ClassicMember, error: CheckedBy, step: GroupStep): void {
    const { awaitingJoin } = member
    member.awaitingJoin = undefined
    if (awaitingJoin !== undefined) step.reply(awaitingJoin.requestId, joinError(awaitingJoin, member.memberId, error))
    this.#answerSync(member, error, step)
  }

  /** It is told of the generation that it is in; `members` are for the leader alone. */
  joinResponse(group: ClassicGroup, member: ClassicMember): JoinGroupResponse {
    const isLeader = group.leader === member.memberId
    return {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERRORS.NONE,
      generationId: group.generation,
      protocolType: group.protocolType(),
      protocolName: group.protocolName,
      leader: group.leader ?? '',
      skipAssignment: false,
      memberId: member.memberId,
      members: isLeader ? membersFor(group) : [],
    }
  }

  #answerSync(member: ClassicMember, error: CheckedBy, step: GroupStep): void {
    const { awaitingSync } = member
    member.awaitingSync = undefined
    if (awaitingSync !== undefined) step.reply(awaitingSync.requestId, syncError(error))
  }

  #prepare(group: ClassicGroup, step: GroupStep): void {
    const from = group.state()
    if (from === 'CompletingRebalance') {
      for (const member of group.members.values()) {
        member.assignment = NO_BYTES
        if (member.awaitingSync === undefined) continue
        this.#answerSync(member, 'REBALANCE_IN_PROGRESS', step)
        this.touch(group, member, step)
      }
    }
    this.timers.cancel(step, 'classic-sync', group.groupId)
    group.pendingSync.clear()
    group.transition('PreparingRebalance', step.wallMs)
    if (from === 'Empty') {
      // Members of this process come one by one, and nobody is asked to wait for the next.
      const isLocal = [...group.members.values()].every((member) => member.isLocal)
      const delayMs = isLocal ? 0 : this.#config.initialRebalanceDelayMs
      if (delayMs === 0) this.#complete(group, step)
      else this.#awaitMore(group, delayMs, Math.max(group.rebalanceTimeoutMs, delayMs), step)
    } else if (group.hasAllJoined) {
      this.#complete(group, step)
    } else {
      this.timers.set(step, 'classic-join', group.groupId, undefined, group.rebalanceTimeoutMs)
    }
  }

  #awaitMore(group: ClassicGroup, delayMs: number, withinMs: number, step: GroupStep): void {
    group.newMemberAdded = false
    group.initialDelay = { delayMs, remainingMs: withinMs - delayMs }
    this.timers.set(step, 'classic-join', group.groupId, undefined, delayMs)
  }

  #complete(group: ClassicGroup, step: GroupStep): void {
    this.timers.cancel(step, 'classic-join', group.groupId)
    for (const member of [...group.members.values()]) {
      if (member.awaitingJoin === undefined && !member.isStatic) this.putOut(group, member, step)
    }
    if (!group.isEmpty && !group.electLeader()) {
      // Only static members are left, and none has joined again: they have their sessions to come back in.
      group.initialDelay = undefined
      this.timers.set(step, 'classic-join', group.groupId, undefined, group.rebalanceTimeoutMs)
      return
    }
    group.nextGeneration(step.wallMs)
    if (group.isEmpty) {
      step.records.push(group.record())
      return
    }
    for (const member of group.members.values()) {
      const { awaitingJoin } = member
      group.pendingSync.add(member.memberId)
      if (awaitingJoin === undefined) continue
      member.awaitingJoin = undefined
      member.isNew = false
      step.reply(awaitingJoin.requestId, this.joinResponse(group, member))
      this.touch(group, member, step)
    }
    this.timers.set(step, 'classic-sync', group.groupId, undefined, group.rebalanceTimeoutMs)
  }
}

export function membersFor(group: ClassicGroup): JoinGroupResponse['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadata(group.protocolName),
  }))
}

export function joinError({ apiVersion }: Pick<DeferredRequest, 'apiVersion'>, memberId: string, error: CheckedBy): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: kafkaError(error),
    generationId: -1,
    protocolType: null,
    // Not nullable before version 7.
    protocolName: apiVersion >= 7 ? null : '',
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncError(error: CheckedBy): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode: kafkaError(error), protocolType: null, protocolName: null, assignment: NO_BYTES }
}

/** What a member is told where the log could not take the group's record. */
export function appendError(error: ErrorName): ErrorName {
  if (error === 'NOT_LEADER_OR_FOLLOWER') return 'NOT_COORDINATOR'
  if (error === 'RECORD_LIST_TOO_LARGE' || error === 'MESSAGE_TOO_LARGE' || error === 'INVALID_FETCH_SIZE') return 'UNKNOWN_SERVER_ERROR'
  if (error === 'UNKNOWN_TOPIC_OR_PARTITION' || error === 'NOT_ENOUGH_REPLICAS' || error === 'REQUEST_TIMED_OUT') {
    return 'COORDINATOR_NOT_AVAILABLE'
  }
  return error
}
