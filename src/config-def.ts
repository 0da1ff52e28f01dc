// Settings, each declared once (Kafka's ConfigDef): name, type, default, range,
// unit, when it takes effect, and a sentence of documentation. Checking, error
// messages and reference pages all read the same table.
//
// Runs on any thread, when something is opened or defined; never once a record.
// Holds: what leaves `fillOptions` is complete, checked and frozen. A wrong name
// or value is an INVALID_CONFIG that says what would be right.

import { MillraceError } from './errors.ts'
import type { ErrorName } from './errors.ts'

export type TakesEffect = 'immediately' | 'at next segment' | 'at open'

export type Unit = 'ms' | 'seconds' | 'minutes' | 'hours' | 'bytes' | 'records' | 'partitions' | 'brokers' | 'replicas' | 'members'

/**
 * How much of a setting exists: `yes`, it works; `accepted`, it is checked and kept
 * but changes nothing yet; `refused: why`, only the default may be given.
 */
export type Support = 'yes' | 'accepted' | `refused: ${string}`

/** Kafka's largest LONG, 2^63 - 1, means "never" or "no limit"; in this API it is the largest safe integer. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER
export const INT_MAX = 0x7fff_ffff
const INT_MIN = -0x8000_0000
const SHORT_MAX = 0x7fff
const SHORT_MIN = -0x8000
/** What JavaScript makes of a literal 9223372036854775807. */
const KAFKA_LONG_MAX_AS_NUMBER = 2 ** 63

interface SettingCommon<T> {
  readonly default: T
  readonly takesEffect: TakesEffect
  readonly doc: string
  readonly unit?: Unit
  /** Kafka's dotted name, where the table itself uses camelCase. */
  readonly kafkaName?: string
  readonly support?: Support
  /** Beside the default, what may be given although the rest is refused. */
  readonly alsoAllowed?: readonly T[]
  /** Kafka's own error for a wrong value; INVALID_CONFIG unless said. */
  readonly code?: ErrorName
}

export interface NumberSetting<T> extends SettingCommon<T> {
  readonly type: 'short' | 'int' | 'long' | 'double'
  readonly min?: number
  readonly max?: number
  readonly multipleOf?: number
}

export interface PlainSetting<T> extends SettingCommon<T> {
  readonly type: 'boolean' | 'string'
}

/** Given as an array, or as text with commas; kept as an array. */
export interface ListSetting<T> extends SettingCommon<T> {
  readonly type: 'list'
  readonly values?: readonly string[]
}

export interface OneOfSetting<T> extends SettingCommon<T> {
  readonly type: 'one of'
  readonly values: readonly T[]
  /** Other spellings people bring with them, and what they mean here. */
  readonly spellings?: Readonly<Record<string, T>>
  /** Values of a form, beside those that are named: what they look like, and which they are. */
  readonly others?: { readonly expects: string; readonly accept: (value: unknown) => boolean }
}

/** A function, a URL, an object: whatever `accepts` says, in the words of `expects`. */
export interface CustomSetting<T> extends SettingCommon<T> {
  readonly type: 'custom'
  readonly expects: string
  readonly accepts: (value: unknown) => boolean
}

export type Setting<T> = NumberSetting<T> | PlainSetting<T> | ListSetting<T> | OneOfSetting<T> | CustomSetting<T>

/** A setting for each name of `Filled`. */
export type Settings<Filled extends object> = { readonly [Name in keyof Filled]-?: Setting<Filled[Name]> }

/** The settings of one thing, for instance of a producer. `Filled` is what its code works with. */
export interface ConfigTable<Filled extends object> {
  /** In error messages: "producer option". */
  readonly what: string
  readonly settings: Settings<Filled>
  /** Names of other libraries, and the right one. */
  readonly renamed?: Readonly<Record<string, keyof Filled & string>>
  /** What to say to a name that has no meaning here. */
  readonly answer?: (name: string) => string | undefined
  /** Relations between settings: a sentence when one does not hold. */
  readonly relations?: (filled: Filled) => string | undefined
}

/** What a user may give: any of the settings, each left out or undefined for its default. */
export type OptionsOf<Filled extends object> = {
  readonly [Name in keyof Filled]?: (Filled[Name] extends readonly string[] ? Filled[Name] | string : Filled[Name]) | undefined
}

/** Checks what was given and completes it with the defaults. */
export function fillOptions<Filled extends object>(table: ConfigTable<Filled>, given: OptionsOf<Filled> | undefined): Readonly<Filled> {
  const checked: Partial<Filled> = checkOptions(table, given)
  const filled: Record<string, unknown> = {}
  for (const [name, setting] of settingsOf(table)) filled[name] = setting.default
  Object.assign(filled, checked)
  const broken = table.relations?.(filled as Filled)
  if (broken !== undefined) throw new MillraceError('INVALID_CONFIG', broken)
  return Object.freeze(filled) as Readonly<Filled>
}

