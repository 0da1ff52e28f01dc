import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VarintReader, sizeOfVarint, sizeOfVarlong, writeUnsignedVarint, writeVarint, writeVarlong } from '../../src/record/varint.ts'
import { fromHex, goldenVarlongs, toHex } from './golden-batches.ts'
import { plainVarlong } from './plain-batch.ts'

const SEED = 20_261_201
const CORRUPT = expect.objectContaining({ name: 'MillraceError', code: 'CORRUPT_MESSAGE' }) as Error

const int32s = fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 }), powersOfTwo(31))
const safeIntegers = fc.oneof(fc.maxSafeInteger(), int32s, powersOfTwo(53))

/** Whole numbers beside the powers of two, where sizes change. */
function powersOfTwo(bits: number): fc.Arbitrary<number> {
  const edges = fc.tuple(fc.integer({ min: 0, max: bits }), fc.integer({ min: -2, max: 1 }), fc.constantFrom(1, -1))
  const max = 2 ** bits - 1
  return edges.map(([bit, step, sign]) => sign * Math.max(-max, Math.min(max, 2 ** bit + step)))
}

function reader(bytes: readonly number[] | Uint8Array): VarintReader {
  const made = new VarintReader()
  made.reset(Uint8Array.from(bytes), 0, bytes.length)
  return made
}

describe('a varlong', () => {
  test("is Kafka's, byte for byte", () => {
    let compared = 0
    for (const { value, bytes } of goldenVarlongs) {
      if (!Number.isSafeInteger(Number(value))) continue
      const written = new Uint8Array(10)
      const end = writeVarlong(written, 0, Number(value))
      expect(toHex(written, 0, end), value).toBe(bytes)
      expect(sizeOfVarlong(Number(value)), value).toBe(bytes.length / 2)
      const read = reader(fromHex(bytes))
      expect(read.readVarlong(), value).toBe(Number(value))
      expect(read.position).toBe(bytes.length / 2)
      compared++
    }
    expect(compared).toBe(17)
  })

  test('beyond a safe integer is refused', () => {
    const unsafe = goldenVarlongs.filter(({ value }) => !Number.isSafeInteger(Number(value)))
    expect(unsafe.map(({ value }) => value)).toEqual(['9223372036854775807', '-9223372036854775808'])
    for (const { bytes } of unsafe) expect(() => reader(fromHex(bytes)).readVarlong()).toThrow(CORRUPT)
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 56n, 2n ** 62n, -(2n ** 62n) + 1n]) {
      expect(() => reader(plainVarlong(value)).readVarlong(), String(value)).toThrow(CORRUPT)
    }
    for (const value of [2n ** 53n - 1n, -(2n ** 53n) + 1n]) expect(reader(plainVarlong(value)).readVarlong()).toBe(Number(value))
  })

  test('comes back, and takes the bytes it should', () => {
    fc.assert(
      fc.property(safeIntegers, fc.nat(8), (value, start) => {
        const bytes = new Uint8Array(24).fill(0xee)
        const end = writeVarlong(bytes, start, value)
        expect([...bytes.subarray(start, end)]).toEqual(plainVarlong(BigInt(value)))
        expect(end - start).toBe(sizeOfVarlong(value))
        expect(bytes.subarray(0, start).every((byte) => byte === 0xee) && bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true)
        const read = new VarintReader()
        read.reset(bytes, start, end)
        expect(read.readVarlong()).toBe(value === 0 ? 0 : value)
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })
})

describe('a varint', () => {
  test('is a varlong of 32 bits', () => {
    fc.assert(
      fc.property(int32s, (value) => {
        const bytes = new Uint8Array(8)
        const end = writeVarint(bytes, 0, value)
        expect([...bytes.subarray(0, end)]).toEqual(plainVarlong(BigInt(value)))
        expect(sizeOfVarint(value)).toBe(end)
        expect(reader(bytes.subarray(0, end)).readVarint()).toBe(value === 0 ? 0 : value)
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })

  test('that is longer than it need be is read', () => {
    expect(reader([0x80, 0x00]).readVarint()).toBe(0)
    expect(reader([0x81, 0x80, 0x80, 0x80, 0x00]).readVarint()).toBe(-1)
    expect(reader([0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).readVarlong()).toBe(1)
  })

  test('of more than its bits is refused', () => {
    expect(reader([0xfe, 0xff, 0xff, 0xff, 0x0f]).readVarint()).toBe(2 ** 31 - 1)
    expect(reader([0xff, 0xff, 0xff, 0xff, 0x0f]).readVarint()).toBe(-(2 ** 31))
    expect(() => reader([0xff, 0xff, 0xff, 0xff, 0x10]).readVarint()).toThrow(CORRUPT)
    expect(() => reader([0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).readVarint()).toThrow(CORRUPT)
    expect(() => reader([...new Array<number>(10).fill(0x80), 0x00]).readVarlong()).toThrow(CORRUPT)
    expect(() => reader([...new Array<number>(9).fill(0x80), 0x01]).readVarlong()).toThrow(CORRUPT)
  })

  test('without zig-zag', () => {
    for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1]) {
      const bytes = new Uint8Array(8)
      const end = writeUnsignedVarint(bytes, 0, value)
      expect(reader(bytes.subarray(0, end)).readUnsignedVarint()).toBe(value)
    }
    expect(reader([0xff, 0xff, 0xff, 0xff, 0x0f]).readUnsignedVarint()).toBe(-1)
  })

  test('that the bytes end in is refused, whatever lies behind them', () => {
    for (const length of [0, 1, 2, 3, 4]) {
      const read = new VarintReader()
      read.reset(new Uint8Array(16).fill(0x80).fill(0x01, length), 0, length)
      expect(() => read.readVarint(), `${length} bytes`).toThrow(CORRUPT)
      read.position = 0
      expect(() => read.readVarlong(), `${length} bytes`).toThrow(CORRUPT)
      expect(read.position).toBeLessThanOrEqual(length)
    }
  })
})

describe('a length', () => {
  test('is that of bytes that are there', () => {
    expect(reader([0x04, 9, 9]).readLength(false)).toBe(2)
    expect(reader([0x00]).readLength(false)).toBe(0)
    expect(() => reader([0x06, 9, 9]).readLength(false)).toThrow(CORRUPT)
    expect(() => reader([0xfe, 0xff, 0xff, 0xff, 0x0f, 9]).readLength(true)).toThrow(CORRUPT)
  })

  test('is -1 only where null may be, and never less', () => {
    expect(reader([0x01]).readLength(true)).toBe(-1)
    expect(() => reader([0x01]).readLength(false)).toThrow(CORRUPT)
    expect(() => reader([0x03]).readLength(true)).toThrow(CORRUPT)
    expect(() => reader([0xff, 0xff, 0xff, 0xff, 0x0f]).readLength(true)).toThrow(CORRUPT)
  })
})
