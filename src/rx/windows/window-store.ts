// What the stores of the three kinds of windows have in common: a record goes in, windows that
// are updated come out, and what has closed. Pure.

import type { Aggregator } from './aggregators.ts'
import type { OpenWindow, Pin } from './open-windows.ts'
import type { KeyId } from './key-id.ts'

/** A record as a store takes it. */
export interface WindowInput<K> {
  readonly key: K
  readonly keyId: KeyId
  /** Milliseconds since the epoch. */
  readonly timeMs: number
  /** What the aggregator took of it. */
  readonly taken: unknown
}

/** What one record does to the windows of a partition; its owner empties it. */
export interface WindowChanges<K, A> {
  /** Windows that have the record now. */
  readonly updated: OpenWindow<K, A>[]
  /** Sessions that were merged into another one, or have grown: they are no longer. */
  readonly replaced: OpenWindow<K, A>[]
}

export interface WindowStore<K, A> {
  /** The stream time at which the next one closes, Infinity for none. */
  readonly dueMs: number
  /** Windows and records that are kept. */
  readonly size: number
  /**
   * Adds a record to its windows that are open. False: it is late, all of them have closed by stream time. `pin` is
   * called where the record must come again after a restart as long as something is open.
   */
  add(input: WindowInput<K>, streamTimeMs: number, pin: () => Pin | undefined, changes: WindowChanges<K, A>): boolean
  /** Takes out all that closes up to `streamTimeMs`, in the order of closing. */
  close(streamTimeMs: number, closed: Closed<K, A>): void
}

/** What has closed; its owner empties it. */
export interface Closed<K, A> {
  readonly windows: OpenWindow<K, A>[]
  readonly pins: Pin[]
}

export type AnyAggregator = Aggregator<never, unknown>

/** Adds a record to an open window. */
export function addTo<K>(window: OpenWindow<K, unknown>, { timeMs, taken }: WindowInput<K>, { add }: AnyAggregator): void {
  window.state = add(window.state, taken)
  if (timeMs > window.timestampMs) window.timestampMs = timeMs
}
