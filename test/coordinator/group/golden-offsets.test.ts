// The `__consumer_offsets` that Apache Kafka wrote, and offsets as each version of its records says them.

import { describe, expect, test } from 'vitest'
import { coordinatorPartition } from '../../../src/coordinator/group/coordinator-partition.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { TOPIC_ID_ZERO, formatTopicId, parseTopicId } from '../../../src/ids.ts'
import { decodeCoordinatorRecord, encodeCoordinatorKey, encodeCoordinatorValue } from '../../../src/protocol/coordinator-record.ts'
import { GROUP_RECORDS } from '../../../src/protocol/records/group-records.ts'
import { readDump, readGoldenLogDir, readRecords } from '../../protocol/golden-log-dir.ts'
import { OffsetsWorld } from './offsets-world.ts'

const files = readGoldenLogDir()
const PARTITIONS = [6, 24]

/** As the dump says them, last one first to count. */
function dumped(partition: number): Map<string, object | null> {
  const offsets = new Map<string, object | null>()
  for (const line of readDump(`__consumer_offsets-${partition}`)!) {
    const { type, data: key } = JSON.parse(line.key) as { type: string; data: { group: string; topic: string; partition: number } }
    if (type !== '1') continue
    const value = line.value === '<DELETE>' ? null : (JSON.parse(line.value) as { data: object }).data
    offsets.set(`${key.group}/${key.topic}-${key.partition}`, value)
  }
  return offsets
}

describe.skipIf(files === undefined)('offsets that Kafka wrote', () => {
  test.each(PARTITIONS)('in partition %i are those of its dump', (partition) => {
    const world = new OffsetsWorld()
    for (const { key, value } of readRecords(files!.get(`__consumer_offsets-${partition}/00000000000000000000.log`)!)) {
      const record = decodeCoordinatorRecord(GROUP_RECORDS, key!, value)
      if (record.type === 'OffsetCommit') world.take({ records: [record] })
    }
    const found = new Map<string, object>()
    for (const groupId of world.groups.keys()) {
      expect(coordinatorPartition(groupId, 50)).toBe(partition)
      for (const [topic, offsets] of world.offsets.ofGroup(groupId)!.entries()) {
        for (const [index, { offset, leaderEpoch, metadata, commitTimeMs, topicId }] of offsets.entries()) {
          const told = { offset, leaderEpoch, metadata, commitTimestamp: commitTimeMs, topicId: formatTopicId(topicId) }
          found.set(`${groupId}/${topic}-${index}`, told)
        }
      }
    }
    const expected = new Map([...dumped(partition)].filter(([, value]) => value !== null))
    expect(expected.size).toBe(2)
    expect(found).toEqual(expected)
  })
})

describe('a record', () => {
  const topicId = parseTopicId('4Fak-xi1SbGorb1bIkwF7g')
  const value = { offset: 7, leaderEpoch: 5, metadata: 'm', commitTimestamp: 11, expireTimestamp: 99, topicId }
  const read = (record: GroupRecord): unknown => {
    const world = new OffsetsWorld()
    world.take({ records: [record] })
    return world.offsets.recorded('g', 't', 0)
  }
  const key = { group: 'g', topic: 't', partition: 0 }
  const plain = { offset: 7, leaderEpoch: -1, metadata: 'm', commitTimeMs: 11, expireTimeMs: -1, topicId: TOPIC_ID_ZERO }

  test.each([
    [0, plain],
    [1, { ...plain, expireTimeMs: 99 }],
    [2, plain],
    [3, { ...plain, leaderEpoch: 5 }],
    [4, { ...plain, leaderEpoch: 5, topicId }],
  ])('of version %i', (version, expected) => {
    expect(read({ type: 'OffsetCommit', key, version, value })).toEqual(expected)
    const kind = GROUP_RECORDS.OffsetCommit
    const bytes = encodeCoordinatorValue(kind, version, value)
    const decoded = decodeCoordinatorRecord(GROUP_RECORDS, encodeCoordinatorKey(kind, key), bytes)
    expect(decoded).toMatchObject({ type: 'OffsetCommit', version })
  })

  test('of the first kind, before Kafka 0.9', () => {
    expect(read({ type: 'LegacyOffsetCommit', key, version: 0, value: { offset: 7, metadata: 'm', commitTimestamp: 11 } })).toEqual(plain)
  })

  test('without a value takes the offset away, and is nothing where there is none', () => {
    const world = new OffsetsWorld()
    const tombstone: GroupRecord = { type: 'OffsetCommit', key, version: -1, value: null }
    world.take({ records: [tombstone, { type: 'OffsetCommit', key, version: 4, value }, { ...tombstone, key: { ...key, partition: 1 } }] })
    expect(world.offsets.recorded('g', 't', 0)).toBeDefined()
    world.take({ records: [tombstone] })
    expect([world.offsets.recorded('g', 't', 0), world.offsets.ofGroup('g')]).toEqual([undefined, undefined])
  })
})
