import { describe, expect, test } from 'vitest'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { findOffset } from '../../src/partition/list-offsets.ts'
import type { FetchBound, ListedOffset, TimeSpec } from '../../src/partition/list-offsets.ts'
import { transactionMarkerBatch } from '../../src/record/control-record.ts'
import { seededRandom } from '../../src/random.ts'
import { LogFixture } from '../log/log-fixture.ts'
import { plainBatch } from '../record/plain-batch.ts'
import type { PlainBatchFields } from '../record/plain-batch.ts'

const SEED = 2_718

interface World {
  readonly log: MemoryLog
  append(timestamps: readonly number[], fields?: PlainBatchFields): void
  find(spec: TimeSpec, bound?: FetchBound): ListedOffset | null
  at(timestampMs: number): [number, number] | null
  latest(): [number, number] | null
}

function makeWorld(): World {
  const { log, memory } = (() => {
    const fixture = new LogFixture()
    return { log: fixture.log(0), memory: fixture.memory }
  })()
  const find = (spec: TimeSpec, bound: FetchBound = 'highWatermark'): ListedOffset | null => findOffset(log, memory, spec, bound)
  const short = (found: ListedOffset | null): [number, number] | null => found && [found.offset, found.timestampMs]
  return {
    log,
    append(timestamps, fields) {
      const batch = plainBatch(
        timestamps.map((timestamp) => ({ timestamp, key: null, value: null, headers: [] })),
        fields,
      )
      expect(log.append(batch, 0, batch.length)).toBeGreaterThanOrEqual(0)
      log.advance()
    },
    find,
    at: (timestampMs) => short(find({ timestampMs })),
    latest: () => short(find('maxTimestamp')),
  }
}

describe('by time', () => {
  test('the first record at or after it, within its batch, whatever the order of timestamps', () => {
    const { append, at, find } = makeWorld()
    append([10, 50, 20])
    append([5, 60, 70])
    expect(at(0)).toEqual([0, 10])
    expect(at(11)).toEqual([1, 50])
    expect(at(50)).toEqual([1, 50])
    expect(at(51)).toEqual([4, 60])
    expect(at(70)).toEqual([5, 70])
    expect(at(71)).toBeNull()
    expect(find({ timestampMs: 51 })).toEqual({ offset: 4, timestampMs: 60, leaderEpoch: 1 })
  })

  test('an empty log has none', () => {
    const { at, latest } = makeWorld()
    expect([at(0), latest()]).toEqual([null, null])
  })

  test('not below the log start: the next batch is looked at when its own is deleted in part', () => {
    const { log, append, at } = makeWorld()
    append([100, 10, 20])
    append([15, 90, 120])
    log.deleteRecordsBefore(1)
    expect(at(11)).toEqual([2, 20])
    expect(at(95)).toEqual([5, 120])
    log.deleteRecordsBefore(6)
    expect(at(0)).toBeNull()
  })

  test('not at or above the bound', () => {
    const { log, append, find } = makeWorld()
    append([1])
    const batch = plainBatch([{ timestamp: 9, key: null, value: null, headers: [] }])
    log.append(batch, 0, batch.length)
    log.publishEnds()
    expect(find({ timestampMs: 2 })).toBeNull()
    expect(find('maxTimestamp')).toMatchObject({ offset: 0 })
    log.advance()
    expect(find({ timestampMs: 2 })).toMatchObject({ offset: 1 })
    expect(find('maxTimestamp', 'lastStableOffset')).toMatchObject({ offset: 1 })
  })

  test('records that compaction took do not count, nor control batches', () => {
    const { log, append, at, latest } = makeWorld()
    append([10, 20], { offsetDeltas: [0, 3], lastOffsetDelta: 5, maxTimestamp: 500 })
    const marker = transactionMarkerBatch({ type: 'COMMIT', producerId: 1, producerEpoch: 0, coordinatorEpoch: 0 }, 9_000)
    log.append(marker, 0, marker.length)
    append([30])
    expect(at(15)).toEqual([3, 20])
    expect(at(21)).toEqual([7, 30])
    expect(at(31)).toBeNull()
    expect(latest()).toEqual([7, 30])
  })
})

describe('the latest time', () => {
  test('the first of the records that have it', () => {
    const { append, latest } = makeWorld()
    append([10, 50, 50])
    append([50])
    expect(latest()).toEqual([1, 50])
    append([7, 51])
    expect(latest()).toEqual([5, 51])
  })

  test('of what is left when the latest is deleted', () => {
    const { log, append, latest } = makeWorld()
    append([100, 80, 90])
    append([85, 89])
    log.deleteRecordsBefore(1)
    expect(latest()).toEqual([2, 90])
    log.deleteRecordsBefore(3)
    expect(latest()).toEqual([4, 89])
  })
})

test(`agrees with a walk over all records, seed ${SEED}`, () => {
  const random = seededRandom(SEED)
  for (let round = 0; round < 40; round++) {
    const { log, append, at, latest } = makeWorld()
    const timestamps: number[] = []
    for (let batch = 1 + random.below(40); batch > 0; batch--) {
      const own = Array.from({ length: 1 + random.below(60) }, () => timestamps.length * 3 + random.below(300))
      append(own)
      timestamps.push(...own)
    }
    const start = log.deleteRecordsBefore(random.below(timestamps.length))
    for (let i = 0; i < 30; i++) {
      const timestampMs = random.below(timestamps.length * 4)
      const offset = timestamps.findIndex((each, at) => at >= start && each >= timestampMs)
      expect(at(timestampMs)).toEqual(offset < 0 ? null : [offset, timestamps[offset]])
    }
    const left = timestamps.slice(start)
    const max = Math.max(...left)
    expect(latest()).toEqual(left.length === 0 ? null : [start + left.indexOf(max), max])
  }
})
