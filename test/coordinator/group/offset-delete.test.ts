import { beforeEach, describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { OffsetDeleteResponse } from '../../../src/protocol/messages/47-offset-delete.ts'
import { MetadataWorld } from '../../metadata/metadata-world.ts'
import { OffsetsWorld, StagedGroup, byTopic, errorsOf } from './offsets-world.ts'

let world: OffsetsWorld

beforeEach(() => {
  world = new OffsetsWorld()
  world.metadata.create('clicks', 3)
  world.metadata.create('views', 1)
})

function deleteOffsets(groupId: string, partitions: readonly string[]): OffsetDeleteResponse {
  const topics = byTopic(partitions).map(([name, indexes]) => ({ name, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }))
  return world.take<OffsetDeleteResponse>(world.deletes.delete(world.requestId, { groupId, topics }))!
}

describe('offsets that are deleted', () => {
  test('are gone, and the others stay; one that is not there is no error', () => {
    world.commit('g', { 'clicks-0': 1, 'clicks-1': 2, 'views-0': 3 })
    world.commit('other', { 'clicks-0': 9 })
    const response = deleteOffsets('g', ['clicks-0', 'clicks-2', 'gone-0'])
    expect(response.errorCode).toBe(0)
    expect(errorsOf(response as never)).toEqual({ 'clicks-0': 0, 'clicks-2': 0, 'gone-0': KAFKA_ERRORS.UNKNOWN_TOPIC_OR_PARTITION })
    world.commitLog()
    expect([world.all('g'), world.all('other')]).toEqual([{ 'clicks-1': 2, 'views-0': 3 }, { 'clicks-0': 9 }])
    expect(world.log.filter(({ value }) => value === null)).toHaveLength(1)
  })

  test('are not those of a topic that somebody of the group is subscribed to', () => {
    const group = new StagedGroup('g')
    group.topics.add('clicks')
    world.groups.set('g', group)
    world.commit('g', { 'clicks-0': 1, 'views-0': 3 })
    const response = deleteOffsets('g', ['clicks-0', 'views-0'])
    expect(errorsOf(response as never)).toEqual({ 'clicks-0': KAFKA_ERRORS.GROUP_SUBSCRIBED_TO_TOPIC, 'views-0': 0 })
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-0': 1 })
  })

  test('are of a group that is known, and whose members are consumers', () => {
    expect(deleteOffsets('', ['clicks-0']).errorCode).toBe(KAFKA_ERRORS.INVALID_GROUP_ID)
    expect(deleteOffsets('none', ['clicks-0'])).toMatchObject({ errorCode: KAFKA_ERRORS.GROUP_ID_NOT_FOUND, topics: [] })
    const workers = new StagedGroup('connect', 'classic')
    workers.type = 'connect'
    world.groups.set('connect', workers)
    expect(deleteOffsets('connect', ['clicks-0']).errorCode).toBe(KAFKA_ERRORS.NON_EMPTY_GROUP)
  })
})

describe('a topic that is deleted', () => {
  test('takes its offsets with it, of all groups and of no other topic', () => {
    world.commit('a', { 'clicks-0': 1, 'clicks-2': 2, 'views-0': 3 })
    world.commit('b', { 'clicks-0': 4 })
    world.deleteTopic('clicks')
    world.commitLog()
    expect(world.offsets.ofGroup('b')).toBeUndefined()
    expect([...world.offsets.ofGroup('a')!.keys()]).toEqual(['views'])
    expect(world.log.filter(({ value }) => value === null)).toHaveLength(3)
    const written = world.log.length
    world.deleteTopic('views')
    world.metadata.create('unread', 1)
    world.deleteTopic('unread')
    expect(world.log.length).toBe(written + 1)
  })

  test('and made again in one go leaves the offsets of the new one', () => {
    world.commit('g', { 'clicks-0': 1, 'clicks-1': 2 })
    const next = new MetadataWorld(1)
    next.create('clicks', 3, {}, 77)
    const again = next.records.filter(({ type }) => type === 'TopicRecord' || type === 'PartitionRecord')
    const delta = world.metadata.apply([...world.metadata.controller.deleteTopic({ name: 'clicks' }), ...again])
    world.commit('g', { 'clicks-1': 7 })
    for (const step of world.deletes.topicsDeleted(delta)) world.take(step)
    world.commitLog()
    expect(world.all('g')).toEqual({ 'clicks-1': 7 })
    expect(world.offsets.recorded('g', 'clicks', 0)).toBeUndefined()
  })

  test('is written down in batches that a log takes', () => {
    world.metadata.create('wide', 2_500)
    world.commit('g', Object.fromEntries(Array.from({ length: 2_500 }, (_, i) => [`wide-${i}`, i])))
    const delta = world.metadata.apply(world.metadata.controller.deleteTopic({ name: 'wide' }))
    const steps = world.deletes.topicsDeleted(delta)
    expect(steps.map(({ records }) => records!.length)).toEqual([1_000, 1_000, 500])
    for (const step of steps) world.take(step)
    expect(world.offsets.ofGroup('g')).toBeUndefined()
  })
})
