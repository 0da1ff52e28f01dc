// Whether all is as it is to be once nothing goes wrong any more: every partition that
// somebody wants is read by one member who wants it, as evenly as the assignor promises.

import { partitionKey } from '../../../src/coordinator/group/assignment.ts'
import type { TopicImage } from '../../../src/metadata/metadata-image.ts'
import type { GroupSimulation } from './group-simulation.ts'
import type { SimulatedMember } from './simulated-member.ts'

/** Why not; undefined: it is. */
export function unconverged(simulation: GroupSimulation): string | undefined {
  const { members, coordinator, ownership } = simulation
  if (!coordinator.isActive) return 'there is no coordinator'
  if (coordinator.log.refusal !== undefined) return 'the log takes nothing'
  const overdue = coordinator.overdue()
  if (overdue !== undefined && overdue.ms > 200) return `${overdue.words} is not answered for ${overdue.ms} ms`
  const groups = new Map<string, SimulatedMember[]>()
  for (const member of members) {
    if (member.isOver) return `${member.name} has not come back`
    if (member.isIdle) continue
    const group = groups.get(member.groupId)
    if (group === undefined) groups.set(member.groupId, [member])
    else group.push(member)
  }
  for (const [groupId, group] of groups) {
    const recorded = simulation.model.groups.get(groupId)
    if (recorded === undefined) return `${groupId} is not in the log`
    if (recorded.targetEpoch !== recorded.epoch) return `${groupId} is at ${recorded.epoch}, and its target at ${recorded.targetEpoch}`
    const count = recorded.members.size + recorded.classicMembers.size
    if (count !== group.length) return `${groupId} has ${count} members in the log, not ${group.length}`
    for (const member of group) {
      if (!ownership.mayHandOut(member)) return `${member.name} may not hand out anything`
      if (!member.isSettled) return `${member.name} is not settled`
      const epoch = recorded.generation >= 0 ? recorded.generation : recorded.targetEpoch
      if (member.epoch !== epoch) return `${member.name} is at ${member.epoch}, and its group at ${epoch}`
    }
    const isClassic = recorded.generation >= 0
    if (!isClassic && recorded.members.size > 0 && group.every(({ kind }) => kind === 'classic'))
      return `${groupId} has classic members alone, and is none`
    const assignor = isClassic ? recorded.protocol : group.find(({ kind }) => kind !== 'classic')?.options.assignor
    const why = unevenly(simulation, group, assignor ?? null)
    if (why !== undefined) return `in ${groupId} ${why}`
  }
  return undefined
}

function unevenly(simulation: GroupSimulation, group: readonly SimulatedMember[], assignor: string | null): string | undefined {
  const topics = simulation.topics.names.map((name) => simulation.topics.topic(name)!)
  const wanted = new Map(group.map((member) => [member, topics.filter((topic) => isWanted(member, topic))]))
  const counts = new Map<SimulatedMember, number>(group.map((member) => [member, 0]))
  const byTopic = new Map<string, Map<SimulatedMember, number>>()
  const owners = new Map<string, SimulatedMember>()
  for (const topic of new Set([...wanted.values()].flat())) {
    const key = simulation.topics.keyOf(topic.name)!
    const ofTopic = new Map<SimulatedMember, number>()
    byTopic.set(topic.name, ofTopic)
    for (const member of group) if (wanted.get(member)!.includes(topic)) ofTopic.set(member, 0)
    for (const { partitionId } of topic.partitions) {
      const name = partitionKey(key, partitionId)
      const found = group.filter((member) => simulation.ownership.keysOf(member).has(name))
      if (found.length !== 1) return `${topic.name}-${partitionId} is read by ${found.map((owner) => owner.name).join(' and ') || 'nobody'}`
      const owner = found[0]!
      owners.set(name, owner)
      if (!ofTopic.has(owner)) return `${owner.name} reads ${topic.name}-${partitionId}, which it does not want`
      ofTopic.set(owner, ofTopic.get(owner)! + 1)
      counts.set(owner, counts.get(owner)! + 1)
    }
  }
  for (const member of group) {
    for (const key of member.heldKeys)
      if (owners.get(key) !== member) return `${member.name} holds ${key}, which is not there or not its own`
  }
  // Round and round goes even where members want different topics, and then evens nothing out.
  if (assignor === 'roundrobin') return undefined
  // Every member of a group asks for the same assignor.
  if (assignor === 'range') {
    for (const [topic, ofTopic] of byTopic) {
      const sizes = [...ofTopic.values()]
      if (Math.max(...sizes) - Math.min(...sizes) > 1) return `the shares of ${topic} are ${sizes.join(', ')}`
    }
    return undefined
  }
  // Nobody could give one of his to another, and both were closer then.
  for (const [name, owner] of owners) {
    for (const other of group) {
      if (counts.get(owner)! - counts.get(other)! < 2) continue
      const topic = topics.find((each) => name.startsWith(`${simulation.topics.keyOf(each.name)!}:`))!
      if (wanted.get(other)!.includes(topic)) {
        return `${owner.name} has ${counts.get(owner)} partitions, and ${other.name}, who wants ${topic.name} too, ${counts.get(other)}`
      }
    }
  }
  return undefined
}

function isWanted({ topics, regex }: SimulatedMember, { name }: TopicImage): boolean {
  return topics.includes(name) || (regex !== undefined && new RegExp(`^(?:${regex})$`).test(name))
}
