import { expect, test } from 'vitest'
import { coordinatorPartition } from '../../../src/coordinator/group/coordinator-partition.ts'
import { goldenCoordinatorPartitions } from '../../record/golden-batches.ts'

test('a group belongs to the partition that Kafka gives it', () => {
  for (const { id, of50 } of goldenCoordinatorPartitions) expect(coordinatorPartition(id, 50), id).toBe(of50)
  expect(goldenCoordinatorPartitions.length).toBe(6)
})

test('every id has a partition, the one whose hash has no absolute value too', () => {
  // Its hash is -2^31.
  expect(coordinatorPartition('polygenelubricants', 50)).toBe(0)
  expect(coordinatorPartition('', 50)).toBe(0)
  for (let i = 0; i < 1_000; i++) expect([0, 1, 2]).toContain(coordinatorPartition(`group ${i}`, 3))
})
