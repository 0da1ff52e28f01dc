import { describe, expect, test } from 'vitest'
import type { KillPoint } from '../../src/kill-points.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { DURABILITY_DISK, RETENTION_INTERNAL } from '../../src/log/log-memory-layout.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import { MetadataLoader } from '../../src/metadata/metadata-loader.ts'
import { CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC_ID, METADATA_SNAPSHOT_SLOT } from '../../src/metadata/metadata-records.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { encodeSnapshot } from '../../src/metadata/metadata-snapshot.ts'
import { seededRandom } from '../../src/random.ts'
import { LogFixture, memoryFaults } from '../log/log-fixture.ts'
import { MetadataLogFixture } from './metadata-log-fixture.ts'
import { MetadataWorld } from './metadata-world.ts'

/** Writes what a world decides, one batch a command. */
class WrittenWorld {
  readonly world = new MetadataWorld(0)
  readonly fixture: MetadataLogFixture
  #topics = 0

  constructor(bytesBetweenSnapshots?: number) {
    this.fixture = new MetadataLogFixture(bytesBetweenSnapshots)
    this.write(this.world.controller.bootstrap([1, 2, 3, 4]))
    for (const brokerId of [0, 1])
      this.write(this.world.controller.registerBroker({ brokerId, incarnation: 1, incarnationId: [1, 1, 1, 1] }))
  }

  write(records: readonly MetadataRecord[]): void {
    this.world.apply(records)
    this.fixture.commit(records)
  }

  nextTopic(partitions = 3): MetadataRecord[] {
    const n = ++this.#topics
    const slots = Array.from({ length: partitions }, (_, i) => i)
    return this.world.controller.createTopic({ name: `topic-${n}`, partitions, config: { 'retention.ms': `${n}` } }, [n, n, n, n], slots)
  }

  createTopics(count: number): void {
    for (let i = 0; i < count; i++) this.write(this.nextTopic())
  }
}

describe('a loader', () => {
  test('has nothing to do while nothing is committed, and then what was', () => {
    const { fixture, world, ...rest } = new WrittenWorld()
    expect(rest).toEqual({})
    const loader = fixture.newLoader()
    expect(loader.hasNews).toBe(true)
    loader.load()
    expect(loader.image.content).toEqual(world.image.content)
    expect(loader.hasNews).toBe(false)
    expect(loader.load()).toBeUndefined()
  })

  test('before there is a log has no news', () => {
    const { fixture } = new WrittenWorld()
    const { memory } = fixture.logs
    const control = new ControlBlock(memory, 0)
    control.publishHighWatermark(0)
    expect(fixture.newLoader().load()).toBeUndefined()
  })

  test('of a log that was recovered from files has no news before its first leader has put the snapshot there', () => {
    const { world, fixture } = new WrittenWorld()
    const { offset } = fixture.loader.image
    const recovered = { leaderEpoch: 3, startOffset: offset, endOffset: offset, syncedEndOffset: offset }
    const id = CLUSTER_METADATA_TOPIC_ID
    const logs = new LogFixture({ brokers: 1 })
    initialiseSlot(logs.memory, CLUSTER_METADATA_SLOT, id, CLUSTER_METADATA_SLOT, RETENTION_INTERNAL, DURABILITY_DISK, recovered)
    const waiting = new MetadataLoader(logs.memory)
    expect(waiting.hasNews).toBe(false)
    logs.partition(METADATA_SNAPSHOT_SLOT, RETENTION_INTERNAL)
    expect(waiting.load()).toBeUndefined()
    const snapshots = logs.brokers[0]!.lead(METADATA_SNAPSHOT_SLOT, 1)
    for (const batch of encodeSnapshot(fixture.loader.image, 1)) snapshots.append(batch, 0, batch.length)
    expect(waiting.hasNews).toBe(false)
    snapshots.advance()
    expect(waiting.hasNews).toBe(true)
    waiting.load()
    expect(waiting.image.content).toEqual(world.image.content)
    expect(waiting.hasNews).toBe(false)
  })

  test('sees only what is committed', () => {
    const written = new WrittenWorld()
    const { fixture } = written
    const reader = fixture.newLoader()
    reader.load()
    fixture.log.append(written.nextTopic(), 1)
    expect(reader.hasNews).toBe(false)
    const uncommitted = fixture.loader.loadUncommitted()
    expect([...uncommitted.changedPartitions()]).toHaveLength(3)
    expect(fixture.loader.image.topic('topic-1')).toBeUndefined()
    fixture.log.publish()
    expect([...reader.load()!.createdTopics()].map(({ name }) => name)).toEqual(['topic-1'])
  })

  test('what its controller read before it was committed is the same as what others read then, and later records follow', () => {
    const written = new WrittenWorld()
    const { fixture } = written
    const reader = fixture.newLoader()
    fixture.log.append(written.nextTopic(), 1)
    const early = fixture.loader.loadUncommitted()
    // More was appended since: what was read is not all.
    fixture.log.append(written.nextTopic(), 1)
    fixture.log.publish()
    expect(fixture.loader.load()).not.toBe(early)
    fixture.log.append(written.nextTopic(), 1)
    const all = fixture.loader.loadUncommitted()
    fixture.log.publish()
    expect(fixture.loader.load()).toBe(all)
    reader.load()
    expect(fixture.loader.image).toEqual(reader.image)
    written.createTopics(1)
    reader.load()
    expect(fixture.loader.image).toEqual(reader.image)
  })

  test('is rung at the next commit once it has left its mark, and at none before', () => {
    const written = new WrittenWorld()
    const { fixture } = written
    const { bells, thread } = fixture
    const loader = fixture.newLoader()
    loader.load()
    bells.arm(thread)
    written.createTopics(1)
    expect(bells.isParked(thread)).toBe(true)
    loader.load()
    loader.prepareWait(thread)
    loader.prepareWait(thread)
    expect(loader.hasNews).toBe(false)
    written.createTopics(1)
    expect(bells.isParked(thread)).toBe(false)
  })
})

