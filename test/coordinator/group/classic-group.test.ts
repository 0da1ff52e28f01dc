import { describe, expect, test } from 'vitest'
import { CLASSIC_GROUP_TRANSITIONS } from '../../../src/coordinator/group/classic-group-state.ts'
import type { ClassicGroupState } from '../../../src/coordinator/group/classic-group-state.ts'
import { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import { ClassicMember } from '../../../src/coordinator/group/classic-member.ts'
import { MillraceError } from '../../../src/errors.ts'

const BYTES = new Uint8Array([1])

function member(memberId: string, groupInstanceId: string | null = null): ClassicMember {
  const protocols = [{ name: 'range', metadata: BYTES }]
  return new ClassicMember(memberId, {
    groupInstanceId,
    clientId: 'c',
    clientHost: '/h',
    rebalanceTimeoutMs: 1,
    sessionTimeoutMs: 1,
    protocols,
  })
}

function groupOf(...members: ClassicMember[]): ClassicGroup {
  const group = new ClassicGroup('g', 1000)
  for (const each of members) group.add(each, 'consumer')
  return group
}

/** A group in a state, the short way. */
function inState(state: ClassicGroupState): ClassicGroup {
  const group = groupOf(member('a'))
  const ways: Record<ClassicGroupState, ClassicGroupState[]> = {
    Empty: [],
    PreparingRebalance: ['PreparingRebalance'],
    CompletingRebalance: ['PreparingRebalance', 'CompletingRebalance'],
    Stable: ['PreparingRebalance', 'CompletingRebalance', 'Stable'],
    Dead: ['Dead'],
  }
  for (const each of ways[state]) group.transition(each, 0)
  return group
}

describe('states', () => {
  const states = Object.keys(CLASSIC_GROUP_TRANSITIONS) as ClassicGroupState[]

  test.for(states.flatMap((from) => states.map((to) => [from, to] as const)))('from %s to %s', ([from, to]) => {
    const group = inState(from)
    if (CLASSIC_GROUP_TRANSITIONS[from].includes(to)) {
      group.transition(to, 5)
      expect(group.state()).toBe(to)
    } else {
      expect(() => group.transition(to, 5)).toThrow(MillraceError)
      expect(() => group.transition(to, 5)).toThrow(`from ${from} to ${to}`)
    }
  })
})

describe('a commit', () => {
  test.for([
    ['', null, -1, 'UNKNOWN_MEMBER_ID'],
    ['a', null, -1, 'ILLEGAL_GENERATION'],
    ['a', null, 1, 'NONE'],
    ['a', null, 0, 'ILLEGAL_GENERATION'],
    ['a', null, 2, 'ILLEGAL_GENERATION'],
    ['x', null, 1, 'UNKNOWN_MEMBER_ID'],
    ['s', 'i', 1, 'NONE'],
    ['a', 'i', 1, 'FENCED_INSTANCE_ID'],
    ['s', 'j', 1, 'UNKNOWN_MEMBER_ID'],
    ['', 'i', 1, 'FENCED_INSTANCE_ID'],
  ] as const)('of %j, instance %j, generation %d: %s', ([memberId, instanceId, generation, error]) => {
    const group = groupOf(member('a'), member('s', 'i'))
    group.transition('PreparingRebalance', 0)
    group.nextGeneration(0)
    group.transition('Stable', 0)
    expect(group.checkCommit(memberId, instanceId, generation)).toBe(error)
  })

  test('of no member is taken only while there is none', () => {
    const group = new ClassicGroup('g', 0)
    expect(group.checkCommit('', null, -1)).toBe('NONE')
    expect(group.checkCommit('a', null, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('waits for the assignment of a generation that all have joined; while they still join, the old one is good', () => {
    const group = groupOf(member('a'))
    group.transition('PreparingRebalance', 0)
    expect(group.checkCommit('a', null, 0)).toBe('NONE')
    group.nextGeneration(0)
    expect(group.checkCommit('a', null, 1)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('of a group that is gone', () => {
    expect(inState('Dead').checkCommit('a', null, 0)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(inState('Dead').checkFetch()).toBe('GROUP_ID_NOT_FOUND')
  })
})

describe('what others ask', () => {
  test('offsets count as unused from when the last member went; of a group that never had one, from their commit', () => {
    const group = new ClassicGroup('g', 1000)
    expect(group.offsetsUnusedSince()).toEqual({ kind: 'since commit' })
    const one = member('a')
    group.add(one, 'consumer')
    group.transition('PreparingRebalance', 0)
    expect(group.offsetsUnusedSince()).toEqual({ kind: 'in use' })
    group.remove(one)
    group.nextGeneration(7000)
    expect(group.offsetsUnusedSince()).toEqual({ kind: 'since', timeMs: 7000 })
  })

  test('members that say something of their own may use any topic', () => {
    const group = groupOf(member('a'))
    group.transition('PreparingRebalance', 0)
    group.nextGeneration(0)
    expect(group.isSubscribedTo('t')).toBe(true)
    expect(group.checkDelete()).toBe('NON_EMPTY_GROUP')
  })

  test('the leader goes: the next is who came first', () => {
    const [a, b, c] = [member('a'), member('b'), member('c')]
    const group = groupOf(a, b, c)
    expect(group.leader).toBe('a')
    group.remove(a)
    expect(group.leader).toBe('b')
    group.remove(b)
    group.remove(c)
    expect(group.leader).toBeNull()
  })
})
