// A struct of one version, ready to be read and written: a row of parallel arrays, one
// entry a field, with the field's operation as a small number. What a schema leaves
// open (is it there, tagged, compact, nullable) is settled here, once, so that the
// decoder and the encoder look at nothing but the operation.
// Pure; plans are made at first use and kept by the message schema.
// Holds: a field has its entry in every version, so decoded objects of all versions
// have the same properties in the same order.

import { assert } from '../assert.ts'
import { TOPIC_ID_ZERO } from '../ids.ts'
import { includes } from './schema.ts'
import type { FieldKind, FieldSchema } from './schema.ts'

/** Not in this version. */
export const ABSENT = 0
/** Among the tagged fields at the struct's end. */
export const TAGGED = 1
export const BOOL = 2
export const INT8 = 3
export const INT16 = 4
export const UINT16 = 5
export const INT32 = 6
export const UINT32 = 7
export const INT64 = 8
/** An int64 whose largest value stands for "none": Infinity in the API. */
export const INT64_OR_INFINITY = 9
/** An int64 that fills all its bits: a bigint in the API. */
export const LONG = 10
export const FLOAT64 = 11
export const UUID = 12
export const STRUCT = 13
/** A byte in front: 1, or -1 for null (KIP-893). */
export const NULLABLE_STRUCT = 14
/** The same among tagged fields: there 0 is null. */
export const TAGGED_NULLABLE_STRUCT = 15
// What has a length comes in four forms: plus 1 where nullable, plus 2 where compact.
export const STRING = 16
export const BYTES = 20
export const ARRAY = 24
export const NULLABLE = 1
export const COMPACT = 2

/** Structs in structs: no schema of Kafka goes deeper. */
const DEPTH_MAX = 16

export interface StructPlan {
  /** The message and its version, for errors: `FetchRequest v12 topics`. */
  readonly label: string
  readonly names: readonly string[]
  readonly operations: readonly number[]
  /** The operation of the value, of a tagged field too. */
  readonly values: readonly number[]
  /** The operation of an array's elements. */
  readonly elements: readonly number[]
  readonly structs: readonly (StructPlan | undefined)[]
  /** Numbers, texts, booleans, null, or one of the two below. */
  readonly defaults: readonly unknown[]
  /** Whether a value that this version cannot carry is dropped silently. */
  readonly ignorable: readonly boolean[]
  readonly isFlexible: boolean
  /** Fields by tag, ascending. */
  readonly tags: readonly { readonly tag: number; readonly field: number }[]
  /** The fewest bytes that a struct takes. */
  readonly minBytes: number
  /** Memory that a decoded struct takes, without what its fields refer to. */
  readonly objectBytes: number
}

/** Marks a default that is made anew for each message: an array. */
export const FRESH_ARRAY: readonly never[] = Object.freeze([])
/** Marks a default that is made anew for each message: a struct of defaults. */
export const FRESH_STRUCT: Readonly<Record<string, never>> = Object.freeze({})
export const EMPTY_BYTES = new Uint8Array(0)

// What V8 takes: an object's header and its four first fields; then fields in threes.
const OBJECT_BYTES = 56
const OBJECT_FIELDS = 4
const WORD_BYTES = 8
/** The array object, its store's header. */
export const ARRAY_BYTES = 48
/** A uuid is an array of four numbers. */
const UUID_BYTES = 80
/** A number that is no 31-bit integer has a box. */
const BOXED_NUMBER_BYTES = 16

const OPERATIONS: Readonly<Record<FieldKind, number>> = {
  bool: BOOL,
  int8: INT8,
  int16: INT16,
  uint16: UINT16,
  int32: INT32,
  uint32: UINT32,
  int64: INT64,
  long: LONG,
  float64: FLOAT64,
  uuid: UUID,
  string: STRING,
  bytes: BYTES,
  records: BYTES,
  struct: STRUCT,
}

const MIN_BYTES: readonly number[] = [0, 0, 1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 16, 0, 1, 1, 2, 2, 1, 1, 4, 4, 1, 1, 4, 4, 1, 1]

