// Kafka's own tables of configs, for tests that compare ours with them.

import { readFileSync } from 'node:fs'

export interface KafkaDefault {
  readonly type: string
  readonly default: string | number | boolean | null
  readonly internal: boolean
}

/** Name, type and default of Kafka 4.4's settings of one class. */
export function kafkaDefaults(group: string): Map<string, KafkaDefault> {
  const rows = read('kafka-configs.json')[group] as [string, string, string | number | boolean | null, string?][]
  return new Map(rows.map(([name, type, value, internal]) => [name, { type, default: value, internal: internal !== undefined }]))
}

/** Name and valid values, in Kafka 4.3.1's own words. */
export function kafkaRanges(group: string): Map<string, string | null> {
  const rows = read('kafka-config-ranges.json')[group] as [string, string, string | null, string | null, string][]
  return new Map(rows.map(([name, , , valid]) => [name, valid]))
}

/** The bounds that Kafka's words for valid numbers state: "[1,...,9] or -1". */
export function rangeOf(valid: string | null): { min: number | undefined; max: number | undefined } {
  if (valid === null) return { min: undefined, max: undefined }
  const numbers = [...valid.matchAll(/-?\d+(\.\d+)?/g)].map(([digits]) => Number(digits))
  const isOpen = valid.endsWith(',...]')
  return { min: Math.min(...numbers), max: isOpen ? undefined : Math.max(...numbers) }
}

function read(file: string): Record<string, unknown> {
  const url = new URL(`../../../shared/reference/${file}`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { groups: Record<string, unknown> }).groups
}
