import { describe, expect, test } from 'vitest'
import { decodeMessage, defaultMessage, readMessage } from '../../src/protocol/decoder.ts'
import { encodeMessage, writeMessage } from '../../src/protocol/encoder.ts'
import { ByteReader } from '../../src/protocol/byte-reader.ts'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import { MessageSchema } from '../../src/protocol/message-schema.ts'
import { FETCH_REQUEST } from '../../src/protocol/messages/01-fetch.ts'
import { METADATA_REQUEST } from '../../src/protocol/messages/03-metadata.ts'
import { OFFSET_COMMIT_REQUEST, OFFSET_COMMIT_RESPONSE } from '../../src/protocol/messages/08-offset-commit.ts'
import { DESCRIBE_TOPIC_PARTITIONS_REQUEST } from '../../src/protocol/messages/75-describe-topic-partitions.ts'
import { CONSUMER_GROUP_MEMBER_METADATA_VALUE } from '../../src/protocol/records/consumer-group-records.ts'
import { PARTITION_CHANGE_RECORD, TOPIC_RECORD } from '../../src/protocol/records/topic-records.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface Kitchen {
  small: number
  flag: boolean
  ratio: number
  names: string[]
  blob: Uint8Array | null
  id: readonly [number, number, number, number]
  wide: bigint
  port: number
  later: number
}

const KITCHEN = new MessageSchema<Kitchen>(`
Kitchen 0-1 none
  small int8
  flag bool
  ratio float64
  names []string
  blob bytes ?
  id uuid
  wide long
  port uint16
  later int32 1+ =7
`)

describe('what is left out', () => {
  test('has its default', () => {
    expect(decodeMessage(KITCHEN, 1, encodeMessage(KITCHEN, 1, {}))).toEqual({
      small: 0,
      flag: false,
      ratio: 0,
      names: [],
      blob: new Uint8Array(0),
      id: [0, 0, 0, 0],
      wide: 0n,
      port: 0,
      later: 7,
    })
  })

  test('has it in versions too that lack the field, in an object of the same shape', () => {
    const older = decodeMessage(KITCHEN, 0, encodeMessage(KITCHEN, 0, {}))
    expect(older.later).toBe(7)
    expect(Object.keys(older)).toEqual(Object.keys(decodeMessage(KITCHEN, 1, encodeMessage(KITCHEN, 1, {}))))
    expect(older).toEqual(defaultMessage(KITCHEN))
  })

  test('is not shared between messages', () => {
    const first = defaultMessage(FETCH_REQUEST)
    first.topics.push({ ...first.topics[0]!, topic: 'orders' })
    first.replicaState.replicaId = 5
    expect(defaultMessage(FETCH_REQUEST)).toMatchObject({ topics: [], replicaState: { replicaId: -1 } })
    expect(defaultMessage(FETCH_REQUEST)).toMatchObject({ maxBytes: 0x7fff_ffff, sessionEpoch: -1, rackId: '', clusterId: null })
  })
})

