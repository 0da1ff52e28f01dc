// Partitions that Apache Kafka wrote, read from any offset: what its own dump says, to the byte.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import {
  baseOffset,
  batchCrc,
  batchSizeInBytes,
  compressionType,
  isControlBatch,
  leaderEpoch,
  nextOffset,
  recordCount,
} from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { SegmentReader } from '../../src/storage/segment-reader.ts'
import { goldenDirectory, goldenDump } from './golden-directories.ts'
import type { DumpedBatch, DumpedRecord } from './golden-directories.ts'
import { HandFiles } from './segment-fixture.ts'

const SEED = 4

const clean = goldenDirectory('clean')
const afterKill = goldenDirectory('after-kill')
const dump = clean === undefined ? new Map<string, DumpedBatch[]>() : goldenDump()
afterAll(() => {
  clean?.remove()
  afterKill?.remove()
})

type SeenBatch = Omit<DumpedBatch, 'position' | 'codec'>

/** All from `position` on, in chunks of so many bytes. */
async function readFrom(directory: string, position: number, endOffset: number, maxBytes: number): Promise<SeenBatch[]> {
  const files = new HandFiles()
  const reader = new SegmentReader({ files, clock: new VirtualClock(), directory: () => directory, startOffset: () => 0 })
  const target = { bytes: new Uint8Array(0), length: 0 }
  const seen: SeenBatch[] = []
  for (let next = position; next < endOffset; ) {
    next = await reader.read(next, endOffset, target, maxBytes)
    for (let at = 0; at < target.length; at += batchSizeInBytes(target.bytes, at)) seen.push(seenBatch(target.bytes, at))
  }
  await reader.close()
  expect(files.openFiles).toBe(0)
  return seen
}

function seenBatch(bytes: Uint8Array, at: number): SeenBatch {
  const size = batchSizeInBytes(bytes, at)
  return {
    baseOffset: baseOffset(bytes, at),
    lastOffset: nextOffset(bytes, at) - 1,
    count: recordCount(bytes, at),
    size,
    crc: batchCrc(bytes, at),
    leaderEpoch: leaderEpoch(bytes, at),
    records: compressionType(bytes, at) === 0 ? recordsOf(bytes, at, at + size) : [],
  }
}

function recordsOf(bytes: Uint8Array, start: number, end: number): DumpedRecord[] {
  const cursor = new RecordCursor(true)
  cursor.reset(bytes, start, end, 0)
  const records: DumpedRecord[] = []
  while (cursor.next()) {
    const { offset, timestamp: timestampMs, keyStart, keyEnd, valueStart, valueEnd } = cursor
    const keySize = keyStart < 0 ? -1 : keyEnd - keyStart
    const valueSize = valueStart < 0 ? -1 : valueEnd - valueStart
    records.push({ offset, timestampMs, keySize, valueSize, isControl: isControlBatch(bytes, start) })
  }
  return records
}

function expected(batches: readonly DumpedBatch[]): SeenBatch[] {
  return batches.map(({ position: _, codec, records, ...batch }) => ({ ...batch, records: codec === 'none' ? [...records] : [] }))
}

test.skipIf(clean === undefined)('the dump speaks of partitions of every kind', () => {
  expect([...dump.keys()]).toEqual(expect.arrayContaining(['access-0', 'packed-0', 'transacted-0', 'compacted-0']))
  const codecs = new Set([...dump.values()].flat().map(({ codec }) => codec))
  expect([...codecs].sort()).toEqual(['gzip', 'lz4', 'none', 'snappy', 'zstd'])
})

test.each([...dump])('%s: from the beginning, and from random offsets', async (partition, batches) => {
  const directory = join(clean!.path, partition)
  const endOffset = batches.at(-1)!.lastOffset + 1
  const random = seededRandom(SEED)
  const positions = [0, endOffset - 1, ...Array.from({ length: 12 }, () => random.below(endOffset))]
  for (const position of positions) {
    const maxBytes = [1, 20_000, 1_000_000][random.below(3)]!
    const behind = batches.filter(({ lastOffset }) => lastOffset >= position)
    expect(await readFrom(directory, position, endOffset, maxBytes), `from ${position}, ${maxBytes} bytes at a time`).toEqual(
      expected(behind),
    )
  }
})

test.skipIf(afterKill === undefined)('after a kill, with indexes allocated ahead: the same batches of what both hold', async () => {
  const partitions = readdirSync(afterKill!.path).filter((name) => dump.has(name) && existsSync(join(clean!.path, name)))
  expect(partitions.length).toBeGreaterThan(3)
  const random = seededRandom(SEED)
  for (const partition of partitions) {
    const batches = dump.get(partition)!
    const directory = join(afterKill!.path, partition)
    const endOffset = batches.at(-1)!.lastOffset + 1
    for (let round = 0; round < 5; round++) {
      const position = random.below(endOffset)
      const behind = batches.filter(({ lastOffset }) => lastOffset >= position)
      expect(await readFrom(directory, position, endOffset, 50_000), `${partition} from ${position}`).toEqual(expected(behind))
    }
  }
})
