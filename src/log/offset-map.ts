// Key ─▶ the last offset that has it, for one compaction (Kafka: SkimpyOffsetMap, which
// keeps a hash of each key and trusts it). Private to the broker's thread.
//
//   24 bytes a slot, open addressing; an empty slot has length 0
//   hash i32 · length of the key + 1 i32 · position of the key in the arena f64 · offset f64
//
// Holds: keys are compared byte by byte where they lie in log memory, so no two are taken
// for one. A key whose extent was freed meanwhile may be compared with bytes of another
// log. That does no harm: what is looked up then lies behind all that was freed, so the
// offset that is found, if any, is lower than its own, and it stays.
// The size is fixed: `put` says when the map is full.

import { murmur2 } from '../record/murmur2.ts'

export const OFFSET_MAP_SLOT_BYTES = 24
/** Fuller than this, looking up takes too many steps. */
const FILL_MAX = 0.75
const SLOTS_MIN = 64

export class OffsetMap {
  readonly #arena: Uint8Array
  readonly #hashes: Int32Array
  readonly #lengths: Int32Array
  readonly #positions: Float64Array
  readonly #offsets: Float64Array
  readonly #mask: number
  readonly #keysMax: number
  #size = 0

  /** Room for `keys`, or as many as `bytesMax` allows. */
  constructor(arena: Uint8Array, keys: number, bytesMax: number) {
    let slots = SLOTS_MIN
    while (slots * FILL_MAX < keys && slots * 2 * OFFSET_MAP_SLOT_BYTES <= bytesMax) slots *= 2
    this.#arena = arena
    this.#hashes = new Int32Array(slots)
    this.#lengths = new Int32Array(slots)
    this.#positions = new Float64Array(slots)
    this.#offsets = new Float64Array(slots)
    this.#mask = slots - 1
    this.#keysMax = Math.floor(slots * FILL_MAX)
  }

  get size(): number {
    return this.#size
  }

  /** The key in arena[start, end) has this offset, which is above all before; false, and nothing changed, when the map is full. */
  put(start: number, end: number, offset: number): boolean {
    const hash = murmur2(this.#arena, start, end)
    const slot = this.#find(hash, start, end)
    if (this.#lengths[slot] === 0) {
      if (this.#size === this.#keysMax) return false
      this.#size++
      this.#hashes[slot] = hash
      this.#lengths[slot] = end - start + 1
    }
    // The latest one lives longest.
    this.#positions[slot] = start
    this.#offsets[slot] = offset
    return true
  }

  /** The last offset of the key in arena[start, end), -1 when it is not known. */
  get(start: number, end: number): number {
    const slot = this.#find(murmur2(this.#arena, start, end), start, end)
    return this.#lengths[slot] === 0 ? -1 : this.#offsets[slot]!
  }

  /** The slot of the key, or the empty one where it belongs. */
  #find(hash: number, start: number, end: number): number {
    // All keys of a partition have hashes that are alike modulo the number of partitions.
    let slot = (Math.imul(hash, 0x9e37_79b1) ^ (hash >>> 15)) & this.#mask
    for (;;) {
      const length = this.#lengths[slot]!
      if (length === 0) return slot
      if (this.#hashes[slot] === hash && length === end - start + 1 && this.#isSame(this.#positions[slot]!, start, end)) return slot
      slot = (slot + 1) & this.#mask
    }
  }

  #isSame(position: number, start: number, end: number): boolean {
    const arena = this.#arena
    for (let at = start, other = position; at < end; at++, other++) if (arena[at] !== arena[other]) return false
    return true
  }
}
