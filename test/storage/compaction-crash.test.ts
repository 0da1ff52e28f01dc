// Whatever a power cut, a kill or a failing disk leaves of a compaction: the log before it or after
// it, up to the group of segments that was put in place last; never a mix.

import { describe, expect, test } from 'vitest'
import { readWhole } from '../../src/disk/read-whole.ts'
import { seededRandom } from '../../src/random.ts'
import { checkOffsetIndex, offsetIndexPosition, offsetIndexRelativeOffset } from '../../src/storage/offset-index.ts'
import { checkTimeIndex, timeIndexRelativeOffset, timeIndexTimestamp } from '../../src/storage/time-index.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { looseLastOffset, looseMaxTimestamp } from '../../src/log/batch-walk.ts'
import { batchSizeInBytes } from '../../src/record/record-batch.ts'
import type { CrashKind } from '../disk/crash-states.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import type { DiskFault } from '../disk/disk-faults.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { keyedBatch } from '../log/keyed-batches.ts'
import { CleanedFiles, lastOfKeys, readPartition } from './cleaned-partition.ts'
import { DIRECTORY, filesOf, logBytes, newDisk, open } from './partition-fixture.ts'

/** More find more, at half a minute each. */
const SEEDS = [11]
const SIZES = { segmentBytes: 3_000, indexIntervalBytes: 200, isCompacted: true }
const START_MS = 1_800_000_000_000

/** Worlds of one seed get the same batches: they are encoded once. */
const encoded = new Map<string, Uint8Array>()

/** A log that was compacted once, and has tombstones that may go now. All of it is synced. */
async function prepared(seed: number): Promise<CleanedFiles> {
  const random = seededRandom(seed)
  const world = new CleanedFiles({
    disk: newDisk(),
    segmentBytes: SIZES.segmentBytes,
    indexIntervalBytes: SIZES.indexIntervalBytes,
    config: { 'delete.retention.ms': '1000' },
    startMs: START_MS,
  })
  let sequence = 0
  let number = 0
  const fill = (batches: number): void => {
    for (let i = 0; i < batches; i++) {
      const count = 1 + random.below(4)
      const records = Array.from({ length: count }, () => ({
        // Many keys stay for ever: so there is more than one group.
        key: random.below(3) === 0 ? `s${random.below(500)}` : `k${random.below(20)}`,
        value: random.below(5) === 0 ? null : `${random.uint32()}`.padEnd(random.below(200), '.'),
        timestampMs: Math.floor(world.clock.nowMs()),
      }))
      const isIdempotent = random.below(4) === 0
      const options = {
        withCrc: true,
        compression: random.below(6) === 0 ? 4 : 0,
        ...(isIdempotent ? { producerId: 70 + random.below(3), producerEpoch: 1, baseSequence: sequence } : {}),
      }
      const name = `${seed} ${number++}`
      const bytes = encoded.get(name) ?? keyedBatch(records, options)
      encoded.set(name, bytes)
      world.appendBatch(bytes)
      sequence += count
      world.clock.advance(5)
    }
  }
  fill(60)
  world.files.roll()
  fill(2)
  await world.clean()
  expect(world.cleaner.cleanings).toBeGreaterThan(0)
  world.clock.advance(5_000)
  fill(50)
  world.files.roll()
  fill(2)
  world.files.sync()
  return world
}

/** Prepares a world again, and compacts it with these faults; each content on the way is told, in hex. */
async function compacted(
  seed: number,
  faults: readonly DiskFault[] = [],
): Promise<{ world: CleanedFiles; contents: string[]; thrown: unknown }> {
  const world = await prepared(seed)
  const disk = world.disk as SimulatedDisk
  const contents = [shown(disk)]
  const { files } = world
  const replace = files.replaceSegments.bind(files)
  files.replaceSegments = (cleaned, nowMs) => {
    const isReplaced = replace(cleaned, nowMs)
    if (faults.length === 0) contents.push(shown(disk))
    return isReplaced
  }
  disk.plan(faults)
  let thrown: unknown
  try {
    await world.clean()
  } catch (error) {
    thrown = error
  }
  return { world, contents, thrown }
}

