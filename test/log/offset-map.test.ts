import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from '../../src/log/offset-map.ts'
import { seededRandom } from '../../src/random.ts'
import { murmur2 } from '../../src/record/murmur2.ts'

const SEED = 24

/** Keys end to end, and where each lies. */
function arenaOf(keys: readonly Uint8Array[]): { arena: Uint8Array; at: number[] } {
  const at = [0]
  for (const key of keys) at.push(at.at(-1)! + key.length)
  const arena = new Uint8Array(at.at(-1)!)
  for (const [i, key] of keys.entries()) arena.set(key, at[i]!)
  return { arena, at }
}

test('the last offset of each key, whatever the keys, up to as many as it has room for', () => {
  const key = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ minLength: 1, maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 300, size: 'max' }), fc.integer({ min: 1, max: 300 }), (keys, room) => {
      const { arena, at } = arenaOf(keys)
      const map = new OffsetMap(arena, room, Number.POSITIVE_INFINITY)
      const model = new Map<string, number>()
      for (const [i, bytes] of keys.entries()) {
        const text = Buffer.from(bytes).toString('hex')
        const offset = i * 3
        const isTaken = map.put(arena, at[i]!, at[i + 1]!, offset)
        if (!isTaken) expect(model.has(text)).toBe(false)
        if (!isTaken) expect(model.size).toBeGreaterThanOrEqual(room)
        if (isTaken) model.set(text, offset)
        expect(map.size).toBe(model.size)
      }
      for (const [i, bytes] of keys.entries()) {
        expect(map.get(arena, at[i]!, at[i + 1]!)).toBe(model.get(Buffer.from(bytes).toString('hex')) ?? -1)
      }
    }),
    { seed: SEED, numRuns: 100 },
  )
})

test('keys of the same hash are told apart', () => {
  const byHash = new Map<number, Uint8Array>()
  for (let i = 0; ; i++) {
    const key = new Uint8Array(new Uint32Array([i, Math.imul(i, 0x9e37_79b1)]).buffer)
    const other = byHash.get(murmur2(key, 0, key.length))
    byHash.set(murmur2(key, 0, key.length), key)
    if (other === undefined) continue
    const { arena, at } = arenaOf([other, key])
    const map = new OffsetMap(arena, 10, Number.POSITIVE_INFINITY)
    map.put(arena, at[0]!, at[1]!, 1)
    map.put(arena, at[1]!, at[2]!, 2)
    expect([map.size, map.get(arena, at[0]!, at[1]!), map.get(arena, at[1]!, at[2]!)]).toEqual([2, 1, 2])
    return
  }
})

test('it takes no more memory than it may', () => {
  const arena = new Uint8Array(8 * 1_000)
  const keys = new Float64Array(arena.buffer)
  for (let i = 0; i < keys.length; i++) keys[i] = i
  const map = new OffsetMap(arena, 1_000_000, 128 * OFFSET_MAP_SLOT_BYTES)
  let taken = 0
  while (map.put(arena, taken * 8, taken * 8 + 8, taken)) taken++
  expect(taken).toBe(96)
  expect(map.put(arena, 0, 8, 500)).toBe(true)
  expect(map.get(arena, 0, 8)).toBe(500)
})

test('keys that lie nowhere in the arena are kept: by theirs are found those of the arena, and the other way round', () => {
  const random = seededRandom(SEED)
  const keys = Array.from({ length: 2_000 }, () => Uint8Array.from({ length: 1 + random.below(3) }, () => random.below(6)))
  const { arena, at } = arenaOf(keys)
  const elsewhere = Uint8Array.from(arena)
  const map = new OffsetMap(arena, 10_000, Number.POSITIVE_INFINITY)
  const model = new Map<string, number>()
  // What lies in the arena before it is freed, for keys that came back elsewhere.
  const cameBack = new Set<string>()
  for (const [i, key] of keys.entries()) {
    const text = key.join()
    const isInArena = random.below(2) === 0
    expect(map.put(isInArena ? arena : elsewhere, at[i]!, at[i + 1]!, i)).toBe(true)
    model.set(text, i)
    if (isInArena) cameBack.delete(text)
    else cameBack.add(text)
  }
  expect(map.size).toBe(model.size)
  for (const [i, key] of keys.entries()) {
    expect(map.get(random.below(2) === 0 ? arena : elsewhere, at[i]!, at[i + 1]!)).toBe(model.get(key.join()))
  }
  expect(cameBack.size).toBeGreaterThan(10)
  arena.fill(0xff)
  for (const [i, key] of keys.entries()) {
    if (cameBack.has(key.join())) expect(map.get(elsewhere, at[i]!, at[i + 1]!)).toBe(model.get(key.join()))
  }
})

test('the keys that it copies are bounded too, but for the first', () => {
  const arena = new Uint8Array(0)
  const keys = Uint8Array.from({ length: 20_000 }, (_, i) => i >> (i % 8))
  const bytesMax = 64 * OFFSET_MAP_SLOT_BYTES
  const map = new OffsetMap(arena, 48, bytesMax)
  expect(map.put(keys, 0, 10_000, 1)).toBe(true)
  expect(map.put(keys, 1, 3, 2)).toBe(false)
  expect(map.get(keys, 1, 3)).toBe(-1)
  expect(map.put(keys, 0, 10_000, 3)).toBe(true)
  const other = new OffsetMap(arena, 48, bytesMax)
  let taken = 0
  while (other.put(keys, taken * 100, taken * 100 + 100, taken)) taken++
  expect(taken).toBe(Math.floor(bytesMax / 100))
})
