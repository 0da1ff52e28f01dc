// What a directory says of files that are gone, or are not what they were, when it is opened.

import { describe, expect, test } from 'vitest'
import { readWhole } from '../../src/disk/read-whole.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { DATA_DIR, IoWorld } from './io-world.ts'

const BROKER = `${DATA_DIR}/broker-0`

function change(disk: Disk, path: string, alter: (bytes: Uint8Array) => void): void {
  const bytes = readWhole(disk, path, 2 ** 20)
  alter(bytes)
  const file = disk.open(path, 'write')
  file.write(bytes, 0, bytes.length, 0)
  file.close()
}

/** Two topics with ten batches each, of a process that was killed. */
function killed(): SimulatedDisk {
  const disk = new SimulatedDisk()
  const world = new IoWorld(disk)
  for (const topic of ['orders', 'others']) {
    world.createTopic(topic)
    world.append(world.slot(topic), 10)
  }
  world.run()
  return disk.killState()
}

const fenced = (world: IoWorld, topic: string): boolean => world.control(world.slot(topic)).haveFilesFailed

test('a directory whose metadata log is gone is refused, and left as it is', () => {
  const disk = killed()
  disk.rename(`${BROKER}/__cluster_metadata-0`, '/kept')
  for (let i = 0; i < 2; i++) {
    expect(() => new IoWorld(disk)).toThrow(/metadata log was. Put back a copy/)
  }
  disk.rename('/kept', `${BROKER}/__cluster_metadata-0`)
  const world = new IoWorld(disk)
  for (const topic of ['orders', 'others']) expect(world.log(world.slot(topic)).endOffset).toBe(10)
})

describe('a partition that had files', () => {
  test('and whose directory is gone is fenced, as long as that is so, not empty', () => {
    const disk = killed()
    disk.removeDirectory(`${BROKER}/orders-0`, true)
    for (let i = 0; i < 2; i++) {
      const world = new IoWorld(disk.killState())
      expect(fenced(world, 'orders')).toBe(true)
      expect(world.messages).toEqual([
        `partition orders-0 is fenced: ${BROKER}/orders-0 is damaged: found nothing, where the files of the partition were. Put back a copy of it, or delete the topic.`,
      ])
      expect(fenced(world, 'others')).toBe(false)
      expect(world.log(world.slot('others')).endOffset).toBe(10)
      world.io.close()
    }
  })

  test('and has a bad batch in its midst is fenced, as long as that is so, however often it is closed', () => {
    const disk = killed()
    change(disk, `${BROKER}/orders-0/00000000000000000000.log`, (bytes) => (bytes[5 * 300 + 200]! ^= 1))
    for (let i = 0; i < 3; i++) {
      const world = new IoWorld(disk)
      expect(fenced(world, 'orders')).toBe(true)
      expect(world.messages.join()).toContain('orders-0 is fenced')
      expect(world.log(world.slot('others')).endOffset).toBe(10)
      world.io.close()
    }
  })

  test('and of which nothing was ever synced may be gone after a power cut', () => {
    const disk = killed()
    disk.removeDirectory(`${BROKER}/orders-0`, true)
    const world = new IoWorld(disk, { bootId: 'boot 2' })
    expect(fenced(world, 'orders')).toBe(false)
    expect(world.log(world.slot('orders')).endOffset).toBe(0)
  })

  test('and whose topic id is another now is fenced, and stays where it is', () => {
    const disk = killed()
    const path = `${BROKER}/orders-0/partition.metadata`
    change(disk, path, (bytes) => (bytes[26]! ^= 1))
    const world = new IoWorld(disk)
    expect(fenced(world, 'orders')).toBe(true)
    expect(world.messages).toHaveLength(1)
    expect(world.messages[0]).toMatch(new RegExp(`^partition orders-0 is fenced: ${path} is damaged: found topic id .*Put back a copy`))
    expect(disk.exists(path)).toBe(true)
    change(disk, path, (bytes) => (bytes[26]! ^= 1))
    world.io.close()
    expect(new IoWorld(disk).log(world.slot('orders')).endOffset).toBe(10)
  })

  test('and was deleted is forgotten: a new topic of its name is empty', () => {
    const disk = killed()
    const world = new IoWorld(disk)
    world.deleteTopic('others')
    world.run()
    // Of the same id too: nothing of the one before counts for it.
    world.createTopic('others')
    const left = disk.killState()
    const again = new IoWorld(left)
    expect(again.messages).toEqual([])
    expect(again.log(again.slot('others')).endOffset).toBe(0)
    expect(again.log(again.slot('orders')).endOffset).toBe(10)
  })
})

test('what was there when a directory was opened is not taken for torn after the next reboot', () => {
  const first = killed()
  new IoWorld(first)
  const disk = first.killState()
  change(disk, `${BROKER}/orders-0/00000000000000000000.log`, (bytes) => (bytes[1_600]! ^= 1))
  const world = new IoWorld(disk, { bootId: 'boot 2' })
  // It was synced, so nothing of it is cut.
  expect(fenced(world, 'orders')).toBe(true)
  expect(world.messages.join()).toContain('orders-0 is fenced')
  expect(disk.list(`${BROKER}/orders-0`).filter((name) => name.includes('torn'))).toEqual([])
})

test('a log that was closed ends where it was closed', () => {
  const disk = killed()
  new IoWorld(disk).io.close()
  // The base offset of the last batch, which is not under its CRC: 9 becomes 4105.
  change(disk, `${BROKER}/orders-0/00000000000000000000.log`, (bytes) => (bytes[9 * 300 + 6]! ^= 16))
  const world = new IoWorld(disk)
  expect(fenced(world, 'orders')).toBe(true)
  expect(world.messages[0]).toContain('a batch of another offset or leader epoch at byte 2700, where offset 9 should begin')
})

test.each([true, false])('a log that is said to begin behind its end is fenced, and nothing of it removed (closed: %s)', (isClosed) => {
  const disk = new SimulatedDisk()
  const world = new IoWorld(disk)
  world.createTopic('orders', { 'segment.bytes': '1048576', 'retention.bytes': '1048576' })
  const slot = world.slot('orders')
  for (let i = 0; i < 5; i++) {
    world.append(slot, 10, 100_000)
    world.run()
  }
  world.clock.advance(2_000)
  world.run()
  const { logStartOffset } = world.control(slot)
  expect(logStartOffset).toBeGreaterThan(0)
  if (isClosed) world.io.close()
  const left = disk.killState()
  const logs = (): string[] => left.list(`${BROKER}/orders-0`).filter((name) => name.endsWith('.log'))
  const before = logs()
  const path = `${BROKER}/log-start-offset-checkpoint`
  if (left.exists(path)) left.remove(path)
  const wrong = new TextEncoder().encode('0\n1\norders 0 321\n')
  const file = left.open(path, 'create')
  file.write(wrong, 0, wrong.length, 0)
  file.close()
  const again = new IoWorld(left)
  expect(fenced(again, 'orders')).toBe(true)
  expect(again.messages.join()).toContain(`${path} is damaged: found 321 as the start of orders-0, which ends at 50`)
  expect(logs()).toEqual(before)
})

test('a cluster id that is none', () => {
  const disk = killed()
  const path = `${BROKER}/meta.properties`
  change(disk, path, (bytes) => (bytes[Buffer.from(bytes).indexOf('cluster.id=') + 12] = 33))
  expect(() => new IoWorld(disk)).toThrow(
    expect.objectContaining({
      code: 'KAFKA_STORAGE_ERROR',
      message: expect.stringContaining(`${path} is damaged: found cluster.id=`) as string,
    }),
  )
})
