// Messages of random values, from a schema: whatever a version can carry, with edges of
// each type more often than chance would have them.

import { defaultMessage } from '../../src/protocol/decoder.ts'
import { includes } from '../../src/protocol/schema.ts'
import type { MessageSchema } from '../../src/protocol/message-schema.ts'
import type { FieldKind, FieldSchema } from '../../src/protocol/schema.ts'
import type { Random } from '../../src/random.ts'

const INTEGER_BITS: Readonly<Partial<Record<FieldKind, readonly [min: number, max: number]>>> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
}

const TEXTS = ['', 'a', 'orders', 'ümlaut', '日本語', '😀 and more', 'x'.repeat(126), 'y'.repeat(127), 'z'.repeat(300), '\uFEFFmark']

/** A complete message; what the version cannot carry has its default. */
export function randomMessage<Message>(schema: MessageSchema<Message>, version: number, random: Random): Message {
  const message = defaultMessage(schema) as Record<string, unknown>
  fill(message, schema.fields, version, random)
  return message as Message
}

function fill(struct: Record<string, unknown>, fields: readonly FieldSchema[], version: number, random: Random): void {
  for (const field of fields) {
    if (!includes(field.versions, version)) continue
    // Tagged fields often keep their default, and are then not on the wire.
    if (field.tag !== undefined && random.below(3) === 0) continue
    if (includes(field.nullable, version) && random.below(4) === 0) struct[field.name] = null
    else if (!field.isArray) struct[field.name] = randomValue(field, version, random)
    else struct[field.name] = Array.from({ length: random.below(4) }, () => randomValue(field, version, random))
  }
}

function randomValue(field: FieldSchema, version: number, random: Random): unknown {
  switch (field.kind) {
    case 'bool':
      return random.below(2) === 0
    case 'string':
      return TEXTS[random.below(TEXTS.length)]
    case 'uuid':
      return Array.from({ length: 4 }, () => random.uint32() | 0)
    case 'float64':
      return [0, -1.5, Number.MAX_VALUE, random.fraction()][random.below(4)]
    case 'long':
      return [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(random.uint32()) << 29n][random.below(5)]
    case 'bytes':
    case 'records':
      return Uint8Array.from({ length: random.below(2) * random.below(200) }, () => random.below(256))
    case 'struct':
      return randomStruct(field.fields, version, random)
    default:
      return randomInteger(field, random)
  }
}

function randomStruct(fields: readonly FieldSchema[], version: number, random: Random): Record<string, unknown> {
  const struct = defaultStruct(fields)
  fill(struct, fields, version, random)
  return struct
}

function randomInteger(field: FieldSchema, random: Random): number {
  const [min, max] = INTEGER_BITS[field.kind]!
  if (field.defaultValue === Number.POSITIVE_INFINITY && random.below(2) === 0) return Number.POSITIVE_INFINITY
  const inside = Math.floor(random.fraction() * Math.min(max, 2 ** 40))
  return [min, max, 0, 1, inside, -inside < min ? inside : -inside][random.below(6)]! + 0
}

function defaultStruct(fields: readonly FieldSchema[]): Record<string, unknown> {
  const struct: Record<string, unknown> = {}
  for (const field of fields) struct[field.name] = field.defaultValue !== undefined ? field.defaultValue : kindDefault(field)
  return struct
}

function kindDefault(field: FieldSchema): unknown {
  if (field.isArray) return []
  switch (field.kind) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return [0, 0, 0, 0]
    case 'long':
      return 0n
    case 'bytes':
    case 'records':
      return new Uint8Array(0)
    case 'struct':
      return defaultStruct(field.fields)
    default:
      return 0
  }
}
