import { describe, expect, test } from 'vitest'
import { residentIn } from '../../benchmarks/harness/resident.ts'

const MIB = 1 << 20
const mapping = (perms: string, sizeKib: number, rssKib: number): string =>
  `7f00-7f01 ${perms} 00000000 00:00 0 \nSize:           ${sizeKib} kB\nKernelPageSize:        4 kB\nRss:            ${rssKib} kB\nPss:            ${rssKib} kB\n`

describe('resident memory by mappings', () => {
  const smaps = mapping('r-xp', 60_000, 40_000) + mapping('---p', 262_148, 0) + mapping('rw-p', 262_148, 1_000) + mapping('rw-p', 8_192, 24)

  test('all of it, and the arena by its size', () => {
    expect(residentIn(smaps, 256 * MIB)).toEqual({ totalBytes: 41_024 * 1_024, arenaBytes: 1_000 * 1_024 })
  })

  test('an arena with a stack joined to it is no more than its own size', () => {
    expect(residentIn(mapping('rw-p', 270_344, 262_200), 256 * MIB).arenaBytes).toBe(256 * MIB)
  })

  test('no arena, or two, is said and not guessed', () => {
    expect(() => residentIn(mapping('rw-p', 8_192, 24), 256 * MIB)).toThrow('0 mappings')
    expect(() => residentIn(smaps + mapping('rw-p', 262_148, 4), 256 * MIB)).toThrow('2 mappings')
  })
})
