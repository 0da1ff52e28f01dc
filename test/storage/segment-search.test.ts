// Look-ups by time in segment files: what a walk over all records finds.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import { appendDecompressed } from '../../src/record/batch-compression.ts'
import { batchSizeInBytes, leaderEpoch, nextOffset } from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { segmentPath } from '../../src/storage/segment-listing.ts'
import { findOffsetByTimestamp } from '../../src/storage/segment-search.ts'
import type { FoundOffset } from '../../src/storage/segment-search.ts'
import { TIME_INDEX_ENTRY_BYTES, writeTimeIndexEntry } from '../../src/storage/time-index.ts'
import { goldenDirectory } from './golden-directories.ts'
import { HandFiles, SegmentDirectory, batchAt } from './segment-fixture.ts'

const SEED = 5
const clean = goldenDirectory('clean')
afterAll(() => clean?.remove())

let files: HandFiles

beforeEach(() => {
  files = new HandFiles()
})
afterEach(() => expect(files.openFiles).toBe(0))

/** The bytes of each segment, in order. */
function segments(directory: string): Uint8Array[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => new Uint8Array(readFileSync(join(directory, name))))
}

/** Every record of users in a partition's files, in order. */
function allRecords(directory: string): FoundOffset[] {
  const cursor = new RecordCursor()
  const records: FoundOffset[] = []
  for (const bytes of segments(directory)) {
    for (let at = 0; at < bytes.length; at += batchSizeInBytes(bytes, at)) {
      const plain = { bytes: new Uint8Array(0), length: 0 }
      appendDecompressed(bytes, at, at + batchSizeInBytes(bytes, at), plain)
      cursor.reset(plain.bytes, 0, plain.length, 0)
      while (cursor.next()) records.push({ offset: cursor.offset, timestampMs: cursor.timestamp, leaderEpoch: leaderEpoch(bytes, at) })
    }
  }
  return records
}

function search(directory: string, timestampMs: number, startOffset: number, endOffset: number): Promise<FoundOffset | null> {
  const clock = new VirtualClock()
  return findOffsetByTimestamp({ files, clock, directory: () => directory, startOffset: () => startOffset, endOffset }, timestampMs)
}

async function compare(directory: string, records: readonly FoundOffset[], end: number, rounds: number, seed: number): Promise<void> {
  const random = seededRandom(seed)
  for (let round = 0; round < rounds; round++) {
    const near = records[random.below(records.length)]!.timestampMs + random.below(3) - 1
    const timestampMs = round === 0 ? 0 : round === 1 ? Number.MAX_SAFE_INTEGER : near
    const startOffset = random.below(3) === 0 ? random.below(end) : 0
    const endOffset = random.below(3) === 0 ? startOffset + random.below(end - startOffset + 1) : end
    const expected = records.find((one) => one.offset >= startOffset && one.offset < endOffset && one.timestampMs >= timestampMs)
    expect(
      await search(directory, timestampMs, startOffset, endOffset),
      `seed ${seed}: ${timestampMs} in ${startOffset} to ${endOffset}`,
    ).toEqual(expected ?? null)
  }
}

const partitions =
  clean === undefined ? [] : readdirSync(clean.path).filter((name) => existsSync(join(clean.path, name, '00000000000000000000.log')))

/** The offset behind the last batch. */
function endOf(directory: string): number {
  let end = 0
  for (const bytes of segments(directory))
    for (let at = 0; at < bytes.length; at += batchSizeInBytes(bytes, at)) end = nextOffset(bytes, at)
  return end
}

test.each(partitions)("Kafka's %s: as a walk over all records", async (partition) => {
  const directory = join(clean!.path, partition)
  const end = endOf(directory)
  const records = allRecords(directory)
  if (records.length === 0) expect(await search(directory, 0, 0, end)).toBeNull()
  else await compare(directory, records, end, 40, SEED)
})

test('the indexes shorten the way', async () => {
  if (clean === undefined) return
  const directory = join(clean.path, 'access-0')
  const records = allRecords(directory)
  const late = records.at(-200)!.timestampMs
  await search(directory, late, 0, records.length)
  const size = segments(directory).reduce((sum, { length }) => sum + length, 0)
  expect(files.bytesRead).toBeLessThan(size / 2)
})

test.each([
  ['missing', (path: string) => rmSync(path, { force: true })],
  [
    'of noise',
    (path: string) =>
      writeFileSync(
        path,
        Uint8Array.from({ length: 120 }, (_, i) => (i * 37) & 0x7f),
      ),
  ],
  ['cut', (path: string) => writeFileSync(path, new Uint8Array(7))],
  [
    'of another log',
    (path: string) => {
      const entries = new Uint8Array(2 * TIME_INDEX_ENTRY_BYTES)
      writeTimeIndexEntry(entries, 0, 0, 900, 3)
      writeTimeIndexEntry(entries, TIME_INDEX_ENTRY_BYTES, 0, 1_050, 15)
      writeFileSync(path, entries)
    },
  ],
])('time indexes %s: the same answers', async (_, damage) => {
  const directory = new SegmentDirectory()
  const random = seededRandom(SEED)
  for (let base = 0; base < 60; base += 20) {
    const batches = Array.from({ length: 10 }, (_each, i) => {
      const timestamps = [0, 1].map(() => 1000 + base * 10 + random.below(300))
      return batchAt(base + 2 * i, ['a', 'b'], {}, timestamps)
    })
    directory.write(base, batches)
    damage(segmentPath(directory.path, base, 'timeindex'))
  }
  await compare(directory.path, allRecords(directory.path), 60, 80, SEED)
  directory.remove()
})
