// The facts of Kafka's message schemas, as files beside the repository hold them. They
// are no part of the package: the tables in src/protocol are its own copy, written by
// generate-schemas.ts. Without the files, tests that need them say so.

import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface FactField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly fields?: readonly FactField[]
}

export interface FactMessage {
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly FactField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FactField[] }[]
}

export interface FactRecord extends FactMessage {
  /** The number that stands in the record: a coordinator's record type, or a metadata record's. */
  readonly apiKey: number
}

export interface FactApi {
  readonly apiKey: number
  readonly name: string
  readonly request: Omit<FactMessage, 'name'>
  readonly response: Omit<FactMessage, 'name'>
}

export interface Facts {
  readonly apis: readonly FactApi[]
  readonly metadata: readonly FactRecord[]
  readonly group: readonly FactRecord[]
  readonly transaction: readonly FactRecord[]
  readonly control: readonly FactMessage[]
}

const REFERENCE = new URL('../../../shared/reference/', import.meta.url)

export function referenceFile(name: string): URL | undefined {
  const url = new URL(name, REFERENCE)
  return existsSync(url) ? url : undefined
}

/** Undefined where the files are not there. */
export function readFacts(): Facts | undefined {
  const protocol = referenceFile('kafka-protocol.json')
  const records = referenceFile('kafka-record-schemas.json')
  if (protocol === undefined || records === undefined) return undefined
  const { apis } = JSON.parse(readFileSync(protocol, 'utf8')) as Pick<Facts, 'apis'>
  return { ...(JSON.parse(readFileSync(records, 'utf8')) as Omit<Facts, 'apis'>), apis }
}

/** The text of a file of the reference, unpacked where its name ends in `.gz`. */
export function readReference(name: string): string | undefined {
  const url = referenceFile(name)
  if (url === undefined) return undefined
  const bytes = readFileSync(url)
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
