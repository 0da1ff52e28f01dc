// The I/O thread's turns, on a simulated disk: what is written when, and what the next process finds.

import { describe, expect, test } from 'vitest'
import { FIRST_TOPIC_SLOT } from '../../src/metadata/metadata-records.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import type { SeenRecord } from '../log/keyed-batches.ts'
import { MIB } from '../log/log-fixture.ts'
import { readKeyedRecords, readPartition } from './directory-reader.ts'
import { DATA_DIR, IoWorld } from './io-world.ts'

const BROKER = `${DATA_DIR}/broker-0`

function numbersIn(disk: SimulatedDisk, directory: string): number[] {
  return readPartition(disk, directory).map(({ number }) => number)
}

describe('a new directory', () => {
  test('a topic, its records, and the next process', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    expect(world.createTopic('orders')).toBe(true)
    const slot = world.slot('orders')
    expect(slot).toBe(FIRST_TOPIC_SLOT)
    const numbers = world.append(slot, 10)
    expect(world.log(slot).highWatermark).toBe(0)
    world.run()
    expect(world.log(slot).highWatermark).toBe(10)
    expect(numbersIn(disk, `${BROKER}/orders-0`)).toEqual(numbers)
    world.io.close()

    const again = new IoWorld(disk)
    expect(again.messages).toEqual([])
    expect([...again.image.topicNames]).toEqual(['orders'])
    expect(again.log(slot).endOffset).toBe(10)
    expect(again.log(slot).highWatermark).toBe(10)
    expect(again.control(slot).memoryStartOffset).toBe(10)
    const more = again.append(slot, 5)
    again.run()
    expect(again.log(slot).highWatermark).toBe(15)
    expect(numbersIn(disk, `${BROKER}/orders-0`)).toEqual([...numbers, ...more])
  })

  test('a topic in memory alone comes back empty, under another id', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('scratch', { 'millrace.durability': 'memory' })
    world.createTopic('kept')
    world.append(world.slot('scratch'), 4)
    world.run()
    expect(world.log(world.slot('scratch')).highWatermark).toBe(4)
    world.io.close()
    expect(disk.list(BROKER).filter((name) => name.includes('scratch'))).toEqual([])

    const again = new IoWorld(disk)
    expect([...again.image.topicNames].sort()).toEqual(['kept', 'scratch'])
    expect(again.image.topic('scratch')!.topicId).not.toEqual(world.image.topic('scratch')!.topicId)
    expect(again.image.topic('kept')!.topicId).toEqual(world.image.topic('kept')!.topicId)
    expect(again.log(again.slot('scratch')).endOffset).toBe(0)
  })

  test('a kill: what was written is there, and nothing is missed that follows', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', {}, 3)
    const numbers = [0, 1, 2].map((partition) => world.append(world.slot('orders', partition), 7))
    world.run()
    world.append(world.slot('orders', 1), 3)
    const left = disk.killState()
    const again = new IoWorld(left)
    for (const partition of [0, 1, 2]) {
      expect(again.log(again.slot('orders', partition)).endOffset).toBe(7)
      expect(numbersIn(left, `${BROKER}/orders-${partition}`)).toEqual(numbers[partition])
    }
  })

  test('who wrote what is known of what is in files', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const { topicId } = world.image.topic('orders')!
    world.append(world.slot('orders'), 3)
    expect(world.io.knownProducers(world.slot('orders'), topicId)).toEqual({ endOffset: 3, producers: [] })
    expect(() => world.io.knownProducers(world.slot('orders'), [9, 9, 9, 9])).toThrow(expect.objectContaining({ code: 'UNKNOWN_TOPIC_ID' }))
  })
})

