// Serdes (Kafka's word for serializer and deserializer): keys and values on one
// side, bytes on the other. The kinds that come with millrace are bytes, string,
// json, msgpack and nullable; any object with `serialize` and `deserialize` is one.
//
// Runs on the user's own thread, at stations 1 and 8 of a record's road: once a key
// and once a value, on send, and once a field on the first touch of a record read.
//
// Who owns the memory:
// - what `serialize` gives is copied into the batch before anything else is encoded,
//   so it may be the user's own array, or memory that the next call overwrites
//   (then the serde says `borrowed`); text is written as UTF-8 straight into the batch;
// - what `deserialize` gets is a view of memory private to the reader that never
//   changes again: a result may keep views into it, and keeping one keeps the batch.

import { MillraceError } from '../errors.ts'
import { checkSchema, validateNow } from './standard-schema.ts'
import type { InferInput, InferOutput, StandardSchema } from './standard-schema.ts'
import { decodeUtf8 } from './utf8.ts'

/** `T` is what records carry, `In` what `send` takes: they differ where a schema transforms. */
export interface Serde<T, In = T> {
  /** A string is written as UTF-8 (a lone surrogate becomes U+FFFD). Never called with null. */
  readonly serialize: (value: In) => Uint8Array | string
  /** Never called for a null key or value. */
  readonly deserialize: (bytes: Uint8Array<ArrayBuffer>) => T
  /** In error messages; "serde" when there is none. */
  readonly name?: string
  /** Null keys, or null values (tombstones), may be sent and read: `nullable(serde)`. */
  readonly nullable?: boolean
  /** The next `serialize` of any serde may overwrite the bytes that the last one gave. */
  readonly borrowed?: boolean
  /** The same as `deserialize(bytes.subarray(start, end))`, without the view. */
  readonly deserializeRange?: (bytes: Uint8Array<ArrayBuffer>, start: number, end: number) => T
  /** Loads what must be loaded before the first call. Awaited when a topic is bound. */
  readonly prepare?: () => Promise<void>
  /** Only where there is a schema: this serde, checking on read as well. */
  readonly checkedOnRead?: () => Serde<T, In>
}

/** The bytes as they are. Reading gives a view of the batch's private memory: `slice()` it to let go of the batch. */
export function bytes(): Serde<Uint8Array<ArrayBuffer>, Uint8Array> {
  return BYTES
}

const BYTES: Serde<Uint8Array<ArrayBuffer>, Uint8Array> = Object.freeze({
  name: 'bytes()',
  serialize(value: Uint8Array) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`bytes() takes a Uint8Array, not ${typeName(value)}`)
    return value
  },
  deserialize: (value: Uint8Array<ArrayBuffer>) => value,
})

/** Text as UTF-8. Bytes that are not UTF-8 are an error on read: take `bytes()` for those. */
export function string(): Serde<string> {
  return STRING
}

const STRING: Serde<string> = Object.freeze({
  name: 'string()',
  serialize(value: string) {
    if (typeof value !== 'string') throw new TypeError(`string() takes a string, not ${typeName(value)}`)
    return value
  },
  deserialize: (value: Uint8Array<ArrayBuffer>) => decodeUtf8(value, 0, value.length),
  deserializeRange: decodeUtf8,
})

/**
 * JSON text as UTF-8, as `JSON.stringify` writes it. Give the type of the value
 * (`json<Click>()`), or a Standard Schema: then `send` takes the schema's input and
 * writes its output. For `validate: 'both'` the schema must accept its own output.
 */
export function json<T = unknown>(): Serde<T>
export function json<Schema extends StandardSchema>(schema: Schema): SchemaSerde<Schema>
export function json(schema?: StandardSchema): Serde<unknown> {
  return schema === undefined ? JSON_SERDE : withSchema(JSON_SERDE, schema, false)
}