function shown(disk: SimulatedDisk): string {
  return Buffer.from(logBytes(disk)).toString('hex')
}

function recovered(disk: SimulatedDisk, syncedEnd: number, hasRebooted: boolean): PartitionFiles {
  return open(disk, { config: SIZES, recoveryPoint: syncedEnd, durableEnd: syncedEnd, hasRebooted })
}

const LEFTOVER = /\.(cleaned|swap|tmp|torn|deleted)$/

/** Opens it, and holds all of it against what must be there. Gives the number of groups that are in place. */
function check(disk: SimulatedDisk, world: CleanedFiles, contents: readonly string[], hasRebooted: boolean): number {
  const { endOffset } = world.files
  const files = recovered(disk, endOffset, hasRebooted)
  const found = contents.indexOf(shown(disk))
  expect(found, 'the log is none that ever was').toBeGreaterThanOrEqual(0)
  expect(files.endOffset).toBe(endOffset)
  expect([...filesOf(disk).keys()].filter((name) => LEFTOVER.test(name))).toEqual([])
  expect(Buffer.from(files.producerSnapshot()).toString('hex')).toBe(Buffer.from(world.files.producerSnapshot()).toString('hex'))
  checkIndexes(disk, files)
  for (const [baseOffset, lastOffset] of batchesOf(disk, contents[found]!)) {
    if (files.lookUp(lastOffset)?.baseOffset !== baseOffset)
      throw new Error(`offset ${lastOffset} is not found in the batch of ${baseOffset}`)
  }
  files.close()
  const again = disk.killState()
  recovered(again, endOffset, hasRebooted)
  expect(shown(again)).toBe(contents[found])
  return found
}

/** First and last offsets of the batches that are there. The same content comes up thousands of times: it is read through once. */
function batchesOf(disk: SimulatedDisk, content: string): (readonly [number, number])[] {
  const batches =
    knownBatches.get(content) ?? readPartition(disk).map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset - 1] as const)
  knownBatches.set(content, batches)
  return batches
}

const knownBatches = new Map<string, (readonly [number, number])[]>()

/** Each entry points at a batch that ends with its offset; each timestamp is that of its batch. */
function checkIndexes(disk: SimulatedDisk, files: PartitionFiles): void {
  files.roll()
  for (const { baseOffset, endOffset, sizeInBytes } of files.segments) {
    const name = `${DIRECTORY}/${String(baseOffset).padStart(20, '0')}`
    const log = readWhole(disk, `${name}.log`, 2 ** 30)
    const index = readWhole(disk, `${name}.index`, 2 ** 30)
    const times = readWhole(disk, `${name}.timeindex`, 2 ** 30)
    expect(log.length).toBe(sizeInBytes)
    const entries = checkOffsetIndex(name, index, log.length)
    if (sizeInBytes > 1_000) expect(entries).toBeGreaterThan(0)
    for (let i = 0; i < entries; i++) {
      const last = looseLastOffset(log, offsetIndexPosition(index, i))
      if (last !== baseOffset + offsetIndexRelativeOffset(index, i)) throw new Error(`${name}.index: entry ${i} is that of offset ${last}`)
    }
    const maxByLast = new Map<number, number>()
    for (let at = 0; at < log.length; at += batchSizeInBytes(log, at)) maxByLast.set(looseLastOffset(log, at), looseMaxTimestamp(log, at))
    const timeEntries = checkTimeIndex(name, times, baseOffset, endOffset)
    for (let i = 0; i < timeEntries; i++) {
      const max = maxByLast.get(baseOffset + timeIndexRelativeOffset(times, i))
      if (max !== timeIndexTimestamp(times, i)) throw new Error(`${name}.timeindex: the time of entry ${i} is ${max}`)
    }
  }
}

