// When a FileCleaner works, and what its jobs do beyond what every compaction does.

import { describe, expect, test } from 'vitest'
import { transactionMarkerBatch } from '../../src/record/control-record.ts'
import { ATTRIBUTE_TRANSACTIONAL, ATTRIBUTES } from '../../src/record/record-batch-layout.ts'
import { isControlBatch, writeCrc } from '../../src/record/record-batch.ts'
import type { CleanJob, CleanResult } from '../../src/storage/clean-job.ts'
import { cleanSegments } from '../../src/storage/segment-cleaner.ts'
import { readTransactionIndex } from '../../src/storage/transaction-index.ts'
import { keyedBatch } from '../log/keyed-batches.ts'
import type { KeyedRecord } from '../log/keyed-batches.ts'
import { CleanedFiles } from './cleaned-partition.ts'
import { DIRECTORY, batchesIn, create, filesOf, logBytes, newDisk, open } from './partition-fixture.ts'

const record = (key: string, value: string | null, timestampMs = 1_800_000_000_000): KeyedRecord => ({ key, value, timestampMs })

/** What was appended until now may be compacted. */
function leave(world: CleanedFiles): void {
  world.files.roll()
  world.append([record('tail', 'x')])
}

function valuesOf(world: CleanedFiles): string[] {
  return world
    .read()
    .flatMap(({ records }) => records)
    .filter(({ key }) => key?.startsWith('k') === true)
    .map(({ key, value }) => `${key}=${value}`)
}

describe('transactions', () => {
  const transactional = (world: CleanedFiles, records: readonly KeyedRecord[], producerId: number, sequence: number): number => {
    const bytes = keyedBatch(records, { withCrc: true, producerId, producerEpoch: 0, baseSequence: sequence })
    bytes[ATTRIBUTES + 1]! |= ATTRIBUTE_TRANSACTIONAL
    writeCrc(bytes, 0, bytes.length)
    return world.appendBatch(bytes)
  }
  const end = (world: CleanedFiles, type: 'ABORT' | 'COMMIT', producerId: number): number =>
    world.appendBatch(transactionMarkerBatch({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0 }, 1_800_000_000_000))
  const markersOf = (world: CleanedFiles): number => batchesIn(logBytes(world.disk)).filter((one) => isControlBatch(one, 0)).length
  const indexedOf = (world: CleanedFiles): number =>
    [...filesOf(world.disk)]
      .filter(([name]) => name.endsWith('.txnindex'))
      .reduce((sum, [name, bytes]) => sum + readTransactionIndex(name, bytes, 0, 1_000).length, 0)

  test('aborted records go and take nothing with them; markers go when nothing of theirs is left, after their horizon', async () => {
    const world = new CleanedFiles({ config: { 'delete.retention.ms': '60000' } })
    world.append([record('k1', 'old'), record('k2', 'old')])
    transactional(world, [record('k1', 'aborted'), record('k3', 'aborted')], 5, 0)
    transactional(world, [record('k2', 'committed')], 6, 0)
    end(world, 'ABORT', 5)
    end(world, 'COMMIT', 6)
    // They go on, so that nothing of the above is their last batch.
    transactional(world, [record('k8', 'x')], 5, 2)
    transactional(world, [record('k9', 'x')], 6, 1)
    end(world, 'COMMIT', 5)
    end(world, 'COMMIT', 6)
    leave(world)
    await world.clean()
    expect(world.log).toEqual([])
    expect(valuesOf(world)).toEqual(['k1=old', 'k2=committed', 'k8=x', 'k9=x'])
    // Of the aborted one something was met this time.
    expect([markersOf(world), indexedOf(world)]).toEqual([4, 1])
    leave(world)
    await world.clean()
    expect([markersOf(world), indexedOf(world)]).toEqual([4, 0])
    world.clock.advance(30_000)
    leave(world)
    await world.clean()
    expect(markersOf(world)).toBe(4)
    world.clock.advance(31_000)
    leave(world)
    await world.clean()
    expect(markersOf(world)).toBe(3)
    expect(valuesOf(world)).toEqual(['k1=old', 'k2=committed', 'k8=x', 'k9=x'])
    const snapshot = world.files.producerSnapshot()
    world.files.close()
    const again = open(world.disk, { config: { isCompacted: true }, recoveryPoint: world.files.endOffset })
    expect(Buffer.compare(again.producerSnapshot(), snapshot)).toBe(0)
  })
})

