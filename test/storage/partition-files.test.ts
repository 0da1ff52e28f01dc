import { describe, expect, test } from 'vitest'
import { decodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { DIRECTORY, append, batch, batchesIn, create, filesOf, joined, logBytes, newDisk, open, shownFiles } from './partition-fixture.ts'

/** Ten batches of 200 bytes with two records each, four a segment. */
const TEN = Array.from({ length: 10 }, (_, i) => batch({ offset: i * 2, records: 2 }))

const bases = (files: PartitionFiles): number[] => files.segments.map(({ baseOffset }) => baseOffset)

describe('append', () => {
  test('rolls at batches, writes each segment once, and says where it ends', () => {
    const disk = newDisk()
    const files = create(disk)
    disk.plan([])
    append(files, ...TEN)
    expect(bases(files)).toEqual([0, 10])
    expect(files.endOffset).toBe(20)
    expect(files.sizeInBytes).toBe(2_000)
    expect(files.synced.unsyncedBytes).toBe(2_000)
    expect(files.syncedEndOffset).toBe(0)
    expect(logBytes(disk)).toEqual(joined(...TEN))
    // One for each .log; the indexes and the snapshot of the full one; two epoch files have their own.
    expect(disk.calls.get('write')).toBe(2 + 2 + 1 + 1)
  })

  test('names of files are those of Kafka', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, ...TEN)
    expect(files.close()).toBe(true)
    const zeros = '0000000000000000'
    expect(disk.list(DIRECTORY)).toEqual([
      `${zeros}0000.index`,
      `${zeros}0000.log`,
      `${zeros}0000.timeindex`,
      `${zeros}0010.index`,
      `${zeros}0010.log`,
      `${zeros}0010.snapshot`,
      `${zeros}0010.timeindex`,
      `${zeros}0020.snapshot`,
      'leader-epoch-checkpoint',
      'partition.metadata',
    ])
  })

  test('takes batches out of the middle of shared memory', () => {
    const disk = newDisk()
    const files = create(disk)
    const shared = new Uint8Array(new SharedArrayBuffer(1_000))
    shared.set(joined(...TEN.slice(0, 3)), 100)
    files.append(shared, 100, 700)
    expect(logBytes(disk)).toEqual(joined(...TEN.slice(0, 3)))
  })

  test.each([
    ['below the end', [batch({ offset: 0 }), batch({ offset: 0 })]],
    ['a part of a batch', [batch({ offset: 0 }).subarray(0, 150)]],
    ['a header only', [batch({ offset: 0 }).subarray(0, 40)]],
  ])('refuses what is no batch that follows: %s', (_, batches) => {
    const files = create(newDisk())
    expect(() => append(files, ...batches)).toThrow('assertion failed')
    expect(() => append(files, batch({ offset: 5 }))).toThrow('takes nothing more')
    expect(files.close()).toBe(false)
  })
})

describe('rolls', () => {
  const rolls = (config: Parameters<typeof create>[1], ...batches: Uint8Array[]): number[] => {
    const files = create(newDisk(), { segmentBytes: 100_000, ...config })
    append(files, ...batches)
    return bases(files)
  }

  test('by size: what fits exactly stays', () => {
    expect(rolls({ segmentBytes: 400 }, ...TEN.slice(0, 3))).toEqual([0, 4])
    expect(rolls({ segmentBytes: 399 }, ...TEN.slice(0, 3))).toEqual([0, 2, 4])
  })

  test('never an empty segment, however large the batch', () => {
    expect(rolls({ segmentBytes: 100 }, ...TEN.slice(0, 2))).toEqual([0, 2])
  })

  test('by time: counted from the first batch, and only when it is more', () => {
    const at = (offset: number, timestampMs: number): Uint8Array => batch({ offset, timestampMs })
    expect(rolls({ segmentMs: 100 }, at(0, 1_000), at(1, 1_100), at(2, 1_101), at(3, 1_201))).toEqual([0, 2])
  })

  test('by time of the clock where batches have none', () => {
    const at = (offset: number): Uint8Array => batch({ offset, timestampMs: -1 })
    expect(rolls({ segmentMs: 100 }, at(0), at(1))).toEqual([0])
  })

  test('earlier by chance', () => {
    const at = (offset: number, timestampMs: number): Uint8Array => batch({ offset, timestampMs })
    expect(rolls({ segmentMs: 100, segmentJitterMs: 1_000 }, at(0, 1_000), at(1, 1_099))).toEqual([0, 1])
  })

  test('when an index is full', () => {
    // Room for two entries of the time index, of which one is for the last.
    expect(rolls({ segmentIndexBytes: 24, indexIntervalBytes: 100 }, ...TEN.slice(0, 4))).toEqual([0, 4])
  })

  test('when an offset is too far from the base', () => {
    const at = (offset: number): Uint8Array => batch({ offset, timestampMs: 1 })
    expect(rolls({}, at(0), at(0x7fff_ffff), at(0x8000_0000))).toEqual([0, 0x8000_0000])
  })

  test('when asked, but not an empty one', () => {
    const files = create(newDisk())
    files.roll()
    append(files, TEN[0]!)
    files.roll()
    files.roll()
    expect(bases(files)).toEqual([0, 2])
  })
})