describe('a value that its type cannot hold', () => {
  test.each([
    [{ small: 128 }, 'Kitchen v0: small takes a whole number from -128 to 127, not 128'],
    [{ small: 1.5 }, 'small takes a whole number'],
    [{ small: NaN }, 'small takes a whole number'],
    [{ small: '1' }, 'small takes a whole number from -128 to 127, not a string'],
    [{ flag: 1 }, 'flag takes a boolean, not 1'],
    [{ ratio: '1' }, 'ratio takes a number'],
    [{ names: 'a' }, 'names takes an array, not a string'],
    [{ names: null }, 'names takes an array, not null'],
    [{ names: [null] }, 'names takes a string, not null'],
    [{ names: ['é'.repeat(20_000)] }, 'names takes a string of at most 32767 bytes'],
    [{ names: ['a'.repeat(40_000)] }, 'names takes a string of at most 32767 bytes'],
    [{ blob: [1] }, 'blob takes a Uint8Array'],
    [{ id: [1, 2] }, 'id takes an id of four 32-bit words'],
    [{ wide: 1 }, 'wide takes a 64-bit bigint, not 1'],
    [{ wide: 2n ** 63n }, 'wide takes a 64-bit bigint'],
    [{ port: -1 }, 'port takes a whole number from 0 to 65535'],
  ])('is refused by name: %s', (message, error) => {
    expect(() => encodeMessage(KITCHEN, 0, message as never)).toThrow(error)
    expect(() => encodeMessage(KITCHEN, 0, message as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })

  test('leaves the encoder in order', () => {
    expect(() => encodeMessage(KITCHEN, 0, { names: ['a', 'b'], port: -1 })).toThrow('port')
    expect(hex(encodeMessage(TOPIC_RECORD, 0, { name: 'a', topicId: [0, 0, 0, 1] }))).toBe('0261' + '00'.repeat(15) + '0100')
  })

  test('in a struct is named with its path', () => {
    const message = { topics: [{ topic: 'a', partitions: [{ partition: 2 ** 31 }] }] }
    expect(() => encodeMessage(FETCH_REQUEST, 4, message)).toThrow('FetchRequest v4 topics partitions: partition takes a whole number')
    expect(() => encodeMessage(FETCH_REQUEST, 4, { topics: [null] } as never)).toThrow('FetchRequest v4: topics takes an object, not null')
  })
})

describe('a version', () => {
  test('that is not known is refused', () => {
    for (const version of [-1, 3, 19, 4.5, NaN]) {
      expect(() => encodeMessage(FETCH_REQUEST, version, {}), String(version)).toThrow(
        `FetchRequest has no version ${version}: versions 4 to 18 are known`,
      )
    }
    expect(() => encodeMessage(FETCH_REQUEST, 3, {})).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }))
  })

  test('that cannot carry a value refuses it, unless it may be dropped', () => {
    expect(() => encodeMessage(KITCHEN, 0, { later: 8 })).toThrow('Kitchen v0: this version has no later')
    expect(() => encodeMessage(KITCHEN, 0, { later: 8 })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }))
    expect(encodeMessage(KITCHEN, 0, { later: 7 })).toEqual(encodeMessage(KITCHEN, 0, {}))
    // sessionId and throttleTimeMs are ignorable, forgottenTopicsData and groupInstanceId are not.
    expect(encodeMessage(FETCH_REQUEST, 4, { sessionId: 9 })).toEqual(encodeMessage(FETCH_REQUEST, 4, {}))
    expect(() => encodeMessage(FETCH_REQUEST, 4, { forgottenTopicsData: [{ topic: 'a' }] })).toThrow('has no forgottenTopicsData')
    expect(() => encodeMessage(OFFSET_COMMIT_REQUEST, 2, { groupInstanceId: 'i' })).toThrow('has no groupInstanceId')
    const dropped = encodeMessage(OFFSET_COMMIT_RESPONSE, 2, { throttleTimeMs: 5 })
    expect(decodeMessage(OFFSET_COMMIT_RESPONSE, 2, dropped).throttleTimeMs).toBe(0)
  })

  test('says what may be null: all topics are null from Metadata version 1 on', () => {
    expect(hex(encodeMessage(METADATA_REQUEST, 1, { topics: null }))).toBe('ffffffff')
    expect(() => encodeMessage(METADATA_REQUEST, 0, { topics: null })).toThrow('topics takes an array, not null')
    expect(decodeMessage(METADATA_REQUEST, 1, Buffer.from('ffffffff', 'hex')).topics).toBeNull()
    expect(() => decodeMessage(METADATA_REQUEST, 0, Buffer.from('ffffffff', 'hex'))).toThrow('an array of -1 elements')
  })
})

