import { describe, expect, test } from 'vitest'
import { readWhole } from '../../src/disk/read-whole.ts'
import { BASE_SEQUENCE, MAX_TIMESTAMP, PRODUCER_ID } from '../../src/record/record-batch-layout.ts'
import { writeCrc } from '../../src/record/record-batch.ts'
import { logFileName } from '../../src/storage/log-file-names.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { decodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { DIRECTORY, append, batch, create, filesOf, joined, logBytes, newDisk, open, shownFiles } from './partition-fixture.ts'

/** Twelve batches of 200 bytes, five a segment. */
const TWELVE = Array.from({ length: 12 }, (_, i) => batch({ offset: i }))
const LAST = `${DIRECTORY}/${logFileName(10, 'log')}`

function written(): SimulatedDisk {
  const disk = newDisk()
  append(create(disk), ...TWELVE)
  return disk.killState()
}

function change(disk: SimulatedDisk, path: string, position: number, bytes: Uint8Array): void {
  const file = disk.open(path, 'write')
  file.write(bytes, 0, bytes.length, position)
  file.close()
}

function cut(disk: SimulatedDisk, path: string, sizeInBytes: number): void {
  const file = disk.open(path, 'write')
  file.truncate(sizeInBytes)
  file.close()
}

function flip(disk: SimulatedDisk, path: string, position: number): void {
  const byte = readWhole(disk, path, 2 ** 20)[position]!
  change(disk, path, position, Uint8Array.of(byte ^ 1))
}

const path = (baseOffset: number, kind: 'log' | 'index' | 'timeindex' = 'log'): string => `${DIRECTORY}/${logFileName(baseOffset, kind)}`

describe('a torn tail', () => {
  test.each([
    ['inside a header', 200 + 30],
    ['inside a body', 200 + 150],
    ['at the first byte', 1],
  ])('after a kill, cut %s: goes, and is kept', (_, size) => {
    const disk = written()
    const tail = readWhole(disk, LAST, 2 ** 20).subarray(size > 200 ? 200 : 0, size)
    cut(disk, LAST, size)
    const log: string[] = []
    const files = open(disk, { log: (message) => log.push(message) })
    const end = size > 200 ? 11 : 10
    expect(files.endOffset).toBe(end)
    expect(log).toHaveLength(1)
    expect(log[0]).toContain(`cut to end at offset ${end}`)
    expect(filesOf(disk).get(`${String(end).padStart(20, '0')}.torn`)).toEqual(tail)
    append(files, batch({ offset: end }))
  })

  test('after a reboot all behind the first bad batch goes, other segments too, each offset named', () => {
    const disk = written()
    flip(disk, path(5), 2 * 200 + 100)
    const log: string[] = []
    const files = open(disk, { hasRebooted: true, durableEnd: 7, recoveryPoint: 3, log: (message) => log.push(message) })
    expect(files.endOffset).toBe(7)
    expect(logBytes(disk)).toEqual(joined(...TWELVE.slice(0, 7)))
    expect(log.join()).toContain('offsets 7-9, 10-11')
    expect(log.join()).toContain('1000 bytes')
    const kept = filesOf(disk).get('00000000000000000007.torn')!
    expect(kept).toHaveLength(1_000)
    expect(kept.subarray(200)).toEqual(joined(...TWELVE.slice(8)))
    const once = shownFiles(filesOf(disk))
    open(disk, { hasRebooted: true, durableEnd: 7, recoveryPoint: 3 })
    expect(shownFiles(filesOf(disk))).toEqual(once)
  })

  test('a segment that is missing in the middle, after a reboot', () => {
    const disk = written()
    disk.remove(path(5))
    const files = open(disk, { hasRebooted: true })
    expect(files.endOffset).toBe(5)
    expect(files.segments).toHaveLength(1)
  })

  test('another tail at the same offset is kept beside it, and no more than eight', () => {
    const disk = written()
    for (let i = 0; i < 12; i++) {
      const garbage = new Uint8Array(30).fill(i)
      change(disk, LAST, 400, garbage)
      open(disk).closeFiles()
    }
    const torn = disk.list(DIRECTORY).filter((name) => name.includes('.torn'))
    expect(torn.length).toBeLessThanOrEqual(8)
    expect(torn.length).toBeGreaterThan(2)
  })
})

