import { Decoder } from '@msgpack/msgpack'
import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { msgpack } from '../../src/client/msgpack-serde.ts'
import { deserializeField, nullable, serializeField } from '../../src/client/serde.ts'
import type { StandardSchema } from '../../src/client/standard-schema.ts'
import { MillraceError } from '../../src/errors.ts'

const serde = msgpack()

function encoded(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(serializeField(serde, value, 'value', 'orders') as Uint8Array)
}

function decoded(stored: Uint8Array<ArrayBuffer>): unknown {
  return deserializeField(serde, stored, 0, stored.length, 'value', 'orders', 3, 42)
}

function failure(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing failed')
}

test('before it is loaded it says what to await', () => {
  const error = failure(() => encoded(1))
  expect(error.code).toBe('INVALID_REQUEST')
  expect(error.message).toContain('await millrace.topic(…)')
})

describe('loaded', () => {
  beforeAll(async () => {
    await Promise.all([serde.prepare!(), msgpack().prepare!(), nullable(serde).prepare!()])
  })

  test('values come back as they were', () => {
    const values = [0, -1, 2 ** 32, 1.5, 2 ** 53 - 1, -(2 ** 53) + 1, '', 'héllo 😀', true, [], [1, [2]], {}, { a: { b: [null] } }]
    for (const value of values) expect(decoded(encoded(value))).toEqual(value)
    expect(decoded(encoded(new Date(1_700_000_000_123)))).toEqual(new Date(1_700_000_000_123))
    expect(decoded(encoded(Number.NaN))).toBeNaN()
  })

  test('any value of JSON comes back', () => {
    const names = fc.string().filter((name) => name !== '__proto__')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.boolean(),
        fc.double({ noNaN: true }),
        fc.maxSafeInteger(),
        tie('array'),
        tie('object'),
      ),
      array: fc.array(tie('value')),
      object: fc.dictionary(names, tie('value')),
    }))
    fc.assert(
      fc.property(value, (given) => {
        expect(decoded(encoded(given))).toEqual(Object.is(given, -0) ? 0 : JSON.parse(JSON.stringify(given), (_, each: unknown) => each))
      }),
      { seed: 20_261_129, numRuns: 300 },
    )
  })

  test('properties that are undefined are left out', () => {
    expect(decoded(encoded({ a: 1, b: undefined }))).toStrictEqual({ a: 1 })
  })

  test('bytes come back as a view of what was decoded', () => {
    const stored = encoded({ blob: new Uint8Array([1, 2, 3]) })
    const { blob } = decoded(stored) as { blob: Uint8Array }
    expect(blob).toEqual(new Uint8Array([1, 2, 3]))
    expect(blob.buffer).toBe(stored.buffer)
    expect(decoded(encoded({ blob: Buffer.from('abc') }))).toEqual({ blob: new Uint8Array([97, 98, 99]) })
  })

  test('what is given is lent until the next call, and a key is copied', () => {
    const first = serializeField(serde, 'first', 'value', 'orders') as Uint8Array
    const before = first.slice()
    const key = serializeField(serde, 'key', 'key', 'orders') as Uint8Array
    const keyBefore = key.slice()
    serializeField(serde, { another: 'value' }, 'value', 'orders')
    expect(key).toEqual(keyBefore)
    // if the encoder gave copies, `borrowed` would be a lie that costs a copy of each key
    expect(first).not.toEqual(before)
    expect(serde.borrowed).toBe(true)
  })

  test('an encoder that grew is let go', () => {
    const large = serializeField(serde, 'x'.repeat(3_000_000), 'value', 'orders') as Uint8Array
    expect(large.buffer.byteLength).toBeGreaterThan(1_048_576)
    const small = serializeField(serde, 1, 'value', 'orders') as Uint8Array
    expect(small.buffer.byteLength).toBeLessThan(1_048_576)
    expect(large.length).toBe(3_000_005)
    expect(large[5]).toBe(0x78)
  })

  test('what would come back as something else is refused', () => {
    const cases: [unknown, string][] = [
      [5n, 'a bigint has no form here'],
      [{ a: { b: 5n } }, 'a bigint has no form here'],
      [new Map([['a', 1]]), 'a Map has no form'],
      [{ a: new Set([1]) }, 'a Set has no form'],
      [[Promise.resolve(1)], 'await it first'],
      [new Float64Array(2), 'an object of class Float64Array would be read back as bytes'],
      [new ArrayBuffer(2), 'empty object'],
      [{ a: () => 1 }, 'Unrecognized object'],
      [Symbol('s'), 'Unrecognized object'],
    ]
    for (const [value, words] of cases) {
      const error = failure(() => encoded(value))
      expect(error.code).toBe('SERIALIZATION')
      expect(error.message).toContain('the value for topic orders cannot be encoded by msgpack(): ')
      expect(error.message).toContain(words)
    }
    const circular: { self?: unknown } = {}
    circular.self = circular
    expect(failure(() => encoded(circular)).message).toContain('Too deep')
    // and the encoder still works
    expect(decoded(encoded({ a: 1 }))).toEqual({ a: 1 })
  })

  test('bytes that are no MessagePack are refused before the decoder sees them', () => {
    const decode = vi.spyOn(Decoder.prototype, 'decode')
    try {
      for (const stored of [[], [0xc1], [0x92, 1], [0xdd, 1, 0xff, 0xff, 0xff], [1, 2], [0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0]]) {
        const error = failure(() => decoded(Uint8Array.from(stored)))
        expect(error.code).toBe('DESERIALIZATION')
        expect(error.message).toContain('the value of orders-3 at offset 42 cannot be decoded by msgpack(): ')
        expect(error.cause).toBeInstanceOf(RangeError)
      }
      expect(decode).not.toHaveBeenCalled()
      // the spy does watch the decoder that is used where a value is not plain
      expect(decoded(Uint8Array.from([0xd6, 0xff, 0, 0, 0, 5]))).toEqual(new Date(5_000))
      expect(decode).toHaveBeenCalledOnce()
    } finally {
      decode.mockRestore()
    }
    expect(failure(() => decoded(Uint8Array.from([0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 1]))).code).toBe('DESERIALIZATION')
  })

  test('any bytes give a value or a DESERIALIZATION, and little memory is taken', () => {
    let refused = 0
    let taken = 0
    // heads that open arrays and maps come often
    const stored = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0x91, 0x9f, 0x8f, 0xdc, 0xdd, 0xde, 0xdf)), { maxLength: 64 })
    fc.assert(
      fc.property(stored, (bytes) => {
        try {
          decoded(Uint8Array.from(bytes))
          taken++
        } catch (error) {
          if (!(error instanceof MillraceError) || error.code !== 'DESERIALIZATION') throw error
          refused++
        }
      }),
      { seed: 20_261_130, numRuns: 20_000 },
    )
    expect(refused).toBeGreaterThan(1_000)
    expect(taken).toBeGreaterThan(100)
  })

  test('damaged values give a value or a DESERIALIZATION', () => {
    const sound = encoded({
      page: '/index',
      clicks: [1, 2, 300, 70_000],
      at: new Date(0),
      user: { id: 'u7', tags: ['a', 'b'], blob: new Uint8Array(20) },
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = sound.slice()
        for (const [at, byte] of changes) damaged[at] = byte
        try {
          decoded(damaged)
        } catch (error) {
          expect((error as MillraceError).code).toBe('DESERIALIZATION')
        }
      }),
      { seed: 20_261_131, numRuns: 10_000 },
    )
  })

  test('takes a schema', () => {
    const positive: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (typeof value === 'number' && value > 0 ? { value } : { issues: [{ message: 'expected a positive number' }] }),
      },
    }
    const checked = msgpack(positive)
    expect(checked).toMatchObject({ name: 'msgpack(schema)', borrowed: true })
    expect(checked.prepare).toBeTypeOf('function')
    expect(serializeField(checked, 5, 'value', 'orders')).toEqual(new Uint8Array([5]))
    expect(failure(() => serializeField(checked, -5, 'value', 'orders')).message).toContain('msgpack(schema): expected a positive number')
    const both = checked.checkedOnRead!()
    expect(failure(() => deserializeField(both, new Uint8Array([0]), 0, 1, 'value', 'orders', 0, 0)).code).toBe('DESERIALIZATION')
  })
})
