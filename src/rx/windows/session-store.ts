// Sessions of one partition: by key, those of a key by start, never within a gap of each other. Pure.
// Holds: a session that had closed before a restart is made again, for it cannot be told from one
// that grew on, but it is not handed out: what closes up to `releasedMs` stays inside.

import { assert } from '../../assert.ts'
import type { KeyId } from './key-id.ts'
import { ByClosing } from './open-windows.ts'
import type { OpenWindow, Pin } from './open-windows.ts'
import { addTo } from './window-store.ts'
import type { AnyAggregator, Closed, WindowChanges, WindowInput, WindowStore } from './window-store.ts'
import { closeMsOf } from './windows.ts'
import type { SessionWindows } from './windows.ts'

interface Session<K> extends OpenWindow<K, unknown> {
  readonly keyId: KeyId
  /** When its first record came. */
  readonly order: number
}

export class SessionStore<K> implements WindowStore<K, unknown> {
  readonly #windows: SessionWindows
  readonly #aggregator: AnyAggregator
  readonly #releasedMs: number
  readonly #byKey = new Map<KeyId, Session<K>[]>()
  readonly #closing = new ByClosing<Session<K>>()
  #order = 0
  #size = 0

  constructor(windows: SessionWindows, aggregator: AnyAggregator, releasedMs: number) {
    assert(aggregator.merge !== undefined, 'sessions have an aggregator that merges')
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
    const { key, keyId, timeMs } = input
    const gapMs = this.#windows.inactivityGapMs
    const sessions = this.#byKey.get(keyId) ?? []
    let from = 0
    while (from < sessions.length && sessions[from]!.endMs < timeMs - gapMs) from++
    let to = from
    while (to < sessions.length && sessions[to]!.startMs <= timeMs + gapMs) to++
    let merged: Session<K>
    if (from === to) {
      const closeMs = closeMsOf(this.#windows, timeMs)
      if (closeMs <= streamTimeMs) return false
      const state = this.#aggregator.seed()
      merged = { key, keyId, startMs: timeMs, endMs: timeMs, closeMs, state, timestampMs: timeMs, pin: pin(), order: this.#order++ }
      this.#closing.add(merged)
      this.#byKey.set(keyId, sessions)
      sessions.splice(from, 0, merged)
      this.#size++
    } else {
      merged = this.#merge(sessions, from, to, timeMs, changes)
    }
    addTo(merged, input, this.#aggregator)
    // What had closed before a restart with this in it, or goes on: it is known when it does.
    if (merged.closeMs > this.#releasedMs) changes.updated.push(merged)
    return true
  }

  close(streamTimeMs: number, closed: Closed<K, unknown>): void {
    while (this.#closing.dueMs <= streamTimeMs) {
      for (const session of this.#closing.takeDue()) {
        this.#size--
        const sessions = this.#byKey.get(session.keyId)!
        if (sessions.length === 1) this.#byKey.delete(session.keyId)
        else sessions.splice(sessions.indexOf(session), 1)
        if (session.closeMs > this.#releasedMs) closed.windows.push(session)
        if (session.pin !== undefined) closed.pins.push(session.pin)
      }
    }
  }

  /** Puts sessions `[from, to)` of a key and a time into one. */
  #merge(sessions: Session<K>[], from: number, to: number, timeMs: number, changes: WindowChanges<K, unknown>): Session<K> {
    const parts = sessions.slice(from, to)
    const first = parts[0]!
    const last = parts.at(-1)!
    const startMs = Math.min(first.startMs, timeMs)
    const endMs = Math.max(last.endMs, timeMs)
    if (parts.length === 1 && first.startMs === startMs && first.endMs === endMs) return first
    // The one whose first record came first keeps the place in the log for all.
    const oldest = parts.reduce((a, b) => (b.order < a.order ? b : a))
    const state = parts.slice(1).reduce((so, part) => this.#aggregator.merge!(so, part.state), first.state)
    const timestampMs = Math.max(...parts.map((part) => part.timestampMs))
    const { key, keyId, pin, order } = oldest
    const merged: Session<K> = { key, keyId, startMs, endMs, closeMs: closeMsOf(this.#windows, endMs), state, timestampMs, pin, order }
    for (const part of parts) {
      this.#closing.remove(part)
      if (part !== oldest) part.pin?.release()
      changes.replaced.push(part)
    }
    this.#closing.add(merged)
    sessions.splice(from, to - from, merged)
    this.#size -= parts.length - 1
    return merged
  }
}
