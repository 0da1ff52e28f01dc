import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { ByteReader, untrustedLimitBytes } from '../../src/protocol/byte-reader.ts'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import { readMessage } from '../../src/protocol/decoder.ts'
import { encodeMessage } from '../../src/protocol/encoder.ts'
import { METADATA_REQUEST, METADATA_RESPONSE } from '../../src/protocol/messages/03-metadata.ts'
import { FETCH_REQUEST } from '../../src/protocol/messages/01-fetch.ts'
import { OFFSET_FETCH_REQUEST } from '../../src/protocol/messages/09-offset-fetch.ts'
import { LIST_GROUPS_REQUEST } from '../../src/protocol/messages/16-list-groups.ts'
import { LIST_TRANSACTIONS_REQUEST } from '../../src/protocol/messages/66-list-transactions.ts'
import { LEAVE_GROUP_REQUEST } from '../../src/protocol/messages/13-leave-group.ts'
import { SYNC_GROUP_REQUEST } from '../../src/protocol/messages/14-sync-group.ts'
import { seededRandom } from '../../src/random.ts'
import { ALL_VERSIONS } from './all-schemas.ts'
import { randomMessage } from './random-message.ts'
import type { MessageSchema } from '../../src/protocol/message-schema.ts'
import type { Random } from '../../src/random.ts'

const SEED = 20_260_802
const CASES = 60_000

describe(`bytes that nobody vouches for (seed ${SEED})`, () => {
  test(`of ${CASES} damaged messages are read or refused, within their limit`, () => {
    const random = seededRandom(SEED)
    const outcomes = { read: 0, refused: 0 }
    for (let i = 0; i < CASES; ) {
      const [schema, version] = ALL_VERSIONS[random.below(ALL_VERSIONS.length)]!
      const valid = encodeMessage(schema, version, randomMessage(schema, version, random))
      for (let j = 0; j < 10; j++, i++) outcomes[decode(schema, version, damaged(valid, random), i)]++
    }
    expect(outcomes.read).toBeGreaterThan(CASES / 20)
    expect(outcomes.refused).toBeGreaterThan(CASES / 4)
  })

  test('of every message cut short are refused', () => {
    const random = seededRandom(SEED + 1)
    for (const [schema, version] of ALL_VERSIONS) {
      const valid = encodeMessage(schema, version, randomMessage(schema, version, random))
      // A message is never its own beginning: all lengths stand before what they count.
      for (let length = 0; length < valid.length; length += 1 + (valid.length >> 5)) {
        expect(decode(schema, version, valid.subarray(0, length), length), `${schema.name} v${version} cut to ${length}`).toBe('refused')
      }
    }
  })
})

/** Checks what holds of every outcome. */
function decode(schema: MessageSchema<object>, version: number, bytes: Uint8Array, which: number): 'read' | 'refused' {
  const reader = new ByteReader(bytes)
  try {
    readMessage(reader, schema, version)
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'INVALID_REQUEST') {
      throw new Error(`case ${which}, ${schema.name} v${version}, ${Buffer.from(bytes).toString('hex')}`, { cause: error })
    }
    return 'refused'
  }
  if (reader.position > bytes.length || reader.allocationLeftBytes < 0)
    throw new Error(`case ${which}: ${schema.name} v${version} passed its limits`)
  return 'read'
}

function damaged(valid: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(valid)
  if (bytes.length === 0) return Uint8Array.of(random.below(256))
  const at = random.below(bytes.length)
  switch (random.below(6)) {
    case 0:
      bytes[at] = random.below(256)
      return bytes
    case 1:
      bytes[at]! ^= 1 << random.below(8)
      return bytes
    case 2: // a huge number where one of 32 bits may be
      bytes.set([0x7f, 0xff, 0xff, 0xff].slice(0, bytes.length - at), at)
      return bytes
    case 3: // a huge varint
      return Uint8Array.from([...bytes.subarray(0, at), 0xff, 0xff, 0xff, 0xff, random.below(16), ...bytes.subarray(at + 1)])
    case 4:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(random.below(bytes.length))])
    default:
      for (let i = 0; i < 4; i++) bytes[random.below(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!
      return bytes
  }
}

