// What the windows of the case are made of: when records come, and how many windows they make. Of each key each
// window has four records of its own, whatever the number of keys.
//
//   keys 0 1 2 … K-1, 0 1 2 … K-1, …, a record each 10 ms; after four rounds the next windows
//
//   tumbling   as long as four rounds: a window a key
//   hopping    as long as four rounds, a new one each two rounds: two windows a record
//   session    ended by a silence of two rounds behind each four

export type WindowKind = 'tumbling' | 'hopping' | 'session'

export const WINDOW_KINDS = ['tumbling', 'hopping', 'session'] as const satisfies readonly WindowKind[]
export const KEY_COUNTS = [1, 10, 100, 1_000, 10_000, 100_000] as const

const RECORD_MS = 10
const ROUNDS_A_WINDOW = 4
const SILENT_ROUNDS = 2

/** From one round to the next. */
export function roundMs(keys: number): number {
  return keys * RECORD_MS
}

/** After the start, which must be that of a window. */
export function timeMs(kind: WindowKind, keys: number, i: number): number {
  const silences = kind === 'session' ? Math.floor(i / (keys * ROUNDS_A_WINDOW)) * SILENT_ROUNDS : 0
  return i * RECORD_MS + silences * roundMs(keys)
}

/** Of so many records, which fill whole windows. */
export function windowsOf(kind: WindowKind, keys: number, records: number): number {
  const fours = records / (keys * ROUNDS_A_WINDOW)
  // The first hopping window of each key begins two rounds before the start.
  return keys * (kind === 'hopping' ? 2 * fours + 1 : fours)
}

/** What a start is a multiple of. */
export function periodMs(keys: number): number {
  return roundMs(keys) * ROUNDS_A_WINDOW
}

/** Less than a silence, more than from one record of a key to the next. */
export function gapMs(keys: number): number {
  return 1.5 * roundMs(keys)
}
