// A group of the classic protocol (Kafka: ClassicGroup): its members, the generation they
// are in, and what of it is in the log.
// Pure. Holds: members and joins that go on are in memory only; a generation's outcome is
// taken over from its record, live and after a restart alike. All of the group hangs on
// members' requests, so what is read of it is what is true now, at any epoch.

import { assert } from '../../assert.ts'
import type { DescribedGroup } from '../../protocol/messages/15-describe-groups.ts'
import type { JoinGroupRequestProtocol } from '../../protocol/messages/11-join-group.ts'
import type { GroupMetadataValue } from '../../protocol/records/classic-group-records.ts'
import { ClassicMember, NO_BYTES } from './classic-member.ts'
import type { ClassicMemberDetails } from './classic-member.ts'
import { CLASSIC_GROUP_TRANSITIONS } from './classic-group-state.ts'
import type { ClassicGroupState } from './classic-group-state.ts'
import { CONSUMER_PROTOCOL_TYPE, topicsOf } from './consumer-protocol-subscription.ts'
import type { CheckedBy, Group, GroupRecord, OffsetsUnusedSince } from './group.ts'

/** Kafka's: no version is written that readers before 3.0 do not know. */
const GROUP_METADATA_VERSION = 3

/** A first rebalance that still waits for more members: the next look, and how long it may go on after that. */
export interface InitialDelay {
  readonly delayMs: number
  readonly remainingMs: number
}

export class ClassicGroup implements Group {
  readonly groupId: string
  readonly protocol = 'classic'
  /** In the order in which they came. */
  readonly members = new Map<string, ClassicMember>()
  /** Ids that were given out (KIP-394) and with which nobody has joined yet. */
  readonly pendingMembers = new Set<string>()
  /** Members of this generation that have not sent a SyncGroup. */
  readonly pendingSync = new Set<string>()
  generation = 0
  /** Of the generation: the assignor that most members like best; null: there is no generation. */
  protocolName: string | null = null
  leader: string | null = null
  /** undefined: the rebalance that goes on is not the first, or has waited long enough. */
  initialDelay: InitialDelay | undefined
  /** Somebody came since the first rebalance last looked. */
  newMemberAdded = false
  #protocolType = ''
  #state: ClassicGroupState = 'Empty'
  /** Wall clock. */
  #stateSinceMs: number
  readonly #memberIds = new Map<string, string>()
  /** Of the generation; undefined: its members are no consumers, or say something else. */
  #subscribedTopics: ReadonlySet<string> | undefined

  /** @param wallMs now */
  constructor(groupId: string, wallMs: number) {
    this.groupId = groupId
    this.#stateSinceMs = wallMs
  }

  protocolType(): string {
    return this.#protocolType
  }

  state(): ClassicGroupState {
    return this.#state
  }

