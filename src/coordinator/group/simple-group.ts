// A group that commits offsets and has no members (Kafka: a simple consumer group): it
// comes by its first commit, from an admin client or a consumer that was assigned its
// partitions by hand, and goes with its last offset.
// Pure. Holds: it has no state of its own, so whoever first joins it may put a group of
// either protocol in its place.

import type { CheckedBy, Group, GroupRecord, GroupState, OffsetsUnusedSince } from './group.ts'

export class SimpleGroup implements Group {
  readonly groupId: string
  /** As Kafka lists it: a classic group without a protocol type. */
  readonly protocol = 'classic'

  constructor(groupId: string) {
    this.groupId = groupId
  }

  protocolType(): string {
    return ''
  }

  state(): GroupState {
    return 'Empty'
  }

  memberCount(): number {
    return 0
  }

  checkCommit(_memberId: string, _instanceId: string | null, generation: number): CheckedBy {
    return generation < 0 ? 'NONE' : 'UNKNOWN_MEMBER_ID'
  }

  /** As of classic groups: a fetch is not checked. */
  checkFetch(): CheckedBy {
    return 'NONE'
  }

  checkDelete(): CheckedBy {
    return 'NONE'
  }

  isSubscribedTo(): boolean {
    return false
  }

  offsetsUnusedSince(): OffsetsUnusedSince {
    return { kind: 'since commit' }
  }

  tombstones(): GroupRecord[] {
    return [{ type: 'GroupMetadata', key: { group: this.groupId }, version: -1, value: null }]
  }
}