/** Checks what was given, and gives only that back. */
export function checkOptions<Filled extends object>(
  table: ConfigTable<Filled>,
  given: OptionsOf<Filled> | undefined,
): Readonly<Partial<Filled>> {
  if (given === undefined) return Object.freeze({})
  if (!isPlainRecord(given)) {
    throw new MillraceError('INVALID_CONFIG', `${table.what}s are given as an object of names and values; ${show(given)} was given`)
  }
  const checked: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const setting = settingOf(table, name)
    if (setting === undefined) throw new MillraceError('INVALID_CONFIG', unknownName(table, name))
    checked[name] = checkValue(table.what, name, setting, value)
  }
  return Object.freeze(checked) as Readonly<Partial<Filled>>
}

/** Every setting of a table with its name, in the order of declaration. */
export function settingsOf<Filled extends object>(table: ConfigTable<Filled>): [string, Setting<unknown>][] {
  return Object.entries(table.settings) as [string, Setting<unknown>][]
}

function settingOf<Filled extends object>(table: ConfigTable<Filled>, name: string): Setting<unknown> | undefined {
  const settings = table.settings as Readonly<Record<string, Setting<unknown>>>
  return Object.hasOwn(settings, name) ? settings[name] : undefined
}

function checkValue(what: string, name: string, setting: Setting<unknown>, given: unknown): unknown {
  const value = normalise(setting, given)
  const code = setting.code ?? 'INVALID_CONFIG'
  if (!accepts(setting, value)) {
    const remedy = nearestValue(setting, given)
    const hint = remedy === undefined ? '' : `: did you mean ${remedy}?`
    throw new MillraceError(code, `${what} ${name} must be ${describeRange(setting)}; ${show(given)} was given${hint}`)
  }
  const refusal = refusalOf(setting, value)
  if (refusal !== undefined) throw new MillraceError(code, `${what} ${name} cannot be ${show(given)}: ${refusal}`)
  return Array.isArray(value) ? Object.freeze(value) : value
}

function normalise(setting: Setting<unknown>, given: unknown): unknown {
  if (setting.type === 'long' && given === KAFKA_LONG_MAX_AS_NUMBER) return LONG_MAX
  if (setting.type !== 'list') return given
  if (Array.isArray(given)) return [...(given as unknown[])]
  if (typeof given !== 'string') return given
  const text = given.trim()
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}

function accepts(setting: Setting<unknown>, value: unknown): boolean {
  switch (setting.type) {
    case 'short':
    case 'int':
    case 'long':
    case 'double':
      return acceptsNumber(setting, value)
    case 'boolean':
    case 'string':
      return typeof value === setting.type
    case 'list':
      return Array.isArray(value) && value.every((item) => typeof item === 'string' && (setting.values?.includes(item) ?? true))
    case 'one of':
      return setting.values.includes(value) || setting.others?.accept(value) === true
    case 'custom':
      return setting.accepts(value)
  }
}

function acceptsNumber(setting: NumberSetting<unknown>, value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (setting.type !== 'double' && !Number.isSafeInteger(value)) return false
  const { min, max } = numberRange(setting)
  return value >= min && value <= max && (setting.multipleOf === undefined || value % setting.multipleOf === 0)
}

function numberRange(setting: NumberSetting<unknown>): { min: number; max: number } {
  if (setting.type === 'short') return { min: setting.min ?? SHORT_MIN, max: setting.max ?? SHORT_MAX }
  if (setting.type === 'int') return { min: setting.min ?? INT_MIN, max: setting.max ?? INT_MAX }
  if (setting.type === 'long') return { min: setting.min ?? Number.MIN_SAFE_INTEGER, max: setting.max ?? LONG_MAX }
  return { min: setting.min ?? -Number.MAX_VALUE, max: setting.max ?? Number.MAX_VALUE }
}

function refusalOf(setting: Setting<unknown>, value: unknown): string | undefined {
  const { support } = setting
  if (support === undefined || !support.startsWith('refused: ')) return undefined
  if (isSameValue(value, setting.default) || setting.alsoAllowed?.some((allowed) => isSameValue(value, allowed)) === true) return undefined
  return support.slice('refused: '.length)
}

