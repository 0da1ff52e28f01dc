import { Decoder, encode, Encoder } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NOT_PLAIN, PlainDecoder } from '../../src/client/msgpack-decoder.ts'
import { PlainEncoder } from '../../src/client/msgpack-encoder.ts'
import { MSGPACK_DEPTH_MAX, msgpackFault } from '../../src/client/msgpack-scan.ts'

const library = new Encoder({ ignoreUndefined: true, maxDepth: MSGPACK_DEPTH_MAX })

/** Texts of all kinds, lone surrogates too, and numbers about the edges of every size. */
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ minLength: 20, maxLength: 300 }))
const edges = [0, 0x20, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 2 ** 31, 2 ** 32, 2 ** 53 - 1]
const edge = fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 })).map(([at, by]) => at + by)
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  edge,
  edge.map((value) => -value),
)
const names = text.filter((name) => name !== '__proto__')
const { value: plain } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, text, fc.boolean(), number, fc.constant(null), fc.constant(undefined), tie('array'), tie('object')),
  array: fc.array(tie('value'), { maxLength: 20 }),
  object: fc.dictionary(names, tie('value'), { maxKeys: 20 }),
}))

describe('the short way of writing', () => {
  test('gives the bytes that the library gives, or leaves the value to it', () => {
    const encoder = new PlainEncoder()
    let taken = 0
    fc.assert(
      fc.property(plain, (value) => {
        const written = encoder.encode(value)
        if (written === undefined) return
        taken++
        expect(Buffer.from(written).equals(library.encode(value))).toBe(true)
      }),
      { seed: 20_261_201, numRuns: 3_000 },
    )
    expect(taken).toBeGreaterThan(1_500)
  })

  test('takes what most records are', () => {
    const encoder = new PlainEncoder()
    const many = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))
    const values = [
      { id: 7, user: 'u', tags: ['a', 'héllo 😀'], at: 1.5e12, ok: true, none: null },
      [],
      {},
      '',
      'x'.repeat(70_000),
      -0,
      Number.NaN,
    ]
    for (const value of values) expect(Buffer.from(encoder.encode(value)!)).toEqual(Buffer.from(library.encode(value)))
    for (const size of [15, 16, 17, 300]) {
      const object = Object.fromEntries(Object.entries(many).slice(0, size))
      for (const value of [object, { ...object, k3: undefined, k5: undefined }, Object.keys(object)]) {
        expect(Buffer.from(encoder.encode(value)!)).toEqual(Buffer.from(library.encode(value)))
      }
    }
  })

  test('leaves to the library what is not plain, wherever it lies', () => {
    const encoder = new PlainEncoder()
    class Point {
      x = 1
    }
    const others = [
      new Date(0),
      new Uint8Array(2),
      5n,
      Symbol('s'),
      () => 1,
      new Map(),
      new Point(),
      Object.create(null),
      '\ud800',
      'x'.repeat(300_000),
    ]
    for (const other of others) {
      expect(encoder.encode(other)).toBeUndefined()
      expect(encoder.encode({ a: [{ b: other }] })).toBeUndefined()
    }
    const circular: { self?: unknown } = {}
    circular.self = circular
    expect(encoder.encode(circular)).toBeUndefined()
    expect([...encoder.encode({ a: 1 })!]).toEqual([0x81, 0xa1, 0x61, 1])
  })

  test('a value that encodes another while it is encoded keeps its own bytes, and one that throws leaves no trace', () => {
    const encoder = new PlainEncoder()
    const nested = {
      get a(): unknown {
        return encoder.encode([1, 2, 3])?.length ?? 'left'
      },
    }
    expect(Buffer.from(encoder.encode(nested)!)).toEqual(Buffer.from(encode({ a: 'left' })))
    const broken = {
      get a(): never {
        throw new Error('of the user')
      },
    }
    expect(() => encoder.encode(broken)).toThrow('of the user')
    expect([...encoder.encode(1)!]).toEqual([1])
  })
})

describe('the short way of reading', () => {
  const decoder = new PlainDecoder()
  const careful = new Decoder()

  /** What the careful way gives; undefined where it refuses. */
  function carefully(bytes: Uint8Array): { value: unknown } | undefined {
    if (msgpackFault(bytes, 0, bytes.length) !== undefined) return undefined
    try {
      return { value: careful.decode(bytes) }
    } catch {
      return undefined
    }
  }

  test('gives the value that was written, among other bytes', () => {
    let taken = 0
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encode(value, { ignoreUndefined: true })
        const read = decoder.decode(Buffer.concat([Buffer.from([0xc1]), bytes, Buffer.from([0xc1])]), 1, 1 + bytes.length)
        if (read === NOT_PLAIN) return
        taken++
        expect(read).toStrictEqual(careful.decode(bytes))
      }),
      { seed: 20_261_202, numRuns: 3_000 },
    )
    expect(taken).toBeGreaterThan(1_500)
  })

  test('any bytes: the value of the careful way, or left to it', () => {
    let taken = 0
    const heads = fc.constantFrom(
      0x81,
      0x82,
      0x91,
      0x92,
      0xa1,
      0xa3,
      0xca,
      0xcb,
      0xcc,
      0xcd,
      0xce,
      0xcf,
      0xd0,
      0xd1,
      0xd2,
      0xd3,
      0xd9,
      0xdc,
      0xde,
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(255), heads, fc.nat(9)), { minLength: 1, maxLength: 24 }), (stored) => {
        const bytes = Uint8Array.from(stored)
        const read = decoder.decode(bytes, 0, bytes.length)
        if (read === NOT_PLAIN) return
        taken++
        expect({ value: read }).toStrictEqual(carefully(bytes))
      }),
      { seed: 20_261_203, numRuns: 30_000 },
    )
    expect(taken).toBeGreaterThan(1_000)
  })

  test('what is not plain, or wrong, is left to the careful way', () => {
    const proto = [0x81, 0xa9, ...Buffer.from('__proto__'), 1]
    const wrong = [
      [],
      [0xc1],
      [0x92, 1],
      [0xdd, 1, 0xff, 0xff, 0xff],
      [1, 2],
      [0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0],
      [0xa1, 0xff],
      proto,
      [0xda, 0],
    ]
    for (const stored of wrong) expect(decoder.decode(Uint8Array.from(stored), 0, stored.length)).toBe(NOT_PLAIN)
    const deep = [...Array.from({ length: 100 }, () => 0x91), 1]
    expect(decoder.decode(Uint8Array.from(deep), 0, deep.length)).toBe(NOT_PLAIN)
    for (const value of [new Date(0), new Uint8Array(3), { a: new Date(1) }]) {
      const bytes = encode(value)
      expect(decoder.decode(bytes, 0, bytes.length)).toBe(NOT_PLAIN)
    }
  })

  test('names that share a place are told apart', () => {
    for (let round = 0; round < 2; round++) {
      for (const name of ['ab', 'a\u0062', 'aXb', 'aYb', 'aZb', '']) {
        const bytes = encode({ [name]: 1 })
        expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual({ [name]: 1 })
      }
    }
  })
})