describe('damage', () => {
  interface Case {
    readonly name: string
    readonly make: (disk: SimulatedDisk) => void
    readonly options: Parameters<typeof open>[1]
    readonly file: number
    readonly position: number
  }

  const cases: Case[] = [
    {
      name: 'below the mark, after a reboot',
      make: (disk) => flip(disk, path(5), 100),
      options: { hasRebooted: true, durableEnd: 6 },
      file: 5,
      position: 0,
    },
    { name: 'sound batches behind, no reboot', make: (disk) => flip(disk, path(5), 300), options: {}, file: 5, position: 200 },
    {
      name: 'a length that lies, sound batches behind',
      make: (disk) => change(disk, path(10), 8, Uint8Array.of(0x70)),
      options: {},
      file: 10,
      position: 0,
    },
    { name: 'zeros over a header', make: (disk) => change(disk, path(0), 200, new Uint8Array(100)), options: {}, file: 0, position: 200 },
    { name: 'the last batch, whole, with a wrong CRC', make: (disk) => flip(disk, LAST, 399), options: {}, file: 10, position: 200 },
    { name: 'a missing segment, no reboot', make: (disk) => disk.remove(path(5)), options: {}, file: 10, position: 0 },
    { name: 'too short for the mark', make: (disk) => cut(disk, LAST, 200), options: { durableEnd: 12 }, file: 10, position: 200 },
    {
      name: 'too short for the mark, after a reboot',
      make: (disk) => cut(disk, LAST, 200),
      options: { durableEnd: 12, hasRebooted: true },
      file: 10,
      position: 200,
    },
    {
      name: 'too short after a clean stop',
      make: (disk) => cut(disk, LAST, 200),
      options: { isClean: true, recoveryPoint: 12 },
      file: 10,
      position: 200,
    },
    { name: 'torn after a clean stop', make: (disk) => cut(disk, LAST, 300), options: { isClean: true }, file: 10, position: 200 },
    {
      name: 'an old batch in its place',
      make: (disk) => change(disk, path(5), 200, batch({ offset: 2 })),
      options: {},
      file: 5,
      position: 200,
    },
    {
      name: 'an older epoch behind a newer',
      make: (disk) => change(disk, path(0), 200, batch({ offset: 1, epoch: 7 })),
      options: {},
      file: 0,
      position: 400,
    },
  ]

  test.each(cases)('$name: fenced, and nothing is changed', ({ make, options, file, position }) => {
    const disk = written()
    make(disk)
    const before = filesOf(disk)
    let thrown: unknown
    try {
      open(disk, options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: false })
    expect((thrown as Error).message).toContain(path(file))
    expect((thrown as Error).message).toContain(`at byte ${position}`)
    expect((thrown as Error).message).toContain('Nothing was cut')
    const after = filesOf(disk)
    for (const [name, bytes] of before) if (name.endsWith('.log')) expect(after.get(name)).toEqual(bytes)
  })

  test('a directory that is not there, and should hold something', () => {
    expect(() => open(newDisk(), { durableEnd: 5 })).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    expect(open(newDisk()).endOffset).toBe(0)
  })

  test('the files of another topic', () => {
    expect(() => open(written(), { topicId: [9, 9, 9, 9] })).toThrow(expect.objectContaining({ code: 'INCONSISTENT_TOPIC_ID' }))
  })
})

