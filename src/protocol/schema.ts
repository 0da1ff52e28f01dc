// Kafka's message schemas as data: which fields a message has, in which versions, of
// which type. A schema is written as a table, one line a field, parsed at first use.
// Pure; any thread.
//
//   name        type      then, in any order
//   ----------------------------------------------------------------------------
//   topicId     uuid      13+    present from version 13 on; -7 up to 7; 2-5; 4 in 4 only
//   name        string    ?10+   may be null from version 10 on; ? in all versions
//   rackId      string    =null  its default; without one 0, false, '', [], empty
//   endpoints   []        #0     a tagged field (KIP-482), with its tag
//   errorText   string    ~      ignorable: may be set where the version cannot carry it
//   topics      []  … {   an array of structs; its fields follow, up to a line with }
//   cursor      {}  … {   a struct
//
// Types: bool int8 int16 uint16 int32 uint32 int64 long float64 uuid string bytes
// records, and arrays of them as []int32. An int64 is a number in the API, a `long`
// (a field that fills all 64 bits, such as a hash) is a bigint.
// Holds: the tables are generated from the facts of Kafka's schemas by
// test/protocol/generate-schemas.ts, and a test compares the two.

import { assert } from '../assert.ts'
import type { TopicId } from '../ids.ts'

/** A 16-byte id, as four 32-bit words. */
export type Uuid = TopicId

/** What a caller may pass to be encoded: fields that are left out have their default. */
export type MessageInput<T> = T extends Uuid | Uint8Array
  ? T
  : T extends readonly (infer Element)[]
    ? readonly MessageInput<Element>[]
    : T extends object
      ? { readonly [Name in keyof T]?: MessageInput<T[Name]> | undefined }
      : T

const PRIMITIVES = [
  'bool',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'long',
  'float64',
  'uuid',
  'string',
  'bytes',
  'records',
] as const

export type FieldKind = (typeof PRIMITIVES)[number] | 'struct'

/** Both ends count; none where `first` is above `last`. */
export interface VersionRange {
  readonly first: number
  readonly last: number
}

export interface FieldSchema {
  readonly name: string
  readonly kind: FieldKind
  readonly isArray: boolean
  readonly versions: VersionRange
  readonly nullable: VersionRange
  /** Undefined for a field that is not tagged. */
  readonly tag: number | undefined
  /** Undefined where the type's own default applies. */
  readonly defaultValue: number | string | boolean | null | undefined
  readonly isIgnorable: boolean
  /** The fields of a struct, or of each struct of an array. */
  readonly fields: readonly FieldSchema[]
}

const ALL_VERSIONS: VersionRange = { first: 0, last: Number.POSITIVE_INFINITY }
const NO_VERSIONS: VersionRange = { first: 0, last: -1 }

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.first && version <= range.last
}

/** `3+`, `-7`, `2-5`, `4`, or `none`. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return NO_VERSIONS
  const match = /^(\d*)(\+|-?)(\d*)$/.exec(text)
  assert(match !== null && text !== '', `"${text}" names versions`)
  const [, first = '', mark = '', last = ''] = match
  if (mark === '+') return { first: Number(first), last: Number.POSITIVE_INFINITY }
  return mark === '' ? { first: Number(first), last: Number(first) } : { first: Number(first), last: Number(last) }
}

/** The fields of a table, from its lines. */
export function parseFields(table: readonly string[]): readonly FieldSchema[] {
  const lines = table.map((line) => line.trim()).filter((line) => line !== '')
  const cursor = { at: 0 }
  const fields = parseStruct(lines, cursor)
  assert(cursor.at === lines.length, `a table ends where its lines end: "${lines[cursor.at]}"`)
  return fields
}

// Reads up to the line that closes the struct, or to the end.
function parseStruct(lines: readonly string[], cursor: { at: number }): readonly FieldSchema[] {
  const fields: FieldSchema[] = []
  while (cursor.at < lines.length && lines[cursor.at] !== '}') {
    const words = lines[cursor.at++]!.split(' ')
    const opens = words.at(-1) === '{'
    if (opens) words.pop()
    const inner = opens ? parseStruct(lines, cursor) : []
    if (opens) assert(lines[cursor.at++] === '}', `the struct "${words[0]}" is closed`)
    fields.push(parseField(words, inner))
  }
  return fields
}

function parseField(words: readonly string[], fields: readonly FieldSchema[]): FieldSchema {
  const [name = '', type = '', ...modifiers] = words
  const isArray = type.startsWith('[]')
  const element = isArray ? type.slice(2) : type
  const kind = element === '' || element === '{}' ? 'struct' : PRIMITIVES.find((primitive) => primitive === element)
  assert(kind !== undefined, `"${type}" is the type of "${name}"`)
  let versions = ALL_VERSIONS
  let nullable = NO_VERSIONS
  let tag: number | undefined
  let defaultValue: FieldSchema['defaultValue']
  let isIgnorable = false
  for (const modifier of modifiers) {
    const rest = modifier.slice(1)
    if (modifier === '~') isIgnorable = true
    else if (modifier.startsWith('?')) nullable = rest === '' ? ALL_VERSIONS : parseVersions(rest)
    else if (modifier.startsWith('#')) tag = Number(rest)
    else if (modifier.startsWith('=')) defaultValue = parseDefault(rest)
    else versions = parseVersions(modifier)
  }
  return { name, kind, isArray, versions, nullable, tag, defaultValue, isIgnorable, fields }
}

// `Infinity` is the largest 64-bit number, where Kafka has it for "none".
function parseDefault(text: string): number | string | boolean | null {
  if (text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  assert(text !== '' && !Number.isNaN(Number(text)), `"${text}" is a default`)
  return Number(text)
}
