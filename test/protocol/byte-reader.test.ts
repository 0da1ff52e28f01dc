import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, untrustedLimitBytes } from '../../src/protocol/byte-reader.ts'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'

const bytes = (...values: number[]): ByteReader => new ByteReader(Uint8Array.from(values))
const hex = (write: (writer: ByteWriter) => void): string => {
  const writer = new ByteWriter(1)
  write(writer)
  return Buffer.from(writer.toBytes()).toString('hex')
}
const fromHex = (text: string): ByteReader => new ByteReader(Buffer.from(text, 'hex'))

describe('numbers', () => {
  test('are big-endian', () => {
    expect(hex((w) => w.writeInt8(-2))).toBe('fe')
    expect(hex((w) => w.writeInt16(-2))).toBe('fffe')
    expect(hex((w) => w.writeInt32(0x0102_0304))).toBe('01020304')
    expect(hex((w) => w.writeInt64(-2))).toBe('fffffffffffffffe')
    expect(hex((w) => w.writeFloat64(1.5))).toBe('3ff8000000000000')
    expect(hex((w) => w.writeBoolean(true))).toBe('01')
    expect(hex((w) => w.writeUuid([1, -1, 0, 2]))).toBe('00000001ffffffff0000000000000002')
  })

  test('come back over their whole range', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.integer(),
        fc.double({ noNaN: true }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (long, int, double, wide) => {
          const reader = fromHex(
            hex((w) => {
              w.writeInt64(long)
              w.writeInt32(int)
              w.writeInt16(int)
              w.writeInt16(int)
              w.writeInt8(int)
              w.writeInt32(int)
              w.writeFloat64(double)
              w.writeLong(wide)
            }),
          )
          expect(reader.readInt64()).toBe(long)
          expect(reader.readInt32()).toBe(int)
          expect(reader.readInt16()).toBe((int << 16) >> 16)
          expect(reader.readUint16()).toBe(int & 0xffff)
          expect(reader.readInt8()).toBe((int << 24) >> 24)
          expect(reader.readUint32()).toBe(int >>> 0)
          expect(reader.readFloat64()).toBe(double)
          expect(reader.readLong()).toBe(wide)
          reader.expectEnd()
        },
      ),
      { seed: 7 },
    )
  })

  test('of 64 bits are refused beyond 2^53 - 1, and Infinity is the largest of them', () => {
    expect(fromHex('001fffffffffffff').readInt64()).toBe(Number.MAX_SAFE_INTEGER)
    expect(fromHex('ffe0000000000001').readInt64()).toBe(Number.MIN_SAFE_INTEGER)
    for (const unsafe of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
      expect(() => fromHex(unsafe).readInt64(), unsafe).toThrow('a 64-bit number beyond 2^53 - 1')
    }
    expect(hex((w) => w.writeInt64(Infinity))).toBe('7fffffffffffffff')
    expect(fromHex('7fffffffffffffff').readInt64OrInfinity()).toBe(Infinity)
    expect(fromHex('7ffffffffffffffe').readLong()).toBe(2n ** 63n - 2n)
    expect(() => fromHex('7ffffffffffffffe').readInt64OrInfinity()).toThrow('beyond 2^53 - 1')
    expect(fromHex('0000000000000005').readInt64OrInfinity()).toBe(5)
  })

  test('in varints have seven bits a byte', () => {
    const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0xfff_ffff, 0x1000_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
    for (const value of edges) {
      const written = hex((w) => w.writeUnsignedVarint(value))
      expect(fromHex(written).readUnsignedVarint(), written).toBe(value)
      expect(written.length / 2).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
    }
    expect(hex((w) => w.writeUnsignedVarint(300))).toBe('ac02')
    expect(() => fromHex('ffffffff1f').readUnsignedVarint()).toThrow('a varint of more than 32 bits')
    expect(() => fromHex('ffffffffffff').readUnsignedVarint()).toThrow('a varint of more than 32 bits')
    expect(() => fromHex('ff').readUnsignedVarint()).toThrow('0 bytes where 1 are needed')
  })
})

