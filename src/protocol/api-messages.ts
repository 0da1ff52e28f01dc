// The request and the response of every API. Who serves one API imports its file alone.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { PRODUCE_REQUEST, PRODUCE_RESPONSE } from './messages/00-produce.ts'
import { FETCH_REQUEST, FETCH_RESPONSE } from './messages/01-fetch.ts'
import { LIST_OFFSETS_REQUEST, LIST_OFFSETS_RESPONSE } from './messages/02-list-offsets.ts'
import { METADATA_REQUEST, METADATA_RESPONSE } from './messages/03-metadata.ts'
import { OFFSET_COMMIT_REQUEST, OFFSET_COMMIT_RESPONSE } from './messages/08-offset-commit.ts'
import { OFFSET_FETCH_REQUEST, OFFSET_FETCH_RESPONSE } from './messages/09-offset-fetch.ts'
import { FIND_COORDINATOR_REQUEST, FIND_COORDINATOR_RESPONSE } from './messages/10-find-coordinator.ts'
import { JOIN_GROUP_REQUEST, JOIN_GROUP_RESPONSE } from './messages/11-join-group.ts'
import { HEARTBEAT_REQUEST, HEARTBEAT_RESPONSE } from './messages/12-heartbeat.ts'
import { LEAVE_GROUP_REQUEST, LEAVE_GROUP_RESPONSE } from './messages/13-leave-group.ts'
import { SYNC_GROUP_REQUEST, SYNC_GROUP_RESPONSE } from './messages/14-sync-group.ts'
import { DESCRIBE_GROUPS_REQUEST, DESCRIBE_GROUPS_RESPONSE } from './messages/15-describe-groups.ts'
import { LIST_GROUPS_REQUEST, LIST_GROUPS_RESPONSE } from './messages/16-list-groups.ts'
import { SASL_HANDSHAKE_REQUEST, SASL_HANDSHAKE_RESPONSE } from './messages/17-sasl-handshake.ts'
import { API_VERSIONS_REQUEST, API_VERSIONS_RESPONSE } from './messages/18-api-versions.ts'
import { CREATE_TOPICS_REQUEST, CREATE_TOPICS_RESPONSE } from './messages/19-create-topics.ts'
import { DELETE_TOPICS_REQUEST, DELETE_TOPICS_RESPONSE } from './messages/20-delete-topics.ts'
import { DELETE_RECORDS_REQUEST, DELETE_RECORDS_RESPONSE } from './messages/21-delete-records.ts'
import { INIT_PRODUCER_ID_REQUEST, INIT_PRODUCER_ID_RESPONSE } from './messages/22-init-producer-id.ts'
import { OFFSET_FOR_LEADER_EPOCH_REQUEST, OFFSET_FOR_LEADER_EPOCH_RESPONSE } from './messages/23-offset-for-leader-epoch.ts'
import { ADD_PARTITIONS_TO_TXN_REQUEST, ADD_PARTITIONS_TO_TXN_RESPONSE } from './messages/24-add-partitions-to-txn.ts'
import { ADD_OFFSETS_TO_TXN_REQUEST, ADD_OFFSETS_TO_TXN_RESPONSE } from './messages/25-add-offsets-to-txn.ts'
import { END_TXN_REQUEST, END_TXN_RESPONSE } from './messages/26-end-txn.ts'
import { WRITE_TXN_MARKERS_REQUEST, WRITE_TXN_MARKERS_RESPONSE } from './messages/27-write-txn-markers.ts'
import { TXN_OFFSET_COMMIT_REQUEST, TXN_OFFSET_COMMIT_RESPONSE } from './messages/28-txn-offset-commit.ts'
import { DESCRIBE_ACLS_REQUEST, DESCRIBE_ACLS_RESPONSE } from './messages/29-describe-acls.ts'
import { CREATE_ACLS_REQUEST, CREATE_ACLS_RESPONSE } from './messages/30-create-acls.ts'
import { DELETE_ACLS_REQUEST, DELETE_ACLS_RESPONSE } from './messages/31-delete-acls.ts'
import { DESCRIBE_CONFIGS_REQUEST, DESCRIBE_CONFIGS_RESPONSE } from './messages/32-describe-configs.ts'
import { ALTER_CONFIGS_REQUEST, ALTER_CONFIGS_RESPONSE } from './messages/33-alter-configs.ts'
import { ALTER_REPLICA_LOG_DIRS_REQUEST, ALTER_REPLICA_LOG_DIRS_RESPONSE } from './messages/34-alter-replica-log-dirs.ts'
import { DESCRIBE_LOG_DIRS_REQUEST, DESCRIBE_LOG_DIRS_RESPONSE } from './messages/35-describe-log-dirs.ts'
import { SASL_AUTHENTICATE_REQUEST, SASL_AUTHENTICATE_RESPONSE } from './messages/36-sasl-authenticate.ts'
import { CREATE_PARTITIONS_REQUEST, CREATE_PARTITIONS_RESPONSE } from './messages/37-create-partitions.ts'
import { DELETE_GROUPS_REQUEST, DELETE_GROUPS_RESPONSE } from './messages/42-delete-groups.ts'
import { ELECT_LEADERS_REQUEST, ELECT_LEADERS_RESPONSE } from './messages/43-elect-leaders.ts'
import { INCREMENTAL_ALTER_CONFIGS_REQUEST, INCREMENTAL_ALTER_CONFIGS_RESPONSE } from './messages/44-incremental-alter-configs.ts'
import {
  ALTER_PARTITION_REASSIGNMENTS_REQUEST,
  ALTER_PARTITION_REASSIGNMENTS_RESPONSE,
} from './messages/45-alter-partition-reassignments.ts'
import { LIST_PARTITION_REASSIGNMENTS_REQUEST, LIST_PARTITION_REASSIGNMENTS_RESPONSE } from './messages/46-list-partition-reassignments.ts'
import { OFFSET_DELETE_REQUEST, OFFSET_DELETE_RESPONSE } from './messages/47-offset-delete.ts'
import { DESCRIBE_CLIENT_QUOTAS_REQUEST, DESCRIBE_CLIENT_QUOTAS_RESPONSE } from './messages/48-describe-client-quotas.ts'
import { ALTER_CLIENT_QUOTAS_REQUEST, ALTER_CLIENT_QUOTAS_RESPONSE } from './messages/49-alter-client-quotas.ts'
import {
  DESCRIBE_USER_SCRAM_CREDENTIALS_REQUEST,
  DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE,
} from './messages/50-describe-user-scram-credentials.ts'
import { ALTER_USER_SCRAM_CREDENTIALS_REQUEST, ALTER_USER_SCRAM_CREDENTIALS_RESPONSE } from './messages/51-alter-user-scram-credentials.ts'
import { DESCRIBE_CLUSTER_REQUEST, DESCRIBE_CLUSTER_RESPONSE } from './messages/60-describe-cluster.ts'
import { DESCRIBE_PRODUCERS_REQUEST, DESCRIBE_PRODUCERS_RESPONSE } from './messages/61-describe-producers.ts'
import { DESCRIBE_TRANSACTIONS_REQUEST, DESCRIBE_TRANSACTIONS_RESPONSE } from './messages/65-describe-transactions.ts'
import { LIST_TRANSACTIONS_REQUEST, LIST_TRANSACTIONS_RESPONSE } from './messages/66-list-transactions.ts'
import { CONSUMER_GROUP_HEARTBEAT_REQUEST, CONSUMER_GROUP_HEARTBEAT_RESPONSE } from './messages/68-consumer-group-heartbeat.ts'
import { CONSUMER_GROUP_DESCRIBE_REQUEST, CONSUMER_GROUP_DESCRIBE_RESPONSE } from './messages/69-consumer-group-describe.ts'
import { LIST_CONFIG_RESOURCES_REQUEST, LIST_CONFIG_RESOURCES_RESPONSE } from './messages/74-list-config-resources.ts'
import { DESCRIBE_TOPIC_PARTITIONS_REQUEST, DESCRIBE_TOPIC_PARTITIONS_RESPONSE } from './messages/75-describe-topic-partitions.ts'
import { SHARE_GROUP_HEARTBEAT_REQUEST, SHARE_GROUP_HEARTBEAT_RESPONSE } from './messages/76-share-group-heartbeat.ts'
import { SHARE_GROUP_DESCRIBE_REQUEST, SHARE_GROUP_DESCRIBE_RESPONSE } from './messages/77-share-group-describe.ts'
import { SHARE_FETCH_REQUEST, SHARE_FETCH_RESPONSE } from './messages/78-share-fetch.ts'
import { SHARE_ACKNOWLEDGE_REQUEST, SHARE_ACKNOWLEDGE_RESPONSE } from './messages/79-share-acknowledge.ts'
import { DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST, DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE } from './messages/90-describe-share-group-offsets.ts'
import { ALTER_SHARE_GROUP_OFFSETS_REQUEST, ALTER_SHARE_GROUP_OFFSETS_RESPONSE } from './messages/91-alter-share-group-offsets.ts'
import { DELETE_SHARE_GROUP_OFFSETS_REQUEST, DELETE_SHARE_GROUP_OFFSETS_RESPONSE } from './messages/92-delete-share-group-offsets.ts'
import type { ApiName } from './api-keys.ts'
import type { MessageSchema } from './message-schema.ts'

