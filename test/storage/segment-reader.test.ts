// Older offsets out of segment files: whole, in order, none twice, none passed over in silence.

import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import { BASE_OFFSET, BATCH_LENGTH } from '../../src/record/record-batch-layout.ts'
import { writeInt32, writeInt64 } from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { segmentPath } from '../../src/storage/segment-listing.ts'
import { SegmentReader } from '../../src/storage/segment-reader.ts'
import { HandFiles, SegmentDirectory, batchAt, batchesFrom, joined, systemError } from './segment-fixture.ts'

let directory: SegmentDirectory
let files: HandFiles
let clock: VirtualClock
let reader: SegmentReader
let startOffset: number

beforeEach(() => {
  directory = new SegmentDirectory()
  files = new HandFiles()
  clock = new VirtualClock()
  startOffset = 0
  reader = newReader()
})
afterEach(async () => {
  await reader.close()
  expect(files.openFiles).toBe(0)
  directory.remove()
})

const target = { bytes: new Uint8Array(0), length: 0 }

function newReader(): SegmentReader {
  return new SegmentReader({ files, clock, directory: () => directory.path, startOffset: () => startOffset })
}

/** Offsets that users would see from `position` up to `endOffset`, read `maxBytes` at a time. */
async function offsetsFrom(position: number, endOffset: number, maxBytes = 300): Promise<number[]> {
  const cursor = new RecordCursor(true)
  const offsets: number[] = []
  for (let next = position; next < endOffset; ) {
    const from = next
    next = await reader.read(from, endOffset, target, maxBytes)
    expect(next).toBeGreaterThan(from)
    cursor.reset(target.bytes, 0, target.length, from)
    while (cursor.next()) offsets.push(cursor.offset)
  }
  return offsets
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

const corrupt = (what: RegExp): Error =>
  expect.objectContaining({ code: 'CORRUPT_MESSAGE', retriable: false, message: expect.stringMatching(what) as string }) as Error

describe('batches', () => {
  test('from every offset up to every end, over three segments, whatever the bytes at a time', async () => {
    directory.write(0, batchesFrom(0, 5))
    directory.write(10, batchesFrom(10, 3))
    directory.write(16, batchesFrom(16, 2))
    for (const maxBytes of [1, 250, 5000]) {
      for (let from = 0; from < 20; from++) {
        for (const end of [20, 16, 12]) if (from < end) expect(await offsetsFrom(from, end, maxBytes)).toEqual(range(from, end))
      }
    }
  })

  test('none begins at or above the end; one that reaches over it is handed out whole', async () => {
    directory.write(0, batchesFrom(0, 4, 5))
    expect(await reader.read(0, 10, target, 5000)).toBe(10)
    expect(await reader.read(10, 13, target, 5000)).toBe(15)
    expect(target.length).toBe(batchesFrom(10, 1, 5)[0]!.length)
  })

  test('one that is larger than all that is read at a time comes alone', async () => {
    const large = batchAt(2, ['x'.repeat(100_000)])
    directory.write(0, [...batchesFrom(0, 1), large, ...batchesFrom(3, 1)])
    expect(await reader.read(0, 5, target, 300)).toBe(2)
    expect(await reader.read(2, 5, target, 300)).toBe(3)
    expect(target.bytes.subarray(0, target.length)).toEqual(large)
    expect(target.bytes.length).toBeLessThan(2 * large.length)
    expect(await offsetsFrom(3, 5)).toEqual([3, 4])
  })

  test('what is behind the end is not looked at: it may be half written', async () => {
    const [whole, half] = batchesFrom(0, 2) as [Uint8Array, Uint8Array]
    for (const cut of [1, 7, 30, 61, half.length - 1]) {
      directory.writeBytes(0, joined([whole, half.subarray(0, cut)]))
      expect(await offsetsFrom(0, 2)).toEqual([0, 1])
      await reader.close()
      reader = newReader()
    }
  })

  test('reading on reads each byte about once', async () => {
    const batches = batchesFrom(0, 400, 2, 100)
    directory.write(0, batches)
    await offsetsFrom(0, 800, 16 * 1024)
    expect(files.bytesRead).toBeLessThan(joined(batches).length * 1.1)
    expect(files.opened).toHaveLength(1)
    expect(files.lists).toBe(1)
  })
})

describe('the index', () => {
  const batches = batchesFrom(1000, 2000, 3, 50)
  const bytes = joined(batches).length

  test('shortens the way to an offset', async () => {
    directory.write(1000, batches)
    expect(await reader.read(6500, 7000, target, 1)).toBe(6502)
    expect(files.bytesRead).toBeLessThan(bytes / 5)
  })

  test.each([
    ['missing', () => rmSync(segmentPath(directory.path, 1000, 'index'))],
    ['empty', () => writeFileSync(segmentPath(directory.path, 1000, 'index'), '')],
    ['of zeros', () => writeFileSync(segmentPath(directory.path, 1000, 'index'), new Uint8Array(10_000))],
    ['cut within an entry', () => truncateSync(segmentPath(directory.path, 1000, 'index'), 8 * 100 + 3)],
    ['of another segment', () => copyFileSync(segmentPath(directory.path, 9000, 'index'), segmentPath(directory.path, 1000, 'index'))],
    ['behind the end of the file', () => writeFileSync(segmentPath(directory.path, 1000, 'index'), entry(10, 0x7fff_0000))],
    ['of negative positions', () => writeFileSync(segmentPath(directory.path, 1000, 'index'), entry(10, -5))],
    ['preallocated', () => writeFileSync(segmentPath(directory.path, 1000, 'index'), preallocated())],
  ])('%s: the same records', async (_, damage) => {
    directory.write(1000, batches)
    directory.write(9000, batchesFrom(9000, 900, 2, 9))
    damage()
    for (const from of [1000, 1001, 3333, 6998, 6999]) {
      expect(await reader.read(from, 7000, target, 1)).toBe(from + 3 - ((from - 1000) % 3))
    }
  })

  test('of noise: the same records', async () => {
    directory.write(1000, batches)
    const random = seededRandom(7)
    for (let round = 0; round < 50; round++) {
      const noise = new Uint8Array(800)
      for (let at = 0; at < noise.length; at++) noise[at] = at % 4 < 2 ? 0 : random.below(256)
      writeFileSync(segmentPath(directory.path, 1000, 'index'), noise)
      const from = 1000 + random.below(6000)
      expect(await reader.read(from, 7000, target, 1)).toBe(from + 3 - ((from - 1000) % 3))
      await reader.close()
      reader = newReader()
    }
  })

  function entry(offset: number, position: number): Uint8Array {
    const bytes = new Uint8Array(8)
    writeInt32(bytes, 0, offset)
    writeInt32(bytes, 4, position)
    return bytes
  }

  function preallocated(): Uint8Array {
    const bytes = new Uint8Array(10 * 1024 * 1024)
    bytes.set(readFileSync(segmentPath(directory.path, 1000, 'index')))
    return bytes
  }
})

describe('holes that compaction left', () => {
  test('in a segment, between two, before the end: passed over', async () => {
    directory.write(0, [batchAt(3, ['d']), batchAt(7, ['h', 'i'], { offsetDeltas: [0, 2], lastOffsetDelta: 4 })])
    directory.write(20, [])
    directory.write(30, [batchAt(33, ['x'])])
    directory.write(40, [batchAt(40, ['y'])])
    for (let from = 0; from < 41; from++) {
      expect(await offsetsFrom(from, 41)).toEqual([3, 7, 9, 33, 40].filter((offset) => offset >= from))
    }
    // Nothing is left below the end.
    expect(await reader.read(34, 38, target, 300)).toBe(38)
    expect(await reader.read(35, 40, target, 300)).toBe(40)
    expect(target.length).toBe(0)
    expect(await reader.read(12, 25, target, 300)).toBe(25)
  })
})

describe('offsets, which are not under the CRC', () => {
  /** As a flipped bit leaves it: everything else is right. */
  function moved(batch: Uint8Array, offset: number): Uint8Array {
    const bytes = batch.slice()
    writeInt64(bytes, BASE_OFFSET, offset)
    return bytes
  }

  test('raised, in a batch that is entered in its middle: not handed out under them', async () => {
    const [a, b, c] = batchesFrom(0, 3, 8)
    directory.write(0, [a!, moved(b!, 12), c!])
    for (const from of [12, 13])
      await expect(reader.read(from, 24, target, 1)).rejects.toThrow(corrupt(/found a batch of offsets 12 to 19/))
  })

  test('raised to the end of the log: nothing is passed over', async () => {
    const [a, b, c, d] = batchesFrom(0, 4, 4)
    directory.write(0, [a!, moved(b!, 12), c!, d!])
    expect(await reader.read(0, 16, target, 1)).toBe(4)
    const reading = reader.read(4, 16, target, 300)
    await advanceUntil(reading)
    await expect(reading).rejects.toThrow(corrupt(/found a batch of offsets 12 to 15/))
  })

  test('of a batch that came from elsewhere, and begins where the log ends', async () => {
    directory.write(0, [batchAt(12, ['x', 'y'])])
    directory.write(8, batchesFrom(8, 2))
    const reading = reader.read(0, 12, target, 300)
    await advanceUntil(reading)
    await expect(reading).rejects.toThrow(corrupt(/found a batch of offsets 12 to 13/))
  })
})

describe('files that come and go', () => {
  test('a segment that was rolled since is found', async () => {
    directory.write(0, batchesFrom(0, 3))
    expect(await offsetsFrom(0, 6)).toEqual(range(0, 6))
    directory.write(6, batchesFrom(6, 3))
    expect(await offsetsFrom(6, 12)).toEqual(range(6, 12))
    expect(files.lists).toBe(2)
  })

  describe('compaction puts one segment in the place of three while they are read', () => {
    const cleaned = [...batchesFrom(0, 4), batchAt(9, ['j'])]
    const left = [...range(2, 8), 9, ...range(12, 16)]

    beforeEach(async () => {
      for (const base of [0, 4, 8]) directory.write(base, batchesFrom(base, 2))
      directory.write(12, batchesFrom(12, 2))
      expect(await reader.read(0, 16, target, 1)).toBe(2)
    })

    /** As one rename. */
    function swap(): void {
      const { path } = directory
      directory.path = directory.root
      const made = [directory.write(0, cleaned), segmentPath(directory.path, 0, 'index')]
      directory.path = path
      for (const [i, suffix] of (['log', 'index'] as const).entries()) renameSync(made[i]!, segmentPath(path, 0, suffix))
    }

    function removeOthers(): void {
      for (const base of [4, 8]) for (const suffix of ['log', 'index'] as const) rmSync(segmentPath(directory.path, base, suffix))
    }

    test('and the reader stands in the old one, that it has open', async () => {
      swap()
      removeOthers()
      expect(await offsetsFrom(2, 16)).toEqual(left)
    })

    test('and the reader comes when the others are not yet removed', async () => {
      swap()
      await reader.close()
      reader = newReader()
      expect(await offsetsFrom(2, 6)).toEqual(range(2, 6))
      removeOthers()
      expect(await offsetsFrom(6, 16)).toEqual(left.slice(4))
    })

    test('and the listing is older than the file that is opened by it', async () => {
      await reader.close()
      reader = newReader()
      let isSwapped = false
      files.before = (what) => {
        if (what !== 'open') return
        files.before = () => undefined
        swap()
        isSwapped = true
      }
      const reading = reader.read(2, 16, target, 5000)
      while (!isSwapped) await turn()
      removeOthers()
      await advanceUntil(reading)
      // The listing says that offsets 4 to 11 are elsewhere: what follows the batch of 9 is looked for again.
      expect(await reading).toBe(8)
      expect(await offsetsFrom(8, 16)).toEqual([9, ...range(12, 16)])
      expect(files.lists).toBe(3)
    })
  })

  test('the directory moves with its leader: the open file is read on, the next is found there', async () => {
    directory.write(0, batchesFrom(0, 3))
    directory.write(6, batchesFrom(6, 3))
    expect(await reader.read(0, 12, target, 1)).toBe(2)
    const moved = join(directory.root, 'moved-0')
    renameSync(directory.path, moved)
    expect(await reader.read(2, 12, target, 1)).toBe(4)
    directory.path = moved
    expect(await offsetsFrom(4, 12)).toEqual(range(4, 12))
  })

  test('while it moves it is waited for, and then it is read', async () => {
    directory.write(0, batchesFrom(0, 3))
    const moved = join(directory.root, 'moved-0')
    const { path } = directory
    let looks = 0
    directory.path = moved
    files.before = (what) => {
      if (what === 'list' && ++looks === 4) renameSync(path, moved)
    }
    const reading = reader.read(0, 6, target, 1)
    await advanceUntil(reading)
    expect(await reading).toBe(2)
    expect(looks).toBe(4)
  })

  test('what stays away is said, after a bounded number of looks', async () => {
    rmSync(directory.path, { recursive: true })
    const reading = reader.read(5, 6, target, 1)
    const said = expect(reading).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
      retriable: true,
      message: expect.stringContaining(`no segment file in ${directory.path} holds offset 5`) as string,
    })
    await advanceUntil(reading)
    await said
    expect(files.lists).toBeLessThan(20)
    expect(clock.pending).toBe(0)
  })

  test('retention took it: nothing is read, and nothing is said', async () => {
    directory.write(0, batchesFrom(0, 3))
    directory.write(6, batchesFrom(6, 3))
    expect(await reader.read(0, 12, target, 1)).toBe(2)
    await reader.close()
    reader = newReader()
    startOffset = 6
    rmSync(segmentPath(directory.path, 0, 'log'))
    expect(await reader.read(2, 12, target, 1)).toBe(2)
    expect(target.length).toBe(0)
    expect(await offsetsFrom(6, 12)).toEqual(range(6, 12))
  })

  test('the log start moves while a file is looked for', async () => {
    directory.write(6, batchesFrom(6, 3))
    const reading = reader.read(2, 12, target, 1)
    await Promise.resolve()
    startOffset = 6
    await advanceUntil(reading)
    expect(await reading).toBe(2)
  })

  test('close ends a wait for files', async () => {
    rmSync(directory.path, { recursive: true })
    const reading = reader.read(5, 6, target, 1)
    while (clock.pending === 0) await turn()
    await reader.close()
    expect(await reading).toBe(5)
    expect(clock.pending).toBe(0)
  })

  test('close while a read is in flight: it ends, and the file is closed behind it', async () => {
    directory.write(0, batchesFrom(0, 3))
    files.holds = true
    const reading = reader.read(0, 6, target, 1)
    while (files.held === 0) await turn()
    const closing = reader.close()
    files.letGo()
    await closing
    expect([0, 2]).toContain(await reading)
    expect(files.openFiles).toBe(0)
  })
})