export function compilePlan(label: string, fields: readonly FieldSchema[], version: number, isFlexible: boolean, depth = 1): StructPlan {
  assert(depth <= DEPTH_MAX, `${label} nests structs no deeper than ${DEPTH_MAX}`)
  const structs = fields.map(({ kind, name, fields: inner }) =>
    kind === 'struct' ? compilePlan(`${label} ${name}`, inner, version, isFlexible, depth + 1) : undefined,
  )
  const values = fields.map((field) => (includes(field.versions, version) ? valueOperation(field, version, isFlexible) : ABSENT))
  const operations = values.map((value, i) => (value !== ABSENT && fields[i]!.tag !== undefined ? TAGGED : value))
  const defaults = fields.map(defaultOf)
  return {
    label,
    names: fields.map(({ name }) => name),
    operations,
    values,
    elements: fields.map((field) => (field.isArray ? elementOperation(field, isFlexible) : ABSENT)),
    structs,
    defaults,
    ignorable: fields.map(({ isIgnorable }) => isIgnorable),
    isFlexible,
    tags: fields
      .map(({ tag = -1 }, field) => ({ tag, field }))
      .filter(({ field }) => operations[field] === TAGGED)
      .sort((a, b) => a.tag - b.tag),
    minBytes: operations.reduce((sum, operation, i) => sum + minBytesOf(operation, structs[i]), isFlexible ? 1 : 0),
    objectBytes: objectBytesOf(operations, defaults, structs),
  }
}

/** The fewest bytes that one value takes. */
export function minBytesOf(operation: number, struct: StructPlan | undefined): number {
  return operation === STRUCT ? struct!.minBytes : MIN_BYTES[operation]!
}

function valueOperation(field: FieldSchema, version: number, isFlexible: boolean): number {
  const form = (includes(field.nullable, version) ? NULLABLE : 0) + (isFlexible ? COMPACT : 0)
  if (field.isArray) return ARRAY + form
  if (field.kind === 'struct') {
    if (!includes(field.nullable, version)) return STRUCT
    return field.tag === undefined ? NULLABLE_STRUCT : TAGGED_NULLABLE_STRUCT
  }
  if (field.defaultValue === Number.POSITIVE_INFINITY) return INT64_OR_INFINITY
  const operation = OPERATIONS[field.kind]
  return operation >= STRING ? operation + form : operation
}

// Elements are never null.
function elementOperation(field: FieldSchema, isFlexible: boolean): number {
  const operation = OPERATIONS[field.kind]
  return operation >= STRING && isFlexible ? operation + COMPACT : operation
}

function defaultOf(field: FieldSchema): unknown {
  if (field.defaultValue !== undefined) return field.defaultValue
  if (field.isArray) return FRESH_ARRAY
  switch (field.kind) {
    case 'struct':
      return FRESH_STRUCT
    case 'bool':
      return false
    case 'string':
      return ''
    case 'bytes':
    case 'records':
      return EMPTY_BYTES
    case 'uuid':
      return TOPIC_ID_ZERO
    case 'long':
      return 0n
    default:
      return 0
  }
}

// A field on the wire is charged with what it has of its own, an array or a struct when
// it is read; another with its default.
function objectBytesOf(operations: readonly number[], defaults: readonly unknown[], structs: readonly (StructPlan | undefined)[]): number {
  const more = Math.ceil(Math.max(0, operations.length - OBJECT_FIELDS) / 3) * 3
  let bytes = OBJECT_BYTES + (more > 0 ? 2 * WORD_BYTES + more * WORD_BYTES : 0)
  for (const [i, operation] of operations.entries()) {
    if (operation > TAGGED) bytes += boxBytes(operation)
    else if (defaults[i] === FRESH_STRUCT) bytes += structs[i]!.objectBytes
    else if (defaults[i] === FRESH_ARRAY) bytes += ARRAY_BYTES
  }
  return bytes
}

/** What a value of a fixed size takes beside its slot. */
export function boxBytes(operation: number): number {
  if (operation === UUID) return UUID_BYTES
  return operation >= INT64 && operation <= FLOAT64 ? BOXED_NUMBER_BYTES : 0
}