describe('a bomb', () => {
  const MEGABYTE = 2 ** 20

  test('of a declared count is refused before anything is allocated for it', () => {
    const bytes = new Uint8Array(64)
    new DataView(bytes.buffer).setInt32(0, 0x7fff_ffff)
    const reader = new ByteReader(bytes)
    expect(() => readMessage(reader, METADATA_REQUEST, 1)).toThrow('an array of 2147483647 elements')
    expect(untrustedLimitBytes(64) - reader.allocationLeftBytes).toBeLessThan(300)
  })

  test.each([
    // One byte of input each would be 150 of memory.
    ['empty strings', LIST_GROUPS_REQUEST, 5, 0.45],
    ['structs of two bytes', METADATA_REQUEST, 9, 0.45],
    ['structs of defaults', LEAVE_GROUP_REQUEST, 5, 0.2],
  ])('of %s is refused at 4 times its size and 64 KiB', (_, schema, version, elementsAByte) => {
    const writer = new ByteWriter(2 * MEGABYTE)
    if (schema === LEAVE_GROUP_REQUEST) writer.writeUnsignedVarint(1)
    writer.writeUnsignedVarint(Math.floor(MEGABYTE * elementsAByte))
    const bytes = new Uint8Array(MEGABYTE).fill(1)
    bytes.set(writer.toBytes())
    expect(() => readMessage(new ByteReader(bytes), schema as MessageSchema<object>, version)).toThrow('more objects than its size allows')
  })

  test('is no large honest request with a larger limit', () => {
    const topics = Array.from({ length: 3000 }, (_, i) => ({
      topicId: [i, i, i, i] as const,
      partitions: [{ partition: 0, fetchOffset: i }],
    }))
    const bytes = encodeMessage(FETCH_REQUEST, 17, { topics })
    const reader = new ByteReader(bytes, { allocationLimitBytes: untrustedLimitBytes(bytes.length, MEGABYTE) })
    expect(readMessage(reader, FETCH_REQUEST, 17).topics.length).toBe(3000)
  })
})

describe('what decoding is charged', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const random = seededRandom(SEED + 2)
  const list = <T>(length: number, element: (i: number) => T): T[] => Array.from({ length }, (_, i) => element(i))
  const id = (): [number, number, number, number] => [random.uint32() | 0, random.uint32() | 0, random.uint32() | 0, random.uint32() | 0]

  test.each([
    [
      'topics of one partition',
      FETCH_REQUEST,
      17,
      () => ({ topics: list(8000, (i) => ({ topicId: id(), partitions: [{ fetchOffset: 2 ** 40 + i, logStartOffset: 2 ** 40 }] })) }),
    ],
    ['names', LIST_GROUPS_REQUEST, 5, () => ({ statesFilter: list(30_000, (i) => `state ${i}`) })],
    ['wide names', LIST_GROUPS_REQUEST, 5, () => ({ statesFilter: list(30_000, (i) => `日本 ${i}`) })],
    ['64-bit numbers', LIST_TRANSACTIONS_REQUEST, 2, () => ({ producerIdFilters: list(100_000, (i) => 2 ** 40 + i) })],
    [
      'byte views',
      SYNC_GROUP_REQUEST,
      5,
      () => ({ assignments: list(10_000, (i) => ({ memberId: `m${i}`, assignment: new Uint8Array(3) })) }),
    ],
    [
      'small arrays',
      OFFSET_FETCH_REQUEST,
      8,
      () => ({ groups: [{ groupId: 'g', topics: list(10_000, (i) => ({ name: `t${i}`, partitionIndexes: [1, 2] })) }] }),
    ],
    [
      'nested arrays',
      METADATA_RESPONSE,
      12,
      () => ({
        topics: list(500, (i) => ({
          name: `t${i}`,
          topicId: id(),
          partitions: list(10, (j) => ({ partitionIndex: j, replicaNodes: [1, 2, 3], isrNodes: [1, 2, 3] })),
        })),
      }),
    ],
  ])('is about what it takes: %s', (_, schema, version, make) => {
    const bytes = encodeMessage(schema as MessageSchema<object>, version, make())
    const decode = (): { message: object; charged: number } => {
      const limit = 2 ** 40
      const reader = new ByteReader(bytes, { allocationLimitBytes: limit })
      return { message: readMessage(reader, schema as MessageSchema<object>, version), charged: limit - reader.allocationLeftBytes }
    }
    decode()
    collect()
    const before = process.memoryUsage().heapUsed
    const { message, charged } = decode()
    collect()
    const taken = process.memoryUsage().heapUsed - before
    expect(Object.keys(message).length).toBeGreaterThan(0)
    expect(taken / charged, `${taken} bytes taken, ${charged} charged, ${bytes.length} read`).toBeLessThan(1.15)
    expect(taken / charged, `${taken} bytes taken, ${charged} charged, ${bytes.length} read`).toBeGreaterThan(0.4)
  })
})
