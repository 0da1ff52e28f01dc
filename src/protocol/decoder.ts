// Reads messages: a schema and a version give an object with all its fields, defaults
// included, whatever the version.
// Any thread, over memory that no other thread writes.
// Holds: `bytes` and `records` are views of the input and keep it alive; strings are
// decoded as Kafka does, with U+FFFD for what is no UTF-8; tagged fields that the schema
// does not know are skipped; nothing is allocated by a declared count alone beyond
// PRESIZED_MAX slots; the rest is ByteReader's.

import { ByteReader } from './byte-reader.ts'
import {
  ARRAY,
  ARRAY_BYTES,
  BOOL,
  BYTES,
  COMPACT,
  FLOAT64,
  FRESH_ARRAY,
  FRESH_STRUCT,
  INT16,
  INT32,
  INT64,
  INT64_OR_INFINITY,
  INT8,
  LONG,
  NULLABLE,
  NULLABLE_STRUCT,
  STRING,
  STRUCT,
  TAGGED,
  TAGGED_NULLABLE_STRUCT,
  UINT16,
  UINT32,
  UUID,
  boxBytes,
  minBytesOf,
} from './struct-plan.ts'
import type { ByteReaderOptions } from './byte-reader.ts'
import type { MessageSchema } from './message-schema.ts'
import type { StructPlan } from './struct-plan.ts'

type Struct = Record<string, unknown>

const PRESIZED_MAX = 256
const SLOT_BYTES = 8
/** A slot of an array that grows by halves. */
const GROWN_SLOT_BYTES = 16

/** Decodes bytes that hold one message and nothing else. */
export function decodeMessage<Message>(
  schema: MessageSchema<Message>,
  version: number,
  bytes: Uint8Array,
  options?: ByteReaderOptions,
): Message {
  const reader = new ByteReader(bytes, options)
  const message = readMessage(reader, schema, version)
  reader.expectEnd()
  return message
}

/** Reads one message; the reader stands behind it afterwards. */
export function readMessage<Message>(reader: ByteReader, schema: MessageSchema<Message>, version: number): Message {
  const plan = schema.plan(version)
  reader.subject = plan.label
  return readStruct(reader, plan) as Message
}

/** An object of defaults, as one decoded from a version that has none of the fields. */
export function defaultMessage<Message>(schema: MessageSchema<Message>): Message {
  return blankStruct(schema.plan(schema.maxVersion)) as Message
}

function readStruct(reader: ByteReader, plan: StructPlan): Struct {
  reader.charge(plan.objectBytes)
  const { names, operations } = plan
  const struct: Struct = {}
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i]!
    struct[names[i]!] = operation <= TAGGED ? defaultValue(plan, i) : readValue(reader, plan, i, operation)
  }
  if (plan.isFlexible) readTaggedFields(reader, plan, struct)
  return struct
}

function blankStruct(plan: StructPlan): Struct {
  const struct: Struct = {}
  for (let i = 0; i < plan.names.length; i++) struct[plan.names[i]!] = defaultValue(plan, i)
  return struct
}

function defaultValue(plan: StructPlan, field: number): unknown {
  const value = plan.defaults[field]
  if (value === FRESH_ARRAY) return []
  return value === FRESH_STRUCT ? blankStruct(plan.structs[field]!) : value
}

// Tags ascend (KIP-482), so none comes twice.
function readTaggedFields(reader: ByteReader, plan: StructPlan, struct: Struct): void {
  const count = reader.readUnsignedVarint()
  let next = 0
  let previous = -1
  for (let i = 0; i < count; i++) {
    const tag = reader.readUnsignedVarint()
    if (tag <= previous) throw reader.malformed(`tag ${tag} behind tag ${previous}`)
    previous = tag
    const size = reader.readUnsignedVarint()
    if (size > reader.remaining) throw reader.malformed(`a tagged field of ${size} bytes`)
    while (next < plan.tags.length && plan.tags[next]!.tag < tag) next++
    const known = plan.tags[next]
    if (known === undefined || known.tag !== tag) reader.skip(size)
    else readTaggedField(reader, plan, known.field, size, struct)
  }
}

function readTaggedField(reader: ByteReader, plan: StructPlan, field: number, size: number, struct: Struct): void {
  const { limit } = reader
  reader.limit = reader.position + size
  reader.charge(boxBytes(plan.values[field]!))
  struct[plan.names[field]!] = readValue(reader, plan, field, plan.values[field]!)
  reader.expectEnd()
  reader.limit = limit
}

function readValue(reader: ByteReader, plan: StructPlan, field: number, operation: number): unknown {
  switch (operation) {
    case STRUCT:
      return readStruct(reader, plan.structs[field]!)
    case NULLABLE_STRUCT:
    case TAGGED_NULLABLE_STRUCT:
      return readNullableStruct(reader, plan.structs[field]!, operation === NULLABLE_STRUCT ? -1 : 0)
    case ARRAY:
    case ARRAY + NULLABLE:
    case ARRAY + COMPACT:
    case ARRAY + COMPACT + NULLABLE:
      return readArray(reader, plan, field, operation - ARRAY)
    default:
      return readPrimitive(reader, operation)
  }
}

function readPrimitive(reader: ByteReader, operation: number): unknown {
  switch (operation) {
    case BOOL:
      return reader.readBoolean()
    case INT8:
      return reader.readInt8()
    case INT16:
      return reader.readInt16()
    case UINT16:
      return reader.readUint16()
    case INT32:
      return reader.readInt32()
    case UINT32:
      return reader.readUint32()
    case INT64:
      return reader.readInt64()
    case INT64_OR_INFINITY:
      return reader.readInt64OrInfinity()
    case LONG:
      return reader.readLong()
    case FLOAT64:
      return reader.readFloat64()
    case UUID:
      return reader.readUuid()
    case STRING:
      return reader.readString()
    case STRING + NULLABLE:
      return reader.readNullableString()
    case STRING + COMPACT:
      return reader.readCompactString()
    case STRING + COMPACT + NULLABLE:
      return reader.readCompactNullableString()
    case BYTES:
      return reader.readBytes()
    case BYTES + NULLABLE:
      return reader.readNullableBytes()
    case BYTES + COMPACT:
      return reader.readCompactBytes()
    default:
      return reader.readCompactNullableBytes()
  }
}

function readNullableStruct(reader: ByteReader, plan: StructPlan, nullMark: number): Struct | null {
  const mark = reader.readInt8()
  if (mark === 1) return readStruct(reader, plan)
  if (mark !== nullMark) throw reader.malformed(`${mark} where a struct begins or is null`)
  return null
}

function readArray(reader: ByteReader, plan: StructPlan, field: number, form: number): unknown[] | null {
  const element = plan.elements[field]!
  const struct = plan.structs[field]
  const count = reader.readCount((form & COMPACT) !== 0, (form & NULLABLE) !== 0, minBytesOf(element, struct))
  if (count < 0) return null
  reader.charge(ARRAY_BYTES + count * ((count > PRESIZED_MAX ? GROWN_SLOT_BYTES : SLOT_BYTES) + boxBytes(element)))
  const list = new Array<unknown>(Math.min(count, PRESIZED_MAX))
  if (struct !== undefined) for (let i = 0; i < count; i++) list[i] = readStruct(reader, struct)
  else if (element === INT32) for (let i = 0; i < count; i++) list[i] = reader.readInt32()
  else for (let i = 0; i < count; i++) list[i] = readPrimitive(reader, element)
  return list
}
