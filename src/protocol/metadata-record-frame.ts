// Records of `__cluster_metadata-0`: the value of each is a frame.
//
//   | frame version, 1 | record type | version | record in that version … |
//     unsigned varint    unsigned varint  unsigned varint
//
// Pure; any thread.

import { MillraceError } from '../errors.ts'
import { readMessage } from './decoder.ts'
import { encoded, writeMessage } from './encoder.ts'
import { METADATA_RECORDS } from './records/metadata-records.ts'
import { logReader } from './versioned-message.ts'
import type { MessageSchema } from './message-schema.ts'
import type { MetadataRecordTypes } from './records/metadata-records.ts'
import type { MessageInput, Uuid } from './schema.ts'

export type MetadataRecordName = keyof MetadataRecordTypes

/**
 * What our records say beside Kafka's fields, under a tag far above Kafka's: its readers pass
 * over it, and a record of Kafka's has the default.
 */
interface OwnFields {
  /** The row of the partition's control block in the partition table; -1 where it has none. */
  PartitionRecord: { slot: number }
  /** Beside the level of `metadata.version`: the id of the cluster, which Kafka keeps in meta.properties. */
  FeatureLevelRecord: { clusterId: Uuid }
}

/** The fields of a record, ours included. */
export type MetadataRecordFields<Name extends MetadataRecordName> = Name extends keyof OwnFields
  ? MetadataRecordTypes[Name] & OwnFields[Name]
  : MetadataRecordTypes[Name]

/** A decoded record, told apart by `type`, Kafka's name of it. */
export type FramedMetadataRecord = {
  readonly [Name in MetadataRecordName]: { readonly type: Name; readonly version: number; readonly record: MetadataRecordFields<Name> }
}[MetadataRecordName]

const FRAME_VERSION = 1

const OWN_FIELDS: Readonly<Record<keyof OwnFields, string>> = {
  PartitionRecord: 'slot int32 #10000 =-1',
  FeatureLevelRecord: 'clusterId uuid #10000',
}

const SCHEMAS = new Map<string, MessageSchema<object>>()
for (const [name, { schema }] of Object.entries(METADATA_RECORDS)) {
  const own = OWN_FIELDS[name as keyof OwnFields] as string | undefined
  SCHEMAS.set(name, own === undefined ? schema : schema.extended<object>(own))
}

const BY_TYPE = new Map<number, readonly [MetadataRecordName, MessageSchema<object>]>()
for (const [name, { type }] of Object.entries(METADATA_RECORDS)) BY_TYPE.set(type, [name as MetadataRecordName, SCHEMAS.get(name)!])

/** The newest version is written unless another is given. */
export function encodeMetadataRecord<Name extends MetadataRecordName>(
  name: Name,
  record: MessageInput<MetadataRecordFields<Name>>,
  version?: number,
): Uint8Array {
  const { type } = METADATA_RECORDS[name]
  const schema = SCHEMAS.get(name) as MessageSchema<MetadataRecordFields<Name>>
  const chosen = version ?? schema.maxVersion
  return encoded((writer) => {
    writer.writeUnsignedVarint(FRAME_VERSION)
    writer.writeUnsignedVarint(type)
    writer.writeUnsignedVarint(chosen)
    writeMessage(writer, schema, chosen, record)
  })
}

/** Throws UNSUPPORTED_VERSION for a frame, a type or a version that is not known. */
export function decodeMetadataRecord(bytes: Uint8Array): FramedMetadataRecord {
  const reader = logReader(bytes, 'metadata record')
  const frame = reader.readUnsignedVarint()
  if (frame !== FRAME_VERSION) throw new MillraceError('UNSUPPORTED_VERSION', `a metadata record's frame has version ${frame}, not 1`)
  const type = reader.readUnsignedVarint()
  const version = reader.readUnsignedVarint()
  const known = BY_TYPE.get(type)
  if (known === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `a metadata record of type ${type} is of no known kind`)
  const [name, schema] = known
  const record = readMessage(reader, schema, version)
  reader.expectEnd()
  return { type: name, version, record } as FramedMetadataRecord
}