describe('what is read', () => {
  const bytesRead = (disk: SimulatedDisk, options: Parameters<typeof open>[1]): number => {
    disk.plan([])
    open(disk, options)
    return disk.calls.get('read') ?? 0
  }

  test('a bit that flipped below the recovery point is not looked for but where producers are read from headers, behind it is', () => {
    const disk = written()
    flip(disk, path(0), 100)
    expect(open(disk, { recoveryPoint: 6, durableEnd: 6 }).endOffset).toBe(12)
    for (const position of [PRODUCER_ID, BASE_SEQUENCE, MAX_TIMESTAMP, 100, 300]) {
      const other = written()
      flip(other, path(5), position)
      expect(() => open(other, { recoveryPoint: 6, durableEnd: 6 })).toThrow('damaged')
    }
  })

  test('a batch of a producer that is none, and whole, is no damage, and nobody goes on from it', () => {
    const disk = written()
    const odd = TWELVE[5]!.slice()
    odd.set([0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xfe], PRODUCER_ID)
    writeCrc(odd, 0, odd.length)
    change(disk, path(5), 0, odd)
    const files = open(disk, { recoveryPoint: 6, durableEnd: 6 })
    expect(files.endOffset).toBe(12)
    expect(decodeProducerSnapshot('a snapshot', files.producerSnapshot()).map(({ producerId }) => producerId)).not.toContain(7)
  })

  test('after a clean stop the same few reads, however long the log', () => {
    const reads = [20, 200].map((count) => {
      const disk = newDisk()
      const files = create(disk, { segmentBytes: 1_000_000 })
      append(files, ...Array.from({ length: count }, (_, i) => batch({ offset: i })))
      expect(files.close()).toBe(true)
      return bytesRead(disk.killState(), { isClean: true, recoveryPoint: count })
    })
    expect(reads[1]! - reads[0]!).toBeLessThanOrEqual(2)
  })
})

describe('indexes', () => {
  const closed = (): { disk: SimulatedDisk; before: Record<string, string> } => {
    const disk = newDisk()
    const files = create(disk, { segmentBytes: 8_000 })
    append(files, ...Array.from({ length: 100 }, (_, i) => batch({ offset: i })))
    files.close()
    return { disk, before: shownFiles(filesOf(disk)) }
  }

  test.each<[string, (disk: SimulatedDisk, file: string) => void]>([
    ['missing', (disk, file) => disk.remove(file)],
    ['empty', (disk, file) => cut(disk, file, 0)],
    ['cut inside an entry', (disk, file) => cut(disk, file, 13)],
    ['followed by zeros', (disk, file) => cut(disk, file, 480)],
    ['pointing nowhere', (disk, file) => change(disk, file, readWhole(disk, file, 2 ** 20).length - 8, new Uint8Array(8).fill(0x7f))],
  ])('%s: made again, the same', (_, make) => {
    for (const kind of ['index', 'timeindex'] as const) {
      for (const isClean of [true, false]) {
        const { disk, before } = closed()
        make(disk, path(40, kind))
        const files = open(disk, { isClean, recoveryPoint: isClean ? 100 : 0, config: { segmentBytes: 8_000 } })
        for (let offset = 0; offset < 100; offset++) expect(files.lookUp(offset)?.baseOffset).toBe(offset)
        files.close()
        const after = shownFiles(filesOf(disk))
        expect(after).toEqual(before)
      }
    }
  })
})

describe('leftovers', () => {
  const copy = (disk: SimulatedDisk, from: string, to: string): void => {
    const bytes = readWhole(disk, `${DIRECTORY}/${from}`, 2 ** 20)
    const file = disk.open(`${DIRECTORY}/${to}`, 'create')
    file.write(bytes, 0, bytes.length, 0)
    file.close()
  }

  const names = (disk: SimulatedDisk): string[] => disk.list(DIRECTORY)

  test('.deleted, .cleaned and .tmp files go, and indexes without a log', () => {
    const disk = written()
    copy(disk, logFileName(0, 'log'), logFileName(0, 'log', 'deleted'))
    copy(disk, logFileName(0, 'log'), logFileName(5, 'log', 'cleaned'))
    copy(disk, logFileName(0, 'log'), 'leader-epoch-checkpoint.tmp')
    copy(disk, logFileName(0, 'index'), logFileName(3, 'index'))
    expect(open(disk).endOffset).toBe(12)
    expect(names(disk).filter((name) => /deleted|cleaned|tmp|0003/.test(name))).toEqual([])
  })

  test('a compaction that was ready takes the place of the segments that it holds', () => {
    const disk = written()
    const swap = joined(TWELVE[1]!, TWELVE[4]!, TWELVE[8]!)
    const file = disk.open(`${DIRECTORY}/${logFileName(0, 'log', 'swap')}`, 'create')
    file.write(swap, 0, swap.length, 0)
    file.close()
    const files = open(disk, { config: { isCompacted: true } })
    expect(files.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 10])
    expect(logBytes(disk)).toEqual(joined(TWELVE[1]!, TWELVE[4]!, TWELVE[8]!, TWELVE[10]!, TWELVE[11]!))
    expect(files.lookUp(2)?.baseOffset).toBe(4)
    expect(files.lookUp(9)?.baseOffset).toBe(10)
  })

  test('one that was not ready in all its segments is undone', () => {
    const disk = written()
    copy(disk, logFileName(0, 'log'), logFileName(0, 'log', 'swap'))
    copy(disk, logFileName(0, 'log'), logFileName(0, 'log', 'cleaned'))
    expect(open(disk).endOffset).toBe(12)
    expect(logBytes(disk)).toEqual(joined(...TWELVE))
  })
})

