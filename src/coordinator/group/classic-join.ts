// JoinGroup (KIP-62, 345, 394, 814): a member comes, or comes again. What it says may begin
// a rebalance; then it is answered when all have joined.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { Random } from '../../random.ts'
import type { ClientContext } from '../coordinator-shard.ts'
import type { ClassicGroup } from './classic-group.ts'
import { ClassicMember } from './classic-member.ts'
import type { ClassicMemberDetails, DeferredRequest } from './classic-member.ts'
import { appendError, joinError, membersFor } from './classic-rebalance.ts'
import type { ClassicRebalance } from './classic-rebalance.ts'
import { topicsOf } from './consumer-protocol-subscription.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { GroupStep } from './group-step.ts'
import type { CheckedBy } from './group.ts'
import { newMemberId } from './new-member-id.ts'

/** Of a client in this process, which does not say one. */
export const NEWEST_VERSION = 9
/** A member that has no id is given one, and joins again with it (KIP-394), so that a lost answer leaves no member behind. */
export const MEMBER_ID_REQUIRED_VERSION = 4
/** A leader that came back is told of all members, and not to assign them anything (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9

/** One JoinGroup on its way through. */
interface Join {
  readonly request: JoinGroupRequest
  readonly deferred: DeferredRequest
  readonly details: ClassicMemberDetails
  readonly step: GroupStep
}

export class ClassicJoin {
  readonly #config: GroupCoordinatorConfig
  readonly #random: Random
  readonly #rebalance: ClassicRebalance

  constructor(config: GroupCoordinatorConfig, random: Random, rebalance: ClassicRebalance) {
    this.#config = config
    this.#random = random
    this.#rebalance = rebalance
  }

