// Altering configs step by step (Kafka: IncrementalAlterConfigs, KIP-339): each
// operation sets one, takes it back, or changes items of a list.
// Pure; runs where the controller runs, and where a client wants to know beforehand.
// Holds: either all operations of a call are good and are made, or none is.

import { settingsOf, show } from '../config-def.ts'
import type { ConfigTable, Setting } from '../config-def.ts'
import { MillraceError } from '../errors.ts'
import { configFromText, configToText, listItems, valueToText } from './config-text.ts'

/** In this order Kafka's numbers on the wire, from 0. */
export const CONFIG_OP_TYPES = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const

/** SET gives a value, DELETE takes it back; APPEND and SUBTRACT change a list, value with commas. */
export interface ConfigOp {
  readonly op: (typeof CONFIG_OP_TYPES)[number]
  readonly name: string
  /** As text; null with DELETE. */
  readonly value: string | null
}

/**
 * The configs that are set after the operations, as text; `current` are those set
 * before. A list that is not set is changed from its default. Throws INVALID_CONFIG for
 * a name or a value that is none, for one that cannot be altered, and for APPEND and
 * SUBTRACT of what is no list; INVALID_REQUEST for two operations on one name and for a
 * missing value.
 */
export function applyConfigOps<Filled extends object>(
  table: ConfigTable<Filled>,
  current: Readonly<Record<string, string>>,
  ops: readonly ConfigOp[],
): Record<string, string> {
  const settings = new Map(settingsOf(table))
  const altered = new Map<string, string>(Object.entries(current))
  const seen = new Set<string>()
  for (const each of ops) {
    const { op, name } = each
    if (seen.has(name)) throw new MillraceError('INVALID_REQUEST', `${table.what} ${name} is altered twice in one call: say it once`)
    seen.add(name)
    const setting = settings.get(name)
    if (setting?.takesEffect === 'at open') {
      throw new MillraceError('INVALID_CONFIG', `${table.what} ${name} cannot be altered: it is given once, at the start`)
    }
    // A name that is in no table may still be taken back: an older version may have set it.
    if (op === 'DELETE') {
      if (setting === undefined && !altered.has(name)) configFromText(table, { [name]: '' })
      altered.delete(name)
      continue
    }
    if (each.value === null) throw new MillraceError('INVALID_REQUEST', `${op} of ${table.what} ${name} needs a value: DELETE takes none`)
    altered.set(name, op === 'SET' ? each.value : changedList(table, setting, each, altered.get(name)))
  }
  return configToText(table, configFromText(table, Object.fromEntries(altered)))
}

function changedList<Filled extends object>(
  table: ConfigTable<Filled>,
  setting: Setting<unknown> | undefined,
  { op, name, value }: ConfigOp,
  current: string | undefined,
): string {
  // An unknown name is refused with the whole, where the nearest right one is said.
  if (setting === undefined) return value!
  if (setting.type !== 'list') {
    throw new MillraceError('INVALID_CONFIG', `${op} changes lists, and ${table.what} ${name} is none: SET it to ${show(value)}`)
  }
  const items = listItems(current ?? valueToText(setting, setting.default))
  const changes = listItems(value!)
  const changed = op === 'APPEND' ? [...new Set([...items, ...changes])] : items.filter((item) => !changes.includes(item))
  return changed.join(',')
}
