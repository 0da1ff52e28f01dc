import { describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { MillraceError } from '../../src/errors.ts'
import { DurableEndFile, PLACE_BYTES } from '../../src/storage/durable-end-file.ts'
import type { MarkedPartition } from '../../src/storage/durable-end-file.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'

const SEED = 20_261_130
const PATH = '/data/durable-ends'

const partition = (topic: string, index = 0, id = 1): MarkedPartition => ({ topic, partition: index, topicId: [id, 2, 3, 4] })
const [a, b, c] = [partition('a'), partition('b', 1, 2), partition('c', 2, 3)]

function open(disk: Disk, present: readonly MarkedPartition[] = [a, b, c], log: (message: string) => void = fail): DurableEndFile {
  const ends = DurableEndFile.open(disk, PATH, log)
  ends.retain(present)
  return ends
}

function fail(message: string): never {
  throw new Error(message)
}

function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectory('/')
  return disk
}

test('nothing is known of a partition until it is marked; what is marked is there when it is opened again', () => {
  const disk = newDisk()
  const ends = open(disk)
  expect(ends.durableEnd(a)).toBe(0)
  ends.mark(ends.placeOf(a), 10)
  ends.mark(ends.placeOf(b), 2 ** 40)
  ends.mark(ends.placeOf(a), 11)
  ends.close()
  const again = open(disk)
  expect([a, b, c].map((one) => again.durableEnd(one))).toEqual([11, 2 ** 40, 0])
  expect(again.placeOf(b)).toBe(1)
})

test('a mark is one write of 64 bytes in its own place, and no sync', () => {
  const disk = newDisk()
  const ends = open(disk)
  const place = ends.placeOf(a)
  disk.plan([])
  for (let end = 1; end <= 5; end++) ends.mark(place, end)
  expect(Object.fromEntries(disk.calls)).toEqual({ write: 5 })
  expect(disk.stat(PATH).sizeInBytes).toBe(2 * PLACE_BYTES)
  ends.sync()
  ends.sync()
  expect(disk.calls.get('sync')).toBe(1)
})

test('the same topic name under another id, and another name under the same id, are other partitions', () => {
  const disk = newDisk()
  const ends = open(disk)
  ends.mark(ends.placeOf(a), 10)
  expect(ends.durableEnd(partition('a', 0, 9))).toBe(0)
  expect(ends.durableEnd(partition('x'))).toBe(0)
  expect(ends.durableEnd(partition('a', 1))).toBe(0)
})

test('a mark goes down only by lower, in both copies, synced', () => {
  const disk = newDisk()
  const ends = open(disk)
  const place = ends.placeOf(a)
  ends.mark(place, 10)
  expect(() => ends.mark(place, 9)).toThrow('lowered')
  disk.plan([])
  ends.lower(place, 12)
  expect(disk.calls.size).toBe(0)
  ends.lower(place, 4)
  for (const copy of [0, 1]) {
    const bytes = readWhole(disk, PATH, 1 << 20).slice()
    bytes.fill(0, PLACE_BYTES + copy * 64, PLACE_BYTES + copy * 64 + 64)
    const other = newDisk()
    const file = other.open(PATH, 'create')
    file.write(bytes, 0, bytes.length, 0)
    expect(open(other).durableEnd(a)).toBe(4)
  }
  for (const { disk: after } of disk.crashStates(SEED)) expect(open(after).durableEnd(a)).toBe(4)
})

test('marks of partitions that are not there are erased, and stay so', () => {
  const disk = newDisk()
  const ends = open(disk)
  for (const one of [a, b]) ends.mark(ends.placeOf(one), 10)
  ends.sync()
  open(disk, [b])
  for (const { disk: after } of disk.crashStates(SEED)) expect(open(after).durableEnd(a)).toBe(0)
  const again = open(disk)
  expect([a, b].map((one) => again.durableEnd(one))).toEqual([0, 10])
  // Its place is the next one's.
  expect(again.placeOf(c)).toBe(0)
})

test('after erase the place is free', () => {
  const disk = newDisk()
  const ends = open(disk)
  ends.mark(ends.placeOf(a), 10)
  ends.erase(a)
  ends.erase(a)
  expect(ends.durableEnd(a)).toBe(0)
  expect(ends.placeOf(b)).toBe(0)
})

describe('after a power cut', () => {
  test('a mark never leads what was marked, and what was synced before counts at least', () => {
    const disk = newDisk()
    const ends = open(disk)
    const [placeA, placeB] = [ends.placeOf(a), ends.placeOf(b)]
    let states = 0
    for (let end = 1; end <= 12; end++) {
      ends.mark(placeA, end)
      ends.mark(placeB, 2 * end)
      const synced = end - (end % 4)
      if (end === synced) ends.sync()
      for (const { disk: after, description } of disk.crashStates(SEED + end)) {
        states++
        const found = open(after)
        expect(found.durableEnd(a), description).toBeGreaterThanOrEqual(synced)
        expect(found.durableEnd(a), description).toBeLessThanOrEqual(end)
        expect(found.durableEnd(b) % 2).toBe(0)
        expect(found.durableEnd(b)).toBeLessThanOrEqual(2 * end)
      }
    }
    expect(states).toBeGreaterThan(300)
  })

  test('a copy that is torn at any byte leaves the one before', () => {
    const disk = newDisk()
    const ends = open(disk)
    const place = ends.placeOf(a)
    ends.mark(place, 1)
    ends.mark(place, 2)
    disk.plan([{ kind: 'stop', at: 1 }])
    expect(() => ends.mark(place, 3)).toThrow(SimulatedStop)
    expect(disk.cutWriteBytes).toBe(64)
    for (let kept = 0; kept < 64; kept++) {
      const end = open(disk.killState(kept)).durableEnd(a)
      // Behind the last byte that differs there are zeros only.
      expect([2, 3]).toContain(end)
      if (kept < 47) expect(end).toBe(2)
    }
  })
})

describe('a file that is not what it should be', () => {
  const put = (bytes: Uint8Array): SimulatedDisk => {
    const disk = newDisk()
    const file = disk.open(PATH, 'create')
    file.write(bytes, 0, bytes.length, 0)
    return disk
  }

  test.each([0, 1, PLACE_BYTES - 1, PLACE_BYTES])('%i zeros: as if empty, and told', (size) => {
    const told: string[] = []
    const ends = open(put(new Uint8Array(size)), [a], (message) => told.push(message))
    expect(told).toEqual([`${PATH} is damaged: it does not begin as such a file does. No partition has a durable end`])
    ends.mark(ends.placeOf(a), 1)
  })

  test('a newer version is refused', () => {
    const disk = newDisk()
    open(disk).close()
    const bytes = readWhole(disk, PATH, 1 << 20).slice()
    bytes[5] = 2
    const opening = (): unknown => open(put(bytes))
    expect(opening).toThrow(MillraceError)
    expect(opening).toThrow('has format version 2')
  })

  test('damage to one mark costs that one', () => {
    const disk = newDisk()
    const ends = open(disk)
    for (const one of [a, b]) ends.mark(ends.placeOf(one), 10)
    const file = disk.open(PATH, 'write')
    file.write(Uint8Array.of(0xff), 0, 1, PLACE_BYTES + 64 + 45)
    const again = open(disk)
    expect([a, b].map((one) => again.durableEnd(one))).toEqual([0, 10])
  })
})