describe('leader epochs', () => {
  test('are in the file before the batch is in the log', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, batch({ offset: 0, epoch: 3 }))
    disk.plan([{ kind: 'EIO', at: 1, calls: ['write'], path: '.log' }])
    expect(() => append(files, batch({ offset: 1, epoch: 4 }))).toThrow('EIO')
    expect(Buffer.from(filesOf(disk).get('leader-epoch-checkpoint')!).toString()).toBe('0\n2\n3 0\n4 1\n')
  })

  test('of a leader that appends nothing', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, batch({ offset: 0, epoch: 3 }))
    files.assignEpoch(5)
    files.assignEpoch(4)
    expect(files.leaderEpochs).toEqual([
      { epoch: 3, startOffset: 0 },
      { epoch: 5, startOffset: 1 },
    ])
    expect(open(disk.killState()).leaderEpochs).toEqual(files.leaderEpochs)
  })

  test('are made again from the batches where the file is damaged', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, ...Array.from({ length: 12 }, (_, i) => batch({ offset: i, epoch: i >> 1 })))
    expect(files.close()).toBe(true)
    const epochs = files.leaderEpochs
    const file = disk.open(`${DIRECTORY}/leader-epoch-checkpoint`, 'write')
    file.write(new Uint8Array(4), 0, 4, 0)
    file.close()
    const said: string[] = []
    expect(open(disk, { isClean: true, recoveryPoint: 12, log: (text) => said.push(text) }).leaderEpochs).toEqual(epochs)
    expect(said).toHaveLength(1)
  })
})

describe('producers', () => {
  const of = (offset: number, sequence: number, records = 2): Uint8Array =>
    batch({ offset, records, producerId: 7, producerEpoch: 1, sequence })

  test('are in the snapshot of each roll and of the end', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, of(0, 5), of(2, 7))
    files.roll()
    append(files, of(4, 9))
    expect(files.close()).toBe(true)
    const snapshots = [...filesOf(disk)].filter(([name]) => name.endsWith('.snapshot'))
    expect(snapshots.map(([name, bytes]) => [name.slice(18, 20), decodeProducerSnapshot(name, bytes)])).toEqual([
      [
        '04',
        [expect.objectContaining({ producerId: 7, producerEpoch: 1, lastSequence: 8, lastOffset: 3, offsetDelta: 1, timestampMs: 1_002 })],
      ],
      ['06', [expect.objectContaining({ lastSequence: 10, lastOffset: 5, timestampMs: 1_004 })]],
    ])
  })

  test.each([
    ['after a clean stop', true],
    ['after a kill', false],
  ])('are the same %s', (_, isClean) => {
    const disk = newDisk()
    const files = create(disk)
    append(files, of(0, 0), of(2, 2), of(4, 4), of(6, 6), of(8, 8), of(10, 10), of(12, 12))
    const before = files.producerSnapshot()
    if (isClean) files.close()
    const opened = open(disk.killState(), { isClean, recoveryPoint: isClean ? 14 : 0 })
    expect(opened.producerSnapshot()).toEqual(before)
  })
})

