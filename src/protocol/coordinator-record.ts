// Records of `__consumer_offsets` and `__transaction_state`. The key begins with an
// int16 that names the record's kind, the value with an int16 that is its version; a
// null value takes the key away.
// Pure; any thread.

import { MillraceError } from '../errors.ts'
import { readMessage } from './decoder.ts'
import { encoded, writeMessage } from './encoder.ts'
import { decodeVersioned, encodeVersioned, logReader } from './versioned-message.ts'
import type { MessageSchema } from './message-schema.ts'
import type { MessageInput } from './schema.ts'

/** A kind of record: the number its keys begin with, and both schemas. */
export interface CoordinatorRecordKind<Key, Value> {
  readonly type: number
  readonly key: MessageSchema<Key>
  readonly value: MessageSchema<Value>
}

/** `Types` gives each kind's name the types of its key and value, as a pair. */
export type CoordinatorRecordKinds<Types extends object> = {
  readonly [Name in keyof Types]: Types[Name] extends readonly [infer Key, infer Value] ? CoordinatorRecordKind<Key, Value> : never
}

export type CoordinatorRecord<Types extends object> = {
  readonly [Name in keyof Types]: Types[Name] extends readonly [infer Key, infer Value]
    ? {
        readonly type: Name
        readonly key: Key
        /** Of the value; -1 without one. */
        readonly version: number
        /** Null takes the key away. */
        readonly value: Value | null
      }
    : never
}[keyof Types]

/** All kinds' keys have one version, 0. */
const KEY_VERSION = 0

export function encodeCoordinatorKey<Key>(kind: Omit<CoordinatorRecordKind<Key, unknown>, 'value'>, key: MessageInput<Key>): Uint8Array {
  return encoded((writer) => {
    writer.writeInt16(kind.type)
    writeMessage(writer, kind.key, KEY_VERSION, key)
  })
}

export function encodeCoordinatorValue<Value>(
  kind: Omit<CoordinatorRecordKind<unknown, Value>, 'key'>,
  version: number,
  value: MessageInput<Value>,
): Uint8Array {
  return encodeVersioned(kind.value, version, value)
}

/** Throws UNSUPPORTED_VERSION for a kind or a version that is not known. */
export function decodeCoordinatorRecord<Types extends object>(
  kinds: CoordinatorRecordKinds<Types>,
  key: Uint8Array,
  value: Uint8Array | null,
): CoordinatorRecord<Types> {
  const reader = logReader(key, 'coordinator record')
  const type = reader.readInt16()
  const found = kindsByType(kinds).get(type)
  if (found === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `a coordinator record of type ${type} is of no known kind`)
  const [name, kind] = found
  const decodedKey = readMessage(reader, kind.key, KEY_VERSION)
  reader.expectEnd()
  const decoded = value === null ? { version: -1, message: null } : decodeVersioned(kind.value, value)
  return { type: name, key: decodedKey, version: decoded.version, value: decoded.message } as CoordinatorRecord<Types>
}

type NamedKind = readonly [name: string, kind: CoordinatorRecordKind<object, object>]

const byType = new WeakMap<object, ReadonlyMap<number, NamedKind>>()

function kindsByType(kinds: object): ReadonlyMap<number, NamedKind> {
  let found = byType.get(kinds)
  if (found === undefined) {
    const named = Object.entries(kinds as Readonly<Record<string, CoordinatorRecordKind<object, object>>>)
    found = new Map(named.map(([name, kind]) => [kind.type, [name, kind]]))
    byType.set(kinds, found)
  }
  return found
}
