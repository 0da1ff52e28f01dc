import { describe, expect, test } from 'vitest'
import { formatTopicId } from '../../src/ids.ts'
import { decodeCoordinatorRecord, encodeCoordinatorKey, encodeCoordinatorValue } from '../../src/protocol/coordinator-record.ts'
import { decodeMessage } from '../../src/protocol/decoder.ts'
import { encodeMessage } from '../../src/protocol/encoder.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT, CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../src/protocol/records/consumer-protocol.ts'
import * as controlRecords from '../../src/protocol/records/control-records.ts'
import { GROUP_RECORDS } from '../../src/protocol/records/group-records.ts'
import { TRANSACTION_RECORDS } from '../../src/protocol/records/transaction-records.ts'
import { includes } from '../../src/protocol/schema.ts'
import { decodeVersioned, encodeVersioned } from '../../src/protocol/versioned-message.ts'
import { readControlRecords, readDump, readGoldenLogDir, readRecords } from './golden-log-dir.ts'
import type { CoordinatorRecordKind, CoordinatorRecordKinds } from '../../src/protocol/coordinator-record.ts'
import type { GroupMetadataValue } from '../../src/protocol/records/classic-group-records.ts'
import type { MessageSchema } from '../../src/protocol/message-schema.ts'
import type { FieldSchema } from '../../src/protocol/schema.ts'
import type { TopicId } from '../../src/ids.ts'

const files = readGoldenLogDir()
const SEGMENT = '00000000000000000000.log'
/** The dump cuts what is longer. */
const CUT_LENGTH = 200
const METADATA = `__cluster_metadata-0/${SEGMENT}`

/** By the type in a control record's key. */
const CONTROL_SCHEMAS: Readonly<Record<number, MessageSchema<object>>> = {
  2: controlRecords.LEADER_CHANGE_MESSAGE,
  3: controlRecords.SNAPSHOT_HEADER_RECORD,
  4: controlRecords.SNAPSHOT_FOOTER_RECORD,
  5: controlRecords.KRAFT_VERSION_RECORD,
  6: controlRecords.VOTERS_RECORD,
}

describe.skipIf(files === undefined)(
  `records that Kafka wrote${files === undefined ? ' (skipped: its log directory is not here)' : ''}`,
  () => {
    test('of __cluster_metadata are read, and written again byte for byte', () => {
      const counts = new Map<string, number>()
      for (const file of [METADATA, 'bootstrap.checkpoint']) {
        for (const { value } of readRecords(files!.get(file)!)) {
          const { type, version, record } = decodeMetadataRecord(value!)
          expect(hex(encodeMetadataRecord(type, record, version))).toBe(hex(value!))
          counts.set(type, (counts.get(type) ?? 0) + 1)
        }
      }
      for (const type of [
        'TopicRecord',
        'PartitionRecord',
        'ConfigRecord',
        'RegisterBrokerRecord',
        'ProducerIdsRecord',
        'FeatureLevelRecord',
      ]) {
        expect(counts.get(type), type).toBeGreaterThan(0)
      }
    })

    test('of __cluster_metadata name the topics whose directories are there, by their ids', () => {
      const topics = new Map<string, string>()
      for (const { value } of readRecords(files!.get(METADATA)!)) {
        const decoded = decodeMetadataRecord(value!)
        if (decoded.type === 'TopicRecord') topics.set(decoded.record.name, formatTopicId(decoded.record.topicId))
      }
      let seen = 0
      for (const [path, bytes] of files!) {
        const topic = /^(.+)-\d+\/partition\.metadata$/.exec(path)?.[1]
        if (topic === undefined || topic === '__cluster_metadata') continue
        expect(Buffer.from(bytes).toString(), path).toContain(`topic_id: ${topics.get(topic)}`)
        seen++
      }
      expect(seen).toBeGreaterThan(8)
    })

    test('in control batches of __cluster_metadata are read, and written again byte for byte', () => {
      const seen = new Set<number>()
      for (const file of [METADATA, 'bootstrap.checkpoint']) {
        for (const { type, value } of readControlRecords(files!.get(file)!)) {
          const schema = CONTROL_SCHEMAS[type]!
          const version = value[1]!
          const decoded = decodeMessage(schema, version, value, { code: 'CORRUPT_MESSAGE' })
          expect(decoded).toMatchObject({ [schema.fields[0]!.name]: version })
          expect(hex(encodeMessage(schema, version, decoded))).toBe(hex(value))
          seen.add(type)
        }
      }
      expect(seen.size).toBeGreaterThanOrEqual(3)
    })

    test.each(['__consumer_offsets-24', '__consumer_offsets-6'])('of %s are what the dump prints', (partition) => {
      expect(compareWithDump(partition, GROUP_RECORDS)).toBeGreaterThan(4)
    })

    test.each(['__transaction_state-19', '__transaction_state-20', '__transaction_state-21'])(
      'of %s are what the dump prints',
      (partition) => {
        expect(compareWithDump(partition, TRANSACTION_RECORDS)).toBeGreaterThan(10)
      },
    )

    test('of a classic group carry what its members sent each other', () => {
      const values = readRecords(files!.get(`__consumer_offsets-24/${SEGMENT}`)!).map(({ key, value }) =>
        decodeCoordinatorRecord(GROUP_RECORDS, key!, value),
      )
      const members = values.flatMap(({ type, value }) =>
        type === 'GroupMetadata' ? ((value as GroupMetadataValue | null)?.members ?? []) : [],
      )
      expect(members.length).toBeGreaterThan(0)
      for (const { subscription, assignment } of members) {
        const subscribed = decodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, subscription)
        expect(subscribed.message.topics).toEqual(expect.arrayContaining(['access', 'packed']))
        expect(hex(encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, subscribed.version, subscribed.message))).toBe(hex(subscription))
        const assigned = decodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, assignment)
        expect(assigned.message.assignedPartitions.map(({ topic }) => topic).sort()).toEqual(['access', 'packed'])
        expect(hex(encodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, assigned.version, assigned.message))).toBe(hex(assignment))
      }
    })
  },
)