describe('retention', () => {
  const of = (config: Parameters<typeof create>[1]): { disk: SimulatedDisk; files: PartitionFiles } => {
    const disk = newDisk()
    const files = create(disk, { fileDeleteDelayMs: 100, ...config })
    append(files, ...TWELVE)
    return { disk, files }
  }

  test('by age: a segment goes when its latest record is too old, the last one too', () => {
    // Timestamps are 1000 to 1011; segments end with 1004, 1009, 1011.
    const { files } = of({ retentionMs: 50 })
    const starts = [1_054, 1_055, 1_059, 1_060, 1_061, 1_062].map((nowMs) => files.retentionStartOffset(nowMs))
    expect(starts).toEqual([0, 5, 5, 10, 10, 12])
  })

  test('by size: as many segments as leave at least so much', () => {
    const start = (retentionBytes: number): number => of({ retentionBytes }).files.retentionStartOffset(0)
    expect([2_400, 1_401, 1_400, 401, 400, 1, 0].map(start)).toEqual([0, 0, 5, 5, 10, 10, 12])
  })

  test('never of a topic that is not deleted', () => {
    expect(of({ retentionMs: 0, retentionBytes: 0, isDeleted: false }).files.retentionStartOffset(99_999)).toBe(0)
  })

  test('files stay for a while under another name, then go', () => {
    const { disk, files } = of({})
    files.advanceStart(7, 1_000)
    expect(files.startOffset).toBe(7)
    expect(files.segments.map(({ baseOffset }) => baseOffset)).toEqual([5, 10])
    const deleted = (): string[] => disk.list(DIRECTORY).filter((name) => name.endsWith('.deleted'))
    expect(deleted()).toEqual(['index', 'log', 'timeindex'].map((kind) => `${logFileName(0, kind as 'log')}.deleted`))
    expect(files.removeDue(1_099)).toBe(0)
    expect(files.removeDue(1_100)).toBe(1)
    expect(deleted()).toEqual([])
    expect(files.sizeInBytes).toBe(7 * 200)
  })

  test('an expired log begins a segment and is empty', () => {
    const { disk, files } = of({})
    files.advanceStart(12, 0)
    expect(files.segments.map(({ baseOffset, sizeInBytes }) => [baseOffset, sizeInBytes])).toEqual([[12, 0]])
    append(files, batch({ offset: 12 }))
    expect(open(disk.killState(), { logStartOffset: 12 }).endOffset).toBe(13)
  })

  test('a start that was written down, and a log that does not reach it after a power cut, begins there', () => {
    const files = open(written(), { logStartOffset: 40, hasRebooted: true })
    expect([files.startOffset, files.endOffset]).toEqual([40, 40])
    append(files, batch({ offset: 40 }))
  })

  test('one that no power cut explains is damage, and nothing is removed', () => {
    const disk = written()
    const before = disk.list('/data/t-0')
    expect(() => open(disk, { logStartOffset: 40 })).toThrow(/log-start-offset-checkpoint is damaged: found 40 as the start of t-0/)
    expect(disk.list('/data/t-0')).toEqual(before)
  })
})