describe('an I/O thread that dies', () => {
  test('the next one goes on where the files are, and tells what the one before had written', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const { memory } = world.fixture
    const slot = world.slot('orders')
    const numbers = world.append(slot, 5)
    world.io.turn()
    // Whoever dies between writing and telling.
    memory.written.take(slot)
    memory.takeWritten(0)
    numbers.push(...world.append(slot, 4))
    world.restartIo()
    expect(world.control(slot).writtenEndOffset).toBe(5)
    expect(memory.written.isMarked(slot)).toBe(true)
    expect(memory.hasWritten(0)).toBe(true)
    world.run()
    expect(world.log(slot).highWatermark).toBe(9)
    world.io.close()
    expect(numbersIn(disk, `${BROKER}/orders-0`)).toEqual(numbers)
  })

  test('one that died before it had made the first directory is no loss', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const slot = world.slot('orders')
    const numbers = world.append(slot, 5)
    expect(world.fixture.memory.writeWanted.take(slot)).toBe(true)
    world.restartIo()
    world.run()
    expect(world.log(slot).highWatermark).toBe(5)
    expect(numbersIn(disk, `${BROKER}/orders-0`)).toEqual(numbers)
  })

  test('what was written and not synced is synced by the next one, and said to be', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('safe', { 'millrace.durability': 'disk' })
    const slot = world.slot('safe')
    world.append(slot, 5)
    world.run()
    world.control(slot).publishSyncedEnd(2)
    world.restartIo()
    expect(world.control(slot).syncedEndOffset).toBe(5)
    world.advance()
    expect(world.log(slot).highWatermark).toBe(5)
  })

  test('what was written and not said to be is not written again', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const slot = world.slot('orders')
    const numbers = world.append(slot, 5)
    world.run()
    world.control(slot).publishWrittenEnd(3)
    world.restartIo()
    expect(world.control(slot).writtenEndOffset).toBe(5)
    world.run()
    expect(numbersIn(disk, `${BROKER}/orders-0`)).toEqual(numbers)
  })
})

describe('durability', () => {
  test('disk: a power cut takes nothing that was acknowledged', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('safe', { 'millrace.durability': 'disk' })
    const numbers = world.append(world.slot('safe'), 20)
    world.run()
    expect(world.log(world.slot('safe')).highWatermark).toBe(20)
    let states = 0
    for (const { disk: state } of disk.crashStates(7)) {
      const again = new IoWorld(state, { bootId: 'boot 2' })
      expect(again.log(again.slot('safe')).highWatermark).toBe(20)
      expect(numbersIn(state, `${BROKER}/safe-0`)).toEqual(numbers)
      states++
    }
    expect(states).toBeGreaterThan(0)
  })

  test('disk: what is written while a sync goes on waits for the next one', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('safe', { 'millrace.durability': 'disk' })
    const slot = world.slot('safe')
    world.append(slot, 3)
    world.io.turn()
    world.append(slot, 4)
    world.io.turn()
    world.advance()
    expect(world.control(slot).writtenEndOffset).toBe(7)
    expect(world.log(slot).highWatermark).toBe(0)
    disk.endSyncs()
    world.advance()
    expect(world.log(slot).highWatermark).toBe(3)
    world.run()
    expect(world.log(slot).highWatermark).toBe(7)
  })

  test('disk: of a sync that fails nothing is acknowledged, and nothing more is taken', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('safe', { 'millrace.durability': 'disk' })
    const slot = world.slot('safe')
    world.append(slot, 3)
    disk.plan([{ kind: 'EIO', at: 1, calls: ['sync'], path: `${BROKER}/safe-0/00000000000000000000.log` }])
    world.run()
    expect(disk.faultsBitten).toBe(1)
    expect(world.log(slot).highWatermark).toBe(0)
    expect(world.control(slot).haveFilesFailed).toBe(true)
    expect(world.messages.filter((message) => message.includes('failed'))).toHaveLength(1)
    const syncs = disk.calls.get('sync')
    world.append(slot, 3)
    world.run()
    expect(world.log(slot).highWatermark).toBe(0)
    expect(disk.calls.get('sync')).toBe(syncs)
  })

  test('a topic that is deleted while its files are synced', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('gone', { 'millrace.durability': 'disk' })
    world.createTopic('kept', { 'millrace.durability': 'disk' })
    world.append(world.slot('gone'), 3)
    world.append(world.slot('kept'), 3)
    world.io.turn()
    expect(world.deleteTopic('gone')).toBe(true)
    world.run()
    expect(world.log(world.slot('kept')).highWatermark).toBe(3)
    expect(world.messages).toEqual([])
    expect(disk.list(BROKER).filter((name) => name.startsWith('gone') && !name.endsWith('-delete'))).toEqual([])
  })

  test('a directory that is not synced as fast as it is written takes no more than its bound', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk, { syncAheadBytes: 8 * MIB })
    world.createTopic('wide', { 'segment.bytes': String(64 * MIB) })
    const slot = world.slot('wide')
    // Nothing that was started ends: the disk hangs.
    for (let round = 0; round < 40; round++) {
      world.append(slot, 8, 128 * 1024)
      for (let turns = 0; turns < 3; turns++) world.io.turn()
      world.advance()
    }
    expect(world.io.hasWork()).toBe(false)
    expect(world.io.turn()).toBe(0)
    const path = `${BROKER}/wide-0/00000000000000000000.log`
    const heldAt = disk.stat(path).sizeInBytes
    expect(heldAt).toBeGreaterThan(16 * MIB)
    expect(heldAt).toBeLessThan(21 * MIB)
    const end = world.log(slot).endOffset
    expect(world.log(slot).highWatermark).toBeLessThan(end)
    world.run()
    expect(world.log(slot).highWatermark).toBe(end)
  })

  test('cache: what lies past the recovery point is bounded by syncs in the background', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('wide', {}, 4)
    for (let round = 0; round < 30; round++) {
      for (let partition = 0; partition < 4; partition++) world.append(world.slot('wide', partition), 8, 100_000)
      world.run()
      let behind = 0
      for (const { files } of world.opened.directories.writers()) behind += files.synced.unsyncedBytes
      expect(behind).toBeLessThan(64 * MIB)
    }
    expect(disk.calls.get('sync')).toBeGreaterThan(8)
    expect(disk.exists(`${BROKER}/recovery-point-offset-checkpoint`)).toBe(true)
  })
})

