import { describe, expect, test } from 'vitest'
import { MetadataDelta } from '../../src/metadata/metadata-delta.ts'
import { MetadataImage } from '../../src/metadata/metadata-image.ts'
import { SnapshotReader, encodeSnapshot, imageRecords } from '../../src/metadata/metadata-snapshot.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'
import { PARTITION_RECORD } from '../../src/protocol/records/topic-records.ts'
import { decodeMessage } from '../../src/protocol/decoder.ts'
import { seededRandom } from '../../src/random.ts'
import { readGoldenLogDir, readRecords } from '../protocol/golden-log-dir.ts'
import { MetadataWorld, deltaOf, uuid } from './metadata-world.ts'

const files = readGoldenLogDir()

/** A cluster with a history: brokers that died, topics that went, configs that were set and unset. */
function livedWorld(seed: number): MetadataWorld {
  const random = seededRandom(seed)
  const world = new MetadataWorld(3)
  world.apply(world.controller.bootstrap(uuid(5)))
  const incarnations = [1, 1, 1]
  for (let step = 0; step < 60; step++) {
    const names = [...world.image.topicNames]
    const name = names[random.below(Math.max(1, names.length))]
    const brokerId = random.below(3)
    const config = { resourceType: 2, resourceName: name ?? '', name: 'retention.ms', value: random.below(2) === 0 ? null : `${step}` }
    switch (random.below(6)) {
      case 0:
        world.apply(world.controller.fenceBrokers([{ brokerId, incarnation: incarnations[brokerId]! }]))
        break
      case 1:
        world.register(brokerId, ++incarnations[brokerId]!)
        break
      case 2:
        if (name !== undefined) world.apply([{ type: 'RemoveTopicRecord', record: { topicId: world.image.topic(name)!.topicId } }])
        break
      case 3:
        if (name !== undefined) world.apply([{ type: 'ConfigRecord', record: config }])
        break
      case 4:
        world.apply([{ type: 'ProducerIdsRecord', record: { brokerId, brokerEpoch: 1, nextProducerId: step * 1_000 } }])
        break
      default:
        world.create(`topic-${step}`, 1 + random.below(5), { 'max.message.bytes': `${step}` })
    }
  }
  return world
}

describe('an image', () => {
  test('knows how many partitions each broker leads, whatever happened to topics and brokers', () => {
    const world = new MetadataWorld(3)
    const counted = (brokerId: number): number =>
      [...world.image.topics].reduce((sum, { partitions }) => sum + partitions.filter(({ leader }) => leader === brokerId).length, 0)
    const expectCounted = (): void => {
      for (let brokerId = 0; brokerId < 4; brokerId++) expect(world.image.leads(brokerId)).toBe(counted(brokerId))
    }
    world.create('a', 7)
    world.create('b', 4)
    expectCounted()
    world.apply(world.controller.createPartitions({ name: 'a', partitions: 9 }, [20, 21]))
    world.apply(world.controller.moveLeader({ topic: 'b', partition: 0, brokerId: 2 }))
    expectCounted()
    for (const brokerId of [1, 0, 2]) {
      world.apply(world.controller.fenceBrokers([{ brokerId, incarnation: 1 }]))
      expectCounted()
    }
    world.register(1, 2)
    world.apply(world.controller.deleteTopic({ name: 'a' }))
    expectCounted()
    expect(world.image.leads(1)).toBe(4)
    expect(deltaOf(MetadataImage.EMPTY, imageRecords(world.image)).image.content.leaderCounts).toEqual(new Map([[1, 4]]))
  })

  test('does not change: a delta makes the next one, which shares what stayed', () => {
    const world = new MetadataWorld(2)
    world.create('a', 3)
    world.create('b', 3)
    const before = world.image
    const copy = structuredClone(before.content)
    world.apply(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }]))
    world.create('c', 1)
    world.apply([{ type: 'RemoveTopicRecord', record: { topicId: before.topic('a')!.topicId } }])
    expect(structuredClone(before.content)).toEqual(copy)
    expect(before.topic('a')!.partitions[1]!.leader).toBe(1)
    expect(world.image.topic('a')).toBeUndefined()
    expect(world.image.topic('b')!.partitions[1]).toBe(before.topic('b')!.partitions[1])
  })

  test('knows a topic by its name and by its id, and its configs go with it', () => {
    const world = new MetadataWorld(1)
    world.create('a', 1, { 'retention.ms': '1' })
    const { topicId } = world.image.topic('a')!
    expect(world.image.topicById(topicId)).toBe(world.image.topic('a'))
    const delta = world.apply([{ type: 'RemoveTopicRecord', record: { topicId } }])
    expect([...delta.deletedTopics()].map(({ name }) => name)).toEqual(['a'])
    expect(world.image.topicById(topicId)).toBeUndefined()
    expect(world.image.topicConfig('a')).toEqual({})
    world.create('a', 1)
    expect(world.image.topicConfig('a')).toEqual({})
  })

  test('a record about what no record made is refused', () => {
    const lost = { topicId: uuid(9), partitionId: 0, leader: 1 }
    for (const record of [
      { type: 'PartitionChangeRecord', record: lost },
      { type: 'RemoveTopicRecord', record: { topicId: uuid(9) } },
    ] satisfies MetadataRecord[]) {
      expect(() => deltaOf(MetadataImage.EMPTY, [record])).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    }
  })
})