  memberCount(): number {
    return this.members.size
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  transition(to: ClassicGroupState, wallMs: number): void {
    const from = this.#state
    assert(CLASSIC_GROUP_TRANSITIONS[from].includes(to), `classic group ${this.groupId} goes from ${from} to ${to}`)
    this.#state = to
    this.#stateSinceMs = wallMs
  }

  // --- members

  add(member: ClassicMember, protocolType: string): void {
    if (this.isEmpty) this.#protocolType = protocolType
    this.leader ??= member.memberId
    this.members.set(member.memberId, member)
    this.pendingMembers.delete(member.memberId)
    if (member.groupInstanceId !== null) this.#memberIds.set(member.groupInstanceId, member.memberId)
  }

  remove(member: ClassicMember): void {
    const { memberId, groupInstanceId } = member
    this.members.delete(memberId)
    this.pendingSync.delete(memberId)
    if (groupInstanceId !== null && this.#memberIds.get(groupInstanceId) === memberId) this.#memberIds.delete(groupInstanceId)
    if (this.leader === memberId) this.leader = this.members.keys().next().value ?? null
  }

  /** A static member came back under another id: it takes its place, and what it was assigned. */
  replace(old: ClassicMember, memberId: string, details: ClassicMemberDetails): ClassicMember {
    const member = new ClassicMember(memberId, details)
    member.assignment = old.assignment
    this.swap(old, member)
    return member
  }

  /** In the same place among the members. */
  swap(old: ClassicMember, member: ClassicMember): void {
    assert(old.groupInstanceId !== null && old.groupInstanceId === member.groupInstanceId, 'a static member takes its own place')
    const members = [...this.members.values()].map((each) => (each === old ? member : each))
    this.members.clear()
    for (const each of members) this.members.set(each.memberId, each)
    if (this.pendingSync.delete(old.memberId)) this.pendingSync.add(member.memberId)
    if (this.leader === old.memberId) this.leader = member.memberId
    this.#memberIds.set(old.groupInstanceId, member.memberId)
  }

  staticMember(groupInstanceId: string | null): ClassicMember | undefined {
    const memberId = groupInstanceId === null ? undefined : this.#memberIds.get(groupInstanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  /** UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID: another has that instance id now. */
  checkMember(memberId: string, groupInstanceId: string | null): CheckedBy {
    if (groupInstanceId !== null) {
      const current = this.#memberIds.get(groupInstanceId)
      if (current === undefined) return 'UNKNOWN_MEMBER_ID'
      if (current !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.members.has(memberId) ? 'NONE' : 'UNKNOWN_MEMBER_ID'
  }

  get hasAllJoined(): boolean {
    if (this.pendingMembers.size > 0) return false
    for (const { awaitingJoin } of this.members.values()) if (awaitingJoin === undefined) return false
    return true
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const { awaitingJoin } of this.members.values()) if (awaitingJoin !== undefined) count++
    return count
  }

  /** The longest that any member asks for. */
  get rebalanceTimeoutMs(): number {
    let longestMs = 0
    for (const { rebalanceTimeoutMs } of this.members.values()) longestMs = Math.max(longestMs, rebalanceTimeoutMs)
    return longestMs
  }

  /** A leader that has joined: the one before, or the first who has. False: nobody has. */
  electLeader(): boolean {
    if (this.leader !== null && this.members.get(this.leader)?.awaitingJoin !== undefined) return true
    for (const { memberId, awaitingJoin } of this.members.values()) {
      if (awaitingJoin === undefined) continue
      this.leader = memberId
      return true
    }
    return false
  }

  // --- protocols

  /** A member with these may join: it is of the same kind, and there is an assignor that all know. */
  supports(protocolType: string, protocols: readonly JoinGroupRequestProtocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.isEmpty) return true
    if (protocolType !== this.#protocolType) return false
    const known = this.#commonProtocols()
    return protocols.some(({ name }) => known.has(name))
  }

  /** Each member votes for the one it likes best of those that all know; of two with as many votes, the one that got its first first. */
  selectProtocol(): string {
    const candidates = this.#commonProtocols()
    assert(candidates.size > 0, `the members of classic group ${this.groupId} have a protocol in common`)
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const choice = member.vote(candidates)
      votes.set(choice, (votes.get(choice) ?? 0) + 1)
    }
    let best = ''
    for (const [name, count] of votes) if (count > (votes.get(best) ?? 0)) best = name
    return best
  }

  /** All who are to be in it have joined. */
  nextGeneration(wallMs: number): void {
    this.generation++
    this.pendingSync.clear()
    this.initialDelay = undefined
    this.protocolName = this.isEmpty ? null : this.selectProtocol()
    this.#subscribedTopics = this.#computeSubscribedTopics()
    this.transition(this.isEmpty ? 'Empty' : 'CompletingRebalance', wallMs)
  }

  // --- its record

  /** @param assignments by member id; undefined: what members have */
  record(assignments?: ReadonlyMap<string, Uint8Array>): GroupRecord {
    const members = [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: member.metadata(this.protocolName),
      assignment: assignments === undefined ? member.assignment : (assignments.get(member.memberId) ?? NO_BYTES),
    }))
    return this.#recordOf({
      protocolType: this.#protocolType,
      generation: this.generation,
      protocol: this.protocolName,
      leader: this.isEmpty ? null : this.leader,
      currentStateTimestamp: this.#stateSinceMs,
      members,
    })
  }

  #recordOf(value: GroupMetadataValue): GroupRecord {
    return { type: 'GroupMetadata', key: { group: this.groupId }, version: GROUP_METADATA_VERSION, value }
  }

  /** What a record of it says is so: that of a generation that was shared out, or of a group that is empty. */
  take(value: GroupMetadataValue): void {
    this.#protocolType = value.protocolType
    this.generation = value.generation
    this.protocolName = value.protocol
    this.leader = value.leader
    this.#stateSinceMs = value.currentStateTimestamp
    const known = new Map(this.members)
    this.members.clear()
    this.#memberIds.clear()
    for (const each of value.members) {
      const { memberId, groupInstanceId, sessionTimeout: sessionTimeoutMs, rebalanceTimeout } = each
      const details = {
        groupInstanceId,
        clientId: each.clientId,
        clientHost: each.clientHost,
        // Not there before version 1.
        rebalanceTimeoutMs: rebalanceTimeout < 0 ? sessionTimeoutMs : rebalanceTimeout,
        sessionTimeoutMs,
        protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: each.subscription.slice() }],
      }
      const member = known.get(memberId) ?? new ClassicMember(memberId, details)
      member.recorded(details, value.protocol, each.assignment.slice())
      this.members.set(memberId, member)
      if (groupInstanceId !== null) this.#memberIds.set(groupInstanceId, memberId)
    }
    this.#state = this.isEmpty ? 'Empty' : 'Stable'
    this.#subscribedTopics = this.#computeSubscribedTopics()
  }

  tombstones(): GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, version: -1, value: null }]
  }

  // --- what others ask

  checkCommit(memberId: string, instanceId: string | null, generation: number): CheckedBy {
    if (this.#state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (generation < 0 && memberId === '' && instanceId === null) return this.isEmpty ? 'NONE' : 'UNKNOWN_MEMBER_ID'
    if (generation < 0 && this.isEmpty) return 'NONE'
    const checked = this.checkMember(memberId, instanceId)
    if (checked !== 'NONE') return checked
    if (generation !== this.generation) return 'ILLEGAL_GENERATION'
    // Whoever commits now has not seen yet what the generation gives it.
    return this.#state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** Fetches of classic members carry no generation. */
  checkFetch(): CheckedBy {
    return this.#state === 'Dead' ? 'GROUP_ID_NOT_FOUND' : 'NONE'
  }

  checkDelete(): CheckedBy {
    if (this.#state === 'Dead') return 'GROUP_ID_NOT_FOUND'
    return this.#state === 'Empty' ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  /** Of a group whose members say something of their own, any topic may be in use. */
  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics === undefined ? !this.isEmpty : this.#subscribedTopics.has(topic)
  }

  offsetsUnusedSince(): OffsetsUnusedSince {
    if (this.#protocolType === '') return { kind: 'since commit' }
    return this.#state === 'Empty' ? { kind: 'since', timeMs: this.#stateSinceMs } : { kind: 'in use' }
  }

  /** Members' metadata and assignments are told where they have been agreed on, as Kafka does. */
  describe(): Pick<DescribedGroup, 'groupState' | 'protocolType' | 'protocolData' | 'members'> {
    const isStable = this.#state === 'Stable'
    return {
      groupState: this.#state,
      protocolType: this.#protocolType,
      protocolData: isStable ? (this.protocolName ?? '') : '',
      members: [...this.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? member.metadata(this.protocolName) : NO_BYTES,
        memberAssignment: isStable ? member.assignment : NO_BYTES,
      })),
    }
  }

  #commonProtocols(): Set<string> {
    const counts = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      for (const name of new Set(protocols.map((each) => each.name))) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return new Set([...counts].flatMap(([name, count]) => (count === this.members.size ? [name] : [])))
  }

  #computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (this.isEmpty) return new Set()
    if (this.#protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
    return topicsOf([...this.members.values()].map((member) => member.metadata(this.protocolName)))
  }
}
