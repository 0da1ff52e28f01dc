// Recovery from a resume point: what it reads, and when it does not believe one.

import { describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { logFileName } from '../../src/storage/log-file-names.ts'
import { bytesToScan } from '../../src/storage/partition-recovery.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import type { ResumePoint } from '../../src/storage/resume-point.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { DIRECTORY, CONFIG, append, batch, create, filesOf, joined, logBytes, newDisk, open } from './partition-fixture.ts'

const LARGE = { segmentBytes: 1_000_000, indexIntervalBytes: 300 }
const LOG = `${DIRECTORY}/${logFileName(0, 'log')}`

function batches(from: number, to: number, epoch = 0): Uint8Array[] {
  return Array.from({ length: to - from }, (_, i) => batch({ offset: from + i, epoch, producerId: 7, sequence: from + i }))
}

/** Offsets below 60 are synced and in the point, those below 80 are only written. */
function killed(config = LARGE): { disk: SimulatedDisk; point: ResumePoint } {
  const disk = newDisk()
  const files = create(disk, config)
  append(files, ...batches(0, 60))
  files.sync()
  const point = files.resumePoint()!
  append(files, ...batches(60, 80))
  return { disk: disk.killState(), point }
}

/** A disk that remembers from where on its .log files were read for more than a header. */
function watched(disk: Disk): { disk: Disk; lowest: () => number } {
  let lowest = Number.POSITIVE_INFINITY
  const seen = new Proxy(disk, {
    get(target, key) {
      if (key !== 'open') {
        const value = Reflect.get(target, key) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (...args: Parameters<Disk['open']>) => {
        const file = target.open(...args)
        if (!args[0].endsWith('.log')) return file
        const read = file.read.bind(file)
        file.read = (into, start, end, position) => {
          if (end - start > 100) lowest = Math.min(lowest, position)
          return read(into, start, end, position)
        }
        return file
      }
    },
  })
  return { disk: seen, lowest: () => lowest }
}

const KNOWN = { recoveryPoint: 60, durableEnd: 60, config: LARGE }

function told(files: PartitionFiles): unknown {
  const { endOffset, startOffset, leaderEpochs, segments } = files
  return {
    endOffset,
    startOffset,
    leaderEpochs,
    sizes: segments.map(({ sizeInBytes }) => sizeInBytes),
    producers: files.producerSnapshot(),
  }
}

describe('a resume point that is true', () => {
  test('nothing before it is read, and the log is as without it', () => {
    const { disk, point } = killed()
    const seen = watched(disk.killState())
    const files = open(seen.disk, { ...KNOWN, resumePoint: point })
    expect(seen.lowest()).toBe(point.position)
    expect(point.position).toBe(60 * 200)
    const all = watched(disk.killState())
    const without = open(all.disk, KNOWN)
    expect(all.lowest()).toBe(0)
    expect(told(files)).toEqual(told(without))
    for (let offset = 0; offset < 80; offset++) expect(files.lookUp(offset)).toEqual(without.lookUp(offset))
    for (let ms = 1_000; ms < 1_080; ms++) expect(files.findByTimestamp(ms)).toEqual(without.findByTimestamp(ms))
    append(files, ...batches(80, 90))
    expect(files.lookUp(85)!.baseOffset).toBe(85)
  })

  test('it counts again after another kill, and after a clean stop', () => {
    const { disk, point } = killed()
    const files = open(disk, { ...KNOWN, resumePoint: point })
    append(files, ...batches(80, 100, 3))
    const again = disk.killState()
    const resumed = open(again, { ...KNOWN, resumePoint: point })
    expect(told(resumed)).toEqual(told(open(disk.killState(), KNOWN)))
    expect(resumed.leaderEpochs).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 80 },
    ])
    expect(resumed.close()).toBe(true)
    const seen = watched(again)
    open(seen.disk, { ...KNOWN, resumePoint: point })
    expect(seen.lowest()).toBe(point.position)
  })

  test('segments that were begun behind it are read whole, and nothing else', () => {
    const { disk, point } = killed({ ...LARGE, segmentBytes: 70 * 200 })
    const seen = watched(disk.killState())
    const resumed = open(seen.disk, { ...KNOWN, config: { ...LARGE, segmentBytes: 70 * 200 }, resumePoint: point })
    expect(resumed.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 70])
    expect(told(resumed)).toEqual(told(open(disk.killState(), KNOWN)))
    expect(filesOf(seen.disk).has(logFileName(70, 'snapshot'))).toBe(true)
  })

  test('a torn tail behind it goes, as without it; damage behind it is damage', () => {
    const { disk, point } = killed()
    const torn = disk.killState()
    const file = torn.open(LOG, 'write')
    file.truncate(79 * 200 + 50)
    file.close()
    const log: string[] = []
    const files = open(torn, { ...KNOWN, resumePoint: point, log: (message) => log.push(message) })
    expect(files.endOffset).toBe(79)
    expect(log).toHaveLength(1)
    expect(logBytes(torn)).toEqual(joined(...batches(0, 79)))
    const damaged = disk.killState()
    flip(damaged, 70 * 200 + 100)
    for (const resumePoint of [point, undefined]) {
      expect(() => open(damaged, { ...KNOWN, resumePoint })).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
    }
  })
})

