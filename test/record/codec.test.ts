import { gzipSync, zstdCompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import { codecOf } from '../../src/record/codec-table.ts'
import { xxhash32 } from '../../src/record/xxhash32.ts'
import { CODECS, codecInput } from './codec-inputs.ts'

const SEED = 0xc0dec
const INPUTS = 60
const MAX = 1024 * 1024
const XERIAL = Buffer.from('82534e41505059000000000100000001', 'hex')

const inputs = Array.from({ length: INPUTS }, (_, index) => codecInput(seededRandom(SEED + index), index))

function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes)
}

function refusal(run: () => unknown): string {
  try {
    run()
    return 'passed'
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** A frame of lz4 around these blocks; `flags` and what follows them as given. */
function lz4Frame(flags: number, descriptor: number, extra: Uint8Array, ...blocks: Uint8Array[]): Buffer {
  const header = Buffer.concat([Buffer.of(flags, descriptor), extra])
  const checksum = Buffer.of((xxhash32(header, 0, header.length) >>> 8) & 0xff)
  return Buffer.concat([Buffer.of(4, 0x22, 0x4d, 0x18), header, checksum, ...blocks])
}

function lz4Block(...bytes: number[]): Buffer {
  const block = Buffer.alloc(4 + bytes.length)
  block.writeUInt32LE(bytes.length)
  block.set(bytes, 4)
  return block
}

const LZ4_END = Buffer.alloc(4)

/** Blocks of one literal and a match of 16 MiB of it, a byte each 255 bytes. */
function lz4Bomb(): Buffer {
  return lz4Frame(
    0x60,
    0x70,
    Buffer.alloc(0),
    ...Array.from({ length: 16 }, () => lz4Block(0x1f, 1, 1, 0, ...new Array<number>(16_000).fill(255), 0, 0x10, 7)),
    LZ4_END,
  )
}

/** Raw snappy that says so many bytes and copies one over and over. */
function snappyRun(size: number): Buffer {
  const length: number[] = []
  for (let rest = size; ; rest = Math.floor(rest / 128)) {
    length.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  const copies: number[] = []
  for (let left = size - 1; left > 0; left -= 64) copies.push((Math.min(left, 64) - 1) * 4 + 2, 1, 0)
  return Buffer.from([...length, 0, 9, ...copies])
}

function xerial(...blocks: Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [XERIAL]
  for (const block of blocks) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

describe.each(CODECS)('$name', ({ type, levels }) => {
  const codec = codecOf(type)

  test.each(levels)('at level %i gives back what was compressed', (level) => {
    for (const [index, input] of inputs.entries()) {
      const compressed = copyOf(codec.compress(input, level))
      expect(same(codec.decompress(compressed, MAX), input), `seed ${SEED + index}`).toBe(true)
      expect(same(codec.decompress(compressed, input.length), input), `bound of its own size, seed ${SEED + index}`).toBe(true)
    }
  })

  test('refuses what holds a byte more than is allowed', () => {
    for (const [index, input] of inputs.entries()) {
      if (input.length === 0) continue
      const compressed = copyOf(codec.compress(input, levels[0]))
      expect(
        refusal(() => codec.decompress(compressed, input.length - 1)),
        `seed ${SEED + index}`,
      ).toBe('RECORD_LIST_TOO_LARGE')
    }
  })

  test('cut anywhere, it is refused', () => {
    for (const [index, input] of inputs.entries()) {
      const compressed = copyOf(codec.compress(input, levels[0]))
      const random = seededRandom(SEED + index)
      for (const cut of [0, 1, 5, compressed.length - 1, random.below(compressed.length), random.below(compressed.length)]) {
        if (cut >= compressed.length) continue
        let length = -1
        const given = refusal(() => (length = codec.decompress(compressed.subarray(0, cut), MAX).length))
        // A stream of blocks may end behind any of them.
        const isBehindBlock = type === 2 && cut >= 16 && length % 32_768 === 0
        expect(given, `seed ${SEED + index}, cut at ${cut}`).toBe(isBehindBlock ? 'passed' : 'CORRUPT_MESSAGE')
      }
    }
  })

  test('with bits flipped, it is refused by a typed error, or stays within its bound', () => {
    let refused = 0
    for (const [index, input] of inputs.entries()) {
      const compressed = copyOf(codec.compress(input, levels[0]))
      const random = seededRandom(SEED + index)
      for (let i = 0; i < 40; i++) {
        const damaged = copyOf(compressed)
        for (let flips = 1 + random.below(3); flips > 0; flips--) damaged[random.below(damaged.length)]! ^= 1 << random.below(8)
        const given = refusal(() => expect(codec.decompress(damaged, 400_000).length).toBeLessThanOrEqual(400_000))
        expect(['passed', 'CORRUPT_MESSAGE', 'RECORD_LIST_TOO_LARGE'], `seed ${SEED + index}`).toContain(given)
        if (given !== 'passed') refused++
      }
    }
    expect(refused).toBeGreaterThan(INPUTS)
  })

  test('refuses noise by a typed error', () => {
    const random = seededRandom(SEED)
    for (let i = 0; i < 2_000; i++) {
      const noise = Uint8Array.from({ length: random.below(60) }, () => random.below(random.below(2) === 0 ? 256 : 8))
      expect(['passed', 'CORRUPT_MESSAGE', 'RECORD_LIST_TOO_LARGE']).toContain(refusal(() => codec.decompress(noise, MAX)))
    }
  })

  test('what it gave stays as it was while it compresses', () => {
    const compressed = copyOf(codec.compress(inputs[16]!, levels[0]))
    const whole = codec.decompress(compressed, MAX)
    codec.compress(inputs[13]!, levels[0])
    expect(same(whole, inputs[16]!)).toBe(true)
  })
})

describe('others read what is written', () => {
  test.each(inputs.map((input, index) => [index, input] as const))('input %i', (_, input) => {
    expect(same(gunzipSync(codecOf(1).compress(input, 6)), input)).toBe(true)
    expect(same(zstdDecompressSync(codecOf(4).compress(input, 3)), input)).toBe(true)
    if (input.length > 0) expect(same(lz4Decompress(Buffer.from(codecOf(3).compress(input, 9))), input)).toBe(true)
    const stream = Buffer.from(codecOf(2).compress(input, 0))
    expect(stream.subarray(0, 16).equals(XERIAL)).toBe(true)
    const blocks: Buffer[] = []
    for (let at = 16; at < stream.length; at += 4 + stream.readInt32BE(at)) {
      blocks.push(snappyDecompress(stream.subarray(at + 4, at + 4 + stream.readInt32BE(at))))
    }
    expect(blocks.every(({ length }) => length <= 32_768)).toBe(true)
    expect(same(Buffer.concat(blocks), input)).toBe(true)
  })
})

describe('what others write is read', () => {
  test.each(inputs.map((input, index) => [index, input] as const))('input %i', (_, input) => {
    const members = [gzipSync(input), gzipSync(input)]
    expect(same(codecOf(1).decompress(Buffer.concat(members), MAX), Buffer.concat([input, input]))).toBe(true)
    expect(same(codecOf(4).decompress(zstdCompressSync(input), MAX), input)).toBe(true)
    if (input.length > 0) expect(same(codecOf(3).decompress(lz4Compress(Buffer.from(input)), MAX), input)).toBe(true)
    const raw = snappyCompress(Buffer.from(input))
    expect(same(codecOf(2).decompress(raw, MAX), input)).toBe(true)
    expect(same(codecOf(2).decompress(xerial(raw, raw), MAX), Buffer.concat([input, input]))).toBe(true)
  })
})

describe('lz4 frames of other forms', () => {
  const decompress = (frame: Uint8Array): string => Buffer.from(codecOf(3).decompress(frame, 1_000)).toString()
  const none = Buffer.alloc(0)
  const ab = lz4Block(0x20, 97, 98)

  test('blocks that are not compressed, and blocks that go back into the one before', () => {
    const plain = Buffer.concat([Buffer.of(2, 0, 0, 0x80), Buffer.from('xy')])
    expect(decompress(lz4Frame(0x60, 0x40, none, ab, plain, LZ4_END))).toBe('abxy')
    const back = lz4Block(0x12, 99, 3, 0, 0x10, 100)
    expect(decompress(lz4Frame(0x40, 0x40, none, ab, back, LZ4_END))).toBe('abcabcabcd')
    expect(refusal(() => decompress(lz4Frame(0x60, 0x40, none, ab, back, LZ4_END)))).toBe('CORRUPT_MESSAGE')
  })

  test('checksums and the content size are held against the content', () => {
    const checksum = (text: string): Buffer => {
      const word = Buffer.alloc(4)
      word.writeUInt32LE(xxhash32(Buffer.from(text, 'latin1'), 0, text.length))
      return word
    }
    const size = (bytes: number): Buffer => Buffer.from([bytes, 0, 0, 0, 0, 0, 0, 0])
    const content = checksum('ab')
    const block = checksum(ab.subarray(4).toString('latin1'))
    expect(decompress(lz4Frame(0x7c, 0x40, size(2), ab, block, LZ4_END, content))).toBe('ab')
    for (const wrong of [
      lz4Frame(0x7c, 0x40, size(3), ab, block, LZ4_END, content),
      lz4Frame(0x7c, 0x40, size(2), ab, content, LZ4_END, content),
      lz4Frame(0x7c, 0x40, size(2), ab, block, LZ4_END, block),
      Buffer.concat([lz4Frame(0x60, 0x40, none, ab, LZ4_END), Buffer.of(0)]),
      lz4Frame(0x61, 0x40, size(1), ab, LZ4_END),
      lz4Frame(0xa0, 0x40, none, ab, LZ4_END),
      lz4Frame(0x60, 0x30, none, ab, LZ4_END),
    ]) {
      expect(refusal(() => decompress(wrong))).toBe('CORRUPT_MESSAGE')
    }
  })

  test('a block beyond what the frame allows is damage, not size', () => {
    const run = lz4Block(0x1f, 1, 1, 0, ...new Array<number>(300).fill(255), 0, 0x10, 7)
    expect(refusal(() => codecOf(3).decompress(lz4Frame(0x60, 0x40, none, run, LZ4_END), MAX))).toBe('CORRUPT_MESSAGE')
    expect(codecOf(3).decompress(lz4Frame(0x60, 0x50, none, run, LZ4_END), MAX)).toHaveLength(1 + 4 + 15 + 300 * 255 + 1)
  })
})

test("xxHash32 gives its author's values", () => {
  const hash = (text: string): string => xxhash32(Buffer.from(text), 0, Buffer.byteLength(text)).toString(16)
  expect([hash(''), hash('a'), hash('abc'), hash('Nobody inspects the spammish repetition')]).toEqual([
    '2cc5d05',
    '550d7456',
    '32d153ff',
    'e2293b2f',
  ])
})

describe('a bomb costs its bound and no more', () => {
  const zeros = Buffer.alloc(64 * MAX)
  const bombs: readonly (readonly [string, number, Uint8Array])[] = [
    ['gzip', 1, gzipSync(zeros)],
    ['gzip in members', 1, Buffer.concat(Array.from({ length: 64 }, () => gzipSync(zeros.subarray(0, MAX))))],
    ['zstd', 4, zstdCompressSync(zeros)],
    ['lz4', 3, lz4Bomb()],
    ['raw snappy', 2, snappyRun(8 * MAX)],
    ['xerial', 2, xerial(...Array.from({ length: 64 }, () => snappyRun(MAX / 2)))],
  ]

  test.each(bombs)('%s', (_, type, bomb) => {
    // Loaded before memory is looked at.
    refusal(() => codecOf(type).decompress(bomb, 100))
    const before = process.memoryUsage().arrayBuffers
    for (const bound of [0, 1, 1_000, MAX]) {
      expect(refusal(() => codecOf(type).decompress(bomb, bound))).toBe('RECORD_LIST_TOO_LARGE')
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MAX)
    }
  })

  test.each([
    ['raw snappy', 2, Buffer.from('ffffffff0f00', 'hex')],
    ['raw snappy', 2, Buffer.from('ffffffff0700', 'hex')],
    ['a block of xerial', 2, Buffer.concat([XERIAL, Buffer.from('7fffffff00', 'hex')])],
    ['a block of lz4', 3, lz4Frame(0x60, 0x40, Buffer.alloc(0), Buffer.from('ffffff7f', 'hex'))],
    ['a block of lz4 that is not compressed', 3, lz4Frame(0x60, 0x40, Buffer.alloc(0), Buffer.from('ffffffff', 'hex'))],
  ])('a size that is only said: %s', (_, type, lie) => {
    expect(refusal(() => codecOf(type).decompress(lie, 2 ** 32))).toBe('CORRUPT_MESSAGE')
  })
})

test('a number that Kafka has no codec for is refused', () => {
  for (const type of [0, 5, 6, 7, -1]) expect(refusal(() => codecOf(type))).toBe('UNSUPPORTED_COMPRESSION_TYPE')
})
