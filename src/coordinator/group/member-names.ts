// By what a coordinator's runtime knows members and timers: one string each.
// Pure.

/** Names a member in a step's `news`. Group and member ids may hold any character. */
export function memberKey(groupId: string, memberId: string): string {
  return `${escaped(groupId)}/${escaped(memberId)}`
}

/**
 * The next heartbeat of a member is due; what it was told to give up is; a target assignment of the group may be made again. Of a classic
 * member in it: its JoinGroup is due, its SyncGroup.
 */
export type ConsumerGroupTimer = 'session' | 'rebalance' | 'assign' | 'join' | 'sync'

export interface ParsedTimer {
  /** `session`, `rebalance`, `join` and so on: what stands before the first slash. */
  readonly kind: string
  /** '' where the timer is of no group. */
  readonly groupId: string
  /** '' where the timer is of no member. */
  readonly memberId: string
}

/** `session/GROUP/MEMBER`, `join/GROUP`. */
export function timerName(kind: string, groupId: string, memberId?: string): string {
  return memberId === undefined ? `${kind}/${escaped(groupId)}` : `${kind}/${memberKey(groupId, memberId)}`
}

export function parseTimer(timer: string): ParsedTimer {
  const [kind = '', groupId = '', memberId = ''] = timer.split('/')
  return { kind, groupId: unescaped(groupId), memberId: unescaped(memberId) }
}

function escaped(id: string): string {
  return id.replaceAll('%', '%25').replaceAll('/', '%2F')
}

function unescaped(text: string): string {
  return text.replaceAll('%2F', '/').replaceAll('%25', '%')
}
