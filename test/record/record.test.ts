import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHeaders, readHeaders } from '../../src/record/record.ts'
import { VarintReader } from '../../src/record/varint.ts'

const SEED = 20_261_205
const CORRUPT = expect.objectContaining({ name: 'MillraceError', code: 'CORRUPT_MESSAGE' }) as Error
const utf8 = new TextEncoder()

/** Headers of less than 64 bytes a field, by hand. */
function encode(headers: readonly (readonly [string, Uint8Array | null])[]): Uint8Array {
  const bytes: number[] = []
  for (const [key, value] of headers) {
    const name = utf8.encode(key)
    bytes.push(name.length * 2, ...name)
    if (value === null) bytes.push(1)
    else bytes.push(value.length * 2, ...value)
  }
  return Uint8Array.from(bytes)
}

function check(bytes: Uint8Array, start: number, end: number, count: number): void {
  const headers = new VarintReader()
  headers.reset(bytes, start, end)
  checkHeaders(headers, count)
}

/** What reading and checking both throw; undefined when both pass. */
function refusal(bytes: Uint8Array, start: number, end: number, count: number): unknown {
  const errors = [readHeaders, check].map((read) => {
    try {
      read(bytes, start, end, count)
      return undefined
    } catch (error) {
      return error
    }
  })
  expect(errors[0]).toEqual(errors[1])
  return errors[0]
}

describe('headers', () => {
  test('keep order, duplicates, nulls and empties', () => {
    const headers = [
      ['a', Uint8Array.of(1)],
      ['a', null],
      ['', new Uint8Array(0)],
      ['üml中😀', Uint8Array.of(2, 3)],
    ] as const
    const bytes = encode(headers)
    expect(readHeaders(bytes, 0, bytes.length, 4)).toEqual(headers.map(([key, value]) => ({ key, value })))
  })

  test('none are one and the same empty list', () => {
    expect(readHeaders(new Uint8Array(4), 2, 2, 0)).toEqual([])
    expect(readHeaders(new Uint8Array(4), 2, 2, 0)).toBe(readHeaders(new Uint8Array(9), 5, 5, 0))
  })

  test('come back, from the middle of other bytes, as views of them', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 4 })
    const values = fc.option(fc.uint8Array({ maxLength: 60 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, values), { maxLength: 8 }), fc.nat(5), (headers, start) => {
        const encoded = encode(headers)
        const bytes = new Uint8Array(start + encoded.length + 3).fill(0x02)
        bytes.set(encoded, start)
        const read = readHeaders(bytes, start, start + encoded.length, headers.length)
        expect(read).toEqual(headers.map(([key, value]) => ({ key, value })))
        expect(read.every(({ value }) => value === null || value.buffer === bytes.buffer)).toBe(true)
        check(bytes, start, start + encoded.length, headers.length)
      }),
      { seed: SEED },
    )
  })

  test('keep a byte order mark, and show bytes that are no UTF-8 as replaced', () => {
    const marked = encode([['\ufeffkey', null]])
    expect(readHeaders(marked, 0, marked.length, 1)[0]!.key).toBe('\ufeffkey')
    expect(readHeaders(Uint8Array.of(4, 0xc3, 0x28, 1), 0, 4, 1)[0]!.key).toBe('\ufffd(')
  })
})

describe('headers that lie', () => {
  test('about their number', () => {
    const bytes = encode([
      ['a', null],
      ['b', Uint8Array.of(7)],
    ])
    expect(refusal(bytes, 0, bytes.length, 2)).toBeUndefined()
    for (const count of [0, 1, 3, -1, 2 ** 31 - 1, -(2 ** 31)]) expect(refusal(bytes, 0, bytes.length, count), `${count}`).toEqual(CORRUPT)
    for (const count of [1, -1]) expect(refusal(bytes, 0, 0, count)).toEqual(CORRUPT)
  })

  test('about a length, or end early', () => {
    const bytes = encode([['key', Uint8Array.of(1, 2, 3)]])
    for (let end = 0; end < bytes.length; end++) expect(refusal(bytes, 0, end, 1), `${end} bytes`).toEqual(CORRUPT)
    // A null key; a key and a value that are longer than all bytes; a length below -1.
    for (const lie of [
      [1, 0, 0],
      [6, 9, 9],
      [0, 6, 9, 9],
      [0, 3],
      [0xfe, 0xff, 0xff, 0xff, 0x0f, 1],
    ]) {
      expect(refusal(Uint8Array.from([...lie, 0, 0, 0, 0, 0, 0, 0, 0]), 0, lie.length, 1), JSON.stringify(lie)).toEqual(CORRUPT)
    }
  })

  test('allocate nothing for a number that the bytes cannot hold', () => {
    const bytes = new Uint8Array(64)
    const before = process.memoryUsage()
    for (let i = 0; i < 100; i++) expect(() => readHeaders(bytes, 0, 64, 2 ** 31 - 1 - i)).toThrow(CORRUPT)
    const after = process.memoryUsage()
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024)
  })
})