describe('a job', () => {
  test('with too little memory for all keys goes as far as it comes, and the next goes on from there', async () => {
    const world = new CleanedFiles({ dedupeBufferBytes: 4_096 })
    for (let i = 0; i < 400; i++) world.append([record(`k${i % 150}`, `${i}`)])
    leave(world)
    await world.clean()
    expect(world.results.length).toBeGreaterThan(2)
    const offsets = world.results.map(({ cleanedOffset }) => cleanedOffset!)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    expect(valuesOf(world)).toEqual(Array.from({ length: 150 }, (_, i) => `k${(i + 100) % 150}=${i + 250}`))
  })

  test('makes no segment larger than configured, one of many that are small, and none where nothing goes', async () => {
    const world = new CleanedFiles({ segmentBytes: 4_000 })
    for (let i = 0; i < 200; i++) {
      world.append([record(`k${i}`, 'v'.repeat(100))])
      if (i % 5 === 4) world.files.roll()
    }
    leave(world)
    await world.clean()
    expect(world.files.segments.length).toBeLessThan(15)
    for (const { sizeInBytes } of world.files.segments) expect(sizeInBytes).toBeLessThanOrEqual(4_000)
    const before = logBytes(world.disk)
    await world.clean()
    const [, last] = [world.results[0], world.results.at(-1)]
    expect(last!.cleaned.length).toBeLessThanOrEqual(world.results[0]!.cleaned.length)
    expect(Buffer.compare(logBytes(world.disk), before)).toBe(0)
  })

  test('that meets damage changes nothing; its partition is left alone', async () => {
    const world = new CleanedFiles()
    for (let i = 0; i < 20; i++) world.append([record('k', `${i}`)])
    leave(world)
    const file = world.disk.open(`${DIRECTORY}/${'0'.repeat(20)}.log`, 'write')
    file.write(new Uint8Array([0xff]), 0, 1, 300)
    file.close()
    const before = logBytes(world.disk)
    world.cleaner.tick(world.clock.nowMs())
    await world.cleaner.idle()
    world.cleaner.tick(world.clock.nowMs() + 60_000)
    expect([world.cleaner.jobs, world.cleaner.uncleanablePartitions, world.cleaner.cleanings]).toEqual([0, 1, 0])
    expect(world.log).toEqual([expect.stringMatching(/wrong CRC.*no more until it is opened again/)])
    expect(Buffer.compare(logBytes(world.disk), before)).toBe(0)
    expect([...filesOf(world.disk).keys()].filter((name) => name.endsWith('.cleaned'))).toEqual([])
  })

  test('whose segments went meanwhile by retention is for nothing; what it made is removed', async () => {
    const world = new CleanedFiles({ segmentBytes: 600 })
    for (let i = 0; i < 40; i++) world.append([record(`k${i % 3}`, `${i}`)])
    leave(world)
    world.cleaner.tick(world.clock.nowMs())
    await world.cleaner.idle()
    world.files.advanceStart(20, world.clock.nowMs())
    world.cleaner.tick(world.clock.nowMs())
    expect([world.cleaner.cleanings, world.cleaner.cleanedOffset(world.partition)]).toEqual([0, 0])
    await world.clean()
    expect(valuesOf(world)).toEqual(['k1=37', 'k2=38', 'k0=39'])
    expect([...filesOf(world.disk).keys()].filter((name) => /cleaned|swap/.test(name))).toEqual([])
    expect(world.files.startOffset).toBe(20)
  })

  test('leaves readers the files that they have open, and the old names for file.delete.delay.ms', async () => {
    const world = new CleanedFiles({ segmentBytes: 600 })
    for (let i = 0; i < 40; i++) {
      world.append([record(`k${i % 3}`, `${i}`)])
      if (i % 2 === 1) world.files.roll()
    }
    leave(world)
    const [first, second] = world.files.segments
    const reader = world.disk.open(`${DIRECTORY}/${String(first!.baseOffset).padStart(20, '0')}.log`, 'read')
    const old = new Uint8Array(first!.sizeInBytes)
    reader.read(old, 0, old.length, 0)
    await world.clean()
    const now = new Uint8Array(old.length)
    expect(reader.read(now, 0, now.length, 0)).toBe(old.length)
    expect(Buffer.compare(now, old)).toBe(0)
    reader.close()
    const deleted = `${DIRECTORY}/${String(second!.baseOffset).padStart(20, '0')}.log.deleted`
    expect(world.disk.exists(deleted)).toBe(true)
    world.files.removeDue(world.clock.nowMs() + 59_000)
    expect(world.disk.exists(deleted)).toBe(true)
    world.files.removeDue(world.clock.nowMs() + 61_000)
    expect(world.disk.exists(deleted)).toBe(false)
  })
})

