// Broker configs about the cluster itself: its metadata log, its replicas, who leads.
// Data only; names, types and defaults are Kafka's.

import type { Settings } from '../config-def.ts'
import type { BrokerClusterConfig } from './broker-config.ts'

const SNAPSHOTS = 'No effect: a snapshot is made after each MiB of records, and the log begins behind it.'
const ONE_REPLICA = 'No effect while a partition has one replica.'

export const CLUSTER_SETTINGS: Settings<BrokerClusterConfig> = {
  'metadata.log.segment.bytes': {
    type: 'int',
    min: 8_388_608,
    default: 1_073_741_824,
    unit: 'bytes',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Size at which a segment of the metadata log is full. ${SNAPSHOTS}`,
  },
  'metadata.log.segment.ms': {
    type: 'long',
    default: 604_800_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Age at which a segment of the metadata log is closed, in ms. ${SNAPSHOTS}`,
  },
  'metadata.log.max.record.bytes.between.snapshots': {
    type: 'long',
    min: 1,
    default: 20_971_520,
    unit: 'bytes',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Bytes of metadata records after which a snapshot is made. ${SNAPSHOTS}`,
  },
  'metadata.log.max.snapshot.interval.ms': {
    type: 'long',
    min: 0,
    default: 3_600_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Time after which a snapshot of the metadata is made, in ms. ${SNAPSHOTS}`,
  },
  'metadata.max.retention.bytes': {
    type: 'long',
    default: 104_857_600,
    unit: 'bytes',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Bytes of metadata log and snapshots beyond which the oldest go. ${SNAPSHOTS}`,
  },
  'metadata.max.retention.ms': {
    type: 'long',
    default: 604_800_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Age at which metadata log and snapshots go, in ms. ${SNAPSHOTS}`,
  },
  'replica.lag.time.max.ms': {
    type: 'long',
    default: 30_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `How long a replica may lag before it is no longer in sync, in ms. ${ONE_REPLICA}`,
  },
  'auto.leader.rebalance.enable': {
    type: 'boolean',
    default: true,
    takesEffect: 'at open',
    support: 'accepted',
    doc: `Whether partitions go back to the leaders that they would rather have. ${ONE_REPLICA}`,
  },
  'leader.imbalance.check.interval.seconds': {
    type: 'long',
    min: 1,
    default: 300,
    unit: 'seconds',
    takesEffect: 'at open',
    support: 'accepted',
    doc: `How often it is looked whether partitions have the leaders that they would rather have, in seconds. ${ONE_REPLICA}`,
  },
}
