// The classic groups of a coordinator: JoinGroup, SyncGroup, Heartbeat, LeaveGroup and what
// time does (Kafka: the classic half of GroupMetadataManager).
//
//   JoinGroup ─▶ … all joined ─▶ JoinGroup's answers ─▶ SyncGroup of the leader ─▶ record ─▶ SyncGroup's answers ─▶ Heartbeats
//
// Pure. Holds: between a step and the replay of its records nothing else is asked of it;
// every JoinGroup and SyncGroup that waits is answered in the end, since a timer stands
// behind each.

import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse, MemberIdentity } from '../../protocol/messages/13-leave-group.ts'
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts'
import type { GroupMetadataKey, GroupMetadataValue } from '../../protocol/records/classic-group-records.ts'
import type { Random } from '../../random.ts'
import type { ClientContext, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import type { TimelineMap } from '../timeline.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicJoin, NEWEST_VERSION } from './classic-join.ts'
import { ClassicRebalance, joinError, syncError } from './classic-rebalance.ts'
import { ClassicSync } from './classic-sync.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import { kafkaError } from './group-errors.ts'
import { GroupStep } from './group-step.ts'
import type { CheckedBy, Group, GroupRecord } from './group.ts'

export interface ClassicGroupsOptions {
  /** All groups of the coordinator, of both protocols. */
  readonly groups: TimelineMap<string, Group>
  readonly config: GroupCoordinatorConfig
  readonly random: Random
}

type Step = CoordinatorStep<GroupRecord>

export class ClassicGroups {
  readonly #groups: TimelineMap<string, Group>
  readonly #config: GroupCoordinatorConfig
  readonly #rebalance: ClassicRebalance
  readonly #join: ClassicJoin
  readonly #sync: ClassicSync
  /** Groups whose first record is on its way to the log. */
  readonly #created = new Map<string, ClassicGroup>()

  constructor({ groups, config, random }: ClassicGroupsOptions) {
    this.#groups = groups
    this.#config = config
    this.#rebalance = new ClassicRebalance(config)
    this.#join = new ClassicJoin(config, random, this.#rebalance)
    this.#sync = new ClassicSync(this.#rebalance)
  }

  join(requestId: RequestId, request: JoinGroupRequest, context: ClientContext, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs, requestId)
    const deferred = { requestId, apiVersion: context.apiVersion ?? NEWEST_VERSION }
    const group = this.#classic(request.groupId)
    let checked = this.#join.check(request)
    if (checked === 'NONE' && group === undefined) checked = this.#checkCreate(request)
    if (checked !== 'NONE') step.reply(requestId, joinError(deferred, request.memberId, checked))
    else this.#join.join(group ?? this.#create(request.groupId, step), request, context, requestId, step)
    return step.build()
  }

  /** A JoinGroup that is wrong whatever the group. */
  refuseJoin(requestId: RequestId, request: JoinGroupRequest, { apiVersion = NEWEST_VERSION }: ClientContext): Step | undefined {
    const checked = this.#join.check(request)
    return checked === 'NONE' ? undefined : { replies: [{ requestId, response: joinError({ apiVersion }, request.memberId, checked) }] }
  }

  sync(requestId: RequestId, request: SyncGroupRequest, context: ClientContext, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs, requestId)
    const group = this.#classic(request.groupId)
    const deferred = { requestId, apiVersion: context.apiVersion ?? NEWEST_VERSION }
    if (group === undefined) step.reply(requestId, syncError(unknownGroup(request.groupId)))
    else this.#sync.sync(group, request, deferred, step)
    return step.build()
  }

  heartbeat(requestId: RequestId, request: HeartbeatRequest, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs, requestId)
    const group = this.#classic(request.groupId)
    let checked = group === undefined ? unknownGroup(request.groupId) : checkHeartbeat(group, request)
    if (checked === 'NONE') {
      this.#rebalance.touch(group!, group!.members.get(request.memberId)!, step)
      if (group!.state() === 'PreparingRebalance') checked = 'REBALANCE_IN_PROGRESS'
    }
    const response: HeartbeatResponse = { throttleTimeMs: 0, errorCode: kafkaError(checked) }
    step.reply(requestId, response)
    return step.build()
  }

  /** Several members since version 3; before, the one that is named beside them, whose error is the response's. */
  leave(requestId: RequestId, request: LeaveGroupRequest, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs, requestId)
    const group = this.#classic(request.groupId)
    const isOld = request.members.length === 0
    const asked = isOld ? [{ memberId: request.memberId, groupInstanceId: null, reason: null }] : request.members
    const unavailable = request.groupId === '' ? 'INVALID_GROUP_ID' : group?.state() === 'Dead' ? 'COORDINATOR_NOT_AVAILABLE' : undefined
    const countBefore = group?.memberCount()
    const errors = asked.map((identity) => {
      if (unavailable !== undefined) return unavailable
      return group === undefined ? 'UNKNOWN_MEMBER_ID' : this.#leave(group, identity, step)
    })
    if (group !== undefined && errors.includes('NONE')) this.#changed(group, countBefore !== group.memberCount(), step)
    const members = asked.map(({ memberId, groupInstanceId }, place) => ({
      memberId,
      groupInstanceId,
      errorCode: kafkaError(errors[place]!),
    }))
    const error = unavailable ?? (isOld ? errors[0]! : 'NONE')
    const response: LeaveGroupResponse = {
      throttleTimeMs: 0,
      errorCode: kafkaError(error),
      members: isOld || unavailable !== undefined ? [] : members,
    }
    step.reply(requestId, response)
    return step.build()
  }

  /** A member that commits is alive (Kafka: a commit counts as a heartbeat). */
  committed({ groupId, memberId, groupInstanceId, generationIdOrMemberEpoch }: OffsetCommitRequest, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs)
    const group = this.#classic(groupId)
    const member = group?.members.get(memberId)
    if (member !== undefined && group!.checkCommit(memberId, groupInstanceId, generationIdOrMemberEpoch) === 'NONE')
      this.#rebalance.touch(group!, member, step)
    return step.build()
  }

  /** @param timer one that `isClassicTimer` knows */
  timerFired(timer: string, nowMs: number, wallMs: number): Step {
    const step = new GroupStep(nowMs, wallMs)
    const fired = this.#rebalance.timers.fired(step, timer)
    const group = fired === undefined ? undefined : this.#classic(fired.groupId)
    if (fired === undefined || group === undefined) return step.build()
    switch (fired.kind) {
      case 'classic-session':
        this.#expire(group, fired.memberId, step)
        break
      case 'classic-pending':
        if (group.pendingMembers.delete(fired.memberId)) this.#rebalance.completeIfAllJoined(group, step)
        break
      case 'classic-join':
        this.#rebalance.joinTimerFired(group, step)
        break
      case 'classic-sync':
        this.#rebalance.syncTimerFired(group, step)
    }
    return step.build()
  }

  /** A thread of this process has ended: its members are out. A step for each group that had some. */
  clientHostGone(clientHost: string, nowMs: number, wallMs: number): Step[] {
    return this.#putOutWhere((member) => member.clientHost === clientHost, nowMs, wallMs)
  }

  /** All was replayed: members have a session from now, but for those whose thread is gone. */
  loaded(nowMs: number, wallMs: number, isHostAlive: (clientHost: string) => boolean): Step[] {
    const steps = this.#putOutWhere((member) => member.isLocal && !isHostAlive(member.clientHost), nowMs, wallMs)
    for (const group of this.#groups.values()) {
      if (!(group instanceof ClassicGroup)) continue
      const step = new GroupStep(nowMs, wallMs)
      for (const member of group.members.values()) this.#rebalance.touch(group, member, step)
      // It came back from the new protocol, and nobody leads it; or the limit was made smaller meanwhile: all join again, and
      // those who come too late are refused.
      const mustJoinAgain = group.leader === null || group.memberCount() > this.#config.maxSize
      if (group.state() === 'Stable' && mustJoinAgain) this.#rebalance.prepareOrComplete(group, step)
      steps.push(step.build())
    }
    return steps
  }

  /** A consumer group is this one from now on; all join again. The step's records are its first. */
  adopt(group: ClassicGroup, step: GroupStep): void {
    step.records.push(group.record())
    this.#created.set(group.groupId, group)
    for (const member of group.members.values()) this.#rebalance.touch(group, member, step)
    this.#rebalance.prepareOrComplete(group, step)
  }

  replay({ group: groupId }: GroupMetadataKey, value: GroupMetadataValue | null): void {
    const known = this.#groups.get(groupId)
    if (value === null) {
      if (known?.protocol !== 'classic') return
      if (known instanceof ClassicGroup) known.transition('Dead', 0)
      this.#groups.delete(groupId)
      return
    }
    const created = this.#created.get(groupId)
    if (created !== undefined) {
      this.#created.delete(groupId)
      this.#groups.set(groupId, created)
      return
    }
    if (known instanceof ClassicGroup) {
      known.take(value)
      return
    }
    const group = new ClassicGroup(groupId, value.currentStateTimestamp)
    group.take(value)
    this.#groups.set(groupId, group)
  }

  /** undefined: there is none; a group that only has offsets is none yet. */
  #classic(groupId: string): ClassicGroup | undefined {
    const group = this.#groups.get(groupId)
    return group instanceof ClassicGroup ? group : undefined
  }

  #checkCreate({ groupId, memberId }: JoinGroupRequest): CheckedBy {
    const other = this.#groups.get(groupId)
    if (other !== undefined && other.memberCount() > 0) return 'INCONSISTENT_GROUP_PROTOCOL'
    // An id that it did not get from here.
    return memberId === '' ? 'NONE' : 'UNKNOWN_MEMBER_ID'
  }

  /** In the place of an empty group of the other protocol, if there is one. */
  #create(groupId: string, step: GroupStep): ClassicGroup {
    const other = this.#groups.get(groupId)
    const group = new ClassicGroup(groupId, step.wallMs)
    if (other?.protocol === 'consumer') step.records.push(...other.tombstones())
    step.records.push(group.record())
    this.#created.set(groupId, group)
    step.onFailed((_, after) => {
      this.#created.delete(groupId)
      for (const member of [...group.members.values()]) this.#rebalance.letGo(group, member, after)
      for (const memberId of group.pendingMembers) this.#rebalance.timers.cancel(after, 'classic-pending', groupId, memberId)
      this.#rebalance.timers.cancel(after, 'classic-join', groupId)
      this.#rebalance.timers.cancel(after, 'classic-sync', groupId)
    })
    return group
  }

  #leave(group: ClassicGroup, { memberId, groupInstanceId }: MemberIdentity, step: GroupStep): CheckedBy {
    if (groupInstanceId === null && group.pendingMembers.delete(memberId)) {
      this.#rebalance.timers.cancel(step, 'classic-pending', group.groupId, memberId)
      return 'NONE'
    }
    // An admin client names a static member by its instance alone.
    const member = memberId === '' ? group.staticMember(groupInstanceId) : group.members.get(memberId)
    const checked = memberId === '' ? (member === undefined ? 'UNKNOWN_MEMBER_ID' : 'NONE') : group.checkMember(memberId, groupInstanceId)
    if (checked !== 'NONE') return checked
    if (memberId === '') this.#rebalance.putOut(group, member!, step)
    else this.#rebalance.letGo(group, member!, step)
    return 'NONE'
  }

  #expire(group: ClassicGroup, memberId: string, step: GroupStep): void {
    const member = group.members.get(memberId)
    // It waits for us; its session begins when it is answered.
    if (member === undefined || (!member.isNew && member.isAwaiting)) return
    this.#rebalance.putOut(group, member, step)
    this.#changed(group, true, step)
  }

  /** Members are gone, or only some that had not joined yet. */
  #changed(group: ClassicGroup, hasFewerMembers: boolean, step: GroupStep): void {
    const state = group.state()
    if (state === 'PreparingRebalance') this.#rebalance.completeIfAllJoined(group, step)
    else if (hasFewerMembers && state !== 'Empty') this.#rebalance.prepareOrComplete(group, step)
  }

  #putOutWhere(
    isMeant: (member: { readonly isLocal: boolean; readonly clientHost: string }) => boolean,
    nowMs: number,
    wallMs: number,
  ): Step[] {
    const steps: Step[] = []
    for (const group of this.#groups.values()) {
      if (!(group instanceof ClassicGroup)) continue
      const gone = [...group.members.values()].filter(isMeant)
      if (gone.length === 0) continue
      const step = new GroupStep(nowMs, wallMs)
      for (const member of gone) this.#rebalance.letGo(group, member, step)
      this.#changed(group, true, step)
      steps.push(step.build())
    }
    return steps
  }
}

function unknownGroup(groupId: string): CheckedBy {
  return groupId === '' ? 'INVALID_GROUP_ID' : 'UNKNOWN_MEMBER_ID'
}

function checkHeartbeat(group: ClassicGroup, { memberId, groupInstanceId, generationId }: HeartbeatRequest): CheckedBy {
  if (group.state() === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const checked = group.checkMember(memberId, groupInstanceId)
  if (checked !== 'NONE') return checked
  return generationId === group.generation ? 'NONE' : 'ILLEGAL_GENERATION'
}
