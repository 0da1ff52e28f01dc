// Sliding windows of one partition (KIP-450): by key, the records that a window may yet hold,
// and the windows by start. Pure.
//
//   d = timeDifferenceMs           [t-d ──── t]                 left window of a record at t
//                                             [t+1 ──── t+1+d]  right window, if a record is in it
//
// Holds: for each record its left window, and its right one where it is not empty; each holds all
// records of its time that were not late. The first window begins at 0: those that would begin
// before are one. A record keeps its place in the log until its right window has closed.

import type { KeyId } from './key-id.ts'
import { ByClosing } from './open-windows.ts'
import type { OpenWindow, Pin } from './open-windows.ts'
import { addTo } from './window-store.ts'
import type { AnyAggregator, Closed, WindowChanges, WindowInput, WindowStore } from './window-store.ts'
import { closeMsOf } from './windows.ts'
import type { SlidingWindows } from './windows.ts'

interface Sample {
  readonly keyId: KeyId
  readonly timeMs: number
  readonly taken: unknown
  readonly pin: Pin | undefined
  readonly closeMs: number
}

interface OfKey<K> {
  /** By time; equal times as they came. */
  readonly samples: Sample[]
  /** By start. */
  readonly windows: Sliding<K>[]
}

interface Sliding<K> extends OpenWindow<K, unknown> {
  readonly keyId: KeyId
}

export class SlidingStore<K> implements WindowStore<K, unknown> {
  readonly #windows: SlidingWindows
  readonly #aggregator: AnyAggregator
  readonly #releasedMs: number
  readonly #byKey = new Map<KeyId, OfKey<K>>()
  readonly #closing = new ByClosing<Sliding<K> | Sample>()
  #size = 0

  constructor(windows: SlidingWindows, aggregator: AnyAggregator, releasedMs: number) {
    this.#windows = windows
    this.#aggregator = aggregator
    this.#releasedMs = releasedMs
  }

  get dueMs(): number {
    return this.#closing.dueMs
  }

  get size(): number {
    return this.#size
  }

  add(input: WindowInput<K>, streamTimeMs: number, pin: () => Pin | undefined, changes: WindowChanges<K, unknown>): boolean {
    const { keyId, timeMs, taken } = input
    const spanMs = this.#windows.timeDifferenceMs
    // As long as a window may hold it that begins with it.
    if (closeMsOf(this.#windows, timeMs + spanMs) <= streamTimeMs) return false
    const openAfterMs = Math.max(streamTimeMs, this.#releasedMs)
    let ofKey = this.#byKey.get(keyId)
    if (ofKey === undefined) {
      ofKey = { samples: [], windows: [] }
      this.#byKey.set(keyId, ofKey)
    }
    const { samples, windows } = ofKey
    const place = firstAbove(samples, timeMs, (sample) => sample.timeMs)
    const sample: Sample = { keyId, timeMs, taken, pin: pin(), closeMs: closeMsOf(this.#windows, timeMs + 1 + spanMs) }
    samples.splice(place, 0, sample)
    this.#closing.add(sample)
    this.#size++

    for (let at = firstAbove(windows, timeMs - spanMs - 1, startOf); at < windows.length && windows[at]!.startMs <= timeMs; at++) {
      const window = windows[at]!
      if (window.closeMs <= openAfterMs) continue
      addTo(window, input, this.#aggregator)
      changes.updated.push(window)
    }
    this.#make(ofKey, input, Math.max(0, timeMs - spanMs), openAfterMs, changes)
    const before = samples[firstAbove(samples, timeMs - 1, timeOf) - 1]
    if (before !== undefined && before.timeMs + 1 + spanMs >= timeMs) this.#make(ofKey, input, before.timeMs + 1, openAfterMs, changes)
    this.#make(ofKey, input, timeMs + 1, openAfterMs, changes)
    return true
  }

  close(streamTimeMs: number, closed: Closed<K, unknown>): void {
    while (this.#closing.dueMs <= streamTimeMs) {
      for (const item of this.#closing.takeDue()) {
        this.#size--
        const ofKey = this.#byKey.get(item.keyId)!
        if ('taken' in item) {
          ofKey.samples.splice(ofKey.samples.indexOf(item), 1)
          if (ofKey.samples.length === 0) this.#byKey.delete(item.keyId)
          if (item.pin !== undefined) closed.pins.push(item.pin)
        } else {
          ofKey.windows.splice(ofKey.windows.indexOf(item), 1)
          closed.windows.push(item)
        }
      }
    }
  }

  /** The window of a start, unless it is there, has closed, or would be empty. */
  #make(
    { samples, windows }: OfKey<K>,
    { key, keyId }: WindowInput<K>,
    startMs: number,
    openAfterMs: number,
    changes: WindowChanges<K, unknown>,
  ): void {
    const endMs = startMs + this.#windows.timeDifferenceMs
    const closeMs = closeMsOf(this.#windows, endMs)
    if (closeMs <= openAfterMs) return
    const place = firstAbove(windows, startMs, startOf)
    if (windows[place - 1]?.startMs === startMs) return
    const { seed, add } = this.#aggregator
    let state = seed()
    let timestampMs = -1
    for (let at = firstAbove(samples, startMs - 1, timeOf); at < samples.length && samples[at]!.timeMs <= endMs; at++) {
      const sample = samples[at]!
      state = add(state, sample.taken)
      timestampMs = sample.timeMs
    }
    if (timestampMs < 0) return
    const window: Sliding<K> = { key, keyId, startMs, endMs, closeMs, state, timestampMs, pin: undefined }
    windows.splice(place, 0, window)
    this.#closing.add(window)
    this.#size++
    changes.updated.push(window)
  }
}

const startOf = (window: { readonly startMs: number }): number => window.startMs
const timeOf = (sample: { readonly timeMs: number }): number => sample.timeMs

/** The first index whose number is above this one. */
function firstAbove<T>(items: readonly T[], limit: number, numberOf: (item: T) => number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numberOf(items[middle]!) > limit) high = middle
    else low = middle + 1
  }
  return low
}
