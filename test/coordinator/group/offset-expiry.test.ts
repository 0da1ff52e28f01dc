import { beforeEach, describe, expect, test } from 'vitest'
import { CHECK_INTERVAL_MS, DAY_MS, OffsetsWorld, RETENTION_MS, StagedGroup } from './offsets-world.ts'

let world: OffsetsWorld
let startMs: number

beforeEach(() => {
  world = new OffsetsWorld()
  world.metadata.create('clicks', 3)
  world.metadata.create('views', 1)
  startMs = world.wallMs
})

function all(groupId: string): Record<string, number> {
  world.commitLog()
  return world.all(groupId)
}

/** What is there the given time after the first commit, and an expiry. */
function leftAfter(ms: number): Record<string, number> {
  world.wallMs = startMs + ms
  world.expire()
  return all('g')
}

describe('offsets', () => {
  test('of a group without members expire each from its own commit, and the group goes with the last', () => {
    world.commit('g', { 'clicks-0': 1 })
    world.wallMs += DAY_MS
    world.commit('g', { 'clicks-1': 2 })
    expect(leftAfter(RETENTION_MS - 1)).toEqual({ 'clicks-0': 1, 'clicks-1': 2 })
    expect(leftAfter(RETENTION_MS)).toEqual({ 'clicks-1': 2 })
    expect(world.groups.has('g')).toBe(true)
    expect(leftAfter(RETENTION_MS + DAY_MS)).toEqual({})
    expect(world.groups.has('g')).toBe(false)
    expect(world.log.at(-1)).toEqual({ type: 'GroupMetadata', key: { group: 'g' }, version: -1, value: null })
  })

  test('that members hold stay, but for topics that none of them is subscribed to', () => {
    const group = new StagedGroup('g')
    group.topics.add('clicks')
    world.groups.set('g', group)
    world.commit('g', { 'clicks-0': 1, 'views-0': 3 })
    expect(leftAfter(RETENTION_MS - 1)).toEqual({ 'clicks-0': 1, 'views-0': 3 })
    expect(leftAfter(RETENTION_MS)).toEqual({ 'clicks-0': 1 })
    expect(leftAfter(50 * RETENTION_MS)).toEqual({ 'clicks-0': 1 })
    group.topics.clear()
    // No offset is left, but there are members.
    expect(leftAfter(50 * RETENTION_MS)).toEqual({})
    expect(world.groups.has('g')).toBe(true)
  })

  test('of a group that became empty expire from then, or from a later commit', () => {
    const group = new StagedGroup('g')
    group.isEmpty = true
    group.unusedSince = { kind: 'since', timeMs: startMs + DAY_MS }
    world.groups.set('g', group)
    world.commit('g', { 'clicks-0': 1 })
    world.wallMs += 2 * DAY_MS
    world.commit('g', { 'clicks-1': 2 })
    expect(leftAfter(RETENTION_MS + DAY_MS - 1)).toEqual({ 'clicks-0': 1, 'clicks-1': 2 })
    expect(leftAfter(RETENTION_MS + DAY_MS)).toEqual({ 'clicks-1': 2 })
    expect(leftAfter(RETENTION_MS + 2 * DAY_MS)).toEqual({})
    expect(world.groups.has('g')).toBe(false)
  })

  test('whose client named a time go then, whatever the retention', () => {
    const value = {
      offset: 4,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: startMs,
      expireTimestamp: startMs + 5_000,
      topicId: [0, 0, 0, 0] as const,
    }
    world.take({ records: [{ type: 'OffsetCommit', key: { group: 'g', topic: 'clicks', partition: 0 }, version: 1, value }] })
    expect(leftAfter(4_999)).toEqual({ 'clicks-0': 4 })
    expect(leftAfter(5_000)).toEqual({})
  })

  test('do not expire by a clock that was set back', () => {
    world.commit('g', { 'clicks-0': 1 })
    expect(leftAfter(-50 * RETENTION_MS)).toEqual({ 'clicks-0': 1 })
  })
})

describe('the look', () => {
  test('is repeated after the interval', () => {
    world.nowMs = 5
    world.take(world.expiry.loaded(world.nowMs))
    expect(world.timers.get('expire')).toBe(5 + CHECK_INTERVAL_MS)
    world.nowMs = 7
    expect(world.expire()).toEqual([0])
    expect(world.timers.get('expire')).toBe(7 + CHECK_INTERVAL_MS)
  })

  test('takes an empty group that has committed nothing', () => {
    const empty = new StagedGroup('empty')
    empty.isEmpty = true
    world.groups.set('empty', empty)
    world.groups.set('full', new StagedGroup('full'))
    world.expire()
    expect([...world.groups.keys()]).toEqual(['full'])
  })

  test('writes batches that a log takes, one after the other at once', () => {
    world.metadata.create('wide', 2_400)
    for (const groupId of ['a', 'b']) world.commit(groupId, Object.fromEntries(Array.from({ length: 2_400 }, (_, i) => [`wide-${i}`, i])))
    world.commit('c', { 'clicks-0': 1 })
    world.wallMs += RETENTION_MS
    const batches = world.expire()
    expect(batches.reduce((sum, size) => sum + size)).toBe(2 * 2_401 + 2)
    // The tombstone of a group stands behind those of its offsets, so a batch may be longer by as many.
    expect(Math.max(...batches)).toBeLessThanOrEqual(1_002)
    expect(batches.length).toBe(5)
    expect([...world.groups.keys()]).toEqual([])
  })

  test('whose records find no room begins anew after the interval', () => {
    world.metadata.create('wide', 2_400)
    world.commit('a', Object.fromEntries(Array.from({ length: 2_400 }, (_, i) => [`wide-${i}`, i])))
    world.wallMs += RETENTION_MS
    const step = world.expiry.expire(world.nowMs, world.wallMs)
    expect(step.timers).toEqual([{ timer: 'expire', atMs: world.nowMs }])
    expect(step.failed!('COORDINATOR_NOT_AVAILABLE')).toEqual({ timers: [{ timer: 'expire', atMs: world.nowMs + CHECK_INTERVAL_MS }] })
    expect(world.expire().reduce((sum, size) => sum + size)).toBe(2_401)
  })
})
