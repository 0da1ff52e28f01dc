import { describe, expect, it } from 'vitest'
import type { ActivityShare } from '../../examples/user-activity/activity-view.ts'
import { PartitionReaders } from '../../examples/user-activity/partition-readers.ts'

function share(partition: number, firstOffset: number, nextOffset: number): ActivityShare {
  return { partition, firstOffset, nextOffset } as ActivityShare
}

describe('PartitionReaders', () => {
  it('counts for whoever has the partition, and gives the next one its position', () => {
    const readers = new PartitionReaders(2)
    expect(readers.take(0, [0, 1])).toEqual([
      { partition: 0, position: 0 },
      { partition: 1, position: 0 },
    ])
    expect(readers.count(0, share(1, 0, 5))).toBe(true)
    expect(readers.isFree([1])).toBe(false)
    readers.release(0, [1])
    expect(readers.isFree([1])).toBe(true)
    expect(readers.count(0, share(1, 5, 7))).toBe(false) // it comes too late: the next one reads it
    expect(readers.take(1, [1])).toEqual([{ partition: 1, position: 5 }])
    expect(readers.count(0, share(1, 5, 7))).toBe(false)
    expect(readers.count(1, share(1, 5, 9))).toBe(true)
    expect([readers.position(0), readers.position(1)]).toEqual([0, 9])
    expect([readers.partitionsOf(0), readers.partitionsOf(1), readers.lastReaderOf(1)]).toEqual([[0], [1], 1])
  })

  it('releases nothing of another one, and sees what is missing', () => {
    const readers = new PartitionReaders(1)
    readers.take(1, [0])
    readers.release(0, [0])
    expect(readers.isFree([0])).toBe(false)
    expect(() => readers.count(1, share(0, 3, 4))).toThrow('records of partition 0 went before they were read')
  })
})
