// Writes messages: a schema, a version and an object give bytes. Fields that the object
// leaves out have their default.
// Any thread; memory is private to the writer.
// Holds: a value out of its type's range, a null where none may be, and a value that
// the version cannot carry (unless the schema says it may be dropped) are refused by
// name; a tagged field is written only where it differs from its default, as Kafka does.

import { MillraceError } from '../errors.ts'
import { ByteWriter } from './byte-writer.ts'
import {
  ARRAY,
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
} from './struct-plan.ts'
import type { MessageSchema } from './message-schema.ts'
import type { MessageInput, Uuid } from './schema.ts'
import type { StructPlan } from './struct-plan.ts'

type Source = Readonly<Record<string, unknown>>

const STRING_BYTES_MAX = 0x7fff
const BYTES_MAX = 0x7fff_ffff
const LONG_MAX = 0x7fff_ffff_ffff_ffffn
/** Memory that is kept from one message to the next. */
const KEPT_BYTES = 65_536

// Lent to one call at a time; a call that throws leaves it to the collector.
let spare: ByteWriter | undefined

/** The message as bytes of its own. */
export function encodeMessage<Message>(schema: MessageSchema<Message>, version: number, message: MessageInput<Message>): Uint8Array {
  return encoded((writer) => writeMessage(writer, schema, version, message))
}

/** What a function wrote, as bytes of its own. */
export function encoded(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = spare ?? new ByteWriter(1024)
  spare = undefined
  writer.reset()
  write(writer)
  const bytes = writer.toBytes()
  if (writer.bytes.length <= KEPT_BYTES) spare = writer
  return bytes
}

/** Writes the message behind what the writer holds. */
export function writeMessage<Message>(
  writer: ByteWriter,
  schema: MessageSchema<Message>,
  version: number,
  message: MessageInput<Message>,
): void {
  writeStruct(writer, schema.plan(version), message as Source)
}

function writeStruct(writer: ByteWriter, plan: StructPlan, source: Source): void {
  const { names, operations } = plan
  let tagged = 0
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i]!
    const value = source[names[i]!]
    if (operation > TAGGED) writeValue(writer, plan, i, operation, value === undefined ? plan.defaults[i] : value)
    else if (isDefault(plan, i, value)) continue
    else if (operation === TAGGED) tagged++
    else if (!plan.ignorable[i]) throw unsupported(plan, i)
  }
  if (!plan.isFlexible) return
  writer.writeUnsignedVarint(tagged)
  if (tagged > 0) writeTaggedFields(writer, plan, source)
}

function writeTaggedFields(writer: ByteWriter, plan: StructPlan, source: Source): void {
  for (const { tag, field } of plan.tags) {
    const value = source[plan.names[field]!]
    if (isDefault(plan, field, value)) continue
    writer.writeUnsignedVarint(tag)
    const at = writer.begin(1)
    writeValue(writer, plan, field, plan.values[field]!, value)
    writer.endVarint(at, 0)
  }
}

function writeValue(writer: ByteWriter, plan: StructPlan, field: number, operation: number, value: unknown): void {
  switch (operation) {
    case STRUCT:
      return writeStruct(writer, plan.structs[field]!, object(plan, field, value))
    case NULLABLE_STRUCT:
    case TAGGED_NULLABLE_STRUCT:
      if (value === null) return writer.writeInt8(operation === NULLABLE_STRUCT ? -1 : 0)
      writer.writeInt8(1)
      return writeStruct(writer, plan.structs[field]!, object(plan, field, value))
    case ARRAY:
    case ARRAY + NULLABLE:
    case ARRAY + COMPACT:
    case ARRAY + COMPACT + NULLABLE:
      return writeArray(writer, plan, field, operation - ARRAY, value)
    default:
      return writePrimitive(writer, plan, field, operation, value)
  }
}

