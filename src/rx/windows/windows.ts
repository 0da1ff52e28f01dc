// Kinds of windows over a record's time, as in Kafka Streams (TimeWindows, SlidingWindows,
// SessionWindows; KIP-450, KIP-633). Pure; frozen values.
//
//   tumbling   [----)[----)[----)       by the clock, side by side
//   hopping    [--------)               by the clock, each so much later than the one before
//                 [--------)
//   sliding      [--x--x-]              ends with a record, or begins right after one
//   session      [x-x--x]     [x-x]     as long as records come; silence of a gap ends it
//
// Holds: times are milliseconds since the epoch, safe integers from 0. A window closes when
// stream time reaches `closeMs`: nothing is added to it from then on.

import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, NumberSetting } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'

/** Windows of a fixed size that begin each `advanceMs`: made by `tumbling` and `hopping` (Kafka: TimeWindows). */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** Windows of a fixed length around records: made by `sliding` (Kafka: SlidingWindows, KIP-450). */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly timeDifferenceMs: number
  readonly graceMs: number
}

/** Windows as long as records of a key come: made by `session` (Kafka: SessionWindows). */
export interface SessionWindows {
  readonly kind: 'session'
  readonly inactivityGapMs: number
  readonly graceMs: number
}

/** What `aggregate` takes. */
export type Windows = TimeWindows | SlidingWindows | SessionWindows

/** What `tumbling` takes. */
export interface TumblingOptions {
  /** Milliseconds, from 1. */
  readonly sizeMs: number
  /** How long after its end a window takes records that come out of order, by stream time; 0: not at all. */
  readonly graceMs: number
}

/** What `hopping` takes. */
export interface HoppingOptions extends TumblingOptions {
  /** A window begins each so many milliseconds; from 1 to `sizeMs`. */
  readonly advanceMs: number
}

/** What `sliding` takes. */
export interface SlidingOptions {
  /** Records at most so many milliseconds apart are in a window together; from 0. */
  readonly timeDifferenceMs: number
  /** How long after its end a window takes records that come out of order, by stream time; 0: not at all. */
  readonly graceMs: number
}

/** What `session` takes. */
export interface SessionOptions {
  /** Records of a key at most so many milliseconds apart belong to one session; from 0. */
  readonly inactivityGapMs: number
  /** How long after the gap a session takes records that come out of order, by stream time; 0: not at all. */
  readonly graceMs: number
}

const ms = (min: number, doc: string): NumberSetting<number> => ({
  type: 'long',
  min,
  // Never used: it must be given.
  default: min,
  unit: 'ms',
  takesEffect: 'at open',
  doc,
})
const sizeMs = ms(1, 'How long a window is.')
const advanceMs = ms(1, 'How much later than the one before a window begins.')
const graceMs = ms(0, 'How long after its end a window takes records that come out of order, by stream time.')
const renamed = { size: 'sizeMs', grace: 'graceMs', gracePeriodMs: 'graceMs' } as const

const TUMBLING: ConfigTable<TumblingOptions> = { what: 'tumbling option', settings: { sizeMs, graceMs }, renamed }
const HOPPING: ConfigTable<HoppingOptions> = {
  what: 'hopping option',
  settings: { sizeMs, advanceMs, graceMs },
  renamed: { ...renamed, advance: 'advanceMs', hopMs: 'advanceMs' },
  relations: ({ sizeMs, advanceMs }) =>
    advanceMs > sizeMs ? `hopping option advanceMs is ${advanceMs}, and a sizeMs of ${sizeMs} would leave gaps: at most sizeMs` : undefined,
}
const SLIDING: ConfigTable<SlidingOptions> = {
  what: 'sliding option',
  settings: { timeDifferenceMs: ms(0, 'How far apart records of a window are at most.'), graceMs },
  renamed: { sizeMs: 'timeDifferenceMs', timeDifference: 'timeDifferenceMs', gracePeriodMs: 'graceMs' },
}
const SESSION: ConfigTable<SessionOptions> = {
  what: 'session option',
  settings: { inactivityGapMs: ms(0, 'How long a silence ends a session.'), graceMs },
  renamed: { gapMs: 'inactivityGapMs', inactivityGap: 'inactivityGapMs', gracePeriodMs: 'graceMs' },
}

/** Windows of `sizeMs` side by side, from the epoch on: start inclusive, end exclusive (Kafka: TimeWindows). Throws INVALID_CONFIG. */
export function tumbling(options: TumblingOptions): TimeWindows {
  const { sizeMs, graceMs } = filled(TUMBLING, options)
  return Object.freeze({ kind: 'time', sizeMs, advanceMs: sizeMs, graceMs })
}

/** Windows of `sizeMs` that begin each `advanceMs`: start inclusive, end exclusive (Kafka: advanceBy). Throws INVALID_CONFIG. */
export function hopping(options: HoppingOptions): TimeWindows {
  return Object.freeze({ kind: 'time', ...filled(HOPPING, options) })
}

/**
 * For each record the window that ends with it, and the one that begins one millisecond after
 * it, where records are in it; both ends inclusive (Kafka: SlidingWindows, KIP-450). An
 * aggregator keeps what it takes of each record until no window can hold it any more. Throws
 * INVALID_CONFIG.
 */
export function sliding(options: SlidingOptions): SlidingWindows {
  return Object.freeze({ kind: 'sliding', ...filled(SLIDING, options) })
}

/**
 * From the first to the last record of a key, as long as none is more than `inactivityGapMs`
 * from the next; both ends inclusive. A record between two sessions makes them one (Kafka:
 * SessionWindows). Throws INVALID_CONFIG.
 */
export function session(options: SessionOptions): SessionWindows {
  return Object.freeze({ kind: 'session', ...filled(SESSION, options) })
}

function filled<Options extends object>(table: ConfigTable<Options>, given: Options): Readonly<Options> {
  const options = fillOptions<Options>(table, given as never)
  for (const name of Object.keys(table.settings)) {
    if ((given as Readonly<Record<string, unknown>> | undefined)?.[name] !== undefined) continue
    const remedy = name === 'graceMs' ? ': how long after its end a window still takes records, 0 for none' : ''
    throw new MillraceError('INVALID_CONFIG', `${table.what} ${name} must be given${remedy}`)
  }
  return options
}

// When windows close, by stream time. The ends of sliding windows and sessions belong to
// them: they close one millisecond later than their end says. A session that may yet go on
// is not over: the gap comes on top.

/** When a window of this end closes, as stream time. */
export function closeMsOf(windows: Windows, endMs: number): number {
  switch (windows.kind) {
    case 'time':
      return endMs + windows.graceMs
    case 'sliding':
      return endMs + 1 + windows.graceMs
    case 'session':
      return endMs + 1 + windows.inactivityGapMs + windows.graceMs
  }
}

/** Where the first window begins that a time is in. */
export function firstStartMs({ sizeMs, advanceMs }: TimeWindows, timeMs: number): number {
  return Math.floor(Math.max(0, timeMs - sizeMs + advanceMs) / advanceMs) * advanceMs
}
