import { describe, expect, test } from 'vitest'
import type { TopicId } from '../../src/ids.ts'
import { Controller } from '../../src/metadata/controller.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/metadata/metadata-records.ts'

const TOPIC_ID: TopicId = [1, 2, 3, 4]

function apply(controller: Controller, records: readonly MetadataRecord[]): void {
  // through their bytes, as a successor would read them
  for (const record of records) controller.replay(decodeMetadataRecord(encodeMetadataRecord(record)))
}

function withBrokers(count: number): Controller {
  const controller = new Controller()
  for (let id = 0; id < count; id++) apply(controller, controller.registerBroker(id, 1))
  return controller
}

function leaders(controller: Controller): number[] {
  return controller.image.topic('t')!.partitions.map((partition) => partition.leader)
}

describe('controller', () => {
  test('spreads the leaders of a new topic evenly', () => {
    const controller = withBrokers(3)
    apply(controller, controller.createTopic({ name: 't', partitions: 5, config: {} }, TOPIC_ID, [1, 2, 3, 4, 5]))
    expect(leaders(controller)).toEqual([0, 1, 2, 0, 1])
    expect(controller.image.nextSlot).toBe(6)
  })

  test('fills up the brokers that lead least', () => {
    const controller = withBrokers(3)
    apply(controller, controller.createTopic({ name: 'one', partitions: 1, config: {} }, TOPIC_ID, [1]))
    apply(controller, controller.createTopic({ name: 't', partitions: 2, config: {} }, [9, 9, 9, 9], [2, 3]))
    expect(leaders(controller)).toEqual([1, 2])
  })

  test('refuses a topic that exists', () => {
    const controller = withBrokers(1)
    apply(controller, controller.createTopic({ name: 't', partitions: 1, config: {} }, TOPIC_ID, [1]))
    expect(() => controller.createTopic({ name: 't', partitions: 1, config: {} }, TOPIC_ID, [2])).toThrow(/exists already/)
  })

  test('gives the partitions of a dead broker to the living, under a higher epoch', () => {
    const controller = withBrokers(3)
    apply(controller, controller.createTopic({ name: 't', partitions: 6, config: {} }, TOPIC_ID, [1, 2, 3, 4, 5, 6]))
    apply(controller, controller.fenceBroker(1, 1))
    const { records, changes } = controller.electLeaders()
    expect(changes.map(({ partitionId, leader, leaderEpoch }) => [partitionId, leader, leaderEpoch])).toEqual([
      [1, 0, 1],
      [4, 2, 1],
    ])
    apply(controller, records)
    expect(leaders(controller)).toEqual([0, 0, 2, 0, 2, 2])
    expect(controller.electLeaders().changes).toEqual([])
  })

  test('fences a broker once, and only the incarnation that died', () => {
    const controller = withBrokers(2)
    expect(controller.fenceBroker(1, 7)).toEqual([])
    apply(controller, controller.fenceBroker(1, 1))
    expect(controller.fenceBroker(1, 1)).toEqual([])
  })

  test('with one broker, its restart is the failover', () => {
    const controller = withBrokers(1)
    apply(controller, controller.createTopic({ name: 't', partitions: 2, config: {} }, TOPIC_ID, [1, 2]))
    apply(controller, controller.fenceBroker(0, 1))
    expect(controller.electLeaders()).toEqual({ records: [], changes: [] })
    apply(controller, controller.registerBroker(0, 2))
    const { records, changes } = controller.electLeaders(0)
    expect(changes.map(({ leader, leaderEpoch }) => [leader, leaderEpoch])).toEqual([
      [0, 1],
      [0, 1],
    ])
    apply(controller, records)
    expect(controller.image.topic('t')!.partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 1])
  })

  test('a replay of the same records gives the same image', () => {
    const first = withBrokers(3)
    const log: MetadataRecord[] = []
    for (let id = 0; id < 3; id++) log.push(...first.registerBroker(id, 1))
    const created = first.createTopic({ name: 't', partitions: 4, config: { 'retention.ms': '-1' } }, TOPIC_ID, [1, 2, 3, 4])
    log.push(...created)
    apply(first, created)
    const second = new Controller()
    apply(second, log)
    expect([...second.image.topics]).toEqual([...first.image.topics])
    expect([...second.image.brokers]).toEqual([...first.image.brokers])
  })
})

describe('producer ids', () => {
  test('come in blocks of 1,000, none twice, whoever the controller is', () => {
    const controller = withBrokers(1)
    const records: MetadataRecord[] = []
    const take = (from: Controller): number => {
      const allocated = from.allocateProducerIds()
      records.push(...allocated.records)
      apply(from, allocated.records)
      expect(allocated.block.count).toBe(1_000)
      return allocated.block.firstProducerId
    }
    expect([take(controller), take(controller)]).toEqual([0, 1_000])
    const successor = new Controller()
    apply(successor, records)
    expect(take(successor)).toBe(2_000)
  })

  test('a block that did not reach the log was not given', () => {
    const controller = withBrokers(1)
    controller.allocateProducerIds()
    expect(controller.allocateProducerIds().block.firstProducerId).toBe(0)
  })
})
