// What a group coordinator takes from the configs of its broker.
// Pure.

import type { BrokerGroupConfig } from '../../config/broker-config.ts'

/** Kafka's `group.*` and `offset*` configs. Times in ms, sizes in bytes. */
export interface GroupCoordinatorConfig {
  /** Of classic groups. */
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  /** How long an empty classic group waits for more members than the first. */
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
  /** Of consumer groups (KIP-848). */
  readonly consumerSessionTimeoutMs: number
  readonly consumerHeartbeatIntervalMs: number
  readonly consumerMaxSize: number
  /** The default one first. */
  readonly consumerAssignors: readonly string[]
  /** Between two new target assignments of a group with members behind sockets. */
  readonly consumerAssignmentIntervalMs: number
  readonly consumerMigrationPolicy: BrokerGroupConfig['group.consumer.migration.policy']
  /** Of the text that goes with a committed offset. */
  readonly offsetMetadataMaxBytes: number
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckIntervalMs: number
}

const MINUTE_MS = 60_000

export function groupCoordinatorConfig(config: BrokerGroupConfig): GroupCoordinatorConfig {
  return {
    minSessionTimeoutMs: config['group.min.session.timeout.ms'],
    maxSessionTimeoutMs: config['group.max.session.timeout.ms'],
    initialRebalanceDelayMs: config['group.initial.rebalance.delay.ms'],
    maxSize: config['group.max.size'],
    consumerSessionTimeoutMs: config['group.consumer.session.timeout.ms'],
    consumerHeartbeatIntervalMs: config['group.consumer.heartbeat.interval.ms'],
    consumerMaxSize: config['group.consumer.max.size'],
    consumerAssignors: config['group.consumer.assignors'],
    consumerAssignmentIntervalMs: config['group.consumer.assignment.interval.ms'],
    consumerMigrationPolicy: config['group.consumer.migration.policy'],
    offsetMetadataMaxBytes: config['offset.metadata.max.bytes'],
    offsetsRetentionMs: config['offsets.retention.minutes'] * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config['offsets.retention.check.interval.ms'],
  }
}
