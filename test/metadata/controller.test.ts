import { describe, expect, test } from 'vitest'
import { MetadataImage } from '../../src/metadata/metadata-image.ts'
import { MetadataWorld, deltaOf, uuid } from './metadata-world.ts'

describe('topics', () => {
  test('of a new one the leaders are spread evenly', () => {
    const world = new MetadataWorld(3)
    world.create('t', 5)
    expect(world.leaders('t')).toEqual([0, 1, 2, 0, 1])
    expect(world.epochs('t')).toEqual([0, 0, 0, 0, 0])
    expect(world.image.topic('t')!.partitions.map(({ slot }) => slot)).toEqual([2, 3, 4, 5, 6])
    expect(world.image.topic('t')!.partitions[4]).toMatchObject({ replicas: [1], isr: [1], partitionEpoch: 0 })
  })

  test('fill up the brokers that lead least', () => {
    const world = new MetadataWorld(3)
    world.create('one', 1)
    world.create('t', 2)
    expect(world.leaders('t')).toEqual([1, 2])
  })

  test('that exist are refused', () => {
    const world = new MetadataWorld(1)
    world.create('t', 1)
    expect(() => world.create('t', 1)).toThrow(expect.objectContaining({ code: 'TOPIC_ALREADY_EXISTS' }))
  })

  test('with more than one replica are refused: replication does not exist yet', () => {
    const { controller } = new MetadataWorld(3)
    const command = { name: 't', partitions: 1, config: {}, replicationFactor: 2 }
    expect(() => controller.createTopic(command, uuid(1), [2])).toThrow(
      expect.objectContaining({ code: 'INVALID_REPLICATION_FACTOR', message: expect.stringMatching(/does not exist yet/) as string }),
    )
    expect(controller.createTopic({ ...command, replicationFactor: 1 }, uuid(1), [2])).toHaveLength(2)
  })

  test('have one record a config', () => {
    const world = new MetadataWorld(1)
    world.create('t', 1, { 'retention.ms': '-1', 'max.message.bytes': '5' })
    expect(world.records.filter(({ type }) => type === 'ConfigRecord')).toHaveLength(2)
    expect(world.image.topicConfig('t')).toEqual({ 'retention.ms': '-1', 'max.message.bytes': '5' })
  })

  test('made while no broker lives are led once one does', () => {
    const world = new MetadataWorld(0)
    world.create('t', 2)
    expect(world.leaders('t')).toEqual([-1, -1])
    world.register(0, 1)
    expect(world.leaders('t')).toEqual([0, 0])
    expect(world.epochs('t')).toEqual([1, 1])
  })
})

describe('brokers', () => {
  test('of one that died the partitions go to the living, under a higher epoch, in the batch that fences it', () => {
    const world = new MetadataWorld(3)
    world.create('t', 6)
    const records = world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }])
    // Only what changed: the leader, and the replica with it. Kafka's readers bump the epoch by that.
    expect(records[1]).toEqual({
      type: 'PartitionChangeRecord',
      record: { topicId: world.image.topic('t')!.topicId, partitionId: 1, leader: 0, replicas: [0], isr: [0] },
    })
    const delta = world.apply(records)
    expect(world.leaders('t')).toEqual([0, 0, 2, 0, 2, 2])
    expect(world.epochs('t')).toEqual([0, 1, 0, 0, 1, 0])
    expect([...delta.changedPartitions()].map(({ partition }) => partition.partitionId)).toEqual([1, 4])
    expect([...delta.changedBrokers()]).toMatchObject([{ brokerId: 1, brokerEpoch: 1, fenced: true }])
  })

  test('are fenced once, and only as the incarnation that died', () => {
    const world = new MetadataWorld(2)
    expect(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 7 }])).toEqual([])
    world.apply(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }]))
    expect(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }])).toEqual([])
  })

  test('that died together get nothing of each other', () => {
    const world = new MetadataWorld(3)
    world.create('t', 6)
    world.apply(
      world.controller.fenceBrokers([
        { brokerId: 0, incarnation: 1 },
        { brokerId: 2, incarnation: 1 },
      ]),
    )
    expect(world.leaders('t')).toEqual([1, 1, 1, 1, 1, 1])
  })

  test('when the only one dies its partitions have no leader, and its restart is the failover', () => {
    const world = new MetadataWorld(1)
    world.create('t', 2)
    world.apply(world.controller.fenceBrokers([{ brokerId: 0, incarnation: 1 }]))
    expect(world.leaders('t')).toEqual([-1, -1])
    expect(world.epochs('t')).toEqual([1, 1])
    expect(world.controller.fenceBrokers([{ brokerId: 0, incarnation: 1 }])).toEqual([])
    world.register(0, 2)
    expect(world.leaders('t')).toEqual([0, 0])
    expect(world.epochs('t')).toEqual([2, 2])
    expect(world.image.broker(0)).toEqual({ brokerId: 0, brokerEpoch: 2, incarnationId: uuid(2), fenced: false })
  })

  test('in no image is a partition led by a broker that is fenced, or by another incarnation than the registered one', () => {
    const world = new MetadataWorld(2)
    world.create('t', 4)
    // Registered again before anybody heard of its death: what it led is led anew in the same batch.
    const delta = world.register(1, 2)
    const changed = [...delta.changedPartitions()].map(({ partition }) => partition)
    expect(changed.map(({ partitionId, leaderEpoch }) => [partitionId, leaderEpoch])).toEqual([
      [1, 1],
      [3, 1],
    ])
    expect(world.leaders('t')).toEqual([0, 1, 0, 1])
  })
})

describe('the log', () => {
  test('begins with the metadata version and the id of the cluster, once', () => {
    const world = new MetadataWorld(0)
    world.apply(world.controller.bootstrap(uuid(77)))
    expect(world.image.clusterId).toHaveLength(22)
    expect(world.image.content.features.get('metadata.version')).toBe(30)
    expect(world.controller.bootstrap(uuid(78))).toEqual([])
  })

  test('replayed again gives the same image', () => {
    const world = new MetadataWorld(3)
    world.create('t', 4, { 'retention.ms': '-1' })
    world.apply(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }]))
    world.create('u', 2)
    world.register(1, 2)
    const again = deltaOf(MetadataImage.EMPTY, world.records).image
    expect(again).toEqual(world.image)
    expect(again.content).toEqual(world.image.content)
  })
})

describe('producer ids', () => {
  test('come in blocks of 1,000, none twice, whoever the controller is', () => {
    const world = new MetadataWorld(1)
    const take = (): number => {
      const { records, block } = world.controller.allocateProducerIds()
      world.apply(records)
      expect(block.count).toBe(1_000)
      return block.firstProducerId
    }
    expect([take(), take()]).toEqual([0, 1_000])
    world.image = deltaOf(MetadataImage.EMPTY, world.records).image
    expect(take()).toBe(2_000)
  })

  test('a block that did not reach the log was not given', () => {
    const { controller } = new MetadataWorld(1)
    controller.allocateProducerIds()
    expect(controller.allocateProducerIds().block.firstProducerId).toBe(0)
  })
})
