// Maps and values that can be read as they were, and that can go back (Kafka:
// org.apache.kafka.timeline). A coordinator's state runs ahead of what is committed:
// answers about the committed state are read at a snapshot, and what will never be
// committed is taken back.
// Pure. Holds: a snapshot costs nothing until something changes behind it, and then one
// entry for each key that changes.
//
//   snapshot 10        snapshot 20       now
//   ────┬────────────────┬──────────────▶
//       └ old values of  └ old values of what changed since: what a read at 20 finds
//         what changed between 10 and 20

import { assert } from '../assert.ts'

/** Reads what is true now, committed or not. */
export const LATEST = Number.POSITIVE_INFINITY

/** What a key had when a snapshot was made; absent: there was no such key. */
type OldValues = Map<unknown, { readonly value: unknown } | undefined>

interface Snapshot {
  readonly epoch: number
  readonly changed: Map<TimelineMap<unknown, unknown>, OldValues>
}

/** The snapshots of the maps and values that were made with it. Epochs are offsets: numbers that grow. */
export class SnapshotRegistry {
  /** Oldest first. */
  #snapshots: Snapshot[] = []

  /** The latest snapshot; -1: there is none. */
  get latestEpoch(): number {
    return this.#snapshots.at(-1)?.epoch ?? -1
  }

  get size(): number {
    return this.#snapshots.length
  }

  /** The latest snapshot of this epoch or an earlier one; -1: there is none. */
  latestAtOrBelow(epoch: number): number {
    return this.#snapshots.findLast((snapshot) => snapshot.epoch <= epoch)?.epoch ?? -1
  }

  /** What is now can be read and gone back to under this epoch. One that exists stays as it is. */
  snapshot(epoch: number): void {
    const latest = this.latestEpoch
    assert(epoch >= latest, `snapshot ${epoch} is not made behind snapshot ${latest}`)
    if (epoch > latest) this.#snapshots.push({ epoch, changed: new Map() })
  }

  /** All is as it was at that snapshot; later ones are gone. */
  revertTo(epoch: number): void {
    assert(this.#has(epoch), `snapshot ${epoch} is there to go back to`)
    for (;;) {
      const last = this.#snapshots.at(-1)!
      for (const [map, old] of last.changed) map.restore(old)
      last.changed.clear()
      if (last.epoch === epoch) return
      this.#snapshots.pop()
    }
  }

  /** Snapshots below this epoch are not asked for any more. */
  deleteBelow(epoch: number): void {
    let count = 0
    while (count < this.#snapshots.length && this.#snapshots[count]!.epoch < epoch) count++
    if (count > 0) this.#snapshots.splice(0, count)
  }

  /** A key of a map is about to change. */
  remember(map: TimelineMap<unknown, unknown>, key: unknown): void {
    const latest = this.#snapshots.at(-1)
    if (latest === undefined) return
    let old = latest.changed.get(map)
    if (old === undefined) {
      old = new Map()
      latest.changed.set(map, old)
    }
    if (!old.has(key)) old.set(key, map.has(key) ? { value: map.get(key) } : undefined)
  }

  /** Old values of a map that together make it what it was at the epoch: the first that has a key counts. */
  oldValues(map: TimelineMap<unknown, unknown>, epoch: number): OldValues[] {
    assert(epoch === LATEST || this.#has(epoch), `snapshot ${epoch} is there to be read`)
    const found: OldValues[] = []
    for (const snapshot of this.#snapshots) {
      if (snapshot.epoch < epoch) continue
      const old = snapshot.changed.get(map)
      if (old !== undefined) found.push(old)
    }
    return found
  }

  #has(epoch: number): boolean {
    return this.#snapshots.some((snapshot) => snapshot.epoch === epoch)
  }
}

/** A map whose reads take the epoch of a snapshot; without one they tell what is now. Values must not be changed in place. */
export class TimelineMap<Key, Value> {
  readonly #registry: SnapshotRegistry
  readonly #current = new Map<Key, Value>()

  constructor(registry: SnapshotRegistry) {
    this.#registry = registry
  }

  get(key: Key, epoch = LATEST): Value | undefined {
    if (epoch !== LATEST) {
      for (const old of this.#oldValues(epoch)) if (old.has(key)) return old.get(key)?.value as Value | undefined
    }
    return this.#current.get(key)
  }

  has(key: Key, epoch = LATEST): boolean {
    if (epoch !== LATEST) {
      for (const old of this.#oldValues(epoch)) if (old.has(key)) return old.get(key) !== undefined
    }
    return this.#current.has(key)
  }

  size(epoch = LATEST): number {
    if (epoch === LATEST || this.#oldValues(epoch).length === 0) return this.#current.size
    let count = 0
    for (const _ of this.entries(epoch)) count++
    return count
  }

  set(key: Key, value: Value): void {
    this.#remember(key)
    this.#current.set(key, value)
  }

  delete(key: Key): boolean {
    if (!this.#current.has(key)) return false
    this.#remember(key)
    return this.#current.delete(key)
  }

  /** In no promised order once an epoch is given. Of what is now: as a Map's, so it may be changed meanwhile. */
  entries(epoch = LATEST): IterableIterator<[Key, Value]> {
    if (epoch === LATEST) return this.#current.entries()
    const deltas = this.#oldValues(epoch)
    return deltas.length === 0 ? this.#current.entries() : this.#entriesAt(deltas)
  }

  *keys(epoch = LATEST): IterableIterator<Key> {
    for (const [key] of this.entries(epoch)) yield key
  }

  *values(epoch = LATEST): IterableIterator<Value> {
    for (const [, value] of this.entries(epoch)) yield value
  }

  /** For the registry: keys have these values again. */
  restore(old: OldValues): void {
    for (const [key, was] of old) {
      if (was === undefined) this.#current.delete(key as Key)
      else this.#current.set(key as Key, was.value as Value)
    }
  }

  *#entriesAt(deltas: readonly OldValues[]): IterableIterator<[Key, Value]> {
    const then: OldValues = new Map()
    for (const old of deltas) for (const [key, was] of old) if (!then.has(key)) then.set(key, was)
    for (const [key, value] of this.#current) if (!then.has(key)) yield [key, value]
    for (const [key, was] of then) if (was !== undefined) yield [key as Key, was.value as Value]
  }

  #remember(key: Key): void {
    this.#registry.remember(this as TimelineMap<unknown, unknown>, key)
  }

  #oldValues(epoch: number): OldValues[] {
    return this.#registry.oldValues(this as TimelineMap<unknown, unknown>, epoch)
  }
}

/** One value with the same reads. */
export class TimelineValue<Value> {
  readonly #map: TimelineMap<'value', Value>

  constructor(registry: SnapshotRegistry, value: Value) {
    this.#map = new TimelineMap(registry)
    this.#map.set('value', value)
  }

  get(epoch = LATEST): Value {
    return this.#map.get('value', epoch) as Value
  }

  set(value: Value): void {
    if (value !== this.get()) this.#map.set('value', value)
  }
}
