// Pure.

/** Names a member among those of all groups: no two have the same key, whatever their ids are made of. */
export function memberKey(groupId: string, memberId: string): string {
  return `${groupId.length}:${groupId}:${memberId}`
}
