// All records of `__cluster_metadata-0`, by name, with the number that stands in their frame.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import {
  TOPIC_RECORD,
  PARTITION_RECORD,
  PARTITION_CHANGE_RECORD,
  REMOVE_TOPIC_RECORD,
  CLEAR_ELR_RECORD,
  CONFIG_RECORD,
} from './topic-records.ts'
import {
  REGISTER_BROKER_RECORD,
  BROKER_REGISTRATION_CHANGE_RECORD,
  FENCE_BROKER_RECORD,
  UNFENCE_BROKER_RECORD,
  UNREGISTER_BROKER_RECORD,
  REGISTER_CONTROLLER_RECORD,
  UNREGISTER_CONTROLLER_RECORD,
} from './broker-records.ts'
import {
  FEATURE_LEVEL_RECORD,
  PRODUCER_IDS_RECORD,
  NO_OP_RECORD,
  BEGIN_TRANSACTION_RECORD,
  END_TRANSACTION_RECORD,
  ABORT_TRANSACTION_RECORD,
  ZK_MIGRATION_STATE_RECORD,
} from './cluster-records.ts'
import {
  ACCESS_CONTROL_ENTRY_RECORD,
  REMOVE_ACCESS_CONTROL_ENTRY_RECORD,
  CLIENT_QUOTA_RECORD,
  DELEGATION_TOKEN_RECORD,
  REMOVE_DELEGATION_TOKEN_RECORD,
  USER_SCRAM_CREDENTIAL_RECORD,
  REMOVE_USER_SCRAM_CREDENTIAL_RECORD,
} from './access-records.ts'
import type {
  TopicRecord,
  PartitionRecord,
  PartitionChangeRecord,
  RemoveTopicRecord,
  ClearElrRecord,
  ConfigRecord,
} from './topic-records.ts'
import type {
  RegisterBrokerRecord,
  BrokerRegistrationChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
  RegisterControllerRecord,
  UnregisterControllerRecord,
} from './broker-records.ts'
import type {
  FeatureLevelRecord,
  ProducerIdsRecord,
  NoOpRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  ZkMigrationStateRecord,
} from './cluster-records.ts'
import type {
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
  ClientQuotaRecord,
  DelegationTokenRecord,
  RemoveDelegationTokenRecord,
  UserScramCredentialRecord,
  RemoveUserScramCredentialRecord,
} from './access-records.ts'

export interface MetadataRecordTypes {
  RegisterBrokerRecord: RegisterBrokerRecord
  UnregisterBrokerRecord: UnregisterBrokerRecord
  TopicRecord: TopicRecord
  PartitionRecord: PartitionRecord
  ConfigRecord: ConfigRecord
  PartitionChangeRecord: PartitionChangeRecord
  FenceBrokerRecord: FenceBrokerRecord
  UnfenceBrokerRecord: UnfenceBrokerRecord
  RemoveTopicRecord: RemoveTopicRecord
  DelegationTokenRecord: DelegationTokenRecord
  UserScramCredentialRecord: UserScramCredentialRecord
  FeatureLevelRecord: FeatureLevelRecord
  ClientQuotaRecord: ClientQuotaRecord
  ProducerIdsRecord: ProducerIdsRecord
  BrokerRegistrationChangeRecord: BrokerRegistrationChangeRecord
  AccessControlEntryRecord: AccessControlEntryRecord
  RemoveAccessControlEntryRecord: RemoveAccessControlEntryRecord
  NoOpRecord: NoOpRecord
  ZkMigrationStateRecord: ZkMigrationStateRecord
  RemoveUserScramCredentialRecord: RemoveUserScramCredentialRecord
  BeginTransactionRecord: BeginTransactionRecord
  EndTransactionRecord: EndTransactionRecord
  AbortTransactionRecord: AbortTransactionRecord
  RemoveDelegationTokenRecord: RemoveDelegationTokenRecord
  RegisterControllerRecord: RegisterControllerRecord
  ClearElrRecord: ClearElrRecord
  UnregisterControllerRecord: UnregisterControllerRecord
}

export const METADATA_RECORDS = {
  RegisterBrokerRecord: { type: 0, schema: REGISTER_BROKER_RECORD },
  UnregisterBrokerRecord: { type: 1, schema: UNREGISTER_BROKER_RECORD },
  TopicRecord: { type: 2, schema: TOPIC_RECORD },
  PartitionRecord: { type: 3, schema: PARTITION_RECORD },
  ConfigRecord: { type: 4, schema: CONFIG_RECORD },
  PartitionChangeRecord: { type: 5, schema: PARTITION_CHANGE_RECORD },
  FenceBrokerRecord: { type: 7, schema: FENCE_BROKER_RECORD },
  UnfenceBrokerRecord: { type: 8, schema: UNFENCE_BROKER_RECORD },
  RemoveTopicRecord: { type: 9, schema: REMOVE_TOPIC_RECORD },
  DelegationTokenRecord: { type: 10, schema: DELEGATION_TOKEN_RECORD },
  UserScramCredentialRecord: { type: 11, schema: USER_SCRAM_CREDENTIAL_RECORD },
  FeatureLevelRecord: { type: 12, schema: FEATURE_LEVEL_RECORD },
  ClientQuotaRecord: { type: 14, schema: CLIENT_QUOTA_RECORD },
  ProducerIdsRecord: { type: 15, schema: PRODUCER_IDS_RECORD },
  BrokerRegistrationChangeRecord: { type: 17, schema: BROKER_REGISTRATION_CHANGE_RECORD },
  AccessControlEntryRecord: { type: 18, schema: ACCESS_CONTROL_ENTRY_RECORD },
  RemoveAccessControlEntryRecord: { type: 19, schema: REMOVE_ACCESS_CONTROL_ENTRY_RECORD },
  NoOpRecord: { type: 20, schema: NO_OP_RECORD },
  ZkMigrationStateRecord: { type: 21, schema: ZK_MIGRATION_STATE_RECORD },
  RemoveUserScramCredentialRecord: { type: 22, schema: REMOVE_USER_SCRAM_CREDENTIAL_RECORD },
  BeginTransactionRecord: { type: 23, schema: BEGIN_TRANSACTION_RECORD },
  EndTransactionRecord: { type: 24, schema: END_TRANSACTION_RECORD },
  AbortTransactionRecord: { type: 25, schema: ABORT_TRANSACTION_RECORD },
  RemoveDelegationTokenRecord: { type: 26, schema: REMOVE_DELEGATION_TOKEN_RECORD },
  RegisterControllerRecord: { type: 27, schema: REGISTER_CONTROLLER_RECORD },
  ClearElrRecord: { type: 28, schema: CLEAR_ELR_RECORD },
  UnregisterControllerRecord: { type: 29, schema: UNREGISTER_CONTROLLER_RECORD },
}
