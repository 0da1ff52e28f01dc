// Configs as they travel: Kafka's names, and values as text (Kafka: ConfigRecord,
// DescribeConfigs, IncrementalAlterConfigs).
// Runs on any thread. Holds: what was checked, written as text and read again is the same.

import { LONG_MAX, checkOptions, isNumber, settingsOf } from '../config-def.ts'
import type { ConfigTable, OptionsOf, Setting } from '../config-def.ts'

/** Only the configs that are set. */
export function configToText<Filled extends object>(table: ConfigTable<Filled>, config: Readonly<Partial<Filled>>): Record<string, string> {
  const text: Record<string, string> = {}
  for (const [name, setting] of settingsOf(table)) {
    const value = config[name as keyof Filled]
    if (value !== undefined) text[name] = valueToText(setting, value)
  }
  return text
}

/** The other way; throws INVALID_CONFIG on a name or a value that is none. */
export function configFromText<Filled extends object>(
  table: ConfigTable<Filled>,
  text: Readonly<Record<string, string>>,
): Readonly<Partial<Filled>> {
  const settings = new Map(settingsOf(table))
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(text)) given[name] = valueFromText(settings.get(name), value)
  return checkOptions(table, given as OptionsOf<Filled>)
}

/** The same for text that was checked before, wherever that was: nothing is refused, and names of no setting are left out. */
export function configFromCheckedText<Filled extends object>(
  table: ConfigTable<Filled>,
  text: Readonly<Record<string, string>>,
): Readonly<Partial<Filled>> {
  const settings = table.settings as Readonly<Record<string, Setting<unknown>>>
  const config: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(text)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
    if (setting !== undefined) config[name] = setting.type === 'list' ? listItems(value) : valueFromText(setting, value)
  }
  return config as Readonly<Partial<Filled>>
}

/** The items of a list in text. */
export function listItems(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Kafka's 2^63 - 1: "never", "no limit". */
const KAFKA_LONG_MAX = '9223372036854775807'

/** A checked value in Kafka's text: lists with commas, 2^63 - 1 in all its digits. */
export function valueToText(setting: Setting<unknown>, value: unknown): string {
  return setting.type === 'long' && value === LONG_MAX ? KAFKA_LONG_MAX : String(value)
}

// Text that is no number or boolean stays text: the check says what it should be.
function valueFromText(setting: Setting<unknown> | undefined, text: string): unknown {
  if (setting === undefined) return text
  if (setting.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (!isNumber(setting)) return text
  if (text === KAFKA_LONG_MAX) return LONG_MAX
  const value = Number(text)
  return text.trim() === '' || Number.isNaN(value) ? text : value
}