  /** Of the request alone, whatever the group. */
  check({ groupId, sessionTimeoutMs, protocolType, protocols }: JoinGroupRequest): CheckedBy {
    if (groupId === '') return 'INVALID_GROUP_ID'
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#config
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) return 'INVALID_SESSION_TIMEOUT'
    return protocolType === '' || protocols.length === 0 ? 'INCONSISTENT_GROUP_PROTOCOL' : 'NONE'
  }

  join(group: ClassicGroup, request: JoinGroupRequest, context: ClientContext, requestId: number, step: GroupStep): void {
    const join: Join = {
      request,
      deferred: { requestId, apiVersion: context.apiVersion ?? NEWEST_VERSION },
      details: memberDetails(request, context),
      step,
    }
    const checked = this.#checkJoin(group, request)
    if (checked === 'GROUP_MAX_SIZE_REACHED') this.#turnAway(group, join)
    else if (checked !== 'NONE') refuse(join, checked)
    else if (request.memberId === '') this.#joinNew(group, join, context)
    else this.#joinAgain(group, join)
    this.#rebalance.completeIfAllJoined(group, step)
  }

  #checkJoin(group: ClassicGroup, request: JoinGroupRequest): CheckedBy {
    if (!this.#hasRoom(group, request.memberId)) return 'GROUP_MAX_SIZE_REACHED'
    if (group.state() === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    return group.supports(request.protocolType, request.protocols) ? 'NONE' : 'INCONSISTENT_GROUP_PROTOCOL'
  }

  /** While a group waits for joins, those count who have joined: the others may never. */
  #hasRoom(group: ClassicGroup, memberId: string): boolean {
    const member = group.members.get(memberId)
    switch (group.state()) {
      case 'PreparingRebalance':
        return member?.awaitingJoin !== undefined || group.awaitingJoinCount < this.#config.maxSize
      case 'CompletingRebalance':
      case 'Stable':
        return member !== undefined || group.memberCount() < this.#config.maxSize
      default:
        return true
    }
  }

  /** The group is full: one that was in it, and joins again too late, is out as well. */
  #turnAway(group: ClassicGroup, join: Join): void {
    const { memberId } = join.request
    const member = group.members.get(memberId)
    if (member !== undefined) this.#rebalance.letGo(group, member, join.step)
    group.pendingMembers.delete(memberId)
    refuse(join, 'GROUP_MAX_SIZE_REACHED', '')
  }

  #joinNew(group: ClassicGroup, join: Join, context: ClientContext): void {
    const { request, deferred, step } = join
    const { groupInstanceId, sessionTimeoutMs } = request
    const memberId = newMemberId(this.#random, groupInstanceId ?? context.clientId)
    if (groupInstanceId === null && deferred.apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
      group.pendingMembers.add(memberId)
      this.#rebalance.timers.set(step, 'classic-pending', group.groupId, memberId, sessionTimeoutMs)
      refuse(join, 'MEMBER_ID_REQUIRED', memberId)
      return
    }
    const current = group.staticMember(groupInstanceId)
    if (current === undefined) this.#add(group, memberId, join)
    else this.#replace(group, current, memberId, join)
  }

  #joinAgain(group: ClassicGroup, join: Join): void {
    const { request, deferred, step } = join
    const { memberId, groupInstanceId, protocols } = request
    if (group.pendingMembers.has(memberId)) {
      if (groupInstanceId !== null) refuse(join, 'UNKNOWN_MEMBER_ID')
      else this.#add(group, memberId, join)
      return
    }
    const checked = group.checkMember(memberId, groupInstanceId)
    if (checked !== 'NONE') {
      refuse(join, checked)
      return
    }
    const member = group.members.get(memberId)!
    const state = group.state()
    // Its answer was lost, or it asks what it need not ask: nothing is new.
    const isKnown = member.says(protocols) && (state === 'CompletingRebalance' || (state === 'Stable' && group.leader !== member.memberId))
    if (isKnown) {
      step.reply(deferred.requestId, this.#rebalance.joinResponse(group, member))
      this.#rebalance.touch(group, member, step)
    } else {
      this.#update(member, join)
      this.#rebalance.prepareOrComplete(group, step)
    }
  }

  #add(group: ClassicGroup, memberId: string, join: Join): void {
    const { request, deferred, details, step } = join
    const member = new ClassicMember(memberId, details)
    member.isNew = true
    member.awaitingJoin = deferred
    this.#rebalance.timers.cancel(step, 'classic-pending', group.groupId, memberId)
    group.add(member, request.protocolType)
    group.newMemberAdded = true
    this.#rebalance.touch(group, member, step)
    this.#rebalance.prepareOrComplete(group, step)
  }

  #update(member: ClassicMember, { deferred, details, step }: Join): void {
    // Whoever asks again has given up the answer to what it asked before.
    if (member.awaitingJoin !== undefined) {
      step.reply(member.awaitingJoin.requestId, joinError(member.awaitingJoin, member.memberId, 'REBALANCE_IN_PROGRESS'))
    }
    member.awaitingJoin = deferred
    member.protocols = details.protocols
    member.rebalanceTimeoutMs = details.rebalanceTimeoutMs
    member.sessionTimeoutMs = details.sessionTimeoutMs
  }

  /** A static member came back without its id, as after a restart: whoever still has the old one is fenced. */
  #replace(group: ClassicGroup, old: ClassicMember, memberId: string, join: Join): void {
    const { deferred, details, step } = join
    const leaderBefore = group.leader
    const assignmentBefore = old.assignment
    this.#rebalance.answerWaiting(old, 'FENCED_INSTANCE_ID', step)
    this.#rebalance.timers.cancel(step, 'classic-session', group.groupId, old.memberId)
    if (old.isLocal) step.fence(old.clientHost)
    const member = group.replace(old, memberId, details)
    this.#rebalance.touch(group, member, step)
    const isAlike = group.selectProtocol() === group.protocolName && hasSameTopics(old, member, group.protocolName)
    if (group.state() !== 'Stable' || !isAlike) {
      member.awaitingJoin = deferred
      this.#rebalance.prepareOrComplete(group, step)
      return
    }
    // Nothing is shared out anew: it goes on with what it had.
    step.records.push(group.record())
    step.onFailed((_, after) => {
      this.#rebalance.timers.cancel(after, 'classic-session', group.groupId, memberId)
      if (group.members.get(memberId) !== member) return
      old.assignment = assignmentBefore
      group.swap(member, old)
      this.#rebalance.touch(group, old, after)
    })
    step.reply(deferred.requestId, this.#replacedResponse(group, member, leaderBefore ?? '', deferred), (error) =>
      joinError(deferred, memberId, appendError(error)),
    )
  }

  #replacedResponse(group: ClassicGroup, member: ClassicMember, leaderBefore: string, { apiVersion }: DeferredRequest): JoinGroupResponse {
    const isLeader = group.leader === member.memberId
    const told = { ...this.#rebalance.joinResponse(group, member), errorCode: KAFKA_ERRORS.NONE }
    if (apiVersion >= SKIP_ASSIGNMENT_VERSION) return { ...told, skipAssignment: isLeader, members: isLeader ? membersFor(group) : [] }
    // It must not think that it is to assign: to an older one its old id is named, which it does not know to be its own.
    return { ...told, leader: leaderBefore, members: [] }
  }
}

function refuse({ deferred, request, step }: Join, error: CheckedBy, memberId = request.memberId): void {
  step.reply(deferred.requestId, joinError(deferred, memberId, error))
}

/** Kafka does not look: a static member that was restarted with other topics gets them when somebody else begins a rebalance. */
function hasSameTopics(old: ClassicMember, member: ClassicMember, protocol: string | null): boolean {
  const [before, after] = [topicsOf([old.metadata(protocol)]), topicsOf([member.metadata(protocol)])]
  return before === undefined || after === undefined || (before.size === after.size && [...before].every((topic) => after.has(topic)))
}

function memberDetails(request: JoinGroupRequest, context: ClientContext): ClassicMemberDetails {
  const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request
  const { clientId, clientHost } = context
  return {
    groupInstanceId,
    clientId,
    clientHost,
    // Not there before version 1.
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    sessionTimeoutMs,
    // Copied: the bytes are a view of the request's.
    protocols: protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() })),
  }
}
