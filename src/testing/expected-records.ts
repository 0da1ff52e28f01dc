// Whether records are what a test expects, and how they differ. Pure.

import { parsedJson } from './plain-values.ts'

/** A record as `records` gives it. */
export interface TestRecord<K = unknown, V = unknown> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: K
  readonly value: V
  /** Values as text; of a name that stands twice, the last. */
  readonly headers: Readonly<Record<string, string | null>>
}

/** What a test says of a record that it expects: what is left out may be anything, inside of objects as well. */
export interface ExpectedRecord {
  readonly partition?: number
  readonly offset?: number
  readonly timestamp?: number
  readonly key?: unknown
  readonly value?: unknown
  readonly headers?: Readonly<Record<string, string | null>>
}

const FIELDS = ['partition', 'offset', 'key', 'value', 'headers', 'timestamp'] as const

/**
 * For each expected record the one that it is, each only once: records of one partition in the order in which they are expected. In
 * `records` those of a partition stand in order. Undefined for an expected record that is not there.
 */
export function matchRecords(records: readonly TestRecord[], expected: readonly ExpectedRecord[]): (TestRecord | undefined)[] {
  const taken = new Map<number, number>()
  return expected.map((each) => {
    const found = records.find((record) => record.offset > (taken.get(record.partition) ?? -1) && matchesRecord(record, each))
    if (found !== undefined) taken.set(found.partition, found.offset)
    return found
  })
}

export function matchesRecord(record: TestRecord, expected: ExpectedRecord): boolean {
  return FIELDS.every((field) => !(field in expected) || matches(record[field], expected[field]))
}

/** Objects as far as the expected one says, all else as a whole; the JSON text of an object is that object. */
export function matches(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true
  if (typeof expected === 'string' && typeof actual === 'object' && actual !== null) {
    const parsed = parsedJson(expected)
    return parsed !== undefined && matches(actual, parsed) && matches(parsed, actual)
  }
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return false
  if (expected instanceof Date) return actual instanceof Date && actual.getTime() === expected.getTime()
  if (ArrayBuffer.isView(expected) || Array.isArray(expected)) return matchesInOrder(actual, expected as unknown as ArrayLike<unknown>)
  if (expected instanceof Map) return actual instanceof Map && [...expected].every(([key, value]) => matches(actual.get(key), value))
  if (expected instanceof Set) return actual instanceof Set && [...expected].every((value) => actual.has(value))
  return Object.entries(expected).every(([name, value]) => matches((actual as Record<string, unknown>)[name], value))
}

function matchesInOrder(actual: object, expected: ArrayLike<unknown>): boolean {
  if (!ArrayBuffer.isView(actual) && !Array.isArray(actual)) return false
  const list = actual as unknown as ArrayLike<unknown>
  return list.length === expected.length && Array.from(expected).every((value, i) => matches(list[i], value))
}

/** Records that are told of, at most; the last ones. */
const SHOWN_MAX = 20

/** What is expected line by line, with what is missing marked, and what is there; of a missing record, the one that comes closest. */
export function describeMismatch(topic: string, records: readonly TestRecord[], expected: readonly ExpectedRecord[]): string {
  const found = matchRecords(records, expected)
  const missing = found.filter((each) => each === undefined).length
  const lines = [`topic "${topic}" has ${records.length} record(s), and not ${missing} of the ${expected.length} that are expected:`]
  for (const [i, each] of expected.entries()) {
    const record = found[i]
    lines.push(record === undefined ? `- ${showExpected(each)}` : `  ${showExpected(each)}   (${record.partition}@${record.offset})`)
    if (record === undefined) lines.push(...closest(records, each))
  }
  lines.push('what is there:')
  if (records.length > SHOWN_MAX) lines.push(`  … ${records.length - SHOWN_MAX} more before`)
  for (const record of records.slice(-SHOWN_MAX)) lines.push(`  ${record.partition}@${record.offset} ${showExpected(given(record))}`)
  if (records.length === 0) lines.push('  nothing')
  return lines.join('\n')
}

/** What differs in the record that has most of it. */
function closest(records: readonly TestRecord[], expected: ExpectedRecord): string[] {
  const asked = FIELDS.filter((field) => field in expected)
  let best: { readonly record: TestRecord; readonly wrong: readonly (typeof FIELDS)[number][] } | undefined
  for (const record of records) {
    const wrong = asked.filter((field) => !matches(record[field], expected[field]))
    if (wrong.length < asked.length && (best === undefined || wrong.length < best.wrong.length)) best = { record, wrong }
  }
  if (best === undefined) return []
  const { record, wrong } = best
  const at = `${record.partition}@${record.offset}`
  if (wrong.length === 0) return [`    ${at} is like it, but stands before another expected record of its partition, or is taken`]
  return wrong.map((field) => `    ${at} comes closest: its ${field} is ${show(record[field])}`)
}

function given({ key, value, headers, timestamp }: TestRecord): ExpectedRecord {
  return { key, value, ...(Object.keys(headers).length === 0 ? {} : { headers }), timestamp }
}

function showExpected(expected: ExpectedRecord): string {
  return `{ ${FIELDS.filter((field) => field in expected)
    .map((field) => `${field}: ${show(expected[field])}`)
    .join(', ')} }`
}

function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (ArrayBuffer.isView(value)) return `bytes(${Array.from(value as unknown as ArrayLike<number>).join(' ')})`
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? typeof value
}
