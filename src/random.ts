// Chance as a parameter. A seed gives the same numbers on every machine, so a
// test that prints its seed can be run again.

export interface Random {
  /** A whole number, 0 to 2^32 - 1. */
  uint32(): number
  /** A whole number, 0 to `bound` - 1. */
  below(bound: number): number
  /** A number from 0 up to, not including, 1. */
  fraction(): number
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, seeded from one number. */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0
  let b = 0x9e3779b9
  let c = 0x243f6a88
  let counter = 1
  const uint32 = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) uint32()
  return fromUint32(uint32)
}

/**
 * Chance of the JavaScript engine, which Node.js seeds from the machine: for ids that must differ, and for
 * choices. It is there at once, where `crypto` takes a thread five milliseconds to load.
 */
export const engineRandom: Random = fromUint32(() => Math.floor(Math.random() * 0x1_0000_0000))

/** Chance from the machine: for what nobody may guess. */
export const systemRandom: Random = fromUint32(() => {
  const word = new Uint32Array(1)
  crypto.getRandomValues(word)
  return word[0]!
})

function fromUint32(uint32: () => number): Random {
  const fraction = (): number => uint32() / 0x1_0000_0000
  return { uint32, fraction, below: (bound) => Math.floor(fraction() * bound) }
}
