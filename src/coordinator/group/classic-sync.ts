// SyncGroup: the leader brings the assignment, which is written down; the others wait for
// their part of it.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import { NO_BYTES } from './classic-member.ts'
import type { DeferredRequest } from './classic-member.ts'
import { appendError, syncError } from './classic-rebalance.ts'
import type { ClassicRebalance } from './classic-rebalance.ts'
import type { GroupStep } from './group-step.ts'
import type { CheckedBy } from './group.ts'

export class ClassicSync {
  readonly #rebalance: ClassicRebalance

  constructor(rebalance: ClassicRebalance) {
    this.#rebalance = rebalance
  }

  sync(group: ClassicGroup, request: SyncGroupRequest, deferred: DeferredRequest, step: GroupStep): void {
    const checked = checkSync(group, request)
    if (checked !== 'NONE') {
      step.reply(deferred.requestId, syncError(checked))
      return
    }
    const member = group.members.get(request.memberId)!
    this.#rebalance.synced(group, member.memberId, step)
    this.#rebalance.touch(group, member, step)
    if (group.state() === 'Stable') {
      step.reply(deferred.requestId, syncResponse(group, member.assignment))
      return
    }
    // Whoever asks again has given up the answer to what it asked before.
    if (member.awaitingSync !== undefined) step.reply(member.awaitingSync.requestId, syncError('REBALANCE_IN_PROGRESS'))
    member.awaitingSync = deferred
    if (group.leader === member.memberId) this.#assign(group, request, step)
  }

  /** The group is stable when the record is replayed; members that the leader has forgotten get nothing. */
  #assign(group: ClassicGroup, { assignments }: SyncGroupRequest, step: GroupStep): void {
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment.slice()]))
    step.records.push(group.record(given))
    for (const member of group.members.values()) {
      const { awaitingSync } = member
      if (awaitingSync === undefined) continue
      member.awaitingSync = undefined
      const response = syncResponse(group, given.get(member.memberId) ?? NO_BYTES)
      step.reply(awaitingSync.requestId, response, (error) => syncError(appendError(error)))
      this.#rebalance.touch(group, member, step)
    }
    const { generation } = group
    step.onFailed((_, after) => {
      if (group.generation === generation && group.state() === 'CompletingRebalance') this.#rebalance.prepareOrComplete(group, after)
    })
  }
}

function checkSync(
  group: ClassicGroup,
  { memberId, groupInstanceId, generationId, protocolType, protocolName }: SyncGroupRequest,
): CheckedBy {
  const state = group.state()
  if (state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const checked = group.checkMember(memberId, groupInstanceId)
  if (checked !== 'NONE') return checked
  if (generationId !== group.generation) return 'ILLEGAL_GENERATION'
  // Before what it says of protocols: a group that has come back from the new protocol has another assignor than it was told there.
  if (state === 'PreparingRebalance') return 'REBALANCE_IN_PROGRESS'
  if (protocolType !== null && protocolType !== group.protocolType()) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (protocolName !== null && protocolName !== group.protocolName) return 'INCONSISTENT_GROUP_PROTOCOL'
  return 'NONE'
}

function syncResponse(group: ClassicGroup, assignment: Uint8Array): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: KAFKA_ERRORS.NONE,
    protocolType: group.protocolType(),
    protocolName: group.protocolName,
    assignment,
  }
}