describe('a compaction', () => {
  test('of this kind has several groups, takes tombstones away, and keeps what it must', async () => {
    for (const seed of SEEDS) {
      const { world, contents, thrown } = await compacted(seed)
      expect(thrown).toBeUndefined()
      expect(world.log).toEqual([])
      expect(contents.length).toBeGreaterThan(2)
      expect(contents.at(-1)!.length).toBeLessThan(contents[0]!.length)
      const before = (await prepared(seed)).read()
      const [was, is] = [lastOfKeys(before), lastOfKeys(world.read())]
      const gone = [...was].filter(([key]) => !is.has(key))
      expect(gone.length).toBeGreaterThan(0)
      for (const [, value] of gone) expect(value).toMatch(/ null$/)
      for (const [key, value] of is) expect(value).toBe(was.get(key))
    }
  })

  test('that loses the power after any of its calls', async () => {
    const kinds = new Set<CrashKind>()
    const found = new Set<string>()
    let states = 0
    for (const seed of SEEDS) {
      const { contents } = await compacted(seed)
      for (let at = 1; ; at++) {
        const { world } = await compacted(seed, [{ kind: 'stop', at }])
        const disk = world.disk as SimulatedDisk
        for (const state of disk.crashStates(seed + at, { drawn: 4, max: 8 })) {
          states++
          kinds.add(state.kind)
          try {
            found.add(`${seed} ${check(state.disk, world, contents, true)}`)
          } catch (error) {
            throw new Error(`seed ${seed}, after call ${at}, ${state.description}: ${(error as Error).message}`, { cause: error })
          }
        }
        if (!disk.stopped) {
          // Each content on the way was met.
          expect([...found].filter((each) => each.startsWith(`${seed} `))).toHaveLength(contents.length)
          break
        }
      }
    }
    expect(states).toBeGreaterThan(300)
    expect(kinds.size).toBeGreaterThan(5)
  }, 120_000)

  test('whose process is killed after any of its calls', async () => {
    for (const seed of SEEDS) {
      const { contents } = await compacted(seed)
      for (let at = 1; ; at++) {
        const { world, thrown } = await compacted(seed, [{ kind: 'stop', at }])
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(SimulatedStop)
        const disk = world.disk as SimulatedDisk
        for (const kept of new Set([0, disk.cutWriteBytes >> 1, disk.cutWriteBytes])) check(disk.killState(kept), world, contents, false)
        // Recovery itself is killed, too.
        for (let stop = 1; at % 11 === 0 && stop < 40; stop += 5) {
          const twice = disk.killState()
          twice.plan([{ kind: 'stop', at: stop }])
          try {
            recovered(twice, world.files.endOffset, false)
          } catch (error) {
            expect(error).toBeInstanceOf(SimulatedStop)
          }
          if (!twice.stopped) break
          check(twice.killState(), world, contents, false)
          for (const state of twice.crashStates(seed + stop, { drawn: 2, max: 6 })) {
            const what = `call ${at}, recovery after ${stop}, ${state.description}`
            try {
              check(state.disk, world, contents, true)
            } catch (error) {
              throw new Error(`seed ${seed}, ${what}: ${(error as Error).message}`, { cause: error })
            }
          }
        }
        if (!disk.stopped) break
      }
    }
  }, 120_000)

  test.each(['EIO', 'ENOSPC', 'short'] as const)(
    'that meets %s in any of its calls: tried again, or the log is fenced',
    async (kind) => {
      const [seed] = SEEDS
      const { contents } = await compacted(seed!)
      let fenced = 0
      let tried = 0
      for (let at = 1; ; at++) {
        const { world, thrown } = await compacted(seed!, [{ kind, at }])
        const disk = world.disk as SimulatedDisk
        if (disk.faultsBitten === 0) break
        check(disk.killState(), world, contents, false)
        if (world.files.failure !== undefined) {
          fenced++
          expect(thrown).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
          expect(() => world.files.sync()).toThrow(/takes nothing more/)
          continue
        }
        expect(thrown).toBeUndefined()
        expect(contents).toContain(shown(disk))
        disk.plan([])
        for (let i = 0; i < 3; i++) await world.clean()
        if (world.log.length > 0) tried++
        expect(world.cleaner.uncleanablePartitions).toBe(0)
        expect(lastOfKeys(world.read()).size).toBeGreaterThan(0)
        expect(shown(disk).length).toBeLessThanOrEqual(contents.at(-1)!.length)
      }
      // What is short is read or written on.
      expect(tried > 5 && fenced > 3).toBe(kind !== 'short')
    },
    60_000,
  )
})
