// One message of the facts as source text: its table (src/protocol/schema.ts says how to
// read one) and its TypeScript interfaces.

import { assert } from '../../src/assert.ts'
import { parseVersions } from '../../src/protocol/schema.ts'
import type { VersionRange } from '../../src/protocol/schema.ts'
import type { FactField, FactMessage } from './schema-facts.ts'

/** The interfaces of one file, by name. */
export type Interfaces = Map<string, string>

// 64-bit fields that are no number of something but fill all their bits.
const LONG_FIELDS: ReadonlySet<string> = new Set(['MetadataHash'])
const INT64_MAX = '9223372036854775807'

const TYPES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  string: 'string',
  uuid: 'Uuid',
  bytes: 'Uint8Array',
  records: 'Uint8Array',
  long: 'bigint',
}

export function camelCase(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1)
}

/** `DescribeConfigsRequest` as DESCRIBE_CONFIGS_REQUEST. */
export function upperSnakeCase(name: string): string {
  return snakeCase(name, '_').toUpperCase()
}

/** `DescribeConfigsRequest` as describe-configs-request. */
export function kebabCase(name: string): string {
  return snakeCase(name, '-').toLowerCase()
}

function snakeCase(name: string, mark: string): string {
  return name.replace('KRaft', 'Kraft').replaceAll(/([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, `$1$2${mark}`)
}

/** The declaration of a message's schema; its interfaces are added to those of the file. */
export function messageText(message: FactMessage, interfaces: Interfaces): string {
  const valid = parseVersions(message.validVersions)
  const writer = new MessageWriter(message, interfaces)
  const lines = writer.tableOf(message.fields, valid, '  ')
  writer.addInterface(message.name, message.fields, valid)
  const title = `${message.name} ${message.validVersions} ${message.flexibleVersions}`
  const table = [title, ...lines].join('\n')
  return `export const ${upperSnakeCase(message.name)} = new MessageSchema<${message.name}>(\`\n${table}\n\`)\n`
}

class MessageWriter {
  readonly #message: FactMessage
  readonly #interfaces: Interfaces

  constructor(message: FactMessage, interfaces: Interfaces) {
    this.#message = message
    this.#interfaces = interfaces
  }

  /** The lines of a table; `parent` are the versions in which the struct itself is there. */
  tableOf(fields: readonly FactField[], parent: VersionRange, indent: string): string[] {
    return this.#present(fields, parent).flatMap(([field, versions]) => {
      const isArray = field.type.startsWith('[]')
      const inner = this.#fieldsOf(field)
      const type = inner === undefined ? columnType(field) : isArray ? '[]' : '{}'
      const words = [camelCase(field.name), type, ...modifiers(field, versions, parent)]
      if (inner === undefined) return [indent + words.join(' ')]
      return [`${indent}${words.join(' ')} {`, ...this.tableOf(inner, versions, `${indent}  `), `${indent}}`]
    })
  }

  addInterface(name: string, fields: readonly FactField[], parent: VersionRange): string {
    const lines = this.#present(fields, parent).map(([field, versions]) => {
      const nullable = intersection(parseVersions(field.nullableVersions ?? 'none'), versions)
      return `  ${camelCase(field.name)}: ${this.#typeOf(field, versions)}${isEmpty(nullable) ? '' : ' | null'}\n`
    })
    // A struct without fields is an empty object.
    const body = lines.length === 0 ? '' : `{\n${lines.join('')}}\n`
    const known = this.#interfaces.get(name)
    if (known !== undefined && known !== body) {
      assert(!name.startsWith(this.#message.name), `${name} has one shape`)
      return this.addInterface(this.#message.name + name, fields, parent)
    }
    this.#interfaces.set(name, body)
    return name
  }

  #typeOf(field: FactField, versions: VersionRange): string {
    const isArray = field.type.startsWith('[]')
    const inner = this.#fieldsOf(field)
    const element = isArray ? field.type.slice(2) : field.type
    const type = inner === undefined ? primitiveType({ ...field, type: element }) : this.addInterface(element, inner, versions)
    return isArray ? `${type}[]` : type
  }

  // The fields of a struct, which may stand beside the message for several to use.
  #fieldsOf(field: FactField): readonly FactField[] | undefined {
    const element = field.type.replace('[]', '')
    if (!/^[A-Z]/.test(element)) return undefined
    const fields = field.fields ?? this.#message.commonStructs?.find(({ name }) => name === element)?.fields
    assert(fields !== undefined, `${this.#message.name} has a struct ${element}`)
    return fields
  }

  #present(fields: readonly FactField[], parent: VersionRange): (readonly [FactField, VersionRange])[] {
    return fields
      .map((field) => [field, intersection(parseVersions(field.versions ?? field.taggedVersions!), parent)] as const)
      .filter(([, versions]) => !isEmpty(versions))
  }
}

function columnType(field: FactField): string {
  return LONG_FIELDS.has(field.name) ? field.type.replace('int64', 'long') : field.type
}

function primitiveType(field: FactField): string {
  return TYPES[columnType(field)] ?? 'number'
}

function modifiers(field: FactField, versions: VersionRange, parent: VersionRange): string[] {
  const words: string[] = []
  const nullable = intersection(parseVersions(field.nullableVersions ?? 'none'), versions)
  if (!isEmpty(nullable)) words.push(`?${rangeText(nullable, versions)}`)
  const present = rangeText(versions, parent)
  if (present !== '') words.push(present)
  if (field.tag !== undefined) words.push(`#${field.tag}`)
  const fallback = defaultText(field)
  if (fallback !== '') words.push(`=${fallback}`)
  // Without versions that lack the field there is nothing to ignore.
  if (field.ignorable === true && present !== '') words.push('~')
  return words
}

/** The part of a range that is not said by the one around it. */
function rangeText(range: VersionRange, around: VersionRange): string {
  if (range.first <= around.first && range.last >= around.last) return ''
  if (range.last >= around.last) return `${range.first}+`
  if (range.first <= around.first) return `-${range.last}`
  return range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`
}

function defaultText(field: FactField): string {
  // A JSON null is no default at all, as Kafka's generator reads it; the text "null" is one.
  if (field.default === undefined || field.default === null) return ''
  const text = String(field.default)
  if (text === 'null' || text === 'true') return text
  if (text === 'false' || text === '') return ''
  if (text === INT64_MAX) return 'Infinity'
  assert(Number.isSafeInteger(Number(text)), `${field.name} has a default that is a number: ${text}`)
  return Number(text) === 0 ? '' : String(Number(text))
}

function intersection(a: VersionRange, b: VersionRange): VersionRange {
  return { first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) }
}

function isEmpty(range: VersionRange): boolean {
  return range.first > range.last
}
