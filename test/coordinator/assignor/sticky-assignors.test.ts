// What the sticky assignors promise, over cases that chance makes. A failure names its
// seed: put it in place of the loop's.

import { expect, test } from 'vitest'
import { COOPERATIVE_STICKY_ASSIGNOR } from '../../../src/coordinator/assignor/cooperative-sticky-assignor.ts'
import { STICKY_ASSIGNOR } from '../../../src/coordinator/assignor/sticky-assignor.ts'
import { seededRandom } from '../../../src/random.ts'
import { faultsOf, holdersOf, improvementsOf, listed, member, nextRound, ownersOf, randomWorld } from './assignor-world.ts'

const SEEDS = 2500
const ROUNDS = 4

test('sticky: as even as can be, and as little moves as can be', () => {
  let cases = 0
  let kept = 0
  let uneven = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed)
    const world = randomWorld(random)
    for (let generation = 1; generation <= ROUNDS; generation++) {
      const assignment = STICKY_ASSIGNOR.assign(world.counts, world.members)
      const problems = [...faultsOf(world, assignment), ...improvementsOf(world, assignment)]
      if (problems.length > 0) expect.fail(`seed ${seed}, generation ${generation}: ${problems.join('; ')}`)
      const owners = ownersOf(world.members)
      for (const [partition, holder] of holdersOf(assignment)) if (owners.get(partition) === holder) kept++
      const loads = [...assignment.values()].map((topics) => listed(topics).length)
      if (Math.max(...loads) - Math.min(...loads) > 1) uneven++
      cases++
      nextRound(world, assignment, generation, random)
    }
  }
  expect(cases).toBe(10_000)
  // The cases are such that both promises are put to the test.
  expect(kept).toBeGreaterThan(cases)
  expect(uneven).toBeGreaterThan(cases / 10)
}, 60_000)

test('cooperative-sticky: nothing is handed over in the generation in which it is given up, and two generations are enough', () => {
  let heldBack = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed)
    const world = randomWorld(random)
    for (let round = 0; round < ROUNDS; round++) {
      const where = `seed ${seed}, round ${round}`
      const first = COOPERATIVE_STICKY_ASSIGNOR.assign(world.counts, world.members)
      const owners = ownersOf(world.members)
      for (const [partition, holder] of holdersOf(first)) {
        const others = world.members.filter(({ memberId, owned }) => memberId !== holder && listed(owned).includes(partition))
        if (others.length > 0 && owners.get(partition) !== holder) expect.fail(`${where}: ${partition} is another's`)
      }
      // All take what they are given and join once more.
      const generation = 2 * round + 1
      const members = world.members.map((one) => ({ ...one, owned: first.get(one.memberId)!, generation }))
      const second = COOPERATIVE_STICKY_ASSIGNOR.assign(world.counts, members)
      heldBack += holdersOf(second).size - holdersOf(first).size
      const problems = [...faultsOf(world, second), ...improvementsOf({ ...world, members }, second)]
      if (problems.length > 0) expect.fail(`${where}: ${problems.join('; ')}`)
      for (const { memberId } of members) {
        const given = listed(second.get(memberId)!)
        const lost = listed(first.get(memberId)!).filter((partition) => !given.includes(partition))
        if (lost.length > 0) expect.fail(`${where}: ${memberId} does not keep ${lost.join(', ')}`)
      }
      nextRound(world, second, generation + 1, random)
    }
  }
  expect(heldBack).toBeGreaterThan(SEEDS)
}, 60_000)

test('of two that claim a partition from different generations, the newer has it', () => {
  const members = [
    member('old', ['t'], { owned: new Map([['t', [0, 1]]]), generation: 4 }),
    member('new', ['t'], { owned: new Map([['t', [1]]]), generation: 5 }),
  ]
  for (const assignor of [STICKY_ASSIGNOR, COOPERATIVE_STICKY_ASSIGNOR]) {
    const assignment = assignor.assign(new Map([['t', 2]]), members)
    expect(listed(assignment.get('old')!)).toEqual(['t:0'])
    expect(listed(assignment.get('new')!)).toEqual(['t:1'])
  }
})

test('of two that claim a partition from one generation, neither goes on with it', () => {
  const owned = new Map([['t', [0]]])
  const members = [member('a', ['t'], { owned, generation: 4 }), member('b', ['t'], { owned, generation: 4 })]
  const assignment = COOPERATIVE_STICKY_ASSIGNOR.assign(new Map([['t', 1]]), members)
  expect(holdersOf(assignment).size).toBe(0)
})

test('a hundred members and a thousand partitions of different subscriptions are shared out evenly', () => {
  const random = seededRandom(7)
  const counts = new Map(Array.from({ length: 50 }, (_, topic) => [`t${topic}`, 20] as const))
  const topics = [...counts.keys()]
  const members = Array.from({ length: 100 }, (_, id) =>
    member(
      `m${id}`,
      topics.filter(() => random.below(2) === 0),
    ),
  )
  const world = { counts, members }
  const assignment = STICKY_ASSIGNOR.assign(counts, members)
  expect(faultsOf(world, assignment)).toEqual([])
  expect(new Set([...assignment.values()].map((own) => listed(own).length))).toEqual(new Set([10]))
})