describe('look-ups', () => {
  test('every offset is found in its batch, also where entries wait', () => {
    const files = create(newDisk(), { segmentBytes: 5_000 })
    const all = Array.from({ length: 60 }, (_, i) => batch({ offset: i * 3, records: 3 }))
    append(files, ...all)
    for (let offset = 0; offset < 180; offset++) {
      const index = Math.floor(offset / 3)
      const segment = Math.floor(index / 25) * 75
      const place = { segment, position: (index % 25) * 200, baseOffset: index * 3, lastOffset: index * 3 + 2 }
      expect(files.lookUp(offset)).toEqual(place)
    }
    expect(files.lookUp(180)).toBeUndefined()
    expect(() => files.lookUp(181)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(files.failure).toBeUndefined()
  })

  test('the first batch that is not older than a time', () => {
    const files = create(newDisk(), { segmentBytes: 2_000 })
    // Out of order on purpose.
    const times = [50, 10, 40, 60, 20, 90, 70, 80, 95, 5, 6, 7, 8, 200, 100, 110, 120, 300]
    append(files, ...times.map((timestampMs, offset) => batch({ offset, timestampMs })))
    for (let time = 0; time <= 301; time++) {
      const expected = times.findIndex((one) => one >= time)
      expect(files.findByTimestamp(time)?.baseOffset, `at ${time}`).toBe(expected < 0 ? undefined : expected)
    }
    files.advanceStart(6, 0)
    expect(files.findByTimestamp(0)?.baseOffset).toBe(6)
  })
})

describe('a failure', () => {
  test.each<['write' | 'sync', (files: PartitionFiles) => void]>([
    ['write', (files) => append(files, TEN[1]!)],
    ['sync', (files) => files.sync()],
  ])('of a %s fences all but close, which says so', (call, act) => {
    const disk = newDisk()
    const files = create(disk)
    append(files, TEN[0]!)
    files.sync()
    append(files, batch({ offset: 2 }))
    disk.plan([{ kind: 'EIO', at: 1, calls: [call] }])
    if (call === 'write')
      expect(() => append(files, batch({ offset: 3 }))).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    else expect(() => act(files)).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    disk.plan([])
    expect(files.endOffset).toBe(3)
    expect(files.syncedEndOffset).toBe(2)
    for (const one of [() => files.sync(), () => files.roll(), () => append(files, batch({ offset: 3 })), () => files.closeFiles()]) {
      expect(one).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    }
    expect(disk.calls.get('sync') ?? 0).toBe(0)
    expect(files.close()).toBe(false)
    expect(files.close()).toBe(false)
    expect(files.syncedEndOffset).toBe(2)
  })
})

describe('files that are let go', () => {
  test('are opened again when they are needed, and synced all the same', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, TEN[0]!)
    files.closeFiles()
    append(files, TEN[1]!)
    files.closeFiles()
    files.sync()
    for (const { disk: after } of disk.crashStates(1)) {
      expect(open(after, { hasRebooted: true, durableEnd: 4, recoveryPoint: 4 }).endOffset).toBe(4)
    }
  })
})

describe('truncate', () => {
  test.each([0, 1, 2, 9, 10, 11, 12, 19, 20])('to %i: whole batches, indexes, epochs and snapshots', (offset) => {
    const disk = newDisk()
    const files = create(disk)
    const batches = Array.from({ length: 20 }, (_, i) => batch({ offset: i, epoch: i >> 2, producerId: i % 3, sequence: i }))
    append(files, ...batches)
    files.truncateTo(offset)
    expect(files.endOffset).toBe(offset)
    expect(files.syncedEndOffset).toBe(offset === 20 ? 0 : offset)
    const like = create(newDisk())
    append(like, ...batches.slice(0, offset))
    expect(files.producerSnapshot()).toEqual(like.producerSnapshot())
    append(files, ...batches.slice(offset))
    expect(files.close()).toBe(true)
    expect(logBytes(disk)).toEqual(joined(...batches))
    expect(files.leaderEpochs).toEqual([0, 1, 2, 3, 4].map((epoch) => ({ epoch, startOffset: epoch * 4 })))
    expect(open(disk, { isClean: true, recoveryPoint: 20 }).endOffset).toBe(20)
  })

  test('a batch that holds the offset goes whole', () => {
    const disk = newDisk()
    const files = create(disk)
    append(files, ...TEN)
    files.truncateTo(13)
    expect(files.endOffset).toBe(12)
    expect(batchesIn(logBytes(disk))).toHaveLength(6)
  })
})

test('opened twice after a kill, the same', () => {
  const disk = newDisk()
  const files = create(disk)
  append(files, ...TEN)
  const killed = disk.killState()
  open(killed)
  const once = shownFiles(filesOf(killed))
  open(killed)
  expect(shownFiles(filesOf(killed))).toEqual(once)
})
