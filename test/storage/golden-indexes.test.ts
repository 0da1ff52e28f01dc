// The indexes that Kafka wrote, and those that we write for the same batches.

import { describe, expect, test } from 'vitest'
import {
  OffsetIndexAppender,
  checkOffsetIndex,
  lookUpPosition,
  offsetIndexEntryCount,
  offsetIndexPosition,
  offsetIndexRelativeOffset,
} from '../../src/storage/offset-index.ts'
import { TimeIndexAppender, checkTimeIndex, lookUpOffset, timeIndexEntryCount } from '../../src/storage/time-index.ts'
import { dumpedBatches, filesAfterKill, goldenFiles, goldenSegments } from './golden-segments.ts'
import type { GoldenSegment } from './golden-segments.ts'

/** Where the broker was stopped and started again: it then counts bytes from 0, and has closed the time index. */
const RESTARTS: Readonly<Record<string, readonly number[]>> = { '__cluster_metadata-0/00000000000000000000': [273] }

/** What the appenders make of a segment's batches; closed at its end, unless the broker was killed. */
function indexesOf(
  { name, baseOffset, batches }: GoldenSegment,
  isClosed = true,
  indexIntervalBytes?: number,
): { index: Uint8Array; timeIndex: Uint8Array } {
  const index = new Uint8Array(8 * batches.length)
  const timeIndex = new Uint8Array(12 * (batches.length + 1))
  let indexBytes = 0
  let timeIndexBytes = 0
  let offsets = new OffsetIndexAppender(baseOffset, indexIntervalBytes)
  let times = new TimeIndexAppender(baseOffset)
  let nextOffset = baseOffset
  for (const { position, sizeInBytes, lastOffset, maxTimestampMs } of batches) {
    if (RESTARTS[name]?.includes(nextOffset)) {
      timeIndexBytes += times.append(timeIndex, timeIndexBytes)
      offsets = new OffsetIndexAppender(baseOffset, indexIntervalBytes)
      times = new TimeIndexAppender(baseOffset, times.maxTimestampMs, times.offsetOfMaxTimestamp)
    }
    times.observe(maxTimestampMs, lastOffset)
    const written = offsets.append(lastOffset, position, sizeInBytes, index, indexBytes)
    indexBytes += written
    if (written > 0) timeIndexBytes += times.append(timeIndex, timeIndexBytes)
    nextOffset = lastOffset + 1
  }
  if (isClosed) timeIndexBytes += times.append(timeIndex, timeIndexBytes)
  return { index: index.slice(0, indexBytes), timeIndex: timeIndex.slice(0, timeIndexBytes) }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe.skipIf(goldenFiles === undefined)(
  `Kafka's indexes${goldenFiles === undefined ? ' (skipped: its log directory is not here)' : ''}`,
  () => {
    test('there is enough to compare', () => {
      const entries = goldenSegments().reduce((sum, { index }) => sum + index.length / 8, 0)
      expect(goldenSegments()).toHaveLength(16)
      expect(entries).toBeGreaterThan(150)
      expect(goldenSegments().filter((segment) => dumpedBatches(segment) !== undefined)).toHaveLength(11)
    })

    test.each(goldenSegments())('$name: every entry is what we would have written', (segment) => {
      const { index, timeIndex } = indexesOf(segment)
      expect(hex(index)).toBe(hex(segment.index))
      expect(hex(timeIndex)).toBe(hex(segment.timeIndex))
    })

    test('another interval gives other indexes: the comparison can fail', () => {
      const segment = goldenSegments().find(({ name }) => name === 'access-0/00000000000000004059')!
      // A batch of it takes some 16 KiB.
      const { index } = indexesOf(segment, true, 20_000)
      expect(index.length).toBeLessThan(segment.index.length)
    })

    test.each(goldenSegments())('$name: passes the checks, cut to size or with zeros behind', (segment) => {
      const { baseOffset, log, batches } = segment
      const endOffset = (batches.at(-1)?.lastOffset ?? baseOffset - 1) + 1
      for (const zeros of [0, 1, 2, 100]) {
        const index = Buffer.concat([segment.index, new Uint8Array(8 * zeros)])
        const timeIndex = Buffer.concat([segment.timeIndex, new Uint8Array(12 * zeros)])
        expect(checkOffsetIndex('x.index', index, log.length)).toBe(segment.index.length / 8)
        expect(checkTimeIndex('x.timeindex', timeIndex, baseOffset, endOffset)).toBe(segment.timeIndex.length / 12)
      }
    })

    test.each(goldenSegments())('$name: every offset and every timestamp is found from where a look-up says', (segment) => {
      const { baseOffset, batches } = segment
      const entries = segment.index.length / 8
      const timeEntries = segment.timeIndex.length / 12
      for (const { position, lastOffset, maxTimestampMs } of batches) {
        const from = lookUpPosition(segment.index, entries, baseOffset, lastOffset)
        expect(batches.some((batch) => batch.position === from)).toBe(true)
        expect(from).toBeLessThanOrEqual(position)
        const first = batches.find((batch) => batch.maxTimestampMs >= maxTimestampMs)!
        expect(lookUpOffset(segment.timeIndex, timeEntries, baseOffset, maxTimestampMs)).toBeLessThanOrEqual(first.lastOffset)
      }
    })

    test.each(goldenSegments().filter((segment) => dumpedBatches(segment) !== undefined))(
      '$name: entries are where the dump of Kafka has batches',
      (segment) => {
        const dumped = dumpedBatches(segment)
        if (dumped === undefined) return
        expect(segment.batches.map(({ position, lastOffset }) => ({ position, lastOffset }))).toEqual(dumped)
        const known = new Set(dumped.map(({ position, lastOffset }) => `${lastOffset} at ${position}`))
        for (let entry = 0; entry < segment.index.length / 8; entry++) {
          const offset = segment.baseOffset + offsetIndexRelativeOffset(segment.index, entry)
          expect(known).toContain(`${offset} at ${offsetIndexPosition(segment.index, entry)}`)
        }
      },
    )

    test('after a kill: indexes that Kafka left with room behind them hold what we would have written', () => {
      let preallocated = 0
      for (const segment of goldenSegments(filesAfterKill)) {
        const { name, baseOffset, log, batches } = segment
        const endOffset = (batches.at(-1)?.lastOffset ?? baseOffset - 1) + 1
        const isClosed = segment.timeIndex.length < 10_485_756
        if (!isClosed) preallocated++
        const { index, timeIndex } = indexesOf(segment, isClosed)
        const entries = checkOffsetIndex(name, segment.index, log.length)
        const timeEntries = checkTimeIndex(name, segment.timeIndex, baseOffset, endOffset)
        expect([offsetIndexEntryCount(segment.index), timeIndexEntryCount(segment.timeIndex)]).toEqual([entries, timeEntries])
        expect(hex(segment.index.subarray(0, 8 * entries)), name).toBe(hex(index))
        expect(hex(segment.timeIndex.subarray(0, 12 * timeEntries)), name).toBe(hex(timeIndex))
      }
      expect(preallocated).toBe(12)
    })
  },
)
