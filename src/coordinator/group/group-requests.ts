// What a group coordinator is asked: Kafka's own requests and responses, by the name of
// their API. Clients of this process and TCP clients ask the same.
// Types only. An error is told in the response, as in Kafka, never thrown.

import type { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from '../../protocol/messages/69-consumer-group-describe.ts'
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/12-heartbeat.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/47-offset-delete.ts'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'

/** Request and response of each API. Requests name one group, but for those that name several, all of the same partition. */
export interface GroupApis {
  readonly consumerGroupHeartbeat: readonly [ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse]
  readonly consumerGroupDescribe: readonly [ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse]
  readonly joinGroup: readonly [JoinGroupRequest, JoinGroupResponse]
  readonly syncGroup: readonly [SyncGroupRequest, SyncGroupResponse]
  readonly heartbeat: readonly [HeartbeatRequest, HeartbeatResponse]
  readonly leaveGroup: readonly [LeaveGroupRequest, LeaveGroupResponse]
  readonly offsetCommit: readonly [OffsetCommitRequest, OffsetCommitResponse]
  /** With `groups`, as from version 8; all of the same partition. */
  readonly offsetFetch: readonly [OffsetFetchRequest, OffsetFetchResponse]
  readonly offsetDelete: readonly [OffsetDeleteRequest, OffsetDeleteResponse]
  readonly listGroups: readonly [ListGroupsRequest, ListGroupsResponse]
  readonly describeGroups: readonly [DescribeGroupsRequest, DescribeGroupsResponse]
  readonly deleteGroups: readonly [DeleteGroupsRequest, DeleteGroupsResponse]
}

export type GroupApi = keyof GroupApis
export type GroupRequestOf<Api extends GroupApi> = GroupApis[Api][0]
export type GroupResponseOf<Api extends GroupApi> = GroupApis[Api][1]