describe('strings', () => {
  const classic = (text: string): string =>
    hex((w) => {
      const at = w.begin(2)
      w.writeText(text)
      w.endInt16(at)
    })
  const compact = (text: string): string =>
    hex((w) => {
      const at = w.begin(1)
      w.writeText(text)
      w.endVarint(at, 1)
    })

  test('have their length in bytes in front', () => {
    expect(classic('é')).toBe('0002c3a9')
    expect(compact('é')).toBe('03c3a9')
    expect(compact('')).toBe('01')
  })

  test('come back, at every length where the form of the length changes', () => {
    for (const length of [0, 1, 47, 48, 49, 126, 127, 128, 16_382, 16_383, 16_384, 32_767]) {
      const text = 'a'.repeat(length)
      expect(fromHex(classic(text)).readString()).toBe(text)
      expect(fromHex(compact(text)).readCompactString()).toBe(text)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(fromHex(classic(text)).readString()).toBe(text)
        expect(fromHex(compact(text)).readCompactNullableString()).toBe(text)
      }),
      { seed: 7, numRuns: 50 },
    )
  })

  test('may be null only where the type says so', () => {
    expect(fromHex('ffff').readNullableString()).toBeNull()
    expect(fromHex('00').readCompactNullableString()).toBeNull()
    expect(() => fromHex('ffff').readString()).toThrow('a null where none may be')
    expect(() => fromHex('00').readCompactString()).toThrow('a null where none may be')
    expect(() => fromHex('fffe').readNullableString()).toThrow('a length of -2')
  })

  test('of more than 32767 bytes are refused in both forms', () => {
    const long = Buffer.alloc(40_000)
    long.writeUIntBE(0x81_8002, 0, 3)
    expect(() => new ByteReader(long).readCompactString()).toThrow('a string of 32768 bytes')
  })

  test('that are no UTF-8 have replacement characters, as Kafka reads them', () => {
    expect(fromHex('0002c328').readString()).toBe('\uFFFD(')
  })
})

describe('bytes', () => {
  test('are views of the input', () => {
    const input = Uint8Array.from([0, 0, 0, 2, 7, 8, 9])
    const view = new ByteReader(input).readBytes()
    input[4] = 1
    expect([...view]).toEqual([1, 8])
    expect(view.constructor).toBe(Uint8Array)
  })

  test('may be null or empty', () => {
    expect(fromHex('ffffffff').readNullableBytes()).toBeNull()
    expect(fromHex('00').readCompactNullableBytes()).toBeNull()
    expect(fromHex('00000000').readBytes().length).toBe(0)
    expect(fromHex('01').readCompactBytes().length).toBe(0)
    expect(() => fromHex('ffffffff').readBytes()).toThrow('a null where none may be')
    expect(() => fromHex('80000000').readNullableBytes()).toThrow('a length of -2147483648')
    expect(() => fromHex('7fffffff').readBytes()).toThrow('0 bytes where 2147483647 are needed')
  })
})

describe('a reader', () => {
  test('keeps to its range', () => {
    const reader = new ByteReader(Uint8Array.from([1, 2, 3, 4]), { start: 1, end: 3 })
    expect(reader.readInt16()).toBe(0x0203)
    expect(() => reader.readInt8()).toThrow('0 bytes where 1 are needed')
  })

  test('says how far it came, of what, and whose fault it is', () => {
    const request = bytes(1)
    request.subject = 'FetchRequest v12'
    expect(() => request.readInt32()).toThrow(
      'FetchRequest v12: found 1 bytes where 4 are needed at byte 0: it does not follow the protocol',
    )
    const record = new ByteReader(new Uint8Array(1), { code: 'CORRUPT_MESSAGE' })
    expect(() => record.readInt32()).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE', retriable: true }))
    expect(() => bytes().readInt8()).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', retriable: false }))
  })

  test('believes a count only as far as bytes are there', () => {
    expect(bytes(0, 0, 0, 2, 1, 2).readCount(false, false, 1)).toBe(2)
    expect(bytes(3, 1, 2).readCount(true, false, 1)).toBe(2)
    expect(bytes(0).readCount(true, true, 1)).toBe(-1)
    expect(() => bytes(0).readCount(true, false, 1)).toThrow('an array of -1 elements')
    expect(() => bytes(0, 0, 0, 3, 1, 2).readCount(false, false, 1)).toThrow('an array of 3 elements')
    expect(() => bytes(0, 0, 0, 2, 1, 2, 3).readCount(false, false, 2)).toThrow('an array of 2 elements')
    expect(() => bytes(0xff, 0xff, 0xff, 0xff, 0x0f).readCount(true, true, 0)).toThrow('an array of 4294967294 elements')
  })

  test('counts what decoding allocates, and stops at the limit', () => {
    const reader = new ByteReader(new Uint8Array(100))
    expect(reader.allocationLeftBytes).toBe(untrustedLimitBytes(100))
    reader.charge(untrustedLimitBytes(100))
    expect(() => reader.charge(1)).toThrow('more objects than its size allows')
  })

  test('tells when bytes are left', () => {
    expect(() => bytes(1).expectEnd()).toThrow('1 bytes behind its end')
  })
})