export interface ApiMessages {
  readonly request: MessageSchema<object>
  readonly response: MessageSchema<object>
}

export const API_MESSAGES: Readonly<Record<ApiName, ApiMessages>> = {
  Produce: { request: PRODUCE_REQUEST, response: PRODUCE_RESPONSE },
  Fetch: { request: FETCH_REQUEST, response: FETCH_RESPONSE },
  ListOffsets: { request: LIST_OFFSETS_REQUEST, response: LIST_OFFSETS_RESPONSE },
  Metadata: { request: METADATA_REQUEST, response: METADATA_RESPONSE },
  OffsetCommit: { request: OFFSET_COMMIT_REQUEST, response: OFFSET_COMMIT_RESPONSE },
  OffsetFetch: { request: OFFSET_FETCH_REQUEST, response: OFFSET_FETCH_RESPONSE },
  FindCoordinator: { request: FIND_COORDINATOR_REQUEST, response: FIND_COORDINATOR_RESPONSE },
  JoinGroup: { request: JOIN_GROUP_REQUEST, response: JOIN_GROUP_RESPONSE },
  Heartbeat: { request: HEARTBEAT_REQUEST, response: HEARTBEAT_RESPONSE },
  LeaveGroup: { request: LEAVE_GROUP_REQUEST, response: LEAVE_GROUP_RESPONSE },
  SyncGroup: { request: SYNC_GROUP_REQUEST, response: SYNC_GROUP_RESPONSE },
  DescribeGroups: { request: DESCRIBE_GROUPS_REQUEST, response: DESCRIBE_GROUPS_RESPONSE },
  ListGroups: { request: LIST_GROUPS_REQUEST, response: LIST_GROUPS_RESPONSE },
  SaslHandshake: { request: SASL_HANDSHAKE_REQUEST, response: SASL_HANDSHAKE_RESPONSE },
  ApiVersions: { request: API_VERSIONS_REQUEST, response: API_VERSIONS_RESPONSE },
  CreateTopics: { request: CREATE_TOPICS_REQUEST, response: CREATE_TOPICS_RESPONSE },
  DeleteTopics: { request: DELETE_TOPICS_REQUEST, response: DELETE_TOPICS_RESPONSE },
  DeleteRecords: { request: DELETE_RECORDS_REQUEST, response: DELETE_RECORDS_RESPONSE },
  InitProducerId: { request: INIT_PRODUCER_ID_REQUEST, response: INIT_PRODUCER_ID_RESPONSE },
  OffsetForLeaderEpoch: { request: OFFSET_FOR_LEADER_EPOCH_REQUEST, response: OFFSET_FOR_LEADER_EPOCH_RESPONSE },
  AddPartitionsToTxn: { request: ADD_PARTITIONS_TO_TXN_REQUEST, response: ADD_PARTITIONS_TO_TXN_RESPONSE },
  AddOffsetsToTxn: { request: ADD_OFFSETS_TO_TXN_REQUEST, response: ADD_OFFSETS_TO_TXN_RESPONSE },
  EndTxn: { request: END_TXN_REQUEST, response: END_TXN_RESPONSE },
  WriteTxnMarkers: { request: WRITE_TXN_MARKERS_REQUEST, response: WRITE_TXN_MARKERS_RESPONSE },
  TxnOffsetCommit: { request: TXN_OFFSET_COMMIT_REQUEST, response: TXN_OFFSET_COMMIT_RESPONSE },
  DescribeAcls: { request: DESCRIBE_ACLS_REQUEST, response: DESCRIBE_ACLS_RESPONSE },
  CreateAcls: { request: CREATE_ACLS_REQUEST, response: CREATE_ACLS_RESPONSE },
  DeleteAcls: { request: DELETE_ACLS_REQUEST, response: DELETE_ACLS_RESPONSE },
  DescribeConfigs: { request: DESCRIBE_CONFIGS_REQUEST, response: DESCRIBE_CONFIGS_RESPONSE },
  AlterConfigs: { request: ALTER_CONFIGS_REQUEST, response: ALTER_CONFIGS_RESPONSE },
  AlterReplicaLogDirs: { request: ALTER_REPLICA_LOG_DIRS_REQUEST, response: ALTER_REPLICA_LOG_DIRS_RESPONSE },
  DescribeLogDirs: { request: DESCRIBE_LOG_DIRS_REQUEST, response: DESCRIBE_LOG_DIRS_RESPONSE },
  SaslAuthenticate: { request: SASL_AUTHENTICATE_REQUEST, response: SASL_AUTHENTICATE_RESPONSE },
  CreatePartitions: { request: CREATE_PARTITIONS_REQUEST, response: CREATE_PARTITIONS_RESPONSE },
  DeleteGroups: { request: DELETE_GROUPS_REQUEST, response: DELETE_GROUPS_RESPONSE },
  ElectLeaders: { request: ELECT_LEADERS_REQUEST, response: ELECT_LEADERS_RESPONSE },
  IncrementalAlterConfigs: { request: INCREMENTAL_ALTER_CONFIGS_REQUEST, response: INCREMENTAL_ALTER_CONFIGS_RESPONSE },
  AlterPartitionReassignments: { request: ALTER_PARTITION_REASSIGNMENTS_REQUEST, response: ALTER_PARTITION_REASSIGNMENTS_RESPONSE },
  ListPartitionReassignments: { request: LIST_PARTITION_REASSIGNMENTS_REQUEST, response: LIST_PARTITION_REASSIGNMENTS_RESPONSE },
  OffsetDelete: { request: OFFSET_DELETE_REQUEST, response: OFFSET_DELETE_RESPONSE },
  DescribeClientQuotas: { request: DESCRIBE_CLIENT_QUOTAS_REQUEST, response: DESCRIBE_CLIENT_QUOTAS_RESPONSE },
  AlterClientQuotas: { request: ALTER_CLIENT_QUOTAS_REQUEST, response: ALTER_CLIENT_QUOTAS_RESPONSE },
  DescribeUserScramCredentials: { request: DESCRIBE_USER_SCRAM_CREDENTIALS_REQUEST, response: DESCRIBE_USER_SCRAM_CREDENTIALS_RESPONSE },
  AlterUserScramCredentials: { request: ALTER_USER_SCRAM_CREDENTIALS_REQUEST, response: ALTER_USER_SCRAM_CREDENTIALS_RESPONSE },
  DescribeCluster: { request: DESCRIBE_CLUSTER_REQUEST, response: DESCRIBE_CLUSTER_RESPONSE },
  DescribeProducers: { request: DESCRIBE_PRODUCERS_REQUEST, response: DESCRIBE_PRODUCERS_RESPONSE },
  DescribeTransactions: { request: DESCRIBE_TRANSACTIONS_REQUEST, response: DESCRIBE_TRANSACTIONS_RESPONSE },
  ListTransactions: { request: LIST_TRANSACTIONS_REQUEST, response: LIST_TRANSACTIONS_RESPONSE },
  ConsumerGroupHeartbeat: { request: CONSUMER_GROUP_HEARTBEAT_REQUEST, response: CONSUMER_GROUP_HEARTBEAT_RESPONSE },
  ConsumerGroupDescribe: { request: CONSUMER_GROUP_DESCRIBE_REQUEST, response: CONSUMER_GROUP_DESCRIBE_RESPONSE },
  ListConfigResources: { request: LIST_CONFIG_RESOURCES_REQUEST, response: LIST_CONFIG_RESOURCES_RESPONSE },
  DescribeTopicPartitions: { request: DESCRIBE_TOPIC_PARTITIONS_REQUEST, response: DESCRIBE_TOPIC_PARTITIONS_RESPONSE },
  ShareGroupHeartbeat: { request: SHARE_GROUP_HEARTBEAT_REQUEST, response: SHARE_GROUP_HEARTBEAT_RESPONSE },
  ShareGroupDescribe: { request: SHARE_GROUP_DESCRIBE_REQUEST, response: SHARE_GROUP_DESCRIBE_RESPONSE },
  ShareFetch: { request: SHARE_FETCH_REQUEST, response: SHARE_FETCH_RESPONSE },
  ShareAcknowledge: { request: SHARE_ACKNOWLEDGE_REQUEST, response: SHARE_ACKNOWLEDGE_RESPONSE },
  DescribeShareGroupOffsets: { request: DESCRIBE_SHARE_GROUP_OFFSETS_REQUEST, response: DESCRIBE_SHARE_GROUP_OFFSETS_RESPONSE },
  AlterShareGroupOffsets: { request: ALTER_SHARE_GROUP_OFFSETS_REQUEST, response: ALTER_SHARE_GROUP_OFFSETS_RESPONSE },
  DeleteShareGroupOffsets: { request: DELETE_SHARE_GROUP_OFFSETS_REQUEST, response: DELETE_SHARE_GROUP_OFFSETS_RESPONSE },
}
