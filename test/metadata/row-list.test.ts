import { describe, expect, test } from 'vitest'
import type { TopicImage } from '../../src/metadata/metadata-image.ts'
import { RowList } from '../../src/metadata/row-list.ts'

function topicOf(...slots: number[]): TopicImage {
  const partitions = slots.map((slot, partitionId) => ({
    partitionId,
    slot,
    leader: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [0],
    isr: [0],
  }))
  return { name: `topic-${slots.join('-')}`, topicId: [0, 0, 0, slots[0]!], partitions }
}

describe('rows of the partition table', () => {
  test('a new table begins behind the metadata log and its snapshots', () => {
    expect([...new RowList([], 0).untaken(6)]).toEqual([2, 3, 4, 5])
  })

  test('rows below the highest that no topic has were left by one', () => {
    const rows = new RowList([topicOf(3, 5), topicOf(4)], 8)
    expect([...rows.left]).toEqual([2, 6, 7])
    expect([...rows.untaken(10)]).toEqual([2, 6, 7, 8, 9])
  })

  test('a row is taken, and left again', () => {
    const rows = new RowList([], 0)
    rows.take(2)
    rows.take(3)
    expect([...rows.untaken(6)]).toEqual([4, 5])
    rows.leave(2)
    expect([...rows.untaken(6)]).toEqual([2, 4, 5])
    rows.take(2)
    expect(rows.left.size).toBe(0)
  })

  test('rows that one takes out of turn are passed over by nobody', () => {
    const rows = new RowList([], 0)
    rows.take(5)
    expect([...rows.untaken(8)]).toEqual([2, 3, 4, 6, 7])
  })

  test('partitions without a row, of a log of Kafka’s, take and leave none', () => {
    const rows = new RowList([topicOf(-1)], 2)
    rows.leave(-1)
    expect([...rows.untaken(4)]).toEqual([2, 3])
  })
})
