// Tumbling and hopping windows of one partition: by start, then by key. Pure.
// Holds: a window is made by its first record, and only while it is open; windows that had
// closed before a restart are not made again.

import { DueHeap } from '../../log/due-heap.ts'
import type { KeyId } from './key-id.ts'
import type { OpenWindow, Pin } from './open-windows.ts'
import { addTo } from './window-store.ts'
import type { AnyAggregator, Closed, WindowChanges, WindowInput, WindowStore } from './window-store.ts'
import { closeMsOf, firstStartMs } from './windows.ts'
import type { TimeWindows } from './windows.ts'

export class TimeWindowsStore<K> implements WindowStore<K, unknown> {
  readonly #windows: TimeWindows
  readonly #aggregator: AnyAggregator
  readonly #releasedMs: number
  /** All keys of a start close together. */
  readonly #byStart = new Map<number, Map<KeyId, OpenWindow<K, unknown>>>()
  /** A start is its own slot. */
  readonly #starts = new DueHeap()
  #size = 0

  /** What closes up to `releasedMs` had closed before a restart. */
  constructor(windows: TimeWindows, aggregator: AnyAggregator, releasedMs: number) {
    this.#windows = windows
    this.#aggregator = aggregator
    this.#releasedMs = releasedMs
  }

  get dueMs(): number {
    return this.#starts.dueMs
  }

  get size(): number {
    return this.#size
  }

  add(input: WindowInput<K>, streamTimeMs: number, pin: () => Pin | undefined, changes: WindowChanges<K, unknown>): boolean {
    const { sizeMs, advanceMs } = this.#windows
    let isOpen = false
    for (let startMs = firstStartMs(this.#windows, input.timeMs); startMs <= input.timeMs; startMs += advanceMs) {
      const closeMs = closeMsOf(this.#windows, startMs + sizeMs)
      if (closeMs <= streamTimeMs) continue
      isOpen = true
      if (closeMs <= this.#releasedMs) continue
      const window = this.#window(input, startMs, closeMs, pin)
      addTo(window, input, this.#aggregator)
      changes.updated.push(window)
    }
    return isOpen
  }

  close(streamTimeMs: number, closed: Closed<K, unknown>): void {
    while (this.#starts.dueMs <= streamTimeMs) {
      const { first } = this.#starts
      const windows = this.#byStart.get(first)!
      this.#starts.remove(first)
      this.#byStart.delete(first)
      this.#size -= windows.size
      for (const window of windows.values()) {
        closed.windows.push(window)
        if (window.pin !== undefined) closed.pins.push(window.pin)
      }
    }
  }

  #window({ key, keyId, timeMs }: WindowInput<K>, startMs: number, closeMs: number, pin: () => Pin | undefined): OpenWindow<K, unknown> {
    let byKey = this.#byStart.get(startMs)
    if (byKey === undefined) {
      byKey = new Map()
      this.#byStart.set(startMs, byKey)
      this.#starts.schedule(startMs, closeMs)
    }
    let window = byKey.get(keyId)
    if (window === undefined) {
      const endMs = startMs + this.#windows.sizeMs
      window = { key, startMs, endMs, closeMs, state: this.#aggregator.seed(), timestampMs: timeMs, pin: pin() }
      byKey.set(keyId, window)
      this.#size++
    }
    return window
  }
}
