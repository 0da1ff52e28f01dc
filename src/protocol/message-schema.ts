// A message of Kafka's protocol, or a record of an internal topic: its name, its
// versions, its table of fields. It holds no bytes: encoder.ts and decoder.ts do the work.
// Any thread; each has its own.

import { MillraceError } from '../errors.ts'
import { parseFields, parseVersions } from './schema.ts'
import { compilePlan } from './struct-plan.ts'
import type { FieldSchema } from './schema.ts'
import type { StructPlan } from './struct-plan.ts'

/** `Message` is the type of its decoded form. */
export class MessageSchema<Message> {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** The first flexible version (KIP-482); Infinity where there is none. */
  readonly flexibleFrom: number
  /** Of types only: what `decodeMessage` gives. */
  declare readonly message?: Message
  readonly #table: string
  readonly #plans: StructPlan[] = []
  #fields: readonly FieldSchema[] | undefined

  /** The first line of the table is name, versions, flexible versions; the fields follow. */
  constructor(table: string) {
    this.#table = table.trim()
    const [name = '', versions = '', flexible = ''] = titleOf(this.#table).split(' ')
    const { first, last } = parseVersions(versions)
    this.name = name
    this.minVersion = first
    this.maxVersion = last
    this.flexibleFrom = flexible === 'none' ? Number.POSITIVE_INFINITY : parseVersions(flexible).first
  }

  /** The message with tagged fields of ours (KIP-482), a line each as in the table: readers that do not know them pass over them. */
  extended<More>(...lines: readonly string[]): MessageSchema<Message & More> {
    return new MessageSchema<Message & More>([this.#table, ...lines].join('\n'))
  }

  get fields(): readonly FieldSchema[] {
    return (this.#fields ??= parseFields(this.#table.slice(titleOf(this.#table).length).split('\n')))
  }

  supports(version: number): boolean {
    return version >= this.minVersion && version <= this.maxVersion
  }

  isFlexible(version: number): boolean {
    return version >= this.flexibleFrom
  }

  /** How to read and write a version; throws UNSUPPORTED_VERSION for one that is not known. */
  plan(version: number): StructPlan {
    return this.#plans[version] ?? this.#compile(version)
  }

  #compile(version: number): StructPlan {
    if (!Number.isInteger(version) || !this.supports(version)) {
      const known = this.minVersion === this.maxVersion ? `${this.minVersion}` : `${this.minVersion} to ${this.maxVersion}`
      throw new MillraceError('UNSUPPORTED_VERSION', `${this.name} has no version ${version}: versions ${known} are known`)
    }
    const plan = compilePlan(`${this.name} v${version}`, this.fields, version, this.isFlexible(version))
    this.#plans[version] = plan
    return plan
  }
}

function titleOf(table: string): string {
  const end = table.indexOf('\n')
  return end < 0 ? table : table.slice(0, end)
}