describe('what cannot be made', () => {
  test.each(['makeDirectory', 'open', 'write'] as const)('the files of a new partition, for %s fails', (call) => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('full')
    world.createTopic('other')
    disk.plan([{ kind: 'ENOSPC', at: 1, calls: [call] }])
    world.append(world.slot('full'), 3)
    world.run()
    expect(disk.faultsBitten).toBe(1)
    expect(world.control(world.slot('full')).haveFilesFailed).toBe(true)
    expect(world.log(world.slot('full')).highWatermark).toBe(0)
    expect(
      world.messages.filter((message) => message.includes('full-0') && message.includes('until millrace is opened again')),
    ).toHaveLength(1)
    // Others go on, and there is room again for the next process.
    world.append(world.slot('other'), 3)
    world.run()
    expect(world.log(world.slot('other')).highWatermark).toBe(3)
    world.io.close()
    const again = new IoWorld(disk)
    expect(again.control(again.slot('full')).haveFilesFailed).toBe(false)
    again.append(again.slot('full'), 3)
    again.run()
    expect(again.log(again.slot('full')).highWatermark).toBe(3)
    expect(again.log(again.slot('other')).endOffset).toBe(3)
  })

  test('a mark of what is durable: the partition takes nothing more', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('safe', { 'millrace.durability': 'disk' })
    const slot = world.slot('safe')
    world.append(slot, 3)
    world.run()
    disk.plan([{ kind: 'EIO', at: 1, calls: ['write'], path: `${BROKER}/durable-ends` }])
    world.append(slot, 3)
    world.run()
    expect(disk.faultsBitten).toBe(1)
    expect(world.control(slot).haveFilesFailed).toBe(true)
    expect(world.messages.filter((message) => message.includes('failed'))).toHaveLength(1)
  })
})

describe('flushes', () => {
  test('flush.messages: synced when so many records are not', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', { 'flush.messages': '10' })
    const slot = world.slot('orders')
    world.append(slot, 9)
    world.run()
    expect([world.log(slot).highWatermark, world.control(slot).syncedEndOffset]).toEqual([9, 0])
    world.append(slot, 1)
    world.run()
    expect(world.control(slot).syncedEndOffset).toBe(10)
  })

  test('flush.ms: synced when something has not been for so long', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', { 'flush.ms': '500' })
    const slot = world.slot('orders')
    world.append(slot, 3)
    world.run()
    expect(world.control(slot).syncedEndOffset).toBe(0)
    expect(world.io.dueInMs(world.clock.monotonicMs())).toBeLessThanOrEqual(500)
    world.clock.advance(300)
    world.append(slot, 3)
    world.run()
    expect(world.control(slot).syncedEndOffset).toBe(0)
    world.clock.advance(201)
    world.run()
    expect(world.control(slot).syncedEndOffset).toBe(6)
    expect(world.io.dueInMs(world.clock.monotonicMs())).toBeGreaterThan(0)
  })
})

