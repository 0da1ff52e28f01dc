// Every public name of millrace.

// Open and attach
export { attachMillrace, openMillrace } from './client/open-millrace.ts'
export type { EmbeddedMillrace, Millrace, MillraceHandle } from './client/millrace.ts'
export type { MillraceLogger, MillraceOptions } from './client/millrace-config.ts'
export type { BrokerConfig, BrokerConfigOptions } from './config/broker-config.ts'

// Topics and types
export { defineTopic } from './client/topic-definition.ts'
export type { Topic, TopicDefinition, TopicOptions } from './client/topic-definition.ts'
export type { TopicConfig, TopicConfigOptions } from './config/topic-config.ts'
export { bytes, json, nullable, string } from './client/serde.ts'
export { msgpack } from './client/msgpack-serde.ts'
export type { Serde } from './client/serde.ts'
export type { StandardSchema } from './client/standard-schema.ts'

// Produce
export { Producer } from './client/producer/producer.ts'
export type { ProducerRecord, RecordOptions } from './client/producer/producer-record.ts'
export type { RecordMetadata } from './client/producer/producer-batch.ts'
export type { ProducerOptions } from './client/producer/producer-config.ts'
export type { PartitionFunction } from './client/producer/partitioner.ts'
export type { Headers, HeaderValue } from './client/headers.ts'

// Consume
export { Consumer } from './client/consumer/consumer.ts'
export type { TopicsToRead } from './client/consumer/consumer.ts'
export type { OffsetToCommit, TimestampQuery, TopicPartition } from './client/consumer/offsets-to-commit.ts'
export type { CommittedOffset } from './client/consumer/offset-commits.ts'
export type { GroupMetadata } from './client/consumer/group-consumer.ts'
export { TopicPattern, topicPattern } from './client/consumer/topic-pattern.ts'
export type { TopicPatternOptions } from './client/consumer/topic-pattern.ts'
export type { OffsetAndTimestamp } from './client/consumer/offset-lookups.ts'
export type { AutoOffsetReset } from './client/consumer/offset-reset.ts'
export type { ReadOptions } from './client/consumer/read-options.ts'
export { ConsumerBatch } from './client/consumer/consumer-batch.ts'
export { ConsumerRecord } from './client/consumer/consumer-record.ts'
export type { ConsumerOptions, NamedPartition, RebalanceCallback } from './client/consumer/consumer-config.ts'
export { Processor } from './client/consumer/processor.ts'
export type { DeadLetterEvent, ProcessContext, ProcessHandler, RetryEvent } from './client/consumer/processor-parts.ts'
export type { ProcessOptions, RetryOptions } from './client/consumer/process-config.ts'
export type { ProcessOrder } from './client/consumer/work-queue.ts'
export type { Overtaken } from './client/consumer/partition-fetcher.ts'
export { RecordHeaders } from './client/headers.ts'
export type { RecordCursor } from './record/record-cursor.ts'
export type { RecordHeader } from './record/record.ts'

// Administer
export { Admin } from './client/admin/admin.ts'
export { ItemFailures } from './client/admin/each-item.ts'
export type {
  AdminCallOptions,
  AlterOptions,
  DescribeConfigsOptions,
  ListGroupsOptions,
  ListOffsetsOptions,
  ListTopicsOptions,
  ResetGroupOffsetsOptions,
} from './client/admin/call-options.ts'
export type { ConfigAlteration } from './client/admin/config-alterations.ts'
export type { BrokerResource, ConfigResource, DescribedConfigs, TopicResource } from './client/admin/config-resources.ts'
export type {
  DescribedBroker,
  DescribedCluster,
  DescribedLogMemory,
  DescribedPartitionMemory,
} from './client/admin/described-cluster.ts'
export type { DescribedPartition, DescribedTopic } from './client/admin/described-topic.ts'
export type { DescribedGroup, DescribedGroupMember, PartitionsByTopic } from './client/admin/described-group.ts'
export type { GroupType, ListedGroup } from './client/admin/groups.ts'
export type { GroupState } from './coordinator/group/group.ts'
export type { GroupLag, PartitionLag, TopicLag } from './client/admin/group-lag.ts'
export type { OffsetResetTarget, PlannedOffset } from './client/admin/group-offset-resets.ts'
export type { GroupOffset, OffsetAndMetadata, OffsetsByTopic } from './client/admin/group-offsets.ts'
export type { TopicsOrPartitions } from './client/admin/group-partitions.ts'
export type { CreatedTopic, NewTopic } from './client/admin/new-topic.ts'
export type { DeletedRecords, OffsetSpec, PartitionOffset } from './client/admin/partition-offsets.ts'
export type { ConfigSource, ConfigSynonym, ConfigType, DescribedConfig } from './config/describe-configs.ts'

// Errors
export { MillraceError } from './errors.ts'
export type { ErrorName } from './errors.ts'