/** How many records a partition has; each equals its line in the dump, and its own bytes. */
function compareWithDump<Types extends object>(partition: string, kinds: CoordinatorRecordKinds<Types>): number {
  const dumped = readDump(partition)
  const records = readRecords(files!.get(`${partition}/${SEGMENT}`)!)
  if (dumped !== undefined) expect(records.map(({ offset }) => offset)).toEqual(dumped.map(({ offset }) => offset))
  for (const [i, { key, value }] of records.entries()) {
    const decoded = decodeCoordinatorRecord(kinds, key!, value) as { type: string; key: object; version: number; value: object | null }
    const kind = (kinds as Record<string, CoordinatorRecordKind<object, object>>)[decoded.type]!
    expect(hex(encodeCoordinatorKey(kind, decoded.key))).toBe(hex(key!))
    if (decoded.value !== null) expect(hex(encodeCoordinatorValue(kind, decoded.version, decoded.value))).toBe(hex(value!))
    const line = dumped?.[i]
    if (line === undefined) continue
    expect(`{"type":"${kind.type}","data":${printed(kind.key.fields, 0, decoded.key)}}`).toBe(line.key)
    expectPrinted(kind.value, decoded.version, decoded.value, line.value)
  }
  return records.length
}

function expectPrinted(schema: MessageSchema<object>, version: number, value: object | null, line: string): void {
  const text = value === null ? '<DELETE>' : `{"version":"${version}","data":${printed(schema.fields, version, value)}}`
  const isCut = line.length >= CUT_LENGTH && !line.endsWith('}}')
  expect(isCut ? text.slice(0, line.length) : text).toBe(line)
}

// As Kafka prints a message: fields of the version, tagged ones unless they have their default.
function printed(fields: readonly FieldSchema[], version: number, struct: object): string {
  const members = fields.flatMap((field) => {
    const value = (struct as Record<string, unknown>)[field.name]
    if (!includes(field.versions, version) || (field.tag !== undefined && isTagDefault(field, value))) return []
    return [`"${field.name}":${Array.isArray(value) && field.isArray ? `[${value.map(printElement).join(',')}]` : printElement(value)}`]
    function printElement(element: unknown): string {
      if (element === null) return 'null'
      if (field.kind === 'uuid') return `"${formatTopicId(element as TopicId)}"`
      if (field.kind === 'struct') return printed(field.fields, version, element as object)
      if (element instanceof Uint8Array) return `"${Buffer.from(element).toString('base64')}"`
      return typeof element === 'bigint' ? String(element) : JSON.stringify(element)
    }
  })
  return `{${members.join(',')}}`
}

function isTagDefault(field: FieldSchema, value: unknown): boolean {
  if (field.defaultValue !== undefined) return value === field.defaultValue
  return value === 0 || value === 0n || value === '' || (field.kind === 'uuid' && (value as TopicId).every((word) => word === 0))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
