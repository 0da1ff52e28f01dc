// The brokers and the memory of this process as they are at this moment (Kafka:
// DescribeCluster, DescribeLogDirs). Runs on the user's thread; it looks at the cluster's
// image and at shared words, and no broker hears of it.

import { show } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { GRANULE_BYTES, RETENTION_INTERNAL, RETENTION_PINNED } from '../../log/log-memory-layout.ts'
import { logMemoryUsage } from '../../log/log-memory-usage.ts'
import type { MetadataImage } from '../../metadata/metadata-image.ts'
import { CLUSTER_METADATA_SLOT } from '../../metadata/metadata-records.ts'

/** A broker of this process as it is at this moment. */
export interface DescribedBroker {
  /** From 0 (Kafka: node.id). */
  readonly brokerId: number
  /** `threadId` of its worker thread, as `node:worker_threads` has it. */
  readonly threadId: number
  /** Goes up each time it is started. */
  readonly brokerEpoch: number
  /** Its thread is dead, and leads nothing until it is started again. */
  readonly isFenced: boolean
  /** It died too often, and is not started again. */
  readonly isGivenUp: boolean
  /** It leads the metadata log: topics are made and leaders found there. */
  readonly isController: boolean
  /** Partitions that it leads, of all topics. */
  readonly partitionsLed: number
  /** Log memory of the partitions that it leads, in bytes. */
  readonly heldBytes: number
  /** Turns of its thread's loop, from 0 again at 2^32. One that stands still has nothing to do, or is stalled. */
  readonly turns: number
}

/** The cluster as it is at this moment. */
export interface DescribedCluster {
  /** 22 characters of base64url, made when millrace is opened. */
  readonly clusterId: string
  /** Broker id of the active controller; -1 while there is none. */
  readonly controllerId: number
  /** Goes up each time another broker becomes the controller. */
  readonly controllerEpoch: number
  /** By broker id. */
  readonly brokers: readonly DescribedBroker[]
}

/** What a partition holds of log memory. */
export interface DescribedPartitionMemory {
  readonly topic: string
  readonly partition: number
  /** Broker id of its leader, -1 for none. */
  readonly leader: number
  /** Whole extents of 16 KiB to 8 MiB, whatever is in them. */
  readonly heldBytes: number
  /** What goes when memory is full: its oldest extents, or nothing ('pinned': retention.bytes is -1; 'internal': millrace's own). */
  readonly retention: 'default' | 'pinned' | 'internal'
}

/** Log memory as it is at about this moment, all in bytes (Kafka: DescribeLogDirs). */
export interface DescribedLogMemory {
  /** `logMemoryBytes` of openMillrace. */
  readonly totalBytes: number
  /** Not held by partitions. A part of it rests for a millisecond before it is used again. */
  readonly freeBytes: number
  /** Held by partitions, those of millrace itself included. */
  readonly heldBytes: number
  /** Of these: of topics with retention.bytes -1, which may be half of all. */
  readonly pinnedBytes: number
  /** What of it is in physical memory: what was used once stays there. */
  readonly residentBytes: number
  /** By broker id: the blocks of 8 MiB that it gives extents from, and what the partitions hold that it leads. */
  readonly brokers: readonly { readonly brokerId: number; readonly claimedBytes: number; readonly heldBytes: number }[]
  /** Those that hold some, the largest first. */
  readonly partitions: readonly DescribedPartitionMemory[]
}

export function describedCluster(engine: EmbeddedEngine): DescribedCluster {
  const image = engine.metadata
  const { leaderBroker: controllerId, leaderEpoch: controllerEpoch } = engine.controlBlock(CLUSTER_METADATA_SLOT)
  const led = ledPartitions(engine, image)
  const brokers = engine.brokerTable.brokerIds().map((brokerId): DescribedBroker => {
    const { partitionsLed = 0, heldBytes = 0 } = led.get(brokerId) ?? {}
    const table = engine.brokerTable
    const registered = image.broker(brokerId)
    return {
      brokerId,
      threadId: table.workerThreadOf(brokerId),
      brokerEpoch: table.incarnationOf(brokerId),
      // Registered as an earlier incarnation: the one that runs now leads nothing yet.
      isFenced: registered === undefined || registered.fenced || registered.brokerEpoch !== table.incarnationOf(brokerId),
      isGivenUp: table.isGivenUp(brokerId),
      isController: brokerId === controllerId,
      partitionsLed,
      heldBytes,
      turns: table.turnsOf(brokerId) >>> 0,
    }
  })
  return { clusterId: image.clusterId, controllerId, controllerEpoch, brokers }
}

/** Throws BROKER_ID_NOT_REGISTERED. */
export function checkBrokerId(engine: EmbeddedEngine, brokerId: unknown): number {
  const brokerIds = engine.brokerTable.brokerIds()
  const found = brokerIds.find((id) => id === brokerId)
  if (found !== undefined) return found
  throw new MillraceError('BROKER_ID_NOT_REGISTERED', `there is no broker ${show(brokerId)}: this millrace has ${brokerIds.join(', ')}`)
}

/** Throws BROKER_ID_NOT_REGISTERED. */
export function describedBroker(engine: EmbeddedEngine, brokerId: number): DescribedBroker {
  checkBrokerId(engine, brokerId)
  return describedCluster(engine).brokers.find((broker) => broker.brokerId === brokerId)!
}

export function describedLogMemory(engine: EmbeddedEngine): DescribedLogMemory {
  const image = engine.metadata
  const { totalBytes, heldBytes, pinnedBytes, residentBytes, claimedBytesByBroker } = logMemoryUsage(engine.memory)
  const led = ledPartitions(engine, image)
  const brokers = engine.brokerTable.brokerIds().map((brokerId) => ({
    brokerId,
    claimedBytes: claimedBytesByBroker.get(brokerId) ?? 0,
    heldBytes: led.get(brokerId)?.heldBytes ?? 0,
  }))
  const partitions = describedHoldings(engine, image)
  return { totalBytes, freeBytes: totalBytes - heldBytes, heldBytes, pinnedBytes, residentBytes, brokers, partitions }
}

function describedHoldings(engine: EmbeddedEngine, image: MetadataImage): DescribedPartitionMemory[] {
  const held: DescribedPartitionMemory[] = []
  for (const { name, partitions } of image.topics) {
    for (const { partitionId, slot, leader } of partitions) {
      const holdings = engine.memory.holdings(slot)
      const heldBytes = (holdings >> 2) * GRANULE_BYTES
      if (heldBytes > 0) held.push({ topic: name, partition: partitionId, leader, heldBytes, retention: retentionName(holdings & 3) })
    }
  }
  return held.sort((a, b) => b.heldBytes - a.heldBytes)
}

function retentionName(kind: number): DescribedPartitionMemory['retention'] {
  return kind === RETENTION_PINNED ? 'pinned' : kind === RETENTION_INTERNAL ? 'internal' : 'default'
}

/** By broker id: what it leads of the topics of the image. */
function ledPartitions(engine: EmbeddedEngine, image: MetadataImage): Map<number, { partitionsLed: number; heldBytes: number }> {
  const byBroker = new Map<number, { partitionsLed: number; heldBytes: number }>()
  for (const topic of image.topics) {
    for (const { slot, leader } of topic.partitions) {
      const heldBytes = (engine.memory.holdings(slot) >> 2) * GRANULE_BYTES
      const broker = byBroker.get(leader)
      if (broker === undefined) byBroker.set(leader, { partitionsLed: 1, heldBytes })
      else {
        broker.partitionsLed++
        broker.heldBytes += heldBytes
      }
    }
  }
  return byBroker
}
