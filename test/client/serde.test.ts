import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { bytes, checkSerde, deserializeField, json, nullable, serializeField, string } from '../../src/client/serde.ts'
import type { Serde } from '../../src/client/serde.ts'
import type { StandardSchema } from '../../src/client/standard-schema.ts'

const utf8 = new TextEncoder()
const codePoints = fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
const texts = fc.array(codePoints, { maxLength: 40 }).map((points) => String.fromCodePoint(...points))

function toBytes(encoded: Uint8Array | string | null): Uint8Array<ArrayBuffer> {
  if (encoded === null) throw new Error('null has no bytes')
  return typeof encoded === 'string' ? utf8.encode(encoded) : new Uint8Array(encoded)
}

/** Through the batch and back: the bytes lie amid others, as in a batch. */
function roundTrip<T, In>(serde: Serde<T, In>, value: In): T {
  const encoded = toBytes(serializeField(serde, value, 'value', 'orders'))
  const memory = new Uint8Array(encoded.length + 12).fill(0xff)
  memory.set(encoded, 5)
  return deserializeField(serde, memory, 5, 5 + encoded.length, 'value', 'orders', 3, 42)
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

function send<In>(serde: Serde<unknown, In>, value: unknown, field: 'key' | 'value' = 'value'): Uint8Array | string | null {
  return serializeField(serde, value as In, field, 'orders')
}

function read<T>(serde: Serde<T, never>, ...stored: number[]): T {
  return deserializeField(serde, Uint8Array.from(stored), 0, stored.length, 'value', 'orders', 3, 42)
}

describe('bytes()', () => {
  test('are taken as they are, without a copy', () => {
    const value = new Uint8Array([1, 2, 3])
    expect(send(bytes(), value)).toBe(value)
    expect(roundTrip(bytes(), value)).toEqual(value)
    expect(roundTrip(bytes(), Buffer.from('abc'))).toEqual(utf8.encode('abc'))
    expect(roundTrip(bytes(), new Uint8Array(0))).toEqual(new Uint8Array(0))
  })

  test('read back are a view of the memory that they lie in', () => {
    const memory = new Uint8Array([9, 1, 2, 9])
    const view = deserializeField(bytes(), memory, 1, 3, 'value', 'orders', 0, 0)
    expect(view).toEqual(new Uint8Array([1, 2]))
    expect(view.buffer).toBe(memory.buffer)
  })

  test('take nothing else', () => {
    for (const value of ['text', 5, [1], new ArrayBuffer(2), new DataView(new ArrayBuffer(2)), new Float64Array(1)]) {
      expect(failure(() => send(bytes(), value)).code).toBe('SERIALIZATION')
    }
  })
})

describe('string()', () => {
  test('is left to be written as UTF-8, and reads it back', () => {
    expect(send(string(), 'héllo')).toBe('héllo')
    for (const text of ['', 'a', 'héllo €', '😀', '\ufeffwith a mark', 'x'.repeat(10_000), 'é'.repeat(5_000), '\ufffd itself', '\0']) {
      expect(roundTrip(string(), text)).toBe(text)
    }
  })

  test('any well-formed text comes back', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(roundTrip(string(), text)).toBe(text)
      }),
      { seed: 20_261_126 },
    )
  })

  test('bytes that are no UTF-8 are an error, not another text', () => {
    for (const stored of [[0xff], [0xc3], [0x61, 0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const error = failure(() => read(string(), ...stored))
      expect(error.code).toBe('DESERIALIZATION')
      expect(error.cause).toBeInstanceOf(TypeError)
    }
  })

  test('takes nothing else', () => {
    for (const value of [5, true, {}, new Uint8Array(1), 5n]) expect(failure(() => send(string(), value)).code).toBe('SERIALIZATION')
  })
})

