import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from '../../src/log/offset-map.ts'
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
        const isTaken = map.put(at[i]!, at[i + 1]!, offset)
        if (!isTaken) expect(model.has(text)).toBe(false)
        if (!isTaken) expect(model.size).toBeGreaterThanOrEqual(room)
        if (isTaken) model.set(text, offset)
        expect(map.size).toBe(model.size)
      }
      for (const [i, bytes] of keys.entries()) {
        expect(map.get(at[i]!, at[i + 1]!)).toBe(model.get(Buffer.from(bytes).toString('hex')) ?? -1)
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
    map.put(at[0]!, at[1]!, 1)
    map.put(at[1]!, at[2]!, 2)
    expect([map.size, map.get(at[0]!, at[1]!), map.get(at[1]!, at[2]!)]).toEqual([2, 1, 2])
    return
  }
})

test('it takes no more memory than it may', () => {
  const arena = new Uint8Array(8 * 1_000)
  const keys = new Float64Array(arena.buffer)
  for (let i = 0; i < keys.length; i++) keys[i] = i
  const map = new OffsetMap(arena, 1_000_000, 128 * OFFSET_MAP_SLOT_BYTES)
  let taken = 0
  while (map.put(taken * 8, taken * 8 + 8, taken)) taken++
  expect(taken).toBe(96)
  expect(map.put(0, 8, 500)).toBe(true)
  expect(map.get(0, 8)).toBe(500)
})