describe('a delta', () => {
  test('says what is different, and nothing else', () => {
    const world = new MetadataWorld(2)
    world.create('a', 2)
    world.create('b', 2)
    const delta = world.apply([
      { type: 'ConfigRecord', record: { resourceType: 2, resourceName: 'b', name: 'retention.ms', value: '5' } },
      ...world.controller.fenceBrokers([{ brokerId: 0, incarnation: 1 }]),
      ...world.controller.createTopic({ name: 'c', partitions: 1, config: { 'retention.ms': '7' } }, uuid(9), [6]),
    ])
    expect([...delta.reconfiguredTopics()].map(({ name }) => name)).toEqual(['b'])
    expect([...delta.createdTopics()].map(({ name }) => name)).toEqual(['c'])
    expect([...delta.deletedTopics()]).toEqual([])
    expect(
      [...delta.changedPartitions()].map(({ topic, partition, previous }) => [topic.name, partition.partitionId, previous?.leader]),
    ).toEqual([
      ['a', 0, 0],
      ['b', 0, 0],
      ['c', 0, undefined],
    ])
  })

  test('between two images, one of a snapshot, says the same', () => {
    for (const seed of [1, 2, 3]) {
      const world = livedWorld(seed)
      const before = world.image
      const records: MetadataRecord[] = [
        ...world.controller.fenceBrokers([{ brokerId: 0, incarnation: world.image.broker(0)!.brokerEpoch }]),
      ]
      const delta = world.apply(records)
      world.create('new', 2)
      const fromSnapshot = deltaOf(MetadataImage.EMPTY, imageRecords(world.image)).image
      const between = MetadataDelta.between(before, fromSnapshot)
      const partitions = (of: MetadataDelta): unknown[] =>
        [...of.changedPartitions()].map(({ topic, partition }) => [topic.name, partition])
      expect(partitions(between)).toEqual(expect.arrayContaining(partitions(delta)))
      expect([...between.createdTopics()].map(({ name }) => name)).toEqual(['new'])
      expect([...between.reconfiguredTopics()]).toEqual([])
      expect([...between.changedBrokers()]).toEqual([...delta.changedBrokers()])
    }
  })
})

describe('a snapshot', () => {
  test.each([1, 2, 3, 4])('of an image makes the same image, of seed %i', (seed) => {
    const { image } = livedWorld(seed)
    const reader = new SnapshotReader()
    for (const batch of encodeSnapshot(image, 1_700_000_000_000)) reader.read(batch, batch.length)
    expect(reader.image!.offset).toBe(image.offset)
    expect(reader.image!.content).toEqual(image.content)
  })

  test('counts only once its footer was read, and the last one counts', () => {
    const world = livedWorld(5)
    const first = encodeSnapshot(world.image, 1)
    world.create('later', 1)
    const second = encodeSnapshot(world.image, 2)
    const reader = new SnapshotReader()
    const read = (batches: readonly Uint8Array[]): void => {
      for (const batch of batches) reader.read(batch, batch.length)
    }
    read(first.slice(0, -1))
    expect(reader.image).toBeUndefined()
    read(first)
    const { offset } = reader.image!
    read(second.slice(0, -1))
    expect(reader.image!.offset).toBe(offset)
    // What is overtaken in the middle of one begins anew with a whole one.
    reader.restart()
    read(second)
    expect(reader.image!.topic('later')).toBeDefined()
  })
})

test("a record's row travels where Kafka's readers pass over it", () => {
  const bytes = encodeMetadataRecord('PartitionRecord', { topicId: uuid(1), partitionId: 3, leader: 1, leaderEpoch: 0, slot: 77 })
  const decoded = decodeMetadataRecord(bytes)
  expect(decoded.record).toMatchObject({ partitionId: 3, slot: 77 })
  const kafkas = decodeMessage(PARTITION_RECORD, 2, bytes.subarray(3))
  expect(kafkas).toMatchObject({ partitionId: 3, leader: 1 })
  expect('slot' in kafkas).toBe(false)
  expect(decodeMetadataRecord(encodeMetadataRecord('PartitionRecord', { topicId: uuid(1), partitionId: 3 })).record).toMatchObject({
    slot: -1,
  })
})

describe.skipIf(files === undefined)(`a metadata log that Kafka wrote${files === undefined ? ' (skipped: it is not here)' : ''}`, () => {
  test('makes an image of its topics, configs and brokers', () => {
    const delta = new MetadataDelta(MetadataImage.EMPTY)
    let end = 0
    for (const { offset, value } of readRecords(files!.get('__cluster_metadata-0/00000000000000000000.log')!)) {
      delta.replay(decodeMetadataRecord(value!))
      end = offset + 1
    }
    const image = delta.apply(end)
    let seen = 0
    for (const path of files!.keys()) {
      const [, name = '', partition = ''] = /^(.+)-(\d+)\/partition\.metadata$/.exec(path) ?? []
      if (name === '' || name === '__cluster_metadata') continue
      expect(image.topic(name)!.partitions[Number(partition)], path).toMatchObject({
        partitionId: Number(partition),
        replicas: [1],
        slot: -1,
      })
      seen++
    }
    expect(seen).toBeGreaterThan(8)
    // It was started again, and shut down at the end.
    expect(image.broker(1)).toMatchObject({ brokerId: 1, brokerEpoch: 402, fenced: true })
    expect(image.content.features.get('metadata.version')).toBe(30)
    expect(image.nextProducerId).toBeGreaterThan(0)
    expect(image.content.configs.size).toBeGreaterThan(0)
    expect(deltaOf(MetadataImage.EMPTY, imageRecords(image)).image.content).toEqual(image.content)
  })
})