describe('what goes', () => {
  test('deleted records: whole segments below the log start', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', { 'segment.bytes': '1048576', 'file.delete.delay.ms': '0' })
    const slot = world.slot('orders')
    for (let i = 0; i < 6; i++) {
      world.append(slot, 5, 200_000)
      world.run()
    }
    world.log(slot).deleteRecordsBefore(12)
    world.run()
    world.clock.advance(2_000)
    world.run()
    const found = readPartition(disk, `${BROKER}/orders-0`)
    expect(found[0]!.baseOffset).toBe(10)
    world.io.close()
    const again = new IoWorld(disk)
    expect(again.log(slot).startOffset).toBe(12)
  })

  test('retention of files moves the log start, and their segments go', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', { 'segment.bytes': '1048576', 'retention.bytes': '2000000', 'file.delete.delay.ms': '0' })
    const slot = world.slot('orders')
    for (let i = 0; i < 10; i++) {
      world.append(slot, 5, 200_000)
      world.run()
    }
    world.clock.advance(2_000)
    // The files say where the log may begin, its leader moves it there, the files follow.
    world.run()
    world.run()
    expect(world.log(slot).startOffset).toBeGreaterThan(30)
    expect(world.log(slot).expiredRecords).toBe(world.log(slot).startOffset)
    expect(readPartition(disk, `${BROKER}/orders-0`)[0]!.baseOffset).toBe(world.log(slot).startOffset)
  })

  test('a deleted topic: its directory is renamed at once, and removed later; a new one of its name is another', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const slot = world.slot('orders')
    world.append(slot, 5)
    world.run()
    expect(world.deleteTopic('orders')).toBe(true)
    world.run()
    expect(disk.list(BROKER).filter((name) => name.startsWith('orders'))).toEqual([
      expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/),
    ])
    world.clock.advance(70_000)
    world.run()
    expect(disk.list(BROKER).filter((name) => name.startsWith('orders'))).toEqual([])
  })

  test('a directory that belongs to no topic is set aside', () => {
    const disk = new SimulatedDisk()
    new IoWorld(disk).io.close()
    disk.makeDirectory(`${BROKER}/ghost-3`)
    const world = new IoWorld(disk)
    expect(disk.list(BROKER).filter((name) => name.startsWith('ghost'))).toEqual([expect.stringMatching(/^ghost-3\.[0-9a-f]{32}-stray$/)])
    expect(world.messages).toEqual([expect.stringContaining('belongs to no topic')])
  })
})

describe('a disk that fails', () => {
  test('the partition is fenced, the others go on; nothing that was not written is acknowledged, and reopening goes on', () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('orders', {}, 2)
    const [broken, fine] = [world.slot('orders', 0), world.slot('orders', 1)]
    const before = world.append(broken, 3)
    world.append(fine, 3)
    world.run()
    disk.plan([{ kind: 'EIO', at: 1, calls: ['write', 'writeViews'], path: 'orders-0' }])
    world.append(broken, 3)
    world.append(fine, 3)
    world.run()
    expect(disk.faultsBitten).toBe(1)
    expect(world.control(broken).haveFilesFailed).toBe(true)
    expect(world.log(broken).highWatermark).toBe(3)
    expect(world.log(fine).highWatermark).toBe(6)
    expect(world.messages.filter((message) => message.includes('orders-0'))).toHaveLength(1)
    world.append(broken, 3)
    world.run()
    expect(world.log(broken).highWatermark).toBe(3)
    world.io.close()
    disk.plan([])

    const again = new IoWorld(disk)
    expect(again.control(broken).haveFilesFailed).toBe(false)
    expect(again.log(fine).endOffset).toBe(6)
    expect(again.log(broken).endOffset).toBeGreaterThanOrEqual(3)
    expect(numbersIn(disk, `${BROKER}/orders-0`).slice(0, 3)).toEqual(before)
    again.append(broken, 1)
    again.run()
    expect(again.log(broken).highWatermark).toBe(again.log(broken).endOffset)
  })

  test('a full disk: the same, and no topic can be made', () => {
    const disk = new SimulatedDisk({ capacityBytes: 1 * MIB })
    const world = new IoWorld(disk)
    world.createTopic('orders')
    const slot = world.slot('orders')
    for (let i = 0; i < 20; i++) {
      world.append(slot, 2, 100_000)
      world.run()
    }
    expect(world.control(slot).haveFilesFailed).toBe(true)
    const acknowledged = world.log(slot).highWatermark
    expect(acknowledged).toBeGreaterThan(2)
    disk.capacityBytes = 100 * MIB
    world.io.close()
    const again = new IoWorld(disk)
    expect(again.log(slot).endOffset).toBeGreaterThanOrEqual(acknowledged)
    again.append(slot, 2, 100_000)
    again.run()
    expect(again.log(slot).highWatermark).toBe(again.log(slot).endOffset)
  })
})

