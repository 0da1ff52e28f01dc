import { describe, expect, test } from 'vitest'
import { decodeCoordinatorRecord, encodeCoordinatorKey, encodeCoordinatorValue } from '../../src/protocol/coordinator-record.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'
import { CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../src/protocol/records/consumer-protocol.ts'
import { GROUP_RECORDS } from '../../src/protocol/records/group-records.ts'
import { decodeVersioned, decodeVersionedLeniently, encodeVersioned } from '../../src/protocol/versioned-message.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

describe('a metadata record', () => {
  test('has frame version, type and version in front', () => {
    const bytes = encodeMetadataRecord('ConfigRecord', { resourceType: 2, resourceName: 'a', name: 'b', value: null })
    expect(hex(bytes)).toBe('010400' + '02' + '0261' + '0262' + '00' + '00')
    const decoded = decodeMetadataRecord(bytes)
    // The record's type follows from its name.
    if (decoded.type === 'ConfigRecord') expect(decoded.record.resourceName).toBe('a')
    expect(decoded).toEqual({ type: 'ConfigRecord', version: 0, record: { resourceType: 2, resourceName: 'a', name: 'b', value: null } })
  })

  test('is written in its newest version, or in the one given', () => {
    expect(hex(encodeMetadataRecord('NoOpRecord', {}))).toBe('01140000')
    expect(encodeMetadataRecord('PartitionRecord', {})[2]).toBe(2)
    expect(encodeMetadataRecord('PartitionRecord', {}, 0)[2]).toBe(0)
  })

  test('that cannot be read is refused', () => {
    expect(() => decodeMetadataRecord(fromHex('02140000'))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }))
    expect(() => decodeMetadataRecord(fromHex('01630000'))).toThrow('a metadata record of type 99 is of no known kind')
    expect(() => decodeMetadataRecord(fromHex('01140100'))).toThrow('NoOpRecord has no version 1')
    expect(() => decodeMetadataRecord(fromHex('0114000000'))).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    expect(() => decodeMetadataRecord(new Uint8Array(0))).toThrow('metadata record: found 0 bytes where 1 are needed')
  })
})

describe('a coordinator record', () => {
  const key = encodeCoordinatorKey(GROUP_RECORDS.OffsetCommit, { group: 'g', topic: 't', partition: 3 })

  test('has its kind in front of the key, its version in front of the value', () => {
    expect(hex(key)).toBe('0001' + '000167' + '000174' + '00000003')
    const value = encodeCoordinatorValue(GROUP_RECORDS.OffsetCommit, 3, { offset: 5, metadata: '', commitTimestamp: 9 })
    expect(hex(value)).toBe('0003' + '0000000000000005' + 'ffffffff' + '0000' + '0000000000000009')
    expect(decodeCoordinatorRecord(GROUP_RECORDS, key, value)).toMatchObject({
      type: 'OffsetCommit',
      key: { group: 'g', topic: 't', partition: 3 },
      version: 3,
      value: { offset: 5, leaderEpoch: -1, metadata: '', commitTimestamp: 9, topicId: [0, 0, 0, 0] },
    })
  })

  test('without a value takes the key away', () => {
    const decoded = decodeCoordinatorRecord(GROUP_RECORDS, key, null)
    expect(decoded).toMatchObject({ type: 'OffsetCommit', version: -1, value: null })
    if (decoded.type === 'OffsetCommit') expect(decoded.key.partition).toBe(3)
  })

  test('that cannot be read is refused', () => {
    expect(() => decodeCoordinatorRecord(GROUP_RECORDS, fromHex('0063'), null)).toThrow(
      'a coordinator record of type 99 is of no known kind',
    )
    expect(() => decodeCoordinatorRecord(GROUP_RECORDS, key, fromHex('0063'))).toThrow('OffsetCommitValue has no version 99')
    expect(() => decodeCoordinatorRecord(GROUP_RECORDS, key.subarray(0, 6), null)).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
    )
  })
})

describe('a message with its version in front', () => {
  const bytes = encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 1, { topics: ['a'], userData: null })

  test('comes back', () => {
    expect(hex(bytes)).toBe('0001' + '00000001' + '000161' + 'ffffffff' + '00000000')
    expect(decodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, bytes)).toMatchObject({ version: 1, message: { topics: ['a'], userData: null } })
  })

  test('of a newer version is refused, or read as the newest known', () => {
    const newer = encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 3, { topics: ['a'], generationId: 4, rackId: 'r' })
    newer[1] = 9
    const grown = new Uint8Array([...newer, 1, 2, 3])
    expect(() => decodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, grown)).toThrow('ConsumerProtocolSubscription has no version 9')
    const decoded = decodeVersionedLeniently(CONSUMER_PROTOCOL_SUBSCRIPTION, grown)
    expect(decoded).toMatchObject({ version: 9, message: { topics: ['a'], generationId: 4, rackId: 'r' } })
    expect(() => decodeVersionedLeniently(CONSUMER_PROTOCOL_SUBSCRIPTION, fromHex('ffff'))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }),
    )
  })
})
