// What codecs are tried with: bytes of many kinds from a seed.

import type { Random } from '../../src/random.ts'

export const CODECS = [
  { name: 'gzip', type: 1, levels: [-1, 1, 9] },
  { name: 'snappy', type: 2, levels: [0] },
  { name: 'lz4', type: 3, levels: [1, 9, 17] },
  { name: 'zstd', type: 4, levels: [-131_072, -1, 0, 3, 22] },
] as const

/** At these lengths blocks begin and varints grow. */
const EDGES = [0, 1, 2, 15, 16, 17, 60, 61, 127, 128, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 131_072]

/** Runs, repetitions from near and far, texts and noise, mixed. */
export function codecInput(random: Random, index: number): Uint8Array<ArrayBuffer> {
  const size = index < EDGES.length ? EDGES[index]! : random.below(random.below(4) === 0 ? 300_000 : 3_000)
  const bytes = new Uint8Array(size)
  const kind = random.below(5)
  for (let at = 0; at < size; ) {
    const run = Math.min(size - at, 1 + random.below(random.below(3) === 0 ? 700 : 40))
    const what = kind === 0 ? 0 : kind === 1 ? 1 : random.below(4)
    if (what === 1) bytes.fill(random.below(256), at, at + run)
    else if (what === 2 && at > 0) {
      const distance = 1 + random.below(Math.min(at, random.below(2) === 0 ? 20 : 70_000))
      for (let i = 0; i < run; i++) bytes[at + i] = bytes[at + i - distance]!
    } else for (let i = 0; i < run; i++) bytes[at + i] = what === 3 ? 97 + random.below(16) : random.below(256)
    at += run
  }
  return bytes
}
