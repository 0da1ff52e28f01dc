// What is legal in a group but rarely meant, said once a process.
// Runs on the user's thread, never once a batch.

export type GroupWarning = 'idle member' | 'never commits' | 'not committed'

const said = new Set<GroupWarning>()

/** `cause`: what went wrong, if anything did. */
export function warnOnce(warning: GroupWarning, groupId: string, cause?: unknown): void {
  if (said.has(warning)) return
  said.add(warning)
  process.emitWarning(`${sentence(warning, groupId, cause)} (This is said once.)`, 'MillraceWarning')
}

function sentence(warning: GroupWarning, groupId: string, cause: unknown): string {
  if (warning === 'idle member') {
    return (
      `a member of group "${groupId}" has nothing to read, for each partition is one member's: ` +
      'give its topics more partitions than the group has members (admin.createPartitions), or end some members.'
    )
  }
  if (warning === 'not committed') {
    return (
      `a consumer of group "${groupId}" gave partitions up and could not commit what was settled of them, ` +
      `so the group reads that again: ${String(cause)}.`
    )
  }
  return (
    `a consumer of group "${groupId}" has autoCommit: false and ended a loop without a commit, so the group reads all that again: ` +
    'call batch.commit(), record.commit() or consumer.commit(), or leave groupId out.'
  )
}