describe('the log', () => {
  test('stays bounded: what a snapshot has goes, and whoever starts later has the same image', () => {
    const written = new WrittenWorld(10_000)
    const { fixture } = written
    let snapshots = 0
    for (let i = 0; i < 300; i++) {
      const before = fixture.control.logStartOffset
      written.createTopics(1)
      if (fixture.control.logStartOffset > before) snapshots++
    }
    expect(snapshots).toBeGreaterThan(3)
    fixture.logs.turns(10)
    expect(fixture.control.heldGranules).toBeLessThanOrEqual(2)
    const late = fixture.newLoader()
    const delta = late.load()!
    expect(late.image.content).toEqual(written.world.image.content)
    expect([...delta.createdTopics()]).toHaveLength(300)
    expect(memoryFaults(fixture.logs.memory)).toEqual([])
  })

  test('a loader that was overtaken comes to the same image, and is told what is different', () => {
    const written = new WrittenWorld(10_000)
    const { fixture, world } = written
    const slow = fixture.newLoader()
    const fast = fixture.newLoader()
    written.createTopics(5)
    slow.load()
    const told = new Set<string>()
    for (let i = 0; i < 200; i++) {
      written.createTopics(1)
      if (i === 100) written.write([{ type: 'RemoveTopicRecord', record: { topicId: world.image.topic('topic-2')!.topicId } }])
      for (const { name } of fast.load()!.createdTopics()) told.add(name)
    }
    expect(fixture.control.logStartOffset).toBeGreaterThan(slow.image.offset)
    const delta = slow.load()!
    expect(slow.image.content).toEqual(fast.image.content)
    expect(slow.image.content).toEqual(world.image.content)
    expect([...delta.deletedTopics()].map(({ name }) => name)).toEqual(['topic-2'])
    expect([...delta.createdTopics()]).toHaveLength(200)
    expect(slow.load()).toBeUndefined()
  })

  test('that has no room for a snapshot goes on with it when there is some', () => {
    const written = new WrittenWorld(5_000)
    const { fixture } = written
    written.createTopics(20)
    fixture.logs.turns(10)
    // Everything else of the arena is taken.
    const hog = fixture.logs.log(9)
    const batch = new Uint8Array(0)
    expect(hog.append(batch, 0, 0)).toBeLessThan(0)
    const taken: number[] = []
    for (;;) {
      const granule = fixture.logs.brokers[0]!.allocator.allocate(9, 0, 0, 0)
      if (granule < 0) break
      taken.push(granule)
    }
    const before = fixture.control.logStartOffset
    const snapshotsBefore = new ControlBlock(fixture.logs.memory, METADATA_SNAPSHOT_SLOT).highWatermark
    try {
      for (let i = 0; i < 400; i++) written.createTopics(1)
    } catch (error) {
      expect((error as Error).message).toBe('log memory is full')
    }
    const late = fixture.newLoader()
    late.load()
    expect(late.image.content).toEqual(fixture.loader.image.content)
    for (const granule of taken) fixture.logs.brokers[0]!.allocator.giveBack(granule)
    fixture.logs.turns(10)
    const records = written.nextTopic()
    fixture.commit(records)
    expect(fixture.control.logStartOffset).toBeGreaterThan(before)
    expect(new ControlBlock(fixture.logs.memory, METADATA_SNAPSHOT_SLOT).highWatermark).toBeGreaterThan(snapshotsBefore)
    const later = fixture.newLoader()
    later.load()
    expect(later.image.content).toEqual(fixture.loader.image.content)
  })
})

describe('a controller that dies', () => {
  const POINTS: readonly KillPoint[] = [
    'controller.appended',
    'controller.committed',
    'controller.snapshot.appended',
    'controller.snapshot.published',
    'controller.snapshot.replaced',
    'log.append.copied',
    'log.trim.unlinked',
  ]

  test.each(POINTS)('at %s: nothing that stood in the log is lost, and every loader comes to the same image', (point) => {
    const random = seededRandom(0x5a)
    const written = new WrittenWorld(4_000)
    const { fixture, world } = written
    const followers = [fixture.newLoader(), fixture.newLoader()]
    const isOfSnapshots = point.startsWith('controller.snapshot') || point === 'log.trim.unlinked'
    let deaths = 0
    let diedAt = 0
    for (let i = 0; i < 150; i++) {
      const records = written.nextTopic()
      const isNear = fixture.logs.brokers[0]!.logs.get(0)!.sizeInBytes > 3_900
      // What one died over the next one does.
      if (isOfSnapshots ? isNear && i > diedAt + 1 : random.below(10) === 0) {
        diedAt = i
        fixture.dieAt(point, records)
        deaths++
        // Before its end was published the batch was not in the log.
        if (point !== 'log.append.copied') world.apply(records)
        expect(fixture.loader.image.content).toEqual(world.image.content)
      } else {
        world.apply(records)
        fixture.commit(records)
      }
      if (random.below(3) === 0) followers[0]!.load()
      if (random.below(60) === 0) followers[1]!.load()
      expect([...fixture.loader.image.topicNames].length).toBe([...world.image.topicNames].length)
      fixture.logs.turns(4)
    }
    expect(deaths).toBeGreaterThanOrEqual(3)
    for (const loader of [...followers, fixture.newLoader()]) {
      loader.load()
      expect(loader.image.content).toEqual(world.image.content)
    }
    expect(memoryFaults(fixture.logs.memory)).toEqual([])
  })
})
