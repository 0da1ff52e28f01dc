import { expect, test } from 'vitest'
import { ConsumerGroupWorld } from './consumer-group-world.ts'

const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 150)
const FIRST = Number(process.env['MILLRACE_SEED'] ?? 1)
const EVENTS = 120

test(`no two members hold one partition, and all get their share, seeds ${FIRST} to ${FIRST + SEEDS - 1}`, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const world = new ConsumerGroupWorld(seed)
    try {
      for (let i = 0; i < EVENTS; i++) world.step()
      world.fixture.restart()
      world.converge()
      world.fixture.restart()
    } catch (error) {
      throw new Error(`seed ${seed}, event ${world.events}: ${(error as Error).message}`, { cause: error })
    }
    expect(world.events).toBe(EVENTS)
  }
})