describe('json()', () => {
  test('reads back what JSON can say', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((value) => value !== null),
        (value) => {
          expect(roundTrip(json(), value)).toEqual(JSON.parse(JSON.stringify(value)))
        },
      ),
      { seed: 20_261_127 },
    )
  })

  test('says why it cannot encode a value', () => {
    const circular: { self?: unknown } = {}
    circular.self = circular
    const cases: [unknown, string][] = [
      [circular, 'circular'],
      [5n, 'BigInt'],
      [() => 1, 'JSON has no form for a function'],
      [Symbol('s'), 'JSON has no form for a symbol'],
      [Promise.resolve(1), 'await it first'],
      [new Map(), 'a Map has no form'],
      [new Set(), 'a Set has no form'],
    ]
    for (const [value, words] of cases) {
      const error = failure(() => send(json(), value))
      expect(error).toMatchObject({ code: 'SERIALIZATION', retriable: false })
      expect(error.message).toContain('the value for topic orders cannot be encoded by json(): ')
      expect(error.message).toContain(words)
      expect(error.cause).toBeInstanceOf(TypeError)
    }
  })

  test('says where bytes that are no JSON lie', () => {
    const error = failure(() => read(json(), 0x7b))
    expect(error.code).toBe('DESERIALIZATION')
    expect(error.message).toContain('the value of orders-3 at offset 42 cannot be decoded by json(): ')
    expect(error.cause).toBeInstanceOf(SyntaxError)
    expect(failure(() => read(json())).code).toBe('DESERIALIZATION')
  })
})

describe('null', () => {
  test('is refused on send, and on read, without nullable()', () => {
    for (const serde of [bytes(), string(), json()]) {
      const sent = failure(() => send(serde as Serde<unknown>, null))
      expect(sent.code).toBe('SERIALIZATION')
      expect(sent.message).toContain('the value for topic orders is null: define the topic with value: nullable(…)')
      const found = failure(() => deserializeField(serde, new Uint8Array(0), -1, -1, 'key', 'orders', 3, 42))
      expect(found.code).toBe('DESERIALIZATION')
      expect(found.message).toContain('the key of orders-3 at offset 42 is null')
    }
  })

  test('passes through nullable() both ways', () => {
    const serde = nullable(json<{ a: number }>())
    expect(serializeField(serde, null, 'value', 'orders')).toBeNull()
    expect(deserializeField(serde, new Uint8Array(0), -1, -1, 'value', 'orders', 0, 0)).toBeNull()
    expect(roundTrip(serde, { a: 1 })).toEqual({ a: 1 })
    expect(serde.name).toBe('nullable(json())')
    expect(nullable(serde)).toBe(serde)
  })

  test('is not a value that was forgotten, but is a key that was', () => {
    const serde = nullable(string())
    expect(failure(() => send(serde, undefined)).message).toContain('the value for topic orders is missing')
    expect(send(serde, undefined, 'key')).toBeNull()
    expect(failure(() => send(string(), undefined, 'key')).message).toContain('give a key')
  })
})

describe("a user's own serde", () => {
  class Celsius {
    readonly degrees: number
    constructor(degrees: number) {
      this.degrees = degrees
    }
  }

  class CelsiusSerde {
    readonly name = 'celsius'
    readonly #scale = 10
    serialize(value: Celsius): Uint8Array {
      return utf8.encode(String(value.degrees * this.#scale))
    }
    deserialize(view: Uint8Array): Celsius {
      return new Celsius(Number(new TextDecoder().decode(view)) / this.#scale)
    }
  }

  test('may be a class with private state, also under nullable()', () => {
    expect(roundTrip(new CelsiusSerde(), new Celsius(21.5))).toEqual(new Celsius(21.5))
    const serde = nullable(new CelsiusSerde())
    expect(roundTrip(serde, new Celsius(-4))).toEqual(new Celsius(-4))
    expect(serializeField(serde, null, 'value', 'orders')).toBeNull()
  })

  test('that throws is an error with the cause', () => {
    const broken: Serde<number> = {
      serialize: () => {
        throw new RangeError('too hot')
      },
      deserialize: () => {
        throw new RangeError('too cold')
      },
    }
    const sent = failure(() => send(broken, 1))
    expect(sent.message).toBe('the value for topic orders cannot be encoded by its serde: too hot')
    expect(sent.cause).toBeInstanceOf(RangeError)
    const found = failure(() => read(broken, 1))
    expect(found.message).toBe('the value of orders-3 at offset 42 cannot be decoded by its serde: too cold')
    expect(found.cause).toBeInstanceOf(RangeError)
  })

  test('that gives neither bytes nor text is an error', () => {
    for (const wrong of [undefined, null, 5, [1], new ArrayBuffer(1)]) {
      const serde = { serialize: () => wrong as unknown as string, deserialize: () => 1 }
      expect(failure(() => send(serde, 1)).message).toContain('it must give a Uint8Array or a string')
    }
  })

  test('that lends its memory has its keys copied', () => {
    const memory = new Uint8Array([1, 2, 3])
    const serde: Serde<Uint8Array> = { serialize: () => memory, deserialize: (view) => view, borrowed: true }
    expect(send(serde, memory, 'value')).toBe(memory)
    const key = send(serde, memory, 'key')
    expect(key).toEqual(memory)
    expect((key as Uint8Array).buffer).not.toBe(memory.buffer)
    expect(nullable(serde).borrowed).toBe(true)
  })
})

test('what is no serde is refused with what was probably meant', () => {
  const check = (serde: unknown): MillraceError => failure(() => checkSerde(serde as Serde<unknown>, 'key of topic "orders"'))
  const schema = { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: 1 }) } }
  expect(check(string).message).toContain('call the function, as in string()')
  expect(check(schema).message).toContain('write json(schema) or msgpack(schema)')
  expect(check('string').message).toContain('a string was given')
  expect(check(null).message).toContain('null was given')
  expect(check({ serialize: () => '' })).toMatchObject({ code: 'INVALID_CONFIG' })
  expect(failure(() => nullable(bytes as unknown as Serde<unknown>)).message).toContain('nullable() takes a serde')
})

