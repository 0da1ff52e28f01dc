// All that a group coordinator knows and that its log must tell again, as text to be compared.

import { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import { ConsumerGroup } from '../../../src/coordinator/group/consumer-group.ts'
import type { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts'
import type { Group } from '../../../src/coordinator/group/group.ts'
import { SimpleGroup } from '../../../src/coordinator/group/simple-group.ts'
import { LATEST } from '../../../src/coordinator/timeline.ts'
import type { LogModel } from './log-model.ts'
import type { OffsetFetchResponse } from '../../../src/protocol/messages/09-offset-fetch.ts'

/** A line a group. */
export function shardState(shard: GroupCoordinator): string[] {
  const groups = [...shard.groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
  return groups.flatMap(([groupId, group]) => {
    const offsets = offsetsOf(shard, groupId)
    // A group of nobody that has nothing: a compacted log does not tell of it, and nobody misses it.
    if (group instanceof SimpleGroup && offsets.length === 0) return []
    return [`${groupId} ${text(stateOf(group))} ${text(offsets)}`]
  })
}

/** Of the classic groups that were loaded: what is not as the log says. */
export function classicDifference(shard: GroupCoordinator, model: LogModel): string | undefined {
  for (const [groupId, group] of shard.groups.entries()) {
    if (!(group instanceof ClassicGroup)) continue
    const recorded = model.groups.get(groupId)
    const was = recorded === undefined ? 'nothing' : `generation ${recorded.generation} of ${[...recorded.classicMembers.keys()].join(' ')}`
    const is = `generation ${group.generation} of ${[...group.members.keys()].join(' ')}`
    if (is !== was) return `${groupId} was loaded as ${is}, and is ${was}`
  }
  for (const [groupId, { classicMembers }] of model.groups) {
    if (classicMembers.size > 0 && !(shard.groups.get(groupId) instanceof ClassicGroup))
      return `${groupId} was not loaded as a classic group`
  }
  return undefined
}

function stateOf(group: Group): unknown {
  // Of a classic group much is in memory alone: what its record says is looked at when it is loaded.
  if (!(group instanceof ConsumerGroup))
    return { protocol: group.protocol, members: group instanceof ClassicGroup ? 0 : group.memberCount() }
  return {
    epoch: group.epoch(),
    hash: group.metadataHash(),
    targetEpoch: group.targetEpoch(),
    targetTimestampMs: group.targetTimestampMs(),
    members: sorted([...group.members()].map((member) => [member.memberId, member])),
    targets: sorted(group.targets()),
    owners: sorted(group.owners()),
    regexes: sorted(group.regexes()),
  }
}

function offsetsOf(shard: GroupCoordinator, groupId: string): (readonly [string, unknown])[] {
  const asked = { groupId, memberId: null, memberEpoch: -1, topics: null }
  const request = { groupId: '', topics: null, groups: [asked], requireStable: false }
  const context = { clientId: '', clientHost: '', isLocal: false }
  const { replies } = shard.request('offsetFetch', 0, request, context, 0, 0, LATEST)
  const { groups } = replies![0]!.response as OffsetFetchResponse
  return sorted(
    groups[0]!.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, ...committed }): [string, unknown] => [`${name}-${partitionIndex}`, committed]),
    ),
  )
}

function sorted<Value>(entries: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return part instanceof Map ? [...part].sort(([a], [b]) => (a < b ? -1 : 1)) : part
  })
}
