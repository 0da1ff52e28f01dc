// The everyday form of the simulation of groups; the long one: `npm run simulate:groups`.

import { expect, test } from 'vitest'
import { GroupSimulation } from './group-simulation.ts'
import { SITUATIONS } from './simulation-world.ts'

const SEEDS = 160

test(`${SEEDS} seeds: what must hold does, and what is to come about does`, async () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure, situations } = await new GroupSimulation(seed).run()
    if (failure !== undefined) throw new Error(failure)
    for (const situation of situations.keys()) seen.add(situation)
  }
  expect(SITUATIONS.filter((situation) => !seen.has(situation))).toEqual([])
})

test('a seed gives the same twice, and another one something else', async () => {
  const hashes: number[] = []
  for (const seed of [7, 7, 8]) hashes.push((await new GroupSimulation(seed).run()).hash)
  expect(hashes[1]).toBe(hashes[0])
  expect(hashes[2]).not.toBe(hashes[0])
})
