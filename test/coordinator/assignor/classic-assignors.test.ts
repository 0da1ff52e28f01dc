import { describe, expect, test } from 'vitest'
import { CLASSIC_ASSIGNORS } from '../../../src/coordinator/assignor/classic-assignors.ts'
import type { ClassicAssignment, ClassicSubscription } from '../../../src/coordinator/assignor/classic-assignor.ts'
import { readReference } from '../../protocol/schema-facts.ts'
import { faultsOf, improvementsOf, listed, member } from './assignor-world.ts'

interface GoldenCase {
  readonly partitions: Readonly<Record<string, number>>
  readonly subscriptions: Readonly<Record<string, readonly string[]>>
  readonly result: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

const golden = (readReference('golden/assignments.jsonl.gz') ?? '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as GoldenCase)

function run(name: string, { partitions, subscriptions }: GoldenCase): ClassicAssignment {
  const members = Object.entries(subscriptions).map(([id, topics]) => member(id, topics))
  return CLASSIC_ASSIGNORS.get(name)!.assign(new Map(Object.entries(partitions)), members)
}

function plain(assignment: ClassicAssignment): Record<string, string[]> {
  return Object.fromEntries([...assignment].map(([id, topics]) => [id, listed(topics).sort()]))
}

/** Kafka gives out topics that nobody is subscribed to where a test tells it of them; its own callers never do. */
function wanted({ subscriptions, result }: GoldenCase, name: string): Record<string, string[]> {
  const topics = new Set(Object.values(subscriptions).flat())
  const entries = Object.entries(result[name]!).map(([id, list]) => [id, list.filter((one) => topics.has(one.split(':')[0]!)).sort()])
  return Object.fromEntries(entries) as Record<string, string[]>
}

describe("Kafka's assignments", () => {
  test.for(['range', 'roundrobin'])('%s: equal', (name) => {
    for (const each of golden) expect(plain(run(name, each)), JSON.stringify(each.subscriptions)).toEqual(wanted(each, name))
    expect(golden.length).toBe(60)
  })

  test.for(['sticky', 'cooperative-sticky'])('%s: equal where all are subscribed alike, never less even elsewhere', (name) => {
    let equal = 0
    for (const each of golden) {
      const assignment = run(name, each)
      const members = Object.entries(each.subscriptions).map(([id, topics]) => member(id, topics))
      const world = { counts: new Map(Object.entries(each.partitions)), members }
      expect(faultsOf(world, assignment)).toEqual([])
      expect(improvementsOf(world, assignment)).toEqual([])
      const theirs = wanted(each, name)
      const squares = (lists: Record<string, string[]>): number => Object.values(lists).reduce((sum, { length }) => sum + length ** 2, 0)
      expect(squares(plain(assignment))).toBeLessThanOrEqual(squares(theirs))
      const topics = new Set(Object.values(each.subscriptions).flat())
      const alike = Object.values(each.subscriptions).every((list) => [...topics].every((topic) => list.includes(topic)))
      const hadUnwanted = Object.keys(each.partitions).some((topic) => !topics.has(topic))
      if (!alike || hadUnwanted) continue
      expect(plain(assignment), JSON.stringify(each.subscriptions)).toEqual(theirs)
      equal++
    }
    expect(equal).toBeGreaterThan(10)
  })
})

describe('static members', () => {
  const one: ClassicSubscription = member('z', ['t'], { groupInstanceId: 'a' })
  const two: ClassicSubscription = member('y', ['t'], { groupInstanceId: 'b' })
  const dynamic: ClassicSubscription = member('x', ['t'])

  test.for(['range', 'roundrobin'])('%s: go by their instance ids, before all others', (name) => {
    const assignment = CLASSIC_ASSIGNORS.get(name)!.assign(new Map([['t', 4]]), [dynamic, two, one])
    expect(assignment.get('z')!.get('t')).toEqual(name === 'range' ? [0, 1] : [0, 3])
    expect(assignment.get('y')!.get('t')).toEqual([name === 'range' ? 2 : 1])
    expect(assignment.get('x')!.get('t')).toEqual([name === 'range' ? 3 : 2])
  })
})

test('each goes by its name, and only one keeps partitions through a rebalance', () => {
  for (const [name, assignor] of CLASSIC_ASSIGNORS) expect(assignor.name).toBe(name)
  expect([...CLASSIC_ASSIGNORS.values()].map(({ rebalanceProtocol }) => rebalanceProtocol)).toEqual([
    'eager',
    'eager',
    'eager',
    'cooperative',
  ])
})
