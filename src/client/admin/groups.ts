// Which groups there are, and the end of some (Kafka: ListGroups, DeleteGroups). Every
// coordinator lists its own. Runs on the user's thread.

import type { GroupState } from '../../coordinator/group/group.ts'
import { checkAnswer, groupError } from './group-engine.ts'
import type { GroupEngine } from './group-engine.ts'

/** Which of Kafka's two protocols the members of a group speak. */
export type GroupType = 'classic' | 'consumer'

/** A group as it is listed (Kafka: GroupListing). */
export interface ListedGroup {
  readonly groupId: string
  /** One that commits offsets and never had members is a classic one. */
  readonly type: GroupType
  /** Of the protocol between its members: 'consumer' of consumers; '' where it never had members. */
  readonly protocolType: string
  readonly state: GroupState
}

/** Which groups are listed: all where nothing is said. */
export interface GroupFilter {
  readonly states: readonly GroupState[]
  readonly types: readonly GroupType[]
}

/** By name. */
export async function listGroups(
  { groups }: GroupEngine,
  { states, types }: GroupFilter,
  signal: AbortSignal | undefined,
): Promise<ListedGroup[]> {
  const request = { statesFilter: [...states], typesFilter: [...types] }
  const answers = await Promise.all(groups.partitions.map((partition) => groups.askPartition('listGroups', partition, request, { signal })))
  const listed = answers.flatMap(({ errorCode, groups: found }) => {
    checkAnswer(errorCode, '')
    return found.map(({ groupId, groupType, protocolType, groupState }) => ({
      groupId,
      type: groupType.toLowerCase() as GroupType,
      protocolType,
      state: groupState as GroupState,
    }))
  })
  return listed.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

/** With its offsets. Rejects with GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
export async function deleteGroup({ groups }: GroupEngine, groupId: string, signal: AbortSignal | undefined): Promise<void> {
  if (groups.partitions.length === 0) throw groupError('GROUP_ID_NOT_FOUND', groupId)
  const { results } = await groups.ask('deleteGroups', groupId, { groupsNames: [groupId] }, { signal })
  for (const { errorCode } of results) checkAnswer(errorCode, groupId)
}
