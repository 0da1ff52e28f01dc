// The msgpack serde, millrace's default for values: MessagePack. Plain values, which are
// most, take a short way of their own (msgpack-encoder.ts, msgpack-decoder.ts); all others
// go to @msgpack/msgpack, with one encoder and one decoder a thread, loaded when the first
// topic that uses it is bound (6 ms), not at import.
//
// Runs on the user's thread. Holds:
// - what serialize gives is the encoder's own memory, valid until the next call on
//   this thread (`borrowed`): it is copied into the batch at once;
// - decoded `bin` values are views of the bytes decoded, not copies. That is safe
//   because a record's batch is private memory that is never written again; it would
//   not be safe over a lane or log memory, which is reused;
// - nothing is changed silently: what MessagePack cannot say as it is (bigint, Map,
//   Set, typed arrays other than Uint8Array) is refused on send, and an integer
//   beyond 2^53 - 1 on read. Properties that are undefined are left out, as in JSON.

import type { Decoder, Encoder } from '@msgpack/msgpack'
import { MillraceError } from '../errors.ts'
import { NOT_PLAIN, PlainDecoder } from './msgpack-decoder.ts'
import { PlainEncoder } from './msgpack-encoder.ts'
import { MSGPACK_DEPTH_MAX, msgpackFault } from './msgpack-scan.ts'
import { refuseOpaque, typeName, withSchema } from './serde.ts'
import type { SchemaSerde, Serde } from './serde.ts'
import type { StandardSchema } from './standard-schema.ts'

/**
 * MessagePack. Give the type of the value (`msgpack<Click>()`), or a Standard Schema:
 * then `send` takes the schema's input and writes its output. For `validate: 'both'`
 * the schema must accept its own output. Dates travel as dates, Uint8Arrays as bytes.
 */
export function msgpack<T = unknown>(): Serde<T>
export function msgpack<Schema extends StandardSchema>(schema: Schema): SchemaSerde<Schema>
export function msgpack(schema?: StandardSchema): Serde<unknown> {
  return schema === undefined ? MSGPACK : withSchema(MSGPACK, schema, false)
}

const MSGPACK: Serde<unknown> = Object.freeze({
  name: 'msgpack()',
  borrowed: true,
  prepare,
  serialize: encode,
  deserialize: (value: Uint8Array<ArrayBuffer>) => decode(value, 0, value.length),
  deserializeRange: decode,
})

interface Codec {
  readonly newEncoder: () => Encoder
  readonly decoder: Decoder
  encoder: Encoder
  readonly plainEncoder: PlainEncoder
  readonly plainDecoder: PlainDecoder
}

let codec: Codec | undefined
let loading: Promise<void> | undefined

function prepare(): Promise<void> {
  loading ??= load()
  return loading
}

async function load(): Promise<void> {
  const { Decoder, Encoder, ExtensionCodec } = await import('@msgpack/msgpack')
  const dates = ExtensionCodec.defaultCodec
  const extensionCodec = {
    // called for everything but null, booleans, numbers and strings
    tryToEncode(object: unknown, context: undefined) {
      if (isPlain(object)) return null
      refuseUnfaithful(object)
      return dates.tryToEncode(object, context)
    },
    decode: (data: Uint8Array, type: number, context: undefined) => dates.decode(data, type, context),
  }
  const newEncoder = (): Encoder => new Encoder({ extensionCodec, ignoreUndefined: true, maxDepth: MSGPACK_DEPTH_MAX })
  const decoder = new Decoder({ extensionCodec })
  codec = { newEncoder, encoder: newEncoder(), decoder, plainEncoder: new PlainEncoder(), plainDecoder: new PlainDecoder() }
}

function loaded(): Codec {
  if (codec !== undefined) return codec
  throw new MillraceError(
    'INVALID_REQUEST',
    'msgpack() is loaded when a topic is bound: await millrace.topic(…), or prepare() of the serde, first',
  )
}

// An encoder never shrinks: one that had to take a very large value is left to the collector.
const ENCODER_BYTES_MAX = 1024 * 1024

function encode(value: unknown): Uint8Array {
  const current = loaded()
  const plain = current.plainEncoder.encode(value)
  if (plain !== undefined) return plain
  const encoded = current.encoder.encodeSharedRef(value)
  if (encoded.buffer.byteLength > ENCODER_BYTES_MAX) current.encoder = current.newEncoder()
  return encoded
}

function decode(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): unknown {
  const { decoder, plainDecoder } = loaded()
  const plain = plainDecoder.decode(bytes, start, end)
  if (plain !== NOT_PLAIN) return plain
  const fault = msgpackFault(bytes, start, end)
  if (fault !== undefined) throw new RangeError(fault)
  return decoder.decode(bytes.subarray(start, end))
}

/** What most objects are: found at once, since this is asked of each object within a value. */
function isPlain(object: unknown): boolean {
  if (typeof object !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === Array.prototype
}

function refuseUnfaithful(object: unknown): void {
  refuseOpaque(object)
  if (typeof object === 'bigint') throw new TypeError('a bigint has no form here: give Number(value) or String(value)')
  if (ArrayBuffer.isView(object) && !(object instanceof Uint8Array)) {
    throw new TypeError(`${typeName(object)} would be read back as bytes: give a Uint8Array of its buffer, or Array.from(value)`)
  }
  if (object instanceof ArrayBuffer || object instanceof SharedArrayBuffer) {
    throw new TypeError(`${typeName(object)} would be read back as an empty object: give new Uint8Array(buffer)`)
  }
}