describe('compacted topics', () => {
  const EAGER = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'segment.bytes': '900', 'index.interval.bytes': '200' }
  const recordsIn = (disk: SimulatedDisk): SeenRecord[] => readKeyedRecords(disk, `${BROKER}/table-0`)
  const keysOf = (disk: SimulatedDisk): string[] =>
    recordsIn(disk)
      .filter(({ key }) => key!.startsWith('k'))
      .map(({ key, offset }) => `${key} ${offset}`)

  function fill(world: IoWorld, records: number): void {
    const timestampMs = Math.floor(world.clock.nowMs())
    for (let i = 0; i < records; i++) world.appendKeyed(world.slot('table'), [{ key: `k${i % 4}`, value: 'v'.repeat(50), timestampMs }])
    // Nothing of the above is in the last segment.
    for (let i = 0; i < 10; i++) world.appendKeyed(world.slot('table'), [{ key: `tail ${i}`, value: 'v'.repeat(200), timestampMs }])
  }

  test('are compacted, memory begins behind that, and another I/O thread and the next process go on from there', async () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('table', EAGER)
    const slot = world.slot('table')
    fill(world, 40)
    await world.clean()
    expect(keysOf(disk)).toEqual(['k0 36', 'k1 37', 'k2 38', 'k3 39'])
    expect(world.control(slot).memoryStartOffset).toBeGreaterThanOrEqual(40)
    expect(world.control(slot).memoryStartOffset).toBeLessThanOrEqual(50)
    const { cleanedJobs } = world
    world.restartIo()
    await world.clean()
    // Nothing is dirty.
    expect(world.cleanedJobs).toBe(cleanedJobs)
    fill(world, 41)
    await world.clean()
    expect(keysOf(disk)).toEqual(['k1 87', 'k2 88', 'k3 89', 'k0 90'])
    expect(world.messages).toEqual([])
    await world.io.stopCleaning()
    world.io.close()

    const again = new IoWorld(disk)
    const jobs = again.cleanedJobs
    await again.clean()
    expect(again.cleanedJobs).toBe(jobs)
    expect(again.messages).toEqual([])
    expect(again.log(slot).endOffset).toBe(101)
  })

  test('nothing above the end of what is committed is compacted, and a topic that is not to be is not', async () => {
    const disk = new SimulatedDisk()
    const world = new IoWorld(disk)
    world.createTopic('table', EAGER)
    fill(world, 40)
    // Written, and not committed: its leader does not look.
    for (let i = 0; i < 20; i++) {
      world.io.turn()
      disk.endSyncs()
      world.clock.advance(60_000)
      await world.io.cleaningIdle()
    }
    expect(world.control(world.slot('table')).writtenEndOffset).toBe(50)
    expect([world.cleanedJobs, recordsIn(disk).length]).toEqual([0, 50])
    await world.clean()
    expect(recordsIn(disk)).toHaveLength(14)
    world.createTopic('kept', { ...EAGER, 'cleanup.policy': 'delete' })
    const { cleanedJobs } = world
    const timestampMs = Math.floor(world.clock.nowMs())
    for (let i = 0; i < 40; i++) world.appendKeyed(world.slot('kept'), [{ key: 'k', value: 'v'.repeat(100), timestampMs }])
    await world.clean()
    expect(world.cleanedJobs).toBe(cleanedJobs)
    expect(readKeyedRecords(disk, `${BROKER}/kept-0`)).toHaveLength(40)
  })

  test('a disk that fails while segments are put in place fences the partition, and it alone', async () => {
    let fenced = 0
    for (let at = 1; at < 60; at++) {
      const disk = new SimulatedDisk()
      const world = new IoWorld(disk)
      world.createTopic('table', EAGER)
      world.createTopic('other')
      const slot = world.slot('table')
      fill(world, 40)
      // Looked at and synced, then compacted: it only waits to be put in place.
      for (let i = 0; i < 2; i++) {
        world.run()
        world.clock.advance(60_000)
      }
      world.run()
      await world.io.cleaningIdle()
      expect(world.cleanedJobs).toBe(1)
      disk.plan([{ kind: 'EIO', at }])
      world.run()
      if (disk.faultsBitten === 0) break
      await world.clean()
      if (world.control(slot).haveFilesFailed) fenced++
      world.append(world.slot('other'), 3)
      world.run()
      // The marks of what is durable are one file for all partitions.
      if (world.control(world.slot('other')).haveFilesFailed) expect(world.messages.join('\n')).toContain('durable-ends')
      else expect(world.log(world.slot('other')).highWatermark).toBe(3)
      await world.io.stopCleaning()
      // As after a kill: nothing of it is lost.
      const left = disk.killState()
      const again = new IoWorld(left)
      expect(again.control(slot).haveFilesFailed).toBe(false)
      await again.clean()
      expect(keysOf(left)).toEqual(['k0 36', 'k1 37', 'k2 38', 'k3 39'])
    }
    expect(fenced).toBeGreaterThan(3)
  })
})