describe('tagged fields', () => {
  const id = [0, 0, 0, 1] as const

  test('are written in the order of their tags, where they differ from their defaults', () => {
    expect(hex(encodeMessage(PARTITION_CHANGE_RECORD, 0, { partitionId: 1, topicId: id }))).toBe('00000001' + '00'.repeat(15) + '0100')
    const bytes = encodeMessage(PARTITION_CHANGE_RECORD, 0, { partitionId: 1, topicId: id, leader: 3, isr: [3] })
    expect(hex(bytes)).toBe('00000001' + '00'.repeat(15) + '01' + '02' + '00050200000003' + '010400000003')
  })

  test('of more than 127 bytes have a longer size in front', () => {
    const isr = Array.from({ length: 40 }, (_, i) => i)
    const bytes = encodeMessage(PARTITION_CHANGE_RECORD, 0, { isr })
    expect(hex(bytes).slice(40, 50)).toBe('0100a10129')
    expect(decodeMessage(PARTITION_CHANGE_RECORD, 0, bytes).isr).toEqual(isr)
  })

  const change = (tags: string): string => '00'.repeat(20) + tags
  const decode = (tags: string): unknown => decodeMessage(PARTITION_CHANGE_RECORD, 0, Buffer.from(change(tags), 'hex'))

  test('that are not known are skipped', () => {
    expect(decode('03' + '010400000003' + '0703aabbcc' + '7f00')).toMatchObject({ leader: 3, isr: null })
  })

  test('must ascend, fill their size, and lie inside the message', () => {
    expect(() => decode('02' + '010400000003' + '010400000003')).toThrow('tag 1 behind tag 1')
    expect(() => decode('02' + '010400000003' + '000101')).toThrow('tag 0 behind tag 1')
    expect(() => decode('01' + '010500000003ff')).toThrow('1 bytes behind its end')
    expect(() => decode('01' + '0103000003')).toThrow('3 bytes where 4 are needed')
    expect(() => decode('01' + '0104000003')).toThrow('a tagged field of 4 bytes')
    expect(() => decode('ffffffff0f')).toThrow('0 bytes where 1 are needed')
  })
})

describe('a nullable struct', () => {
  test('has a byte in front: 1, or -1 for null', () => {
    const request = { topics: [{ name: 'a' }], cursor: { topicName: 'a', partitionIndex: 2 } }
    const bytes = encodeMessage(DESCRIBE_TOPIC_PARTITIONS_REQUEST, 0, request)
    expect(hex(bytes)).toBe('02026100' + '000007d0' + '01' + '0261' + '00000002' + '00' + '00')
    expect(decodeMessage(DESCRIBE_TOPIC_PARTITIONS_REQUEST, 0, bytes)).toEqual({ ...request, responsePartitionLimit: 2000 })
    const none = encodeMessage(DESCRIBE_TOPIC_PARTITIONS_REQUEST, 0, { cursor: null })
    expect(hex(none)).toBe('01' + '000007d0' + 'ff' + '00')
    const bad = Buffer.from(`01000007d00200`, 'hex')
    expect(() => decodeMessage(DESCRIBE_TOPIC_PARTITIONS_REQUEST, 0, bad)).toThrow('2 where a struct begins or is null')
  })

  test('has 0 for null among tagged fields', () => {
    const bytes = encodeMessage(CONSUMER_GROUP_MEMBER_METADATA_VALUE, 0, { classicMemberMetadata: null })
    expect(hex(bytes).slice(-8)).toBe('01000100')
    expect(decodeMessage(CONSUMER_GROUP_MEMBER_METADATA_VALUE, 0, bytes).classicMemberMetadata).toBeNull()
    const set = encodeMessage(CONSUMER_GROUP_MEMBER_METADATA_VALUE, 0, { classicMemberMetadata: { sessionTimeoutMs: 6 } })
    expect(decodeMessage(CONSUMER_GROUP_MEMBER_METADATA_VALUE, 0, set).classicMemberMetadata).toEqual({
      sessionTimeoutMs: 6,
      supportedProtocols: [],
    })
  })
})

describe('several messages', () => {
  test('are written and read one behind the other', () => {
    const writer = new ByteWriter()
    writeMessage(writer, TOPIC_RECORD, 0, { name: 'a', topicId: [1, 2, 3, 4] })
    writeMessage(writer, METADATA_REQUEST, 1, { topics: [] })
    const reader = new ByteReader(writer.bytes, { end: writer.position })
    expect(readMessage(reader, TOPIC_RECORD, 0)).toEqual({ name: 'a', topicId: [1, 2, 3, 4] })
    expect(readMessage(reader, METADATA_REQUEST, 1).topics).toEqual([])
    reader.expectEnd()
    expect(() => decodeMessage(TOPIC_RECORD, 0, writer.toBytes())).toThrow('4 bytes behind its end')
  })
})
