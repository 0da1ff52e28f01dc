// What the log of a coordinator says, read by other code than the coordinator's: who is in
// which group and has what, and what was committed when. Each batch is held against what was
// before it, as it is appended.

import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import type { GroupApi } from '../../../src/coordinator/group/group-requests.ts'
import { formatTopicId } from '../../../src/ids.ts'
import { readSubscription } from '../../../src/coordinator/group/consumer-protocol-subscription.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT } from '../../../src/protocol/records/consumer-protocol.ts'
import { decodeVersioned } from '../../../src/protocol/versioned-message.ts'
import type { OffsetCommitRequest } from '../../../src/protocol/messages/08-offset-commit.ts'

export interface ModelMember {
  epoch: number
  instanceId: string | null
  names: readonly string[]
  regex: string | null
  assigned: ReadonlySet<string>
  pending: ReadonlySet<string>
}

export interface ModelGroup {
  epoch: number
  targetEpoch: number
  readonly members: Map<string, ModelMember>
  readonly targets: Map<string, ReadonlySet<string>>
  /** Of the classic protocol; -1: the group is of the new one. */
  generation: number
  /** Of the generation: its assignor. */
  protocol: string | null
  readonly classicMembers: Map<string, ClassicMember>
}

interface ClassicMember {
  readonly topics: readonly string[]
  /** `name-partition`. */
  readonly assigned: readonly string[]
}

interface Version {
  /** Where its record stands in the log. */
  readonly at: number
  /** undefined: there is no offset. */
  readonly offset: number | undefined
  readonly topicKey: string
  readonly commitTimeMs: number
}

/** The request that decided what is appended. */
export interface Cause {
  readonly api: GroupApi
  readonly request: unknown
}

export class LogModel {
  groups = new Map<string, ModelGroup>()
  /** By group, topic and partition: oldest first. */
  offsets = new Map<string, Version[]>()
  /** Until the next append. */
  cause: Cause | undefined
  readonly #violate: (text: string) => void
  readonly #journal: GroupRecord[] = []
  /** What was acknowledged to members last, unless an admin has changed it since. */
  readonly #acknowledged = new Map<string, Version>()
  #isQuiet = false

  constructor(violate: (text: string) => void) {
    this.#violate = violate
  }

  get endOffset(): number {
    return this.#journal.length
  }

  append(records: readonly GroupRecord[], retentionMs: number, wallMs: number): void {
    const { cause } = this
    this.cause = undefined
    const groups = new Map<string, GroupBefore>()
    for (const record of records) {
      if (record.type === 'OffsetCommit') this.#checkOffset(record, cause, retentionMs, wallMs)
      else this.#remember(record, groups)
    }
    for (const record of records) {
      this.#apply(record, this.#journal.length)
      this.#journal.push(record)
    }
    for (const [groupId, before] of groups) this.#checkGroup(groupId, before)
  }

  /** The log ends there now. */
  truncate(endOffset: number): void {
    const kept = this.#journal.splice(0).slice(0, endOffset)
    this.groups = new Map()
    this.offsets = new Map()
    this.#isQuiet = true
    for (const record of kept) {
      this.#apply(record, this.#journal.length)
      this.#journal.push(record)
    }
    this.#isQuiet = false
    for (const [key, { at }] of this.#acknowledged) {
      if (at >= endOffset) this.#violate(`a commit of ${key} was acknowledged, and is lost`)
    }
  }

  member(groupId: string, memberId: string): ModelMember | undefined {
    return this.groups.get(groupId)?.members.get(memberId)
  }

  /** In which a member may commit; undefined: it is none. */
  epochOf(groupId: string, memberId: string): number | undefined {
    const group = this.groups.get(groupId)
    return group?.members.get(memberId)?.epoch ?? (group?.classicMembers.has(memberId) === true ? group.generation : undefined)
  }

  /** What was committed below an offset of the log. */
  committed(groupId: string, topic: string, partition: number, below: number): Version | undefined {
    return this.offsets.get(offsetKey(groupId, topic, partition))?.findLast(({ at }) => at < below)
  }