test('the filthiest partition first, as many jobs as there are threads, and nothing while nothing is due', async () => {
  const jobs: { readonly job: CleanJob; readonly end: (result: CleanResult) => void }[] = []
  const runJob = (job: CleanJob): Promise<CleanResult> => new Promise((resolve) => jobs.push({ job, end: resolve }))
  const world = new CleanedFiles({ runJob, config: { 'min.cleanable.dirty.ratio': '0.5' }, segmentBytes: 600 })
  const other = new CleanedFiles({ disk: newDisk() })
  for (const each of [world, other]) {
    for (let i = 0; i < 40; i++) each.append([record(`k${i % 3}`, `${i}`)])
    leave(each)
  }
  const nowMs = world.clock.nowMs()
  const { cleaner } = world
  expect(cleaner.dueInMs(nowMs)).toBe(0)
  // Half of this one is clean: the other is filthier.
  cleaner.remove(world.partition)
  cleaner.add(world.partition, 12)
  cleaner.add(other.partition, 0)
  cleaner.tick(nowMs)
  expect(jobs.map(({ job }) => job.from)).toEqual([0])
  expect([cleaner.jobs, cleaner.dueInMs(nowMs)]).toEqual([1, Number.POSITIVE_INFINITY])
  jobs[0]!.end(cleanSegments(other.disk, jobs[0]!.job))
  await cleaner.idle()
  expect(cleaner.dueInMs(nowMs)).toBe(0)
  cleaner.tick(nowMs)
  expect(jobs.map(({ job }) => job.from)).toEqual([0, 12])
  jobs[1]!.end(cleanSegments(world.disk, jobs[1]!.job))
  await cleaner.idle()
  cleaner.tick(nowMs)
  // Nothing is due by time alone: what is appended is to be considered.
  expect([cleaner.cleanings, cleaner.jobs, cleaner.dueInMs(nowMs)]).toEqual([2, 0, Number.POSITIVE_INFINITY])
  expect(valuesOf(other)).toEqual(['k1=37', 'k2=38', 'k0=39'])
  // Who is removed while its job runs gets nothing of it.
  for (let i = 0; i < 40; i++) other.append([record(`k${i % 3}`, `${i}`)])
  leave(other)
  cleaner.consider(other.partition)
  expect(cleaner.dueInMs(nowMs)).toBe(15_000)
  cleaner.tick(nowMs + 14_000)
  expect(jobs).toHaveLength(2)
  cleaner.tick(nowMs + 15_000)
  expect(jobs).toHaveLength(3)
  cleaner.remove(other.partition)
  // Nor does another begin in its directory.
  cleaner.add(other.partition, 0)
  expect(cleaner.dueInMs(nowMs + 15_000)).toBe(Number.POSITIVE_INFINITY)
  jobs[2]!.end(cleanSegments(other.disk, jobs[2]!.job))
  await cleaner.idle()
  cleaner.tick(nowMs + 15_000)
  expect(cleaner.cleanings).toBe(2)
  expect(valuesOf(other).length).toBeGreaterThan(40)
})

test('compact and delete together: retention takes what is old, compaction cleans what stays', async () => {
  const disk = newDisk()
  const sizes = { segmentBytes: 1_000, indexIntervalBytes: 300 }
  const files = create(disk, { ...sizes, isCompacted: true, isDeleted: true, retentionMs: 10_000 })
  const world = new CleanedFiles({ disk, files, ...sizes })
  for (let i = 0; i < 60; i++) world.append([record(`k${i % 40}`, `${i}`, 1_800_000_000_000 + i * 1_000)])
  leave(world)
  await world.clean()
  const start = files.retentionStartOffset(1_800_000_000_000 + 62_000)
  expect(start).toBeGreaterThan(0)
  files.advanceStart(start, world.clock.nowMs())
  await world.clean()
  for (const value of valuesOf(world)) expect(Number(value.split('=')[1])).toBeGreaterThanOrEqual(start)
  expect(valuesOf(world).at(-1)).toBe('k19=59')
})

