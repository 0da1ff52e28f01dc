// ListGroups, DescribeGroups, DeleteGroups (KIP-222, KIP-229, KIP-518, KIP-848): what an
// admin client asks about the groups of one partition of `__consumer_offsets`.
// Pure. What only reads is read as it was committed.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import type { DescribedGroup, DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { ListedGroup, ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import type { CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import type { TimelineMap } from '../timeline.ts'
import type { CheckedBy, Group, GroupRecord } from './group.ts'
import { kafkaError } from './group-errors.ts'
import type { Offsets } from './offsets.ts'

/** What DescribeGroups tells of a classic group. */
export type ClassicView = Pick<DescribedGroup, 'groupState' | 'protocolType' | 'protocolData' | 'members'>

/** A classic group tells of its members what only it knows; one without members needs no such thing. */
export interface DescribedClassicGroup extends Group {
  describe(epoch?: number): ClassicView
}

/** Kafka's "not asked for". */
const NO_AUTHORIZED_OPERATIONS = -0x8000_0000

const TYPE_NAMES: Readonly<Record<Group['protocol'], string>> = { classic: 'Classic', consumer: 'Consumer' }

export class GroupAdmin {
  readonly #groups: TimelineMap<string, Group>
  readonly #offsets: Offsets

  constructor({ groups }: { readonly groups: TimelineMap<string, Group> }, offsets: Offsets) {
    this.#groups = groups
    this.#offsets = offsets
  }

  /** Empty filters let all pass; names in them are compared without regard to case, as Kafka does. */
  list({ statesFilter, typesFilter }: ListGroupsRequest, committed: number): ListGroupsResponse {
    const states = new Set(statesFilter.map((state) => state.toLowerCase()))
    const types = new Set(typesFilter.map((type) => type.toLowerCase()))
    const groups: ListedGroup[] = []
    for (const [groupId, group] of this.#groups.entries(committed)) {
      const groupState = group.state(committed)
      if (states.size > 0 && !states.has(groupState.toLowerCase())) continue
      if (types.size > 0 && !types.has(group.protocol)) continue
      groups.push({ groupId, protocolType: group.protocolType(committed), groupState, groupType: TYPE_NAMES[group.protocol] })
    }
    return { throttleTimeMs: 0, errorCode: 0, groups }
  }

  /**
   * Classic groups; of a group of the new protocol it says GROUP_ID_NOT_FOUND, and that it is no classic one: those are
   * described by ConsumerGroupDescribe. Before version 6 a listener leaves the error out: the state says Dead.
   */
  describe({ groups }: DescribeGroupsRequest, committed: number): DescribeGroupsResponse {
    return { throttleTimeMs: 0, groups: groups.map((groupId) => this.#described(groupId, committed)) }
  }

  /** All that can be are deleted, in one batch: the groups with their offsets. */
  delete(requestId: RequestId, { groupsNames }: DeleteGroupsRequest): CoordinatorStep<GroupRecord> {
    const records: GroupRecord[] = []
    const deleted = new Set<string>()
    const results = groupsNames.map((groupId) => {
      const error = this.#checkDelete(groupId)
      if (error === 'NONE' && !deleted.has(groupId)) {
        deleted.add(groupId)
        records.push(...this.#offsets.tombstones(groupId), ...this.#groups.get(groupId)!.tombstones())
      }
      return { groupId, errorCode: kafkaError(error), errorMessage: null }
    })
    const response: DeleteGroupsResponse = { throttleTimeMs: 0, results }
    return { records, replies: [{ requestId, response }] }
  }

  #described(groupId: string, epoch: number): DescribedGroup {
    const group = this.#groups.get(groupId, epoch)
    const told = { errorCode: 0, errorMessage: null, groupId, authorizedOperations: NO_AUTHORIZED_OPERATIONS }
    if (group?.protocol === 'classic') return { ...told, ...classicView(group, epoch) }
    const errorMessage = group === undefined ? `group ${groupId} is not known` : `group ${groupId} is not a classic group`
    const nothing: ClassicView = { groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
    return { ...told, ...nothing, errorCode: KAFKA_ERRORS.GROUP_ID_NOT_FOUND, errorMessage }
  }

  #checkDelete(groupId: string): CheckedBy {
    if (typeof groupId !== 'string') return 'INVALID_GROUP_ID'
    return this.#groups.get(groupId)?.checkDelete() ?? 'GROUP_ID_NOT_FOUND'
  }
}

function classicView(group: Group, epoch: number): ClassicView {
  if ('describe' in group) return (group as DescribedClassicGroup).describe(epoch)
  return { groupState: group.state(epoch), protocolType: group.protocolType(epoch), protocolData: '', members: [] }
}
