// What happens to consumer groups (KIP-848) without a request of theirs: time passes, topics
// change, a thread ends, a coordinator has loaded its log.
// Pure.

import type { MetadataDelta } from '../../metadata/metadata-delta.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { isLocalHost } from '../client-host.ts'
import type { CoordinatorStep, TimerChange } from '../coordinator-shard.ts'
import { ConsumerGroupChange } from './consumer-group-change.ts'
import { isAway } from './consumer-group-member.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { assignIfDue, bumpEpoch, hasLocalMembers, removeMembers, stepOf } from './consumer-groups.ts'
import type { GroupParts, Now } from './consumer-groups.ts'
import type { GroupRecord } from './group.ts'
import { timerName } from './member-names.ts'
import type { ParsedTimer } from './member-names.ts'
import { isInternalTopic, matchingTopics, subscribedTopicNames, subscriptionHash } from './subscribed-topics.ts'

type Step = CoordinatorStep<GroupRecord>

const NOTHING: Step = {}
/** What could not be written for want of room is tried again then. */
const RETRY_MS = 100

export class ConsumerGroupEvents {
  readonly #parts: GroupParts

  constructor(parts: GroupParts) {
    this.#parts = parts
  }

  timerFired({ kind, groupId, memberId }: ParsedTimer, now: Now): Step {
    const group = this.#parts.groups.get(groupId)
    if (!(group instanceof ConsumerGroup)) return NOTHING
    if (kind === 'assign') {
      const change = new ConsumerGroupChange(group)
      assignIfDue(change, false, this.#parts, now)
      return retried(stepOf(change), now, [timerName(kind, groupId)])
    }
    if (kind === 'refresh') {
      const change = new ConsumerGroupChange(group)
      this.#rematch(change, undefined, this.#parts.image(), now)
      this.#refresh(change, false, this.#parts.image(), now)
      return retried(stepOf(change), now, [timerName(kind, groupId)])
    }
    const member = group.member(memberId)
    if (member === undefined || (kind === 'rebalance' && member.state !== 'UNREVOKED_PARTITIONS')) return NOTHING
    return this.#fence(group, [member], now)
  }

  /** A thread of this process has ended. A member that gave its instance id back has its session to come again. */
  clientHostGone(clientHost: string, now: Now): Step[] {
    return this.#fenceWhere((member) => member.clientHost === clientHost && !isAway(member), now)
  }

  /** New topics and partitions are dealt out, and those of deleted topics taken back. */
  metadataChanged(delta: MetadataDelta, now: Now): Step[] {
    const changed = new Set<string>()
    for (const { topic, previous } of delta.changedPartitions()) if (previous === undefined) changed.add(topic.name)
    const deleted = new Set([...delta.deletedTopics()].map(({ name }) => name))
    for (const name of deleted) changed.add(name)
    if (changed.size === 0) return []
    const steps: Step[] = []
    for (const group of this.#consumerGroups()) {
      const change = new ConsumerGroupChange(group)
      const isRelevant = this.#rematch(change, changed, delta.image, now)
      if (!isRelevant && [...subscribedTopicNames(change)].every((name) => !changed.has(name))) continue
      this.#refresh(change, false, delta.image, now)
      if (change.records.length > 0) steps.push(retried(stepOf(change), now, [timerName('refresh', group.groupId)]))
    }
    return steps
  }

  /** After all was replayed: everybody's time begins anew; who is of a thread that is no more, is out. */
  loaded(now: Now, isHostAlive: (clientHost: string) => boolean): Step[] {
    const isGone = (member: ConsumerGroupMember): boolean =>
      isLocalHost(member.clientHost) && !isAway(member) && !isHostAlive(member.clientHost)
    const image = this.#parts.image()
    const steps: Step[] = []
    for (const group of this.#consumerGroups()) {
      const change = new ConsumerGroupChange(group)
      const gone = [...group.members()].filter(isGone)
      removeMembers(change, gone, this.#parts, now)
      for (const { memberId, state, rebalanceTimeoutMs, classicMember } of change.members()) {
        const sessionTimeoutMs = classicMember?.sessionTimeoutMs ?? this.#parts.config.consumerSessionTimeoutMs
        change.setTimer('session', memberId, now.nowMs + sessionTimeoutMs)
        if (state === 'UNREVOKED_PARTITIONS') change.setTimer('rebalance', memberId, now.nowMs + rebalanceTimeoutMs)
      }
      this.#rematch(change, undefined, image, now)
      this.#refresh(change, gone.length > 0, image, now)
      const timers = change.timers.filter(({ atMs }) => atMs !== undefined)
      const again = [timerName('refresh', group.groupId), ...sessionTimers(group, gone)]
      if (change.records.length > 0 || timers.length > 0) steps.push(retried(stepOf(change), now, again, timers))
    }
    return steps
  }

  *#consumerGroups(): Generator<ConsumerGroup> {
    for (const group of this.#parts.groups.values()) if (group instanceof ConsumerGroup) yield group
  }

  #fenceWhere(isGone: (member: ConsumerGroupMember) => boolean, now: Now): Step[] {
    const steps: Step[] = []
    for (const group of this.#consumerGroups()) {
      const gone = [...group.members()].filter(isGone)
      if (gone.length > 0) steps.push(this.#fence(group, gone, now))
    }
    return steps
  }

  /** Out of the group, unasked. */
  #fence(group: ConsumerGroup, members: readonly ConsumerGroupMember[], now: Now): Step {
    const change = new ConsumerGroupChange(group)
    const gone = members.filter((member) => !isAway(member)).map(({ clientHost }) => clientHost)
    const fenced = [...new Set(gone.filter(isLocalHost))]
    const told = fenced.length > 0 ? { fenced } : {}
    removeMembers(change, members, this.#parts, now)
    const classic = this.#parts.downgrade(change, now)
    if (classic !== undefined) return retried({ ...classic, ...told }, now, sessionTimers(group, members))
    bumpEpoch(change, this.#parts.image())
    if (hasLocalMembers(change)) assignIfDue(change, true, this.#parts, now)
    return retried({ ...stepOf(change), ...told }, now, sessionTimers(group, members))
  }

  /** Looks patterns up again for the topics of these names; without names for all. Whether one matches others than before. */
  #rematch(change: ConsumerGroupChange, names: ReadonlySet<string> | undefined, image: MetadataImage, now: Now): boolean {
    let isDifferent = false
    for (const [pattern, before] of [...change.regexes()]) {
      const { matches } = compiled(this.#parts, pattern)
      const topics = new Set(names === undefined ? matchingTopics({ matches }, image) : before)
      for (const name of names ?? []) {
        if (image.topic(name) !== undefined && !isInternalTopic(name) && matches(name)) topics.add(name)
        else topics.delete(name)
      }
      const after = [...topics].sort()
      if (after.length === before.length && after.every((name, i) => name === before[i])) continue
      change.setRegex(pattern, after, image.offset, now.wallMs)
      isDifferent = true
    }
    return isDifferent
  }

  /** A new epoch, where members are gone or what is subscribed to is not what it was. */
  #refresh(change: ConsumerGroupChange, isSmaller: boolean, image: MetadataImage, now: Now): void {
    const isChanged = change.memberCount > 0 && subscriptionHash(change, image) !== change.metadataHash
    if (isSmaller || isChanged) bumpEpoch(change, image)
    assignIfDue(change, false, this.#parts, now, image)
  }
}

function compiled({ compilePattern }: GroupParts, pattern: string): { matches: (name: string) => boolean } {
  try {
    const compiledPattern = compilePattern(pattern)
    return { matches: (name) => compiledPattern.matches(name) }
  } catch {
    // Another broker took it for a pattern: nobody here can tell what it matches.
    return { matches: () => false }
  }
}

/** As if their sessions had ended. */
function sessionTimers({ groupId }: ConsumerGroup, members: readonly ConsumerGroupMember[]): string[] {
  return members.map(({ memberId }) => timerName('session', groupId, memberId))
}

/** Nobody asks again for what nobody asked for: where it finds no room, timers do so soon, beside those that were to be set. */
function retried(step: Step, { nowMs }: Now, again: readonly string[], timers: readonly TimerChange[] = []): Step {
  if (step.records === undefined) return step
  return { ...step, failed: () => ({ timers: [...timers, ...again.map((timer) => ({ timer, atMs: nowMs + RETRY_MS }))] }) }
}