function writePrimitive(writer: ByteWriter, plan: StructPlan, field: number, operation: number, value: unknown): void {
  switch (operation) {
    case BOOL:
      if (typeof value !== 'boolean') throw refused(plan, field, value, 'a boolean')
      return writer.writeBoolean(value)
    case INT8:
      return writer.writeInt8(integer(plan, field, value, -0x80, 0x7f))
    case INT16:
      return writer.writeInt16(integer(plan, field, value, -0x8000, 0x7fff))
    case UINT16:
      return writer.writeInt16(integer(plan, field, value, 0, 0xffff))
    case INT32:
      return writer.writeInt32(integer(plan, field, value, -0x8000_0000, 0x7fff_ffff))
    case UINT32:
      return writer.writeInt32(integer(plan, field, value, 0, 0xffff_ffff))
    case INT64_OR_INFINITY:
      if (value === Number.POSITIVE_INFINITY) return writer.writeInt64(value)
      return writer.writeInt64(integer(plan, field, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    case INT64:
      return writer.writeInt64(integer(plan, field, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
    case LONG:
      if (typeof value !== 'bigint' || value > LONG_MAX || value < -LONG_MAX - 1n) throw refused(plan, field, value, 'a 64-bit bigint')
      return writer.writeLong(value)
    case FLOAT64:
      if (typeof value !== 'number') throw refused(plan, field, value, 'a number')
      return writer.writeFloat64(value)
    case UUID:
      if (!Array.isArray(value) || value.length !== 4) throw refused(plan, field, value, 'an id of four 32-bit words')
      return writer.writeUuid(value as unknown as Uuid)
    case STRING:
    case STRING + NULLABLE:
    case STRING + COMPACT:
    case STRING + COMPACT + NULLABLE:
      return writeString(writer, plan, field, operation - STRING, value)
    default:
      return writeBytes(writer, plan, field, operation - BYTES, value)
  }
}

function writeString(writer: ByteWriter, plan: StructPlan, field: number, form: number, value: unknown): void {
  const isCompact = (form & COMPACT) !== 0
  if (value === null && (form & NULLABLE) !== 0) return isCompact ? writer.writeInt8(0) : writer.writeInt16(-1)
  if (typeof value !== 'string') throw refused(plan, field, value, 'a string')
  if (value.length > STRING_BYTES_MAX) throw refused(plan, field, value, `a string of at most ${STRING_BYTES_MAX} bytes`)
  const at = writer.begin(isCompact ? 1 : 2)
  const length = writer.writeText(value)
  if (length > STRING_BYTES_MAX) throw refused(plan, field, value, `a string of at most ${STRING_BYTES_MAX} bytes`)
  if (isCompact) writer.endVarint(at, 1)
  else writer.endInt16(at)
}

function writeBytes(writer: ByteWriter, plan: StructPlan, field: number, form: number, value: unknown): void {
  const isCompact = (form & COMPACT) !== 0
  if (value === null && (form & NULLABLE) !== 0) return isCompact ? writer.writeInt8(0) : writer.writeInt32(-1)
  if (!(value instanceof Uint8Array) || value.length > BYTES_MAX) throw refused(plan, field, value, 'a Uint8Array')
  if (isCompact) writer.writeUnsignedVarint(value.length + 1)
  else writer.writeInt32(value.length)
  writer.writeRaw(value)
}

function writeArray(writer: ByteWriter, plan: StructPlan, field: number, form: number, value: unknown): void {
  const isCompact = (form & COMPACT) !== 0
  if (value === null && (form & NULLABLE) !== 0) return isCompact ? writer.writeInt8(0) : writer.writeInt32(-1)
  if (!Array.isArray(value)) throw refused(plan, field, value, 'an array')
  if (isCompact) writer.writeUnsignedVarint(value.length + 1)
  else writer.writeInt32(value.length)
  const struct = plan.structs[field]
  const element = plan.elements[field]!
  for (let i = 0; i < value.length; i++) {
    if (struct === undefined) writePrimitive(writer, plan, field, element, value[i])
    else writeStruct(writer, struct, object(plan, field, value[i]))
  }
}

// What Kafka compares: a struct is its default when all its fields are.
function isDefault(plan: StructPlan, field: number, value: unknown): boolean {
  if (value === undefined) return true
  const fallback = plan.defaults[field]
  if (value === fallback) return true
  if (value === null || fallback === null) return false
  if (fallback === FRESH_ARRAY) return Array.isArray(value) && value.length === 0
  if (fallback === FRESH_STRUCT) return isDefaultStruct(plan.structs[field]!, object(plan, field, value))
  if (value instanceof Uint8Array) return value.length === 0
  return Array.isArray(value) && Array.isArray(fallback) && fallback.every((word, i) => word === value[i])
}

function isDefaultStruct(plan: StructPlan, source: Source): boolean {
  return plan.names.every((name, i) => isDefault(plan, i, source[name]))
}

function object(plan: StructPlan, field: number, value: unknown): Source {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(plan, field, value, 'an object')
  return value as Source
}

function integer(plan: StructPlan, field: number, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw refused(plan, field, value, `a whole number from ${min} to ${max}`)
  }
  return value
}

function refused(plan: StructPlan, field: number, value: unknown, wanted: string): MillraceError {
  const got = typeof value === 'number' || typeof value === 'bigint' || value === null ? String(value) : `a ${typeof value}`
  return new MillraceError('INVALID_REQUEST', `${plan.label}: ${plan.names[field]} takes ${wanted}, not ${got}`)
}

function unsupported(plan: StructPlan, field: number): MillraceError {
  return new MillraceError(
    'UNSUPPORTED_VERSION',
    `${plan.label}: this version has no ${plan.names[field]}: leave it out, or use another version`,
  )
}
