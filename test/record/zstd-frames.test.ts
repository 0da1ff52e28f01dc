import { zstdCompressSync, constants } from 'node:zlib'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { areWholeFrames } from '../../src/record/zstd-frames.ts'

const SEED = 30_1126

function inputs(): Buffer[] {
  const random = seededRandom(SEED)
  const drawn = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, () => random.below(256)))
  return [Buffer.alloc(0), Buffer.alloc(10, 7), Buffer.alloc(300_000, 7), drawn(1), drawn(300), drawn(70_000), drawn(300_000)]
}

test('a frame is whole, and cut anywhere it is not', () => {
  const random = seededRandom(SEED)
  for (const input of inputs()) {
    for (const checksum of [0, 1]) {
      for (const size of [0, 1]) {
        const params = { [constants.ZSTD_c_checksumFlag]: checksum, [constants.ZSTD_c_contentSizeFlag]: size }
        const frame = zstdCompressSync(input, { params })
        expect(areWholeFrames(frame)).toBe(true)
        for (let i = 0; i < 50; i++) {
          const cut = i < 12 ? i : random.below(frame.length)
          if (cut > 0 && cut < frame.length) expect(areWholeFrames(frame.subarray(0, cut)), `${input.length} cut at ${cut}`).toBe(false)
        }
        expect(areWholeFrames(Buffer.concat([frame, Buffer.from([1])]))).toBe(false)
      }
    }
  }
})

test('several frames, and ones to be passed over', () => {
  const frame = zstdCompressSync(Buffer.from('hello'))
  const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9])
  expect(areWholeFrames(Buffer.concat([frame, skipped, frame]))).toBe(true)
  expect(areWholeFrames(Buffer.concat([frame, skipped.subarray(0, 9)]))).toBe(false)
  expect(areWholeFrames(Buffer.from('no frame at all'))).toBe(false)
})
