// Which heartbeats of a member are held back until there is news for it. Pure.

import { memberKey } from '../coordinator/group/member-names.ts'
import type { Hold } from '../coordinator/held-requests.ts'
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../protocol/messages/68-consumer-group-heartbeat.ts'

/** One that joins or leaves is answered at once. */
export function heldHeartbeat(request: unknown, holdMs: number): Hold<unknown> {
  const { groupId, memberId, memberEpoch } = request as ConsumerGroupHeartbeatRequest
  const isNothingNew = (response: unknown): boolean => {
    const { errorCode, assignment, memberEpoch: epoch } = response as ConsumerGroupHeartbeatResponse
    return memberEpoch > 0 && errorCode === 0 && assignment === null && epoch === memberEpoch
  }
  return { key: memberKey(groupId, memberId), holdMs, isNothingNew }
}
