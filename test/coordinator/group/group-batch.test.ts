import { expect, test } from 'vitest'
import { encodeGroupBatch, replayGroupBatches } from '../../../src/coordinator/group/group-batch.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { RecordBatchBuilder } from '../../../src/record/record-batch-builder.ts'

const COMMIT: GroupRecord = {
  type: 'OffsetCommit',
  key: { group: 'mail', topic: 'clicks', partition: 3 },
  version: 4,
  value: { offset: 42, leaderEpoch: 1, metadata: 'here', commitTimestamp: 1_000, expireTimestamp: -1, topicId: [1, 2, 3, 4] },
}
const TOMBSTONE: GroupRecord = { type: 'ConsumerGroupMetadata', key: { groupId: 'mail' }, version: -1, value: null }

function replayed(bytes: Uint8Array, from = 0): GroupRecord[] {
  const found: GroupRecord[] = []
  replayGroupBatches(bytes, bytes.length, from, (record) => found.push(record))
  return found
}

test('records come back as they were, tombstones too', () => {
  const bytes = encodeGroupBatch([COMMIT, TOMBSTONE], 1_700_000_000_000)
  expect(replayed(bytes)).toEqual([COMMIT, TOMBSTONE])
  expect(replayed(bytes, 1)).toEqual([TOMBSTONE])
})

test('what was read does not change when the memory that it was read into is used again', () => {
  const member: GroupRecord = {
    type: 'GroupMetadata',
    key: { group: 'classic' },
    version: 3,
    value: {
      protocolType: 'consumer',
      generation: 1,
      protocol: 'range',
      leader: 'm',
      currentStateTimestamp: -1,
      members: [
        {
          memberId: 'm',
          groupInstanceId: null,
          clientId: '',
          clientHost: '/',
          rebalanceTimeout: 1,
          sessionTimeout: 1,
          subscription: Uint8Array.of(1, 2, 3),
          assignment: Uint8Array.of(4, 5),
        },
      ],
    },
  }
  const bytes = encodeGroupBatch([member], 0)
  const found = replayed(bytes)
  bytes.fill(0)
  expect(found).toEqual([member])
})

test('kinds and records that are not known are passed over, the rest is read', () => {
  const builder = new RecordBatchBuilder(1024)
  builder.append(0, Uint8Array.of(0x7f, 0xff, 0), Uint8Array.of(0, 0), null)
  builder.append(0, null, Uint8Array.of(1), null)
  const strange = builder.bytes.slice(0, builder.seal({ withCrc: true }))
  const known = encodeGroupBatch([TOMBSTONE], 0)
  const bytes = new Uint8Array(strange.length + known.length)
  bytes.set(strange)
  bytes.set(known, strange.length)
  expect(replayed(bytes)).toEqual([TOMBSTONE])
})
