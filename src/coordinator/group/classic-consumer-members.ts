// Members of the classic protocol in a consumer group (KIP-848, online migration): they join,
// sync, send heartbeats and leave as ever, and the coordinator shares out for them.
//
//   member epoch    is their generation; none of them leads, so none assigns
//   a new epoch, or something to give up, or something that has become free: a heartbeat says to join again
//   JoinGroup       says what it still has, and takes the next step; SyncGroup gets what it has then
//
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts'
import { isLocalHost } from '../client-host.ts'
import type { ClientContext, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import { partitionKey, partitionsOf } from './assignment.ts'
import { MEMBER_ID_REQUIRED_VERSION, NEWEST_VERSION } from './classic-join.ts'
import { joinError, syncError } from './classic-rebalance.ts'
import { ConsumerGroupChange } from './consumer-group-change.ts'
import { JOIN_EPOCH, isSameNames, newMember, sortedNames } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { assignIfDue, bumpEpoch, hasLocalMembers, removeMembers, stepOf } from './consumer-groups.ts'
import type { GroupParts, Now } from './consumer-groups.ts'
import { assignmentByIds, writeAssignment } from './consumer-protocol-assignment.ts'
import { CONSUMER_PROTOCOL_TYPE, readSubscription } from './consumer-protocol-subscription.ts'
import { nextAssignment } from './current-assignment-builder.ts'
import { kafkaError } from './group-errors.ts'
import { subscriptionVersion } from './group-migration.ts'
import type { CheckedBy, GroupRecord } from './group.ts'
import { newMemberId } from './new-member-id.ts'

type Step = CoordinatorStep<GroupRecord>

interface Joining {
  readonly request: JoinGroupRequest
  readonly context: ClientContext
  readonly subscription: ConsumerProtocolSubscription
}

export class ClassicConsumerMembers {
  readonly #parts: GroupParts

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  join(group: ConsumerGroup, requestId: RequestId, request: JoinGroupRequest, context: ClientContext, now: Now): Step {
    const apiVersion = context.apiVersion ?? NEWEST_VERSION
    const refuse = (error: CheckedBy, memberId = request.memberId): Step => ({
      replies: [{ requestId, response: joinError({ apiVersion }, memberId, error) }],
    })
    const subscription = supported(group, request)
    if (subscription === undefined) return refuse('INCONSISTENT_GROUP_PROTOCOL')
    if (request.memberId === '' && request.groupInstanceId === null && apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
      return refuse('MEMBER_ID_REQUIRED', newMemberId(this.#parts.random, context.clientId))
    }
    const change = new ConsumerGroupChange(group)
    const before = this.#findMember(change, request, context)
    if (typeof before === 'string') return refuse(before)
    const after = this.#rejoin(change, before, { request, context, subscription }, now)
    if (after === undefined) return refuse('UNKNOWN_MEMBER_ID')
    const told = fencedOf(change.removed)
    // It took the place of the last member of the new protocol.
    const classic = this.#parts.downgrade(change, now)
    if (classic !== undefined) return { ...classic, ...told, ...refuse('REBALANCE_IN_PROGRESS') }
    const { memberId, memberEpoch, classicMember } = after
    change.cancelTimer('join', memberId)
    change.setTimer('session', memberId, now.nowMs + classicMember!.sessionTimeoutMs)
    change.setTimer('sync', memberId, now.nowMs + after.rebalanceTimeoutMs)
    const response: JoinGroupResponse = {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERRORS.NONE,
      generationId: memberEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: classicMember!.supportedProtocols[0]!.name,
      leader: '',
      skipAssignment: false,
      memberId,
      members: [],
    }
    return { ...stepOf(change, memberId), ...told, replies: [{ requestId, response }] }
  }

  sync(group: ConsumerGroup, requestId: RequestId, request: SyncGroupRequest, now: Now): Step {
    const member = checkMember(group, request)
    const refuse = (error: CheckedBy, timers?: Step['timers']): Step => ({
      replies: [{ requestId, response: syncError(error) }],
      ...(timers === undefined ? {} : { timers }),
    })
    if (typeof member === 'string') return refuse(member)
    const { supportedProtocols } = member.classicMember!
    const { name, metadata } = supportedProtocols[0]!
    const { protocolType, protocolName } = request
    if (protocolType !== null && protocolType !== CONSUMER_PROTOCOL_TYPE) return refuse('INCONSISTENT_GROUP_PROTOCOL')
    if (protocolName !== null && protocolName !== name) return refuse('INCONSISTENT_GROUP_PROTOCOL')
    const change = alive(group, member, now)
    change.cancelTimer('sync', member.memberId)
    if (isBehind(group, member) && member.state !== 'UNREVOKED_PARTITIONS') {
      change.setTimer('join', member.memberId, now.nowMs + member.rebalanceTimeoutMs)
      return refuse('REBALANCE_IN_PROGRESS', change.timers)
    }
    const response: SyncGroupResponse = {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERRORS.NONE,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: name,
      assignment: writeAssignment(partitionsOf(member.assigned), subscriptionVersion(metadata), this.#parts.image()),
    }
    return { timers: change.timers, replies: [{ requestId, response }] }
  }

  heartbeat(group: ConsumerGroup, requestId: RequestId, request: HeartbeatRequest, now: Now): Step {
    const member = checkMember(group, request)
    const answer = (error: CheckedBy, timers: Step['timers'] = []): Step => {
      const response: HeartbeatResponse = { throttleTimeMs: 0, errorCode: kafkaError(error) }
      return { timers, replies: [{ requestId, response }] }
    }
    if (typeof member === 'string') return answer(member)
    const change = alive(group, member, now)
    if (!isBehind(group, member) && member.state !== 'UNREVOKED_PARTITIONS' && !hasFree(group, member)) return answer('NONE', change.timers)
    change.setTimer('join', member.memberId, now.nowMs + member.rebalanceTimeoutMs)
    return answer('REBALANCE_IN_PROGRESS', change.timers)
  }

  /** Before version 3 the one member is named beside the list. */
  leave(group: ConsumerGroup, requestId: RequestId, request: LeaveGroupRequest, now: Now): Step {
    const isOld = request.members.length === 0
    const asked = isOld ? [{ memberId: request.memberId, groupInstanceId: null }] : request.members
    const leaving = new Set<ConsumerGroupMember>()
    const members = asked.map(({ memberId, groupInstanceId }) => {
      const member = groupInstanceId === null ? group.member(memberId) : group.staticMember(groupInstanceId)
      let error: CheckedBy = 'NONE'
      // By its instance id alone any member may be put out, whatever its protocol.
      if (member === undefined || (memberId !== '' && member.classicMember === null)) error = 'UNKNOWN_MEMBER_ID'
      else if (memberId !== '' && member.memberId !== memberId) error = 'FENCED_INSTANCE_ID'
      else leaving.add(member)
      return { memberId, groupInstanceId, errorCode: kafkaError(error) }
    })
    const response: LeaveGroupResponse = { throttleTimeMs: 0, errorCode: isOld ? members[0]!.errorCode : 0, members: isOld ? [] : members }
    const replies = [{ requestId, response }]
    if (leaving.size === 0) return { replies }
    const change = new ConsumerGroupChange(group)
    removeMembers(change, leaving, this.#parts, now)
    // Those of the new protocol are put out by an admin.
    const told = fencedOf(change.removed.filter(({ classicMember }) => classicMember === null))
    const classic = this.#parts.downgrade(change, now)
    if (classic !== undefined) return { ...classic, ...told, replies }
    bumpEpoch(change, this.#parts.image())
    if (hasLocalMembers(change)) assignIfDue(change, true, this.#parts, now)
    return { ...stepOf(change), ...told, replies }
  }

  #findMember(change: ConsumerGroupChange, request: JoinGroupRequest, context: ClientContext): ConsumerGroupMember | CheckedBy {
    const { memberId, groupInstanceId: instanceId } = request
    const { config, random } = this.#parts
    const holder = instanceId === null ? undefined : change.staticMember(instanceId)
    if (instanceId !== null && memberId !== '') {
      if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
      return holder.memberId === memberId ? holder : 'FENCED_INSTANCE_ID'
    }
    if (holder !== undefined) {
      const heir = { ...holder, memberId: newMemberId(random, instanceId!), memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
      change.replaceMember(holder, heir)
      return heir
    }
    const known = change.member(memberId)
    if (known !== undefined) return known.classicMember === null ? 'UNKNOWN_MEMBER_ID' : known
    if (change.memberCount >= config.consumerMaxSize) return 'GROUP_MAX_SIZE_REACHED'
    return newMember(memberId === '' ? newMemberId(random, instanceId ?? context.clientId) : memberId)
  }

  /** What it says is so, and it takes the next step. undefined: it has to begin anew. */
  #rejoin(change: ConsumerGroupChange, before: ConsumerGroupMember, joining: Joining, now: Now): ConsumerGroupMember | undefined {
    const { request, context, subscription } = joining
    const { image } = this.#parts
    const { sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request
    const isNew = change.member(before.memberId) === undefined
    const wanted: ConsumerGroupMember = {
      ...before,
      instanceId: request.groupInstanceId,
      rackId: subscription.rackId,
      clientId: context.clientId,
      clientHost: context.clientHost,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      serverAssignor: null,
      subscribedTopicNames: sortedNames(subscription.topics),
      subscribedTopicRegex: null,
      classicMember: {
        sessionTimeoutMs,
        supportedProtocols: protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() })),
      },
    }
    change.setMember(wanted)
    if (isNew || !isSameNames(before.subscribedTopicNames, wanted.subscribedTopicNames)) bumpEpoch(change, image())
    assignIfDue(change, context.isLocal, this.#parts, now)
    const next = nextAssignment(wanted, {
      targetEpoch: change.targetEpoch,
      target: change.target(wanted.memberId),
      // An eager member has given up all.
      owned: assignmentByIds(subscription.ownedPartitions, image()),
      owner: (key) => change.owner(key),
    })
    if (next === 'FENCED_MEMBER_EPOCH') return undefined
    if (next !== wanted) change.setCurrent(next)
    return next
  }
}

/** Local ones among those who did not ask to be out. */
function fencedOf(members: readonly ConsumerGroupMember[]): Pick<Step, 'fenced'> {
  const fenced = [...new Set(members.map(({ clientHost }) => clientHost).filter(isLocalHost))]
  return fenced.length > 0 ? { fenced } : {}
}

/** Its subscription, where it is a consumer and has an assignor in common with the other classic members. */
function supported(
  group: ConsumerGroup,
  { memberId, protocolType, protocols }: JoinGroupRequest,
): ConsumerProtocolSubscription | undefined {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
  let common = new Set(protocols.map(({ name }) => name))
  for (const member of group.members()) {
    if (member.classicMember === null || member.memberId === memberId) continue
    const known = new Set(member.classicMember.supportedProtocols.map(({ name }) => name))
    common = new Set([...common].filter((name) => known.has(name)))
  }
  return common.size === 0 ? undefined : readSubscription(protocols[0]!.metadata)
}

function checkMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generationId }: Pick<HeartbeatRequest, 'memberId' | 'groupInstanceId' | 'generationId'>,
): ConsumerGroupMember | CheckedBy {
  if (groupInstanceId !== null) {
    const holder = group.staticMember(groupInstanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    if (holder.memberId !== memberId) return 'FENCED_INSTANCE_ID'
  }
  const member = group.member(memberId)
  if (member === undefined || member.classicMember === null) return 'UNKNOWN_MEMBER_ID'
  return generationId === member.memberEpoch ? member : 'ILLEGAL_GENERATION'
}

/** It was heard of. */
function alive(group: ConsumerGroup, { memberId, classicMember }: ConsumerGroupMember, { nowMs }: Now): ConsumerGroupChange {
  const change = new ConsumerGroupChange(group)
  change.setTimer('session', memberId, nowMs + classicMember!.sessionTimeoutMs)
  return change
}

function isBehind(group: ConsumerGroup, { memberEpoch }: ConsumerGroupMember): boolean {
  return memberEpoch < group.targetEpoch()
}

/** Something that it is to have, and that others had, is free by now. */
function hasFree(group: ConsumerGroup, { memberId, state, assigned }: ConsumerGroupMember): boolean {
  if (state !== 'UNRELEASED_PARTITIONS') return false
  for (const [topic, partitions] of group.target(memberId)) {
    for (const partition of partitions) {
      if (assigned.get(topic)?.has(partition) !== true && group.owner(partitionKey(topic, partition)) === undefined) return true
    }
  }
  return false
}
