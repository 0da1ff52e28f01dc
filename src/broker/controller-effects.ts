// What the controller asks of the broker that it runs on, wired to that broker's parts.
// Runs on the broker's thread.

import type { Clock } from '../clock.ts'
import type { TopicId } from '../ids.ts'
import type { ControllerEffects } from '../metadata/controller-actor.ts'
import type { Random } from '../random.ts'
import type { BrokerMetadata } from './broker-metadata.ts'
import type { BrokerPartitions } from './broker-partitions.ts'
import type { BrokerTable } from './broker-table.ts'

export interface ControllersBroker {
  readonly environment: { readonly clock: Clock; readonly random: Random }
  /** Of a new cluster, where it is decided already. */
  readonly clusterId?: TopicId | undefined
  readonly partitions: BrokerPartitions
  readonly metadata: BrokerMetadata
  readonly table: BrokerTable
  readonly follow: () => void
  readonly isAlive: (brokerId: number, incarnation: number) => boolean
}

export function controllerEffects({
  environment,
  clusterId,
  partitions,
  metadata,
  table,
  follow,
  isAlive,
}: ControllersBroker): ControllerEffects {
  return {
    clock: environment.clock,
    random: environment.random,
    clusterId,
    metadata: metadata.loader,
    partitionsMax: partitions.memory.partitionsMax,
    slotsHigh: () => partitions.memory.slotsHigh,
    follow,
    isAlive,
    initialisePartition: (topic, partition, config) => partitions.initialise(topic, partition, config),
    adoptMemory: (dead, incarnation) => partitions.left.adoptMemory(dead, incarnation),
    metadataOffsetOf: (brokerId) => table.metadataOffsetOf(brokerId),
    dropDeleted: (slot, isGone) => partitions.left.dropDeleted(slot, isGone),
    isFree: (slot, mayRelease) => partitions.left.isFree(slot, mayRelease),
  }
}
