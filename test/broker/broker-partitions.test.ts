// What a broker does of its own with the bits that all brokers share.

import { expect, test } from 'vitest'
import { Bells } from '../../src/bells.ts'
import { BrokerPartitions } from '../../src/broker/broker-partitions.ts'
import { BrokerTable } from '../../src/broker/broker-table.ts'
import { allocateProcessMemory } from '../../src/broker/process-memory.ts'
import { VirtualClock } from '../../src/clock.ts'
import { slot as slotOf } from '../../src/ids.ts'
import type { TopicId } from '../../src/ids.ts'
import { ControlBlock, NO_LEADER_WORD } from '../../src/log/control-block.ts'
import { LogMemory } from '../../src/log/log-memory.ts'
import { DURABILITY_DISK, RETENTION_DEFAULT, RETENTION_INTERNAL } from '../../src/log/log-memory-layout.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import { CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC_ID } from '../../src/metadata/metadata-records.ts'

test('that the metadata log was written is told to the broker that leads it, whoever looks first', () => {
  const memory = allocateProcessMemory({ logMemoryBytes: 16 * 1024 * 1024, partitionsMax: 64 })
  const logMemory = new LogMemory(memory.log)
  const files = { knownProducers: () => undefined }
  const [controller, other] = [0, 1].map((brokerId) => {
    const init = { brokerId, incarnation: 1, config: {}, memory, metadataLogMaxRecordBytesBetweenSnapshots: 1_000_000 }
    return new BrokerPartitions(init, new Bells(memory.bells), new BrokerTable(memory.brokers), new VirtualClock(), files)
  }) as [BrokerPartitions, BrokerPartitions]
  const recovered = { leaderEpoch: 0, startOffset: 0, endOffset: 0, syncedEndOffset: 0 }
  initialiseSlot(logMemory, CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC_ID, 0, RETENTION_INTERNAL, DURABILITY_DISK, recovered)
  controller.metadata.recovered({ snapshot: [], clusterId: [1, 2, 3, 4] })
  controller.metadata.make()
  expect(controller.metadata.take(NO_LEADER_WORD)).toBeDefined()

  // Both have logs of which something was written.
  logMemory.written.mark(CLUSTER_METADATA_SLOT)
  for (const brokerId of [0, 1]) logMemory.noteWritten(brokerId)
  other.followFiles()
  expect(logMemory.written.isMarked(CLUSTER_METADATA_SLOT)).toBe(true)
  controller.followFiles()
  expect(logMemory.written.isMarked(CLUSTER_METADATA_SLOT)).toBe(false)
})

test('who wrote what is not in memory any more, or goes from it when the log is opened, is asked of the files', () => {
  const memory = allocateProcessMemory({ logMemoryBytes: 16 * 1024 * 1024, partitionsMax: 64 })
  const logMemory = new LogMemory(memory.log)
  const asked: number[] = []
  const files = { knownProducers: (_slot: number, _topicId: TopicId, endOffset: number) => void asked.push(endOffset) }
  const init = { brokerId: 0, incarnation: 1, config: {}, memory, metadataLogMaxRecordBytesBetweenSnapshots: 1_000_000 }
  const partitions = new BrokerPartitions(init, new Bells(memory.bells), new BrokerTable(memory.brokers), new VirtualClock(), files)
  const topicId: TopicId = [1, 2, 3, 4]
  const control = new ControlBlock(logMemory, slotOf(9))
  initialiseSlot(logMemory, 9, topicId, 0, RETENTION_DEFAULT, DURABILITY_DISK)
  const assignment = { slot: 9, topic: 't', topicId, partitionId: 0, leaderEpoch: 1, config: {} }
  const lead = (): boolean => partitions.lead(assignment, () => true)
  control.publishLogEnd(8)
  control.publishMemoryStart(3)
  expect(lead()).toBe(false)
  // Its leader died between this and giving up the extents below.
  control.publishLogStart(5)
  expect(lead()).toBe(false)
  expect(asked).toEqual([3, 5])
  control.publishMemoryStart(0)
  expect(lead()).toBe(true)
  expect(asked).toEqual([3, 5])
})