describe('a schema', () => {
  interface Reading {
    readonly degrees: number
    readonly unit: string
  }

  // Takes degrees as text or number, and fills the unit in.
  const readings: StandardSchema<{ degrees: number | string; unit?: string }, Reading> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const { degrees, unit } = (value ?? {}) as { degrees?: unknown; unit?: unknown }
        const asNumber = Number(degrees)
        if (degrees === undefined || Number.isNaN(asNumber)) return { issues: [{ message: 'expected degrees', path: ['degrees'] }] }
        return { value: { degrees: asNumber, unit: typeof unit === 'string' ? unit : 'C' } }
      },
    },
  }

  test('turns what is sent into its output, and that is what is written', () => {
    const serde = json(readings)
    expect(send(serde, { degrees: '21.5' })).toBe('{"degrees":21.5,"unit":"C"}')
    expect(roundTrip(serde, { degrees: 3 })).toEqual({ degrees: 3, unit: 'C' })
    expect(serde.name).toBe('json(schema)')
  })

  test('refuses what does not fit, with its issues', () => {
    const error = failure(() => send(json(readings), {}))
    expect(error.code).toBe('SERIALIZATION')
    expect(error.message).toBe('the value for topic orders cannot be encoded by json(schema): degrees: expected degrees')
    expect(error.cause).toMatchObject({ name: 'SchemaError', issues: [{ message: 'expected degrees', path: ['degrees'] }] })
  })

  test('is not asked on reading, unless that was said', () => {
    const foreign = [...utf8.encode('{"unit":"F"}')]
    expect(read(json(readings), ...foreign)).toEqual({ unit: 'F' })
    const both = json(readings).checkedOnRead!()
    const error = failure(() => read(both, ...foreign))
    expect(error.code).toBe('DESERIALIZATION')
    expect(error.message).toContain('cannot be decoded by json(schema): degrees: expected degrees')
    expect(read(both, ...utf8.encode('{"degrees":"4"}'))).toEqual({ degrees: 4, unit: 'C' })
    expect(read(nullable(json(readings)).checkedOnRead!(), ...utf8.encode('{"degrees":5}'))).toEqual({ degrees: 5, unit: 'C' })
  })

  test('checked on reading must accept its own output: the sender is told, not every reader', () => {
    const toDate: StandardSchema<string, object> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (typeof value === 'string' ? { value: { at: value } } : { issues: [{ message: 'expected text' }] }),
      },
    }
    expect(send(json(toDate), 'now')).toBe('{"at":"now"}')
    expect(failure(() => send(json(toDate).checkedOnRead!(), 'now')).message).toContain('expected text')
  })

  test('that makes null of a value is refused', () => {
    const toNull: StandardSchema<unknown, null> = { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: null }) } }
    expect(failure(() => send(json(toNull), 1)).message).toContain('the schema made null of the value')
  })

  test('that turns out to be asynchronous keeps its own error', () => {
    const late: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (value === 41 ? Promise.resolve({ value: 42 }) : { issues: [{ message: 'no' }] }),
      },
    }
    const error = failure(() => send(json(late), 41))
    expect(error.code).toBe('INVALID_CONFIG')
    expect(error.message).toContain('asynchronously')
  })

  test('that is none is refused when it is given', () => {
    expect(() => json({} as StandardSchema)).toThrow('Standard Schema')
  })
})