const JSON_SERDE: Serde<unknown> = Object.freeze({
  name: 'json()',
  serialize(value: unknown) {
    refuseOpaque(value)
    const text: string | undefined = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeName(value)}`)
    return text
  },
  deserialize: (value: Uint8Array<ArrayBuffer>): unknown => JSON.parse(decodeUtf8(value, 0, value.length)),
  deserializeRange: (value: Uint8Array<ArrayBuffer>, start: number, end: number): unknown => JSON.parse(decodeUtf8(value, start, end)),
})

/** A serde of a schema. Null is left to `nullable`, which encodes it without asking the schema. */
export type SchemaSerde<Schema extends StandardSchema> = Serde<InferOutput<Schema>, Exclude<InferInput<Schema>, null | undefined>>

/** The same serde, checking against a schema on send, and on read too with `onRead`. */
export function withSchema(inner: Serde<unknown>, schema: StandardSchema, onRead: boolean): Serde<unknown> {
  checkSchema(schema)
  return Object.freeze({
    ...inner,
    name: inner.name?.replace('()', '(schema)') ?? 'serde with a schema',
    serialize(value: unknown) {
      const output = validateNow(schema, value)
      if (output === null || output === undefined) throw new TypeError(`the schema made ${String(output)} of the value`)
      // What every reader will check is checked here first: the sender is who can mend it.
      if (onRead) validateNow(schema, output)
      return inner.serialize(output)
    },
    deserialize(view: Uint8Array<ArrayBuffer>) {
      const value = inner.deserialize(view)
      return onRead ? validateNow(schema, value) : value
    },
    deserializeRange(view: Uint8Array<ArrayBuffer>, start: number, end: number) {
      const value = deserializeRange(inner, view, start, end)
      return onRead ? validateNow(schema, value) : value
    },
    checkedOnRead: () => withSchema(inner, schema, true),
  })
}

/** Null as well: a null key, or a null value (a tombstone, in Kafka's word). Anything else is the inner serde's. */
export function nullable<T, In>(inner: Serde<T, In>): Serde<T | null, In | null> {
  if ((inner as unknown) === STRING) return NULLABLE_STRING as Serde<unknown, unknown> as Serde<T | null, In | null>
  return makeNullable(inner)
}

function makeNullable<T, In>(inner: Serde<T, In>): Serde<T | null, In | null> {
  const checked = checkSerde(inner, 'nullable()')
  if (checked.nullable === true) return checked as Serde<T | null, In | null>
  const { borrowed, prepare, checkedOnRead } = checked
  return Object.freeze({
    name: `nullable(${checked.name ?? 'serde'})`,
    nullable: true,
    // serializeField has taken null before this is called
    serialize: (value: In | null) => checked.serialize(value as In),
    deserialize: (view: Uint8Array<ArrayBuffer>) => checked.deserialize(view),
    deserializeRange: (view: Uint8Array<ArrayBuffer>, start: number, end: number) => deserializeRange(checked, view, start, end),
    ...(borrowed === undefined ? {} : { borrowed }),
    ...(prepare === undefined ? {} : { prepare: () => prepare.call(checked) }),
    ...(checkedOnRead === undefined ? {} : { checkedOnRead: () => nullable(checkedOnRead.call(checked)) }),
  })
}

const NULLABLE_STRING: Serde<string | null> = makeNullable(STRING)

/** Whether a text is written by it as it is. */
export function takesText(serde: Serde<unknown, never>): boolean {
  return (serde as unknown) === STRING || (serde as unknown) === NULLABLE_STRING
}

/** Refuses what is no serde, saying what was probably meant. */
export function checkSerde<T, In>(serde: Serde<T, In>, where: string): Serde<T, In> {
  const given: unknown = serde
  const named = `${where} takes a serde: bytes(), string(), json(), msgpack(), nullable(…) or { serialize, deserialize }`
  if (typeof given === 'object' && given !== null) {
    const { serialize, deserialize } = given as { serialize?: unknown; deserialize?: unknown }
    if (typeof serialize === 'function' && typeof deserialize === 'function') return serde
  }
  if (typeof given === 'object' || typeof given === 'function') {
    if (given !== null && '~standard' in given) throw new MillraceError('INVALID_CONFIG', `${named}: write json(schema) or msgpack(schema)`)
  }
  if (typeof given === 'function') throw new MillraceError('INVALID_CONFIG', `${named}: call the function, as in string()`)
  throw new MillraceError('INVALID_CONFIG', `${named}; ${typeName(given)} was given`)
}

// --- used by the producer and by records -----------------------------------------

export type RecordField = 'key' | 'value'

/**
 * A key or value as the batch builder takes it: bytes, text, or null. The value is
 * to be encoded last and appended at once, for its bytes may be borrowed; those of
 * a key never are. Throws SERIALIZATION, naming the topic.
 */
export function serializeField<In>(
  serde: Serde<unknown, In>,
  value: In,
  field: RecordField,
  topicName: string,
): Uint8Array | string | null {
  if (value === null || value === undefined) return absent(serde, value, field, topicName)
  let encoded: Uint8Array | string
  try {
    encoded = serde.serialize(value)
  } catch (cause) {
    // a schema found to be asynchronous, or a defect of ours, keeps its own code
    if (cause instanceof MillraceError) throw cause
    throw serializationError(serde, field, topicName, cause)
  }
  if (typeof encoded === 'string') return encoded
  if (!(encoded instanceof Uint8Array)) {
    const cause = new TypeError(`serialize gave ${typeName(encoded)}: it must give a Uint8Array or a string`)
    throw serializationError(serde, field, topicName, cause)
  }
  return field === 'key' && serde.borrowed === true ? encoded.slice() : encoded
}

/**
 * Reads a key or value from `bytes[start, end)`; a negative start is null. Throws
 * DESERIALIZATION, naming topic, partition and offset.
 */
export function deserializeField<T>(
  serde: Serde<T, never>,
  view: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
  field: RecordField,
  topicName: string,
  partition: number,
  offset: number,
): T {
  if (start < 0) {
    if (serde.nullable === true) return null as T
    throw new MillraceError(
      'DESERIALIZATION',
      `the ${field} of ${topicName}-${partition} at offset ${offset} is null, which ${nameOf(serde)} does not take: ` +
        'define the topic with nullable(…), or send such records to a dead-letter topic',
    )
  }
  try {
    return deserializeRange(serde, view, start, end)
  } catch (cause) {
    throw deserializationError(serde, field, `${topicName}-${partition} at offset ${offset}`, cause)
  }
}

function deserializeRange<T>(serde: Serde<T, never>, view: Uint8Array<ArrayBuffer>, start: number, end: number): T {
  return serde.deserializeRange === undefined ? serde.deserialize(view.subarray(start, end)) : serde.deserializeRange(view, start, end)
}

function absent(serde: Serde<unknown, never>, value: unknown, field: RecordField, topicName: string): null {
  // A key may be left out where null is allowed; a value that was forgotten must not become a tombstone.
  if (serde.nullable === true && (value === null || field === 'key')) return null
  const given = value === null ? 'is null' : 'is missing'
  const remedy = value === null ? `define the topic with ${field}: nullable(…) to allow null` : `give a ${field}`
  throw new MillraceError('SERIALIZATION', `the ${field} for topic ${topicName} ${given}: ${remedy}`)
}

function serializationError(serde: Serde<unknown, never>, field: RecordField, topicName: string, cause: unknown): MillraceError {
  const message = `the ${field} for topic ${topicName} cannot be encoded by ${nameOf(serde)}: ${messageOf(cause)}`
  return new MillraceError('SERIALIZATION', message, { cause })
}

function deserializationError(serde: Serde<unknown, never>, field: RecordField, where: string, cause: unknown): MillraceError {
  const message = `the ${field} of ${where} cannot be decoded by ${nameOf(serde)}: ${messageOf(cause)}`
  return new MillraceError('DESERIALIZATION', message, { cause })
}

function nameOf(serde: Serde<unknown, never>): string {
  return serde.name ?? 'its serde'
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

// --- details ---------------------------------------------------------------------

/** Refuses what JSON and MessagePack would both write as an empty object, silently. */
export function refuseOpaque(value: unknown): void {
  if (value instanceof Promise) throw new TypeError('the value is a promise: await it first')
  if (value instanceof Map || value instanceof Set) {
    throw new TypeError(`a ${value.constructor.name} has no form of its own: give Object.fromEntries(map) or [...set]`)
  }
}

export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return `an object of class ${(value.constructor as { name?: string } | undefined)?.name ?? 'Object'}`
  return `a ${typeof value}`
}