test('a job that is for nothing by now keeps others out of its directory, not out of other ones', async () => {
  const ends: ((result: CleanResult) => void)[] = []
  const jobs: CleanJob[] = []
  const runJob = (job: CleanJob): Promise<CleanResult> => {
    jobs.push(job)
    return new Promise((resolve) => ends.push(resolve))
  }
  const world = new CleanedFiles({ runJob, segmentBytes: 600, threads: 2 })
  for (let i = 0; i < 40; i++) world.append([record(`k${i % 3}`, `${i}`)])
  leave(world)
  const { cleaner, partition } = world
  const nowMs = world.clock.nowMs()
  cleaner.tick(nowMs)
  cleaner.remove(partition)
  cleaner.add(partition, 0)
  cleaner.tick(nowMs + 15_000)
  expect(jobs).toHaveLength(1)
  ends[0]!(cleanSegments(world.disk, jobs[0]!))
  await cleaner.idle()
  cleaner.tick(nowMs + 15_000)
  cleaner.tick(nowMs + 30_000)
  // What came back was dropped.
  expect([cleaner.cleanings, jobs.length]).toEqual([0, 2])
  ends[1]!(cleanSegments(world.disk, jobs[1]!))
  await cleaner.idle()
  while (cleaner.dueInMs(nowMs + 30_000) === 0) cleaner.tick(nowMs + 30_000)
  expect(cleaner.cleanings).toBe(1)
  expect(valuesOf(world)).toEqual(['k1=37', 'k2=38', 'k0=39'])
})

test('many new segments are put in place in several ticks, in order, and none of a partition that is removed between', async () => {
  const world = new CleanedFiles({ segmentBytes: 600 })
  for (let i = 0; i < 200; i++) world.append([record(`once ${i}`, 'v'.repeat(30)), record(`k${i % 3}`, `${i}`)])
  leave(world)
  const nowMs = world.clock.nowMs()
  const inPlace = (): number => new Set(world.read().flatMap(({ records }) => records.map(({ key }) => key))).size
  expect(inPlace()).toBe(204)
  world.cleaner.tick(nowMs)
  await world.cleaner.idle()
  const bytes = [world.files.sizeInBytes]
  while (world.cleaner.cleanings === 0) {
    expect(world.cleaner.dueInMs(nowMs)).toBe(0)
    world.cleaner.tick(nowMs)
    bytes.push(world.files.sizeInBytes)
    expect(inPlace()).toBe(204)
  }
  expect(bytes.length).toBeGreaterThan(3)
  for (const [i, size] of bytes.slice(1).entries()) expect(size).toBeLessThan(bytes[i]!)
  expect(valuesOf(world)).toEqual(['k0=198', 'k1=199', 'k2=197'].toSorted((a, b) => Number(a.slice(3)) - Number(b.slice(3))))
})

test('io.max.bytes.per.second: after a job nothing begins until what it read and wrote has taken its time', async () => {
  const world = new CleanedFiles({ segmentBytes: 600, maxBytesPerSecond: 1_000 })
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) world.append([record(`k${i % 3}`, `${i}`)])
    leave(world)
    world.cleaner.consider(world.partition)
  }
  await fill()
  const startMs = world.clock.nowMs()
  world.cleaner.tick(startMs)
  await world.cleaner.idle()
  while (world.cleaner.cleanings === 0) world.cleaner.tick(startMs + 500)
  const { readBytes, writtenBytes } = world.results[0]!
  await fill()
  expect(world.cleaner.dueInMs(startMs + 500)).toBeCloseTo(readBytes + writtenBytes - 500, 3)
  world.cleaner.tick(startMs + readBytes + writtenBytes - 1)
  expect(world.cleaner.jobs).toBe(0)
  world.cleaner.tick(startMs + readBytes + writtenBytes + 1)
  expect(world.cleaner.jobs).toBe(1)
  await world.cleaner.idle()
})
