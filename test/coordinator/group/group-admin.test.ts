import { beforeEach, describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { DeleteGroupsResponse } from '../../../src/protocol/messages/42-delete-groups.ts'
import { OffsetsWorld, StagedGroup } from './offsets-world.ts'

let world: OffsetsWorld

beforeEach(() => {
  world = new OffsetsWorld()
  world.metadata.create('clicks', 3)
})

function list(statesFilter: string[] = [], typesFilter: string[] = []): string[] {
  const { groups, errorCode } = world.admin.list({ statesFilter, typesFilter }, world.committed)
  expect(errorCode).toBe(0)
  return groups.map(({ groupId, protocolType, groupState, groupType }) => [groupId, protocolType, groupState, groupType].join(' ')).sort()
}

function deleteGroups(...groupsNames: string[]): Record<string, number> {
  const { results } = world.take<DeleteGroupsResponse>(world.admin.delete(world.requestId, { groupsNames }))!
  return Object.fromEntries(results.map(({ groupId, errorCode }) => [groupId, errorCode]))
}

test('groups are listed as they are committed, by state and type', () => {
  world.groups.set('new', new StagedGroup('new'))
  world.commit('simple', { 'clicks-0': 1 })
  expect(list()).toEqual([])
  world.commitLog()
  expect(list()).toEqual(['new consumer Stable Consumer', 'simple  Empty Classic'])
  expect(list(['empty', 'DEAD'])).toEqual(['simple  Empty Classic'])
  expect(list([], ['CONSUMER'])).toEqual(['new consumer Stable Consumer'])
  expect(list(['Stable'], ['classic'])).toEqual([])
  expect(list([], ['share'])).toEqual([])
  deleteGroups('simple')
  expect(list()).toHaveLength(2)
  world.commitLog()
  expect(list()).toEqual(['new consumer Stable Consumer'])
})

test('classic groups are described, others are said not to be there', () => {
  world.groups.set('new', new StagedGroup('new'))
  world.commit('simple', { 'clicks-0': 1 })
  const members = [
    {
      memberId: 'm',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/h',
      memberMetadata: new Uint8Array(1),
      memberAssignment: new Uint8Array(2),
    },
  ]
  const classic = Object.assign(new StagedGroup('classic', 'classic'), {
    describe: (epoch: number) => ({ groupState: `Stable at ${epoch}`, protocolType: 'consumer', protocolData: 'range', members }),
  })
  world.groups.set('classic', classic)
  const describeGroups = (): unknown =>
    world.admin.describe({ groups: ['simple', 'classic', 'new', 'none'], includeAuthorizedOperations: false }, world.committed).groups
  expect(describeGroups()).toMatchObject(Array(4).fill({ groupState: 'Dead', errorCode: KAFKA_ERRORS.GROUP_ID_NOT_FOUND }))
  world.take({ records: [] })
  world.commit('simple', { 'clicks-0': 2 })
  world.commitLog()
  const also = { errorMessage: null, authorizedOperations: -2_147_483_648 }
  expect(describeGroups()).toEqual([
    { ...also, errorCode: 0, groupId: 'simple', groupState: 'Empty', protocolType: '', protocolData: '', members: [] },
    {
      ...also,
      errorCode: 0,
      groupId: 'classic',
      groupState: `Stable at ${world.committed}`,
      protocolType: 'consumer',
      protocolData: 'range',
      members,
    },
    {
      ...also,
      errorCode: KAFKA_ERRORS.GROUP_ID_NOT_FOUND,
      errorMessage: 'group new is not a classic group',
      groupId: 'new',
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    },
    expect.objectContaining({ errorCode: KAFKA_ERRORS.GROUP_ID_NOT_FOUND, errorMessage: 'group none is not known', groupState: 'Dead' }),
  ])
})

describe('groups that are deleted', () => {
  test('go with their offsets, unless they have members', () => {
    const empty = new StagedGroup('empty')
    empty.isEmpty = true
    world.groups.set('empty', empty)
    world.groups.set('full', new StagedGroup('full'))
    for (const groupId of ['empty', 'full', 'simple', 'kept']) world.commit(groupId, { 'clicks-0': 1, 'clicks-2': 2 })
    const before = world.log.length
    expect(deleteGroups('empty', 'full', 'none', 'simple', 'simple')).toEqual({
      empty: 0,
      full: KAFKA_ERRORS.NON_EMPTY_GROUP,
      none: KAFKA_ERRORS.GROUP_ID_NOT_FOUND,
      simple: 0,
    })
    expect(world.log.length - before).toBe(6)
    expect([...world.groups.keys()].sort()).toEqual(['full', 'kept'])
    expect(world.offsets.ofGroup('simple')).toBeUndefined()
    // What is committed is still as before.
    world.committed = before
    expect(world.all('simple')).toEqual({ 'clicks-0': 1, 'clicks-2': 2 })
    world.commitLog()
    expect([world.all('simple'), world.all('empty')]).toEqual([{}, {}])
    expect(world.all('kept')).toEqual({ 'clicks-0': 1, 'clicks-2': 2 })
    expect(deleteGroups('simple')).toEqual({ simple: KAFKA_ERRORS.GROUP_ID_NOT_FOUND })
  })
})