  /** A commit was answered without an error, of the records in [from, to). */
  acknowledge(from: number, to: number, isMember: boolean): void {
    for (let at = from; at < to; at++) {
      const record = this.#journal[at]
      if (record?.type !== 'OffsetCommit' || record.value === null) continue
      const key = offsetKey(record.key.group, record.key.topic, record.key.partition)
      const topicKey = formatTopicId(record.value.topicId)
      const version: Version = { at, offset: record.value.offset, topicKey, commitTimeMs: 0 }
      const last = this.offsets.get(key)?.at(-1)
      if (isMember && last !== undefined && last.at >= at && last.offset !== undefined) this.#acknowledged.set(key, version)
    }
  }

  #remember(record: GroupRecord, groups: Map<string, GroupBefore>): void {
    const groupId = 'groupId' in record.key ? record.key.groupId : record.key.group
    let before = groups.get(groupId)
    if (before === undefined) {
      const group = this.groups.get(groupId)
      groups.set(
        groupId,
        (before = {
          reached: group === undefined ? undefined : reached(group),
          classicMembers: new Set(group?.classicMembers.keys()),
          members: new Set(group?.members.keys()),
          epoch: group?.epoch ?? 0,
          targetEpoch: group?.targetEpoch ?? 0,
          memberEpochs: new Map(),
          isDeleted: false,
        }),
      )
    }
    if (record.type === 'ConsumerGroupMetadata' && record.value === null) before.isDeleted = true
    if (!record.type.startsWith('ConsumerGroup') || !('memberId' in record.key)) return
    const { memberId } = record.key
    if (!before.memberEpochs.has(memberId)) before.memberEpochs.set(memberId, this.member(groupId, memberId))
  }

  /** After a batch. */
  #checkGroup(groupId: string, before: GroupBefore): void {
    const group = this.groups.get(groupId)
    const violate = (text: string): void => this.#violate(`group ${groupId} ${text}`)
    if (group === undefined) return
    const isUpgraded = [...group.members.keys()].some((memberId) => before.classicMembers.has(memberId))
    const isDowngraded = [...group.classicMembers.keys()].some((memberId) => before.members.has(memberId))
    if (isUpgraded || isDowngraded) this.onMigrated(isUpgraded ? 'consumer' : 'classic')
    // Where none of its members is left, it may be another's from now on, in the place of one that was empty.
    const isSame = before.classicMembers.size > 0 ? group.classicMembers.size > 0 : before.members.size > 0 && group.members.size > 0
    if ((isUpgraded || isDowngraded || isSame) && reached(group) < before.reached!)
      violate(`goes back to generation ${reached(group)} from ${before.reached}`)
    this.#checkClassic(group, violate)
    if (before.isDeleted) return
    if (group.epoch < before.epoch) violate(`goes back from epoch ${before.epoch} to ${group.epoch}`)
    if (group.targetEpoch < before.targetEpoch) violate(`goes back from target ${before.targetEpoch} to ${group.targetEpoch}`)
    if (group.targetEpoch > group.epoch) violate(`has a target of epoch ${group.targetEpoch}, above its own, ${group.epoch}`)
    const owners = new Map<string, string>()
    for (const [memberId, { assigned, pending }] of group.members) {
      for (const key of [...assigned, ...pending]) {
        const other = owners.get(key)
        if (other !== undefined && other !== memberId) violate(`has given ${key} to ${other} and to ${memberId}`)
        owners.set(key, memberId)
      }
    }
    for (const memberId of group.targets.keys()) {
      if (!group.members.has(memberId)) violate(`has a target for ${memberId}, who is not in it`)
    }
    for (const [memberId, was] of before.memberEpochs) {
      const is = group.members.get(memberId)
      const isReplaced = (): boolean =>
        was!.instanceId !== null && [...group.members.values()].some(({ instanceId }) => instanceId === was!.instanceId)
      if (is === undefined) {
        if (was !== undefined && group.epoch === before.epoch && !isReplaced()) violate(`lost member ${memberId} without a new epoch`)
        continue
      }
      if (is.epoch > group.targetEpoch) violate(`has member ${memberId} at epoch ${is.epoch}, above its target's, ${group.targetEpoch}`)
      if (was !== undefined && is.epoch >= 0 && is.epoch < was.epoch)
        violate(`takes member ${memberId} back from ${was.epoch} to ${is.epoch}`)
    }
  }

  #checkClassic(group: ModelGroup, violate: (text: string) => void): void {
    const owners = new Map<string, string>()
    for (const [memberId, { assigned }] of group.classicMembers) {
      for (const name of assigned) {
        const other = owners.get(name)
        if (other !== undefined) violate(`has ${name} assigned to ${other} and to ${memberId}`)
        owners.set(name, memberId)
      }
    }
  }

  #checkOffset(
    record: Extract<GroupRecord, { type: 'OffsetCommit' }>,
    cause: Cause | undefined,
    retentionMs: number,
    wallMs: number,
  ): void {
    const { group: groupId, topic, partition } = record.key
    const key = offsetKey(groupId, topic, partition)
    const group = this.groups.get(groupId)
    if (record.value === null) {
      // Nobody asked: the topic is gone, or the offset has expired, and then nobody may need it.
      const last = this.offsets.get(key)?.at(-1)
      const isYoung = last === undefined || wallMs - last.commitTimeMs < retentionMs
      const wanted = [...(group?.members.values() ?? [])].map(({ names }) => names)
      for (const { topics } of group?.classicMembers.values() ?? []) wanted.push(topics)
      const isNeeded = wanted.some((names) => names.includes(topic))
      if (cause === undefined && !this.isDeleted(topic, last?.topicKey) && (isYoung || isNeeded)) {
        this.#violate(`the offset of ${key} expires, and is ${isYoung ? 'young' : 'needed'}`)
      }
      this.#acknowledged.delete(key)
      return
    }
    if (cause?.api !== 'offsetCommit') return this.#violate(`an offset of ${key} is committed by ${cause?.api}`)
    const { memberId, generationIdOrMemberEpoch: epoch } = cause.request as OffsetCommitRequest
    if (epoch < 0) {
      const count = (group?.members.size ?? 0) + (group?.classicMembers.size ?? 0)
      if (count > 0) this.#violate(`an offset of ${key} is committed by nobody of ${count} members`)
      this.#acknowledged.delete(key)
      return
    }
    const current = this.epochOf(groupId, memberId)
    if (current !== epoch) this.#violate(`an offset of ${key} is committed by ${memberId} at ${epoch}, which is at ${current}`)
    const acknowledged = this.#acknowledged.get(key)
    if (acknowledged === undefined || acknowledged.topicKey !== formatTopicId(record.value.topicId)) return
    if (record.value.offset < acknowledged.offset!) {
      this.#violate(`the offset of ${key} goes back to ${record.value.offset} from ${acknowledged.offset}, which was acknowledged`)
    }
  }

  /** A group with members goes from one protocol to the other. */
  onMigrated: (to: 'classic' | 'consumer') => void = () => undefined

  /** Of that id. Whoever has the topics says it. */
  isDeleted: (topic: string, topicKey: string | undefined) => boolean = () => false

  #group(groupId: string): ModelGroup {
    let group = this.groups.get(groupId)
    if (group === undefined) {
      group = {
        epoch: 0,
        targetEpoch: 0,
        members: new Map(),
        targets: new Map(),
        generation: -1,
        protocol: null,
        classicMembers: new Map(),
      }
      this.groups.set(groupId, group)
    }
    return group
  }

  #member(groupId: string, memberId: string): ModelMember {
    const { members } = this.#group(groupId)
    let member = members.get(memberId)
    if (member === undefined) {
      member = { epoch: 0, instanceId: null, names: [], regex: null, assigned: new Set(), pending: new Set() }
      members.set(memberId, member)
    }
    return member
  }

  #apply(record: GroupRecord, at: number): void {
    switch (record.type) {
      case 'OffsetCommit': {
        const key = offsetKey(record.key.group, record.key.topic, record.key.partition)
        const { value } = record
        const version: Version =
          value === null
            ? { at, offset: undefined, topicKey: '', commitTimeMs: 0 }
            : { at, offset: value.offset, topicKey: formatTopicId(value.topicId), commitTimeMs: value.commitTimestamp }
        const versions = this.offsets.get(key)
        if (versions === undefined) this.offsets.set(key, [version])
        else versions.push(version)
        if (versions !== undefined && versions.length > 200 && !this.#isQuiet) versions.splice(0, 100)
        return
      }
      case 'ConsumerGroupMetadata':
        if (record.value === null) this.groups.delete(record.key.groupId)
        else this.#group(record.key.groupId).epoch = record.value.epoch
        return
      case 'ConsumerGroupTargetAssignmentMetadata':
        if (record.value !== null) this.#group(record.key.groupId).targetEpoch = record.value.assignmentEpoch
        return
      case 'ConsumerGroupTargetAssignmentMember':
        if (record.value === null) this.groups.get(record.key.groupId)?.targets.delete(record.key.memberId)
        else this.#group(record.key.groupId).targets.set(record.key.memberId, keysOf(record.value.topicPartitions))
        return
      case 'ConsumerGroupMemberMetadata': {
        if (record.value === null) {
          this.groups.get(record.key.groupId)?.members.delete(record.key.memberId)
          return
        }
        const member = this.#member(record.key.groupId, record.key.memberId)
        member.instanceId = record.value.instanceId
        member.names = record.value.subscribedTopicNames
        member.regex = record.value.subscribedTopicRegex
        return
      }
      case 'ConsumerGroupCurrentMemberAssignment': {
        if (record.value === null) return
        const member = this.#member(record.key.groupId, record.key.memberId)
        member.epoch = record.value.memberEpoch
        member.assigned = keysOf(record.value.assignedPartitions)
        member.pending = keysOf(record.value.partitionsPendingRevocation)
        return
      }
      case 'GroupMetadata': {
        if (record.value === null) {
          if ((this.groups.get(record.key.group)?.members.size ?? 0) === 0) this.groups.delete(record.key.group)
          return
        }
        const group = this.#group(record.key.group)
        group.generation = record.value.generation
        group.protocol = record.value.protocol
        group.classicMembers.clear()
        for (const { memberId, subscription, assignment } of record.value.members) {
          const topics = readSubscription(subscription)?.topics ?? []
          group.classicMembers.set(memberId, { topics, assigned: assignedNames(assignment) })
        }
        return
      }
      default:
        return
    }
  }
}

/** Its generation or its epoch, the one whose members it has. */
function reached({ generation, epoch }: ModelGroup): number {
  return Math.max(generation, epoch)
}

interface GroupBefore {
  /** undefined: there was none. */
  readonly reached: number | undefined
  readonly classicMembers: ReadonlySet<string>
  readonly members: ReadonlySet<string>
  readonly epoch: number
  readonly targetEpoch: number
  readonly memberEpochs: Map<string, ModelMember | undefined>
  isDeleted: boolean
}

function assignedNames(assignment: Uint8Array): string[] {
  if (assignment.length === 0) return []
  const topics = decodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, assignment).message.assignedPartitions
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`))
}

function offsetKey(groupId: string, topic: string, partition: number): string {
  return `${groupId} ${topic}-${partition}`
}

function keysOf(
  topics: readonly { readonly topicId: readonly [number, number, number, number]; readonly partitions: readonly number[] }[],
): Set<string> {
  const keys = new Set<string>()
  for (const { topicId, partitions } of topics) for (const partition of partitions) keys.add(`${formatTopicId(topicId)}:${partition}`)
  return keys
}