describe('faults', () => {
  test.each(['list', 'open', 'read'] as const)('EIO of %s is said, and the next read goes on', async (operation) => {
    const path = directory.write(0, batchesFrom(0, 3), undefined)
    files.faults[operation].push(systemError('EIO'))
    const where = operation === 'read' ? path : directory.path
    const message = expect.stringMatching(new RegExp(`^(${where}|the directory).* cannot be read for offset 0: EIO`)) as string
    await expect(reader.read(0, 6, target, 1)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', message })
    expect(files.openFiles).toBe(0)
    expect(await offsetsFrom(0, 6)).toEqual(range(0, 6))
  })

  test('too many open files: what to do is said', async () => {
    directory.write(0, batchesFrom(0, 3))
    files.faults.open.push(systemError('EMFILE'))
    await expect(reader.read(0, 6, target, 1)).rejects.toThrow(/ulimit -n/)
  })
})

describe('damage', () => {
  const batches = batchesFrom(0, 6)
  const size = batches[0]!.length

  test('every byte of a batch that is changed is noticed, but for the leader epoch; batches before it are handed out', async () => {
    const random = seededRandom(11)
    for (let at = 0; at < size; at++) {
      const bytes = joined(batches)
      bytes[2 * size + at]! ^= 1 << random.below(8)
      directory.writeBytes(0, bytes)
      const reading = offsetsFrom(0, 12)
      if (at >= 12 && at < 16) expect(await reading).toEqual(range(0, 12))
      else await expect(reading, `byte ${at}`).rejects.toEqual(corrupt(/is damaged at byte \d+, offset \d+: found/))
      await reader.close()
      reader = newReader()
    }
  })

  test('it is said where it is, again and again, and never passed over', async () => {
    const bytes = joined(batches)
    bytes[3 * size + 70]! ^= 1
    const path = directory.write(0, [bytes])
    expect(await reader.read(0, 12, target, 5000)).toBe(6)
    const said = corrupt(
      new RegExp(`^${path} is damaged at byte ${3 * size}, offset 6: found a CRC that is not that of the batch\\. .*seek`),
    )
    for (let i = 0; i < 3; i++) await expect(reader.read(6, 12, target, 5000)).rejects.toEqual(said)
    expect(await offsetsFrom(8, 12)).toEqual(range(8, 12))
  })

  test('a length of 2 GiB is held against the file before memory is taken for it', async () => {
    const bytes = joined(batches)
    writeInt32(bytes, 2 * size + BATCH_LENGTH, 0x7fff_ff00)
    directory.writeBytes(0, bytes)
    expect(await reader.read(0, 12, target, 5000)).toBe(4)
    await expect(reader.read(4, 12, target, 5000)).rejects.toEqual(corrupt(/a batch of 2147483404 bytes, \d+ of which are there/))
    expect(target.bytes.length).toBeLessThan(200_000)
    // On the way to an offset behind it, too.
    await expect(reader.read(10, 12, target, 5000)).rejects.toEqual(corrupt(/bytes/))
  })

  test('offsets that go back are not handed out', async () => {
    const bytes = joined(batches)
    writeInt64(bytes, 3 * size + BASE_OFFSET, 2)
    directory.writeBytes(0, bytes)
    await expect(offsetsFrom(0, 12, 1)).rejects.toEqual(corrupt(/a batch of offsets 2 to 3/))
  })

  test('a file that ends before the log does: in the last segment it is damage', async () => {
    for (const cut of [0, 1, 60, 61, size, 6 * size - 1]) {
      const path = directory.write(0, batches)
      truncateSync(path, cut)
      await expect(offsetsFrom(0, 12)).rejects.toEqual(
        corrupt(/of which are there|the end of the last segment, though the log goes on to offset 12/),
      )
      await reader.close()
      reader = newReader()
    }
  })
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Lets virtual time pass until it is settled. */
async function advanceUntil(promise: Promise<unknown>): Promise<void> {
  let isSettled = false
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  )
  while (!isSettled) {
    await turn()
    clock.advance(1)
  }
}