describe('a resume point that is not believed', () => {
  const kinds: [string, (disk: SimulatedDisk, point: ResumePoint) => void, object?][] = [
    ['another batch where the last one was', (disk) => rewrite(disk)],
    ['an index that is shorter', (disk) => cut(disk, logFileName(0, 'index'), 8)],
    ['no time index', (disk) => disk.remove(`${DIRECTORY}/${logFileName(0, 'timeindex')}`)],
    ['entries of another index', (disk, { offsetEntries }) => overwrite(disk, logFileName(0, 'index'), (offsetEntries - 1) * 8 + 4)],
    ['the machine was started again', () => undefined, { hasRebooted: true }],
    ['it tells of more than was synced', () => undefined, { recoveryPoint: 59, durableEnd: 59 }],
  ]
  test.each(kinds)('%s', (_, change, known = {}) => {
    const { disk, point } = killed()
    change(disk, point)
    const seen = watched(disk)
    const files = open(seen.disk, { ...KNOWN, ...known, resumePoint: point })
    expect(seen.lowest()).toBe(0)
    expect(files.endOffset).toBe(80)
    for (let offset = 0; offset < 80; offset++) expect(files.lookUp(offset)!.baseOffset).toBe(offset)
  })

  test('none is made where nothing was appended, nor twice of the same; it says where all is that must be synced before it is true', () => {
    const files = create(newDisk(), LARGE)
    expect(files.resumePoint()).toBeUndefined()
    append(files, ...batches(0, 3))
    expect(files.resumePoint()).toMatchObject({ baseOffset: 0, endOffset: 3, position: 600, lastBatchPosition: 400 })
    files.sync()
    expect(files.resumePoint()).toBeUndefined()
    append(files, ...batches(3, 4))
    expect(files.resumePoint()).toMatchObject({ baseOffset: 0, endOffset: 4, position: 800, lastBatchPosition: 600 })
  })
})

test('what a recovery will read is told before', () => {
  const { disk, point } = killed()
  const job = {
    directory: DIRECTORY,
    topicId: undefined,
    config: { ...CONFIG, ...LARGE },
    nowMs: 0,
    recoveryPoint: 60,
    logStartOffset: 0,
    isClean: false,
    hasRebooted: false,
    durableEnd: 60,
    holesBelow: 0,
    resumePoint: point,
  }
  expect(bytesToScan(disk, job)).toBe(20 * 200)
  expect(bytesToScan(disk, { ...job, resumePoint: undefined })).toBe(80 * 200)
  expect(bytesToScan(disk, { ...job, hasRebooted: true })).toBe(80 * 200)
  expect(bytesToScan(disk, { ...job, isClean: true })).toBe(0)
  expect(bytesToScan(disk, { ...job, directory: '/data/none' })).toBe(0)
})

/** As after a truncation: the same offsets and sizes, and other records. */
function rewrite(disk: SimulatedDisk): void {
  const file = disk.open(LOG, 'write')
  const bytes = joined(...Array.from({ length: 80 }, (_, i) => batch({ offset: i, epoch: 0, timestampMs: 5_000 + i })))
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

function cut(disk: SimulatedDisk, name: string, sizeInBytes: number): void {
  const file = disk.open(`${DIRECTORY}/${name}`, 'write')
  file.truncate(sizeInBytes)
  file.close()
}

function overwrite(disk: SimulatedDisk, name: string, position: number): void {
  const file = disk.open(`${DIRECTORY}/${name}`, 'write')
  file.write(Uint8Array.of(1, 2, 3, 4), 0, 4, position)
  file.close()
}

function flip(disk: SimulatedDisk, position: number): void {
  const file = disk.open(LOG, 'write')
  const byte = new Uint8Array(1)
  file.read(byte, 0, 1, position)
  file.write(Uint8Array.of(byte[0]! ^ 1), 0, 1, position)
  file.close()
}
