import { describe, expect, test } from 'vitest'
import { MetadataWorld, uuid } from './metadata-world.ts'

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error

describe('deleting a topic', () => {
  test('by its name or its id takes it and its configs away; what is not there is refused', () => {
    const world = new MetadataWorld(1)
    world.create('a', 2, { 'retention.ms': '1' })
    world.create('b', 1)
    const { topicId } = world.image.topic('b')!
    world.apply(world.controller.deleteTopic({ name: 'a' }))
    world.apply(world.controller.deleteTopic({ topicId }))
    expect([...world.image.topicNames]).toEqual([])
    expect(world.image.topicConfig('a')).toEqual({})
    expect(() => world.controller.deleteTopic({ name: 'a' })).toThrow(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(() => world.controller.deleteTopic({ topicId })).toThrow(code('UNKNOWN_TOPIC_ID'))
  })
})

describe('creating partitions', () => {
  test('adds those that are missing, where fewest are led', () => {
    const world = new MetadataWorld(3)
    world.create('t', 1)
    const command = { name: 't', partitions: 4 }
    expect(world.controller.partitionsToAdd(command)).toBe(3)
    const delta = world.apply(world.controller.createPartitions(command, [10, 11, 12]))
    expect(world.leaders('t')).toEqual([0, 1, 2, 0])
    expect([...delta.changedPartitions()].map(({ partition, previous }) => [partition.partitionId, partition.slot, previous])).toEqual([
      [1, 10, undefined],
      [2, 11, undefined],
      [3, 12, undefined],
    ])
  })

  test.each([0, 1, 2, 2.5, Number.NaN])('never fewer, and nothing that is no more (%d of 2)', (partitions) => {
    const world = new MetadataWorld(1)
    world.create('t', 2)
    expect(() => world.controller.partitionsToAdd({ name: 't', partitions })).toThrow(code('INVALID_PARTITIONS'))
    expect(() => world.controller.partitionsToAdd({ name: 'u', partitions: 9 })).toThrow(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('altering configs', () => {
  test('sets, takes back, and changes lists, with one record for each that is different', () => {
    const world = new MetadataWorld(1)
    world.create('t', 1, { 'retention.ms': '1', 'max.message.bytes': '5000' })
    const records = world.controller.alterConfigs({
      resource: { type: 'topic', name: 't' },
      ops: [
        { op: 'SET', name: 'retention.ms', value: '9' },
        { op: 'DELETE', name: 'max.message.bytes', value: null },
        { op: 'SET', name: 'segment.ms', value: '100000' },
      ],
    })
    expect(records).toHaveLength(3)
    const delta = world.apply(records)
    expect(world.image.topicConfig('t')).toEqual({ 'retention.ms': '9', 'segment.ms': '100000' })
    expect([...delta.reconfiguredTopics()].map(({ name }) => name)).toEqual(['t'])
    expect(
      world.controller.alterConfigs({ resource: { type: 'topic', name: 't' }, ops: [{ op: 'SET', name: 'retention.ms', value: '9' }] }),
    ).toEqual([])
  })

  test('refuses all of a call when one operation is wrong', () => {
    const world = new MetadataWorld(1)
    world.create('t', 1)
    const alter = (...ops: Parameters<typeof world.controller.alterConfigs>[0]['ops'][number][]) =>
      world.controller.alterConfigs({ resource: { type: 'topic', name: 't' }, ops })
    const good = { op: 'SET', name: 'retention.ms', value: '9' } as const
    expect(() => alter(good, { op: 'SET', name: 'retention.bites', value: '9' })).toThrow(code('INVALID_CONFIG'))
    expect(() => alter(good, { op: 'APPEND', name: 'segment.ms', value: '9' })).toThrow(code('INVALID_CONFIG'))
    expect(() => alter(good, good)).toThrow(code('INVALID_REQUEST'))
    expect(() => world.controller.alterConfigs({ resource: { type: 'topic', name: 'u' }, ops: [good] })).toThrow(
      code('UNKNOWN_TOPIC_OR_PARTITION'),
    )
    expect(() => world.controller.alterConfigs({ resource: { type: 'broker', name: '7' }, ops: [] })).toThrow(code('INVALID_REQUEST'))
  })
})

describe('moving a leader', () => {
  test('names it under the next epoch; where it leads already nothing is written', () => {
    const world = new MetadataWorld(2)
    world.create('t', 2)
    world.apply(world.controller.moveLeader({ topic: 't', partition: 0, brokerId: 1 }))
    expect([world.leaders('t'), world.epochs('t')]).toEqual([
      [1, 1],
      [1, 0],
    ])
    expect(world.controller.moveLeader({ topic: 't', partition: 0, brokerId: 1 })).toEqual([])
  })

  test('to a broker that does not live, or of what is not there, is refused', () => {
    const world = new MetadataWorld(2)
    world.create('t', 1)
    world.apply(world.controller.fenceBrokers([{ brokerId: 1, incarnation: 1 }]))
    expect(() => world.controller.moveLeader({ topic: 't', partition: 0, brokerId: 1 })).toThrow(code('BROKER_NOT_AVAILABLE'))
    expect(() => world.controller.moveLeader({ topic: 't', partition: 0, brokerId: 9 })).toThrow(code('BROKER_NOT_AVAILABLE'))
    expect(() => world.controller.moveLeader({ topic: 't', partition: 1, brokerId: 0 })).toThrow(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(() => world.controller.moveLeader({ topic: 'u', partition: 0, brokerId: 0 })).toThrow(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

test('a topic that is made again under its name has another id', () => {
  const world = new MetadataWorld(1)
  world.create('t', 1, {}, 1)
  world.apply(world.controller.deleteTopic({ name: 't' }))
  world.create('t', 1, {}, 2)
  expect(world.image.topic('t')!.topicId).toEqual(uuid(2))
  expect(world.image.topicById(uuid(1))).toBeUndefined()
})
