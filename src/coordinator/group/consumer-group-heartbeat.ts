// The heartbeat of consumer groups (KIP-848): by it a member joins, tells what it wants and
// has, gets its assignment step by step, and leaves.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import { formatTopicId } from '../../ids.ts'
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { ClientContext, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import { NO_PARTITIONS, assignmentOf, holdSame, partitionsOf, topicPartitionsOf } from './assignment.ts'
import { ClassicGroup } from './classic-group.ts'
import { ConsumerGroupChange } from './consumer-group-change.ts'
import { Refused, checkHeartbeat, checkMemberEpoch, instanceFenced, instanceUnreleased } from './consumer-group-checks.ts'
import { unknownGroup, unknownInstance, unknownMember } from './consumer-group-checks.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, LEAVE_STATIC_EPOCH, hasRegex, isAway, isSameMetadata } from './consumer-group-member.ts'
import { isSameNames, newMember, sortedNames } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { assignIfDue, bumpEpoch, consumerGroupOrNew, forgetRegex, hasLocalMembers, removeMembers, stepOf } from './consumer-groups.ts'
import type { GroupParts, Now } from './consumer-groups.ts'
import { nextAssignment } from './current-assignment-builder.ts'
import { mayUpgrade, upgrade } from './group-migration.ts'
import type { Group, GroupRecord } from './group.ts'
import { matchingTopics } from './subscribed-topics.ts'

type Request = ConsumerGroupHeartbeatRequest
type Step = CoordinatorStep<GroupRecord>

export class ConsumerGroupHeartbeat {
  readonly #parts: GroupParts

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  heartbeat(requestId: RequestId, request: Request, context: ClientContext, now: Now): Step {
    const { consumerAssignors } = this.#parts.config
    const step =
      checkHeartbeat(request, consumerAssignors) ??
      (request.memberEpoch < JOIN_EPOCH ? this.#leave(requestId, request, now) : this.#beat(requestId, request, context, now))
    return step instanceof Refused ? { replies: [{ requestId, response: refusal(step) }] } : step
  }

  #beat(requestId: RequestId, request: Request, context: ClientContext, now: Now): Step | Refused {
    const change = this.#openGroup(request, now)
    if (change instanceof Refused) return change
    const before = this.#findMember(change, request)
    if (before instanceof Refused) return before
    const wanted = this.#updated(before, request, context)
    const isChanged = this.#subscribe(change, before, wanted, now)
    if (isChanged instanceof Refused) return isChanged
    if (isChanged || change.isUpgrade) bumpEpoch(change, this.#parts.image())
    assignIfDue(change, context.isLocal, this.#parts, now)
    const after = this.#reconcile(change, change.member(wanted.memberId) ?? wanted, request, now)
    if (after instanceof Refused) return after
    const { consumerSessionTimeoutMs } = this.#parts.config
    change.setTimer('session', after.memberId, now.nowMs + consumerSessionTimeoutMs)
    const isTold = isFullRequest(request) || !holdSame(before.assigned, after.assigned)
    return { ...stepOf(change, after.memberId), replies: [...change.replies, { requestId, response: this.#response(after, isTold) }] }
  }

  /** The group as it will be; it is made by who joins first. */
  #openGroup({ groupId, memberEpoch }: Request, now: Now): ConsumerGroupChange | Refused {
    const group: Group | undefined = this.#parts.groups.get(groupId)
    if (group instanceof ConsumerGroup) return new ConsumerGroupChange(group)
    if (memberEpoch !== JOIN_EPOCH) return unknownGroup(groupId)
    const change = new ConsumerGroupChange(consumerGroupOrNew(groupId, this.#parts))
    if (group === undefined) return change
    if (group instanceof ClassicGroup && group.memberCount() > 0 && mayUpgrade(group, this.#parts.config)) {
      upgrade(group, change, this.#parts.image(), now.nowMs)
      return change
    }
    if (group.memberCount() > 0) {
      return new Refused('INCONSISTENT_GROUP_PROTOCOL', `Group ${groupId} has members of the ${group.protocol} protocol.`)
    }
    change.records.push(...group.tombstones())
    return change
  }

  /** Who asks, with all that is known of it; a new one where it joins. */
  #findMember(change: ConsumerGroupChange, request: Request): ConsumerGroupMember | Refused {
    const { groupId, instanceId, memberEpoch } = request
    const isJoin = memberEpoch === JOIN_EPOCH
    const memberId = request.memberId === '' ? this.#newMemberId() : request.memberId
    const holder = instanceId === null ? undefined : change.staticMember(instanceId)
    if (instanceId !== null && !isJoin) {
      if (holder === undefined) return unknownInstance(groupId, instanceId)
      if (holder.memberId !== memberId) return instanceFenced(memberId, instanceId, holder.memberId)
    }
    if (isJoin && holder !== undefined && holder.memberId !== memberId) {
      // A member of the old protocol that was started again with the new one says nothing before.
      if (!isAway(holder) && holder.classicMember === null) return instanceUnreleased(memberId, instanceId!, holder.memberId)
      const heir = { ...holder, memberId, memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
      change.replaceMember(holder, heir)
      return heir
    }
    const member = change.member(memberId)
    if (member !== undefined && !isJoin) return checkMemberEpoch(member, request) ?? member
    if (member !== undefined) return isAway(member) ? { ...member, memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH } : member
    if (!isJoin) return unknownMember(groupId, memberId)
    const { consumerMaxSize } = this.#parts.config
    if (change.memberCount < consumerMaxSize) return newMember(memberId)
    return new Refused('GROUP_MAX_SIZE_REACHED', `Group ${groupId} has ${consumerMaxSize} members, as many as it may.`)
  }

  /** A field that the request leaves out is as before. */
  #updated(member: ConsumerGroupMember, request: Request, { clientId, clientHost }: ClientContext): ConsumerGroupMember {
    const { subscribedTopicNames: names, rebalanceTimeoutMs } = request
    return {
      ...member,
      clientId,
      clientHost,
      instanceId: request.instanceId ?? member.instanceId,
      rackId: request.rackId ?? member.rackId,
      rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
      serverAssignor: request.serverAssignor ?? member.serverAssignor,
      subscribedTopicNames: names === null ? member.subscribedTopicNames : sortedNames(names),
      subscribedTopicRegex: request.subscribedTopicRegex ?? member.subscribedTopicRegex,
      classicMember: null,
    }
  }

  /** Whether the group's subscriptions are different now. */
  #subscribe(change: ConsumerGroupChange, before: ConsumerGroupMember, wanted: ConsumerGroupMember, now: Now): boolean | Refused {
    const isNew = change.member(before.memberId) === undefined
    if (!isNew && isSameMetadata(before, wanted)) return false
    const isSameRegex = (before.subscribedTopicRegex ?? '') === (wanted.subscribedTopicRegex ?? '')
    const topics = isSameRegex ? undefined : this.#lookUp(change, wanted)
    if (topics instanceof Refused) return topics
    change.setMember(wanted)
    if (topics !== undefined) change.setRegex(wanted.subscribedTopicRegex!, topics, this.#parts.image().offset, now.wallMs)
    if (!isSameRegex) forgetRegex(change, before, this.#parts, now)
    return isNew || !isSameRegex || !isSameNames(before.subscribedTopicNames, wanted.subscribedTopicNames)
  }

  /** Undefined: somebody of the group has the pattern already, or there is none. */
  #lookUp(change: ConsumerGroupChange, member: ConsumerGroupMember): string[] | Refused | undefined {
    if (!hasRegex(member) || change.regexTopics(member.subscribedTopicRegex!) !== undefined) return undefined
    try {
      return matchingTopics(this.#parts.compilePattern(member.subscribedTopicRegex!), this.#parts.image())
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return new Refused('INVALID_REGULAR_EXPRESSION', `SubscribedTopicRegex is no pattern: ${reason}`)
    }
  }

  #reconcile(change: ConsumerGroupChange, member: ConsumerGroupMember, request: Request, now: Now): ConsumerGroupMember | Refused {
    const { memberId } = member
    const next = nextAssignment(member, {
      targetEpoch: change.targetEpoch,
      target: change.target(memberId),
      owned: request.topicPartitions === null ? undefined : assignmentOf(request.topicPartitions),
      owner: (key) => change.owner(key),
    })
    if (next === 'FENCED_MEMBER_EPOCH') return new Refused(next, `Member ${memberId} is to give up all and join again.`)
    if (next === member) return member
    change.setCurrent(next)
    if (next.state === 'UNREVOKED_PARTITIONS') change.setTimer('rebalance', memberId, now.nowMs + next.rebalanceTimeoutMs)
    else if (member.state === 'UNREVOKED_PARTITIONS') change.cancelTimer('rebalance', memberId)
    return next
  }

  #leave(requestId: RequestId, { groupId, memberId, instanceId, memberEpoch }: Request, now: Now): Step | Refused {
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ConsumerGroup)) return unknownGroup(groupId)
    const member = instanceId === null ? group.member(memberId) : group.staticMember(instanceId)
    if (member === undefined) return instanceId === null ? unknownMember(groupId, memberId) : unknownInstance(groupId, instanceId)
    if (instanceId !== null && member.memberId !== memberId) return instanceFenced(memberId, instanceId, member.memberId)
    const change = new ConsumerGroupChange(group)
    const epoch = memberEpoch === LEAVE_STATIC_EPOCH ? LEAVE_STATIC_EPOCH : LEAVE_EPOCH
    const replies = [{ requestId, response: { ...EMPTY_RESPONSE, memberId, memberEpoch: epoch } }]
    if (memberEpoch === LEAVE_STATIC_EPOCH) {
      change.setCurrent({ ...member, memberEpoch: LEAVE_STATIC_EPOCH, pendingRevocation: NO_PARTITIONS })
      change.cancelTimer('rebalance', memberId)
    } else {
      removeMembers(change, [member], this.#parts, now)
      const classic = this.#parts.downgrade(change, now)
      if (classic !== undefined) return { ...classic, replies: [...(classic.replies ?? []), ...replies] }
      bumpEpoch(change, this.#parts.image())
      if (hasLocalMembers(change)) assignIfDue(change, true, this.#parts, now)
    }
    return { ...stepOf(change, memberId), replies }
  }

  #response({ memberId, memberEpoch, assigned }: ConsumerGroupMember, isTold: boolean): ConsumerGroupHeartbeatResponse {
    const heartbeatIntervalMs = this.#parts.config.consumerHeartbeatIntervalMs
    const assignment = isTold ? { topicPartitions: topicPartitionsOf(partitionsOf(assigned)) } : null
    return { ...EMPTY_RESPONSE, memberId, memberEpoch, heartbeatIntervalMs, assignment }
  }

  /** 22 characters of base64url, as Kafka's. */
  #newMemberId(): string {
    const { random } = this.#parts
    return formatTopicId([random.uint32(), random.uint32(), random.uint32(), random.uint32()])
  }
}

const EMPTY_RESPONSE: ConsumerGroupHeartbeatResponse = {
  throttleTimeMs: 0,
  errorCode: KAFKA_ERRORS.NONE,
  errorMessage: null,
  memberId: null,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  assignment: null,
}

function refusal({ code, message }: Refused): ConsumerGroupHeartbeatResponse {
  return { ...EMPTY_RESPONSE, errorCode: KAFKA_ERRORS[code], errorMessage: message }
}

/** It says all, as who joins and who lost a response does, and is told all. */
function isFullRequest({ memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions }: Request): boolean {
  if (memberEpoch === JOIN_EPOCH) return true
  return rebalanceTimeoutMs !== -1 && (subscribedTopicNames !== null || subscribedTopicRegex !== null) && topicPartitions !== null
}
