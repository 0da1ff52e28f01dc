import { expect, test } from 'vitest'
import { FencedMemory } from './fenced-memory.ts'

test('a fence tells of what is read on either side, and of nothing between', () => {
  const memory = new FencedMemory(100)
  const inside = (bytes: Uint8Array): number => bytes[50]! + bytes[51]!
  expect(memory.readOutside(Uint8Array.of(3, 4), 50, (bytes) => expect(inside(bytes)).toBe(7))).toEqual([])
  expect(memory.readOutside(Uint8Array.of(3, 4), 50, (bytes, end) => bytes[end]! + inside(bytes) + bytes[49]!)).toEqual([2, -1])
  expect(memory.readOutside(Uint8Array.of(3), 50, inside)).toEqual([1])
})
