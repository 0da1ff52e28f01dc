import { expect, test } from 'vitest'
import { GROUP_SETTINGS } from '../../../src/config/broker-group-settings.ts'
import type { BrokerGroupConfig } from '../../../src/config/broker-config.ts'
import { groupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'

test('a coordinator has the defaults of Kafka', () => {
  const defaults = Object.fromEntries(Object.entries(GROUP_SETTINGS).map(([name, { default: value }]) => [name, value]))
  expect(groupCoordinatorConfig(defaults as unknown as BrokerGroupConfig)).toEqual({
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 1_800_000,
    initialRebalanceDelayMs: 3000,
    maxSize: 2_147_483_647,
    consumerSessionTimeoutMs: 45_000,
    consumerHeartbeatIntervalMs: 5000,
    consumerMaxSize: 2_147_483_647,
    consumerAssignors: ['uniform', 'range'],
    consumerAssignmentIntervalMs: 1000,
    consumerMigrationPolicy: 'bidirectional',
    offsetMetadataMaxBytes: 4096,
    offsetsRetentionMs: 7 * 24 * 60 * 60 * 1000,
    offsetsRetentionCheckIntervalMs: 600_000,
  })
})