/** Whether two checked values of one setting are the same; lists item by item. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => item === b[i])
  return a === b
}

// --- words ---------------------------------------------------------------------

/** Type, unit and range in words: "a whole number of ms (long) from 0 to 2147483647". */
export function describeRange(setting: Setting<unknown>): string {
  switch (setting.type) {
    case 'short':
    case 'int':
    case 'long':
    case 'double': {
      const { min, max } = numberRange(setting)
      const kind = setting.type === 'double' ? 'a number' : 'a whole number'
      const unit = setting.unit === undefined ? '' : ` of ${setting.unit}`
      const multiple = setting.multipleOf === undefined ? '' : `, a multiple of ${setting.multipleOf}`
      const range = setting.type === 'double' && max === Number.MAX_VALUE ? '' : ` from ${min} to ${max}`
      return `${kind}${unit} (${setting.type})${range}${multiple}`
    }
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'a string'
    case 'list':
      return setting.values === undefined ? 'a list of strings' : `a list of ${setting.values.map(show).join(', ')}`
    case 'one of': {
      const named = `one of ${setting.values.map(show).join(', ')}`
      return setting.others === undefined ? named : `${named}, or ${setting.others.expects}`
    }
    case 'custom':
      return setting.expects
  }
}

const NAMES_LISTED_MAX = 40

function unknownName<Filled extends object>(table: ConfigTable<Filled>, name: string): string {
  const known = settingsOf(table).map(([each]) => each)
  const unknown = `there is no ${table.what} "${name}"`
  const renamed = table.renamed
  if (renamed !== undefined && Object.hasOwn(renamed, name)) return `${unknown}: it is called ${renamed[name]} here`
  const exact = known.find((each) => foldName(each) === foldName(name))
  if (exact !== undefined) return `${unknown}: it is written ${exact} here`
  const answer = table.answer?.(name)
  if (answer !== undefined) return `${unknown}: ${answer}`
  const nearest = nearestName(name, known)
  if (nearest === undefined) return known.length > NAMES_LISTED_MAX ? unknown : `${unknown}: the names are ${known.join(', ')}`
  const setting = settingOf(table, nearest)
  return `${unknown}: did you mean ${nearest}, ${setting === undefined ? '' : describeRange(setting)}?`
}

function nearestValue(setting: Setting<unknown>, given: unknown): string | undefined {
  if (setting.type === 'one of') {
    const text = String(given)
    if (setting.spellings !== undefined && Object.hasOwn(setting.spellings, text)) return show(setting.spellings[text])
    const nearest = nearestName(text, setting.values.map(String))
    return nearest === undefined ? undefined : show(setting.values.find((value) => String(value) === nearest))
  }
  if (setting.type === 'list' && setting.values !== undefined) {
    const items: unknown[] = Array.isArray(given) ? given : String(given).split(',')
    const wrong = items.find((item) => !setting.values?.includes(String(item).trim()))
    const nearest = nearestName(String(wrong), setting.values)
    return nearest === undefined ? undefined : show(nearest)
  }
  const isTextOfOther = typeof given === 'string' && given.trim() !== ''
  if (isTextOfOther && isNumber(setting) && acceptsNumber(setting, Number(given))) return `${Number(given)}, without quotes`
  if (typeof given === 'bigint' && isNumber(setting) && acceptsNumber(setting, Number(given))) return `${given}, without the n`
  if (setting.type === 'boolean' && (given === 'true' || given === 'false')) return `${given}, without quotes`
  return undefined
}

export function isNumber(setting: Setting<unknown>): setting is NumberSetting<unknown> {
  return setting.type === 'short' || setting.type === 'int' || setting.type === 'long' || setting.type === 'double'
}

const SHOWN_CHARS_MAX = 60

/** A value as an error message shows it: short, and telling "5" from 5. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return value.length <= 4 && value.every((item) => typeof item === 'string') ? JSON.stringify(value) : 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

/** Case, dots, dashes and underscores do not tell names apart: linger.ms, LINGER_MS and lingerMs fold to one. */
export function foldName(name: string): string {
  return name.replaceAll(/[._-]/g, '').toLowerCase()
}

const OVERLAP_CHARS_MIN = 4

/** The name that was probably meant, or undefined when none is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const folded = foldName(given)
  if (folded === '' || folded.length > SHOWN_CHARS_MAX) return undefined
  const overlapping = names.find((name) => {
    const other = foldName(name)
    return Math.min(folded.length, other.length) >= OVERLAP_CHARS_MIN && (other.includes(folded) || folded.includes(other))
  })
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(folded.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(folded, foldName(name))
    if (distance < least) {
      nearest = name
      least = distance
    }
  }
  return least <= 1 ? nearest : (overlapping ?? nearest)
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one into the other (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) cost = Math.min(cost, beforePrevious[j - 2]! + 1)
      row.push(cost)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.length]!
}

function isPlainRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) && !(value instanceof Map)
}
