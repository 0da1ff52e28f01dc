// Key ─▶ the last offset that has it, for one compaction (Kafka: SkimpyOffsetMap, which
// keeps a hash of each key and trusts it). Private to the broker's thread.
//
//   24 bytes a slot, open addressing; an empty slot has length 0
//   hash i32 · length of the key + 1 i32 · position of the key f64 · offset f64
//   a position   0 or more: in the arena; negative, -1 - p: at p in memory of the map's own, where
//                keys out of compressed batches are copied
//
// Holds: keys are compared byte by byte where they lie, so no two are taken for one. A key
// whose extent was freed meanwhile may be compared with bytes of another log. That does no
// harm: what is looked up then lies behind all that was freed, so the offset that is found, if
// any, is lower than its own, and it stays.
// The size is fixed: `put` says when the map is full.

import { murmur2 } from '../record/murmur2.ts'

export const OFFSET_MAP_SLOT_BYTES = 24
/** Fuller than this, looking up takes too many steps. */
const FILL_MAX = 0.75
const SLOTS_MIN = 64
const KEY_BYTES_MIN = 4_096

export class OffsetMap {
  readonly #arena: Uint8Array
  readonly #hashes: Int32Array
  readonly #lengths: Int32Array
  readonly #positions: Float64Array
  readonly #offsets: Float64Array
  readonly #mask: number
  readonly #keysMax: number
  readonly #keyBytesMax: number
  /** Keys that lie nowhere in the arena. */
  #keys: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #keyBytes = 0
  #size = 0

  /** Room for `keys`, or as many as `bytesMax` allows; it bounds as well the bytes of keys that are copied. */
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
    this.#keyBytesMax = bytesMax
  }

  get size(): number {
    return this.#size
  }

  /** The key in bytes[start, end) has this offset, which is above all before; false, and nothing changed, when the map is full. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    const hash = murmur2(bytes, start, end)
    const slot = this.#find(hash, bytes, start, end)
    if (this.#lengths[slot] === 0) {
      if (this.#size === this.#keysMax) return false
      const position = bytes === this.#arena ? start : this.#copyKey(bytes, start, end)
      if (Number.isNaN(position)) return false
      this.#size++
      this.#hashes[slot] = hash
      this.#lengths[slot] = end - start + 1
      this.#positions[slot] = position
    } else if (bytes === this.#arena) {
      // The latest one lives longest.
      this.#positions[slot] = start
    } else if (this.#positions[slot]! >= 0) {
      // The one in the arena may go before the one that is mapped now.
      const position = this.#copyKey(bytes, start, end)
      if (Number.isNaN(position)) return false
      this.#positions[slot] = position
    }
    this.#offsets[slot] = offset
    return true
  }

  /** The last offset of the key in bytes[start, end), -1 when it is not known. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#find(murmur2(bytes, start, end), bytes, start, end)
    return this.#lengths[slot] === 0 ? -1 : this.#offsets[slot]!
  }

  /** Its position in memory of the map's own; NaN: there is no room. The first has room whatever its size. */
  #copyKey(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#keyBytes
    const needed = at + end - start
    if (needed > this.#keyBytesMax && at > 0) return Number.NaN
    if (needed > this.#keys.length) {
      const before = this.#keys
      this.#keys = new Uint8Array(Math.max(needed, Math.min(2 * before.length, this.#keyBytesMax), KEY_BYTES_MIN))
      this.#keys.set(before)
    }
    this.#keys.set(bytes.subarray(start, end), at)
    this.#keyBytes = needed
    return -1 - at
  }

  /** The slot of the key, or the empty one where it belongs. */
  #find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    // All keys of a partition have hashes that are alike modulo the number of partitions.
    let slot = (Math.imul(hash, 0x9e37_79b1) ^ (hash >>> 15)) & this.#mask
    for (;;) {
      const length = this.#lengths[slot]!
      if (length === 0) return slot
      if (this.#hashes[slot] === hash && length === end - start + 1 && this.#isSame(this.#positions[slot]!, bytes, start, end)) return slot
      slot = (slot + 1) & this.#mask
    }
  }

  #isSame(position: number, bytes: Uint8Array, start: number, end: number): boolean {
    const others = position < 0 ? this.#keys : this.#arena
    let other = position < 0 ? -1 - position : position
    for (let at = start; at < end; at++, other++) if (bytes[at] !== others[other]) return false
    return true
  }
}
