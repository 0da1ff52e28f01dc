// A second encoder, to compare with: it knows nothing of src/protocol's tables and
// plans, but walks the facts of Kafka's schemas by name, as slowly as can be.

import { camelCase } from './schema-text.ts'
import type { FactField, FactMessage } from './schema-facts.ts'

type Struct = Readonly<Record<string, unknown>>

export function referenceEncode(message: FactMessage, version: number, value: object): Buffer {
  return struct(message, message.fields, version, value as Struct)
}

function struct(message: FactMessage, fields: readonly FactField[], version: number, value: Struct): Buffer {
  const isFlexible = within(message.flexibleVersions, version)
  const parts: Buffer[] = []
  const tagged: (readonly [tag: number, bytes: Buffer])[] = []
  for (const field of fields) {
    if (!within(field.versions ?? field.taggedVersions!, version)) continue
    const own = value[camelCase(field.name)]
    if (!within(field.taggedVersions ?? 'none', version)) parts.push(encode(message, field, version, own, isFlexible))
    else if (!isDefault(message, field, own)) tagged.push([field.tag!, encode(message, field, version, own, true)])
  }
  if (!isFlexible) return Buffer.concat(parts)
  tagged.sort(([a], [b]) => a - b)
  parts.push(varint(tagged.length), ...tagged.flatMap(([tag, bytes]) => [varint(tag), varint(bytes.length), bytes]))
  return Buffer.concat(parts)
}

function encode(message: FactMessage, field: FactField, version: number, value: unknown, isCompact: boolean): Buffer {
  const type = field.type.replace('[]', '')
  const isStruct = /^[A-Z]/.test(type)
  if (field.type.startsWith('[]')) {
    if (value === null) return length(null, isCompact, 4)
    const list = value as readonly unknown[]
    const elements = list.map((element) =>
      isStruct ? struct(message, structFields(message, field), version, element as Struct) : primitive(type, element, isCompact),
    )
    return Buffer.concat([length(list.length, isCompact, 4), ...elements])
  }
  if (!isStruct) return primitive(type, value, isCompact)
  const isNullable = within(field.nullableVersions ?? 'none', version)
  if (value === null) return Buffer.from([within(field.taggedVersions ?? 'none', version) ? 0 : 0xff])
  const bytes = struct(message, structFields(message, field), version, value as Struct)
  return isNullable ? Buffer.concat([Buffer.from([1]), bytes]) : bytes
}

function primitive(type: string, value: unknown, isCompact: boolean): Buffer {
  switch (type) {
    case 'bool':
      return Buffer.from([value === true ? 1 : 0])
    case 'string': {
      const text = value === null ? null : Buffer.from(value as string)
      return Buffer.concat([length(text?.length ?? null, isCompact, 2), text ?? Buffer.alloc(0)])
    }
    case 'bytes':
    case 'records': {
      const bytes = value as Uint8Array | null
      return Buffer.concat([length(bytes?.length ?? null, isCompact, 4), bytes ?? Buffer.alloc(0)])
    }
    case 'uuid':
      return Buffer.concat((value as readonly number[]).map((word) => primitive('int32', word, false)))
    case 'float64': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleBE(value as number)
      return bytes
    }
    default:
      return integer(type, value as number | bigint)
  }
}

function integer(type: string, value: number | bigint): Buffer {
  const bits = Number(/\d+$/.exec(type)![0])
  const wide = value === Number.POSITIVE_INFINITY ? 2n ** 63n - 1n : BigInt(value)
  return Buffer.from(
    BigInt.asUintN(bits, wide)
      .toString(16)
      .padStart(bits / 4, '0'),
    'hex',
  )
}

function length(value: number | null, isCompact: boolean, classicBytes: number): Buffer {
  if (isCompact) return varint(value === null ? 0 : value + 1)
  return integer(`int${classicBytes * 8}`, value ?? -1)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}

function structFields(message: FactMessage, field: FactField): readonly FactField[] {
  return field.fields ?? message.commonStructs!.find(({ name }) => name === field.type.replace('[]', ''))!.fields
}

function isDefault(message: FactMessage, field: FactField, value: unknown): boolean {
  // A JSON null is no default at all, as Kafka's generator reads it; the text "null" is one.
  const fallback = field.default ?? undefined
  if (fallback === 'null') return value === null
  if (value === null) return false
  if (field.type.startsWith('[]')) return (value as readonly unknown[]).length === 0
  if (/^[A-Z]/.test(field.type)) {
    return structFields(message, field).every((inner) => isDefault(message, inner, (value as Struct)[camelCase(inner.name)]))
  }
  switch (field.type) {
    case 'string':
      return value === (fallback ?? '')
    case 'bool':
      return value === (String(fallback) === 'true')
    case 'uuid':
      return (value as readonly number[]).every((word) => word === 0)
    case 'bytes':
      return (value as Uint8Array).length === 0
    default:
      return integer('int64', value as number).equals(integer('int64', BigInt(fallback ?? 0)))
  }
}

function within(range: string, version: number): boolean {
  if (range === 'none') return false
  const [first, last = ''] = range.split(/[-+]/)
  if (range.endsWith('+')) return version >= Number(first)
  return version >= Number(first) && version <= Number(last === '' ? first : last)
}
