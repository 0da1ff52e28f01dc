// The broker dies at a kill point of the log, wherever that is, and another adopts. Here
// death is a throw out of the kill point: all that the broker knew on its own is then
// forgotten, and only shared memory is left, which is what the end of a thread means.
// log-kill.test.ts does the same with threads.

import { afterEach, expect, test } from 'vitest'
import { KILL_POINTS, killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import type { TestBroker } from './log-fixture.ts'
import { LogWorld } from './log-world.ts'

const SEED = 0xdead
const DEATHS = 400
const LOG_POINTS = KILL_POINTS.filter((point) => point.startsWith('log.'))

const ADOPTION_POINTS: readonly KillPoint[] = ['log.adopt.cut', 'log.block.claimed', 'log.trim.marked', 'log.extent.returned']

class Death extends Error {}

afterEach(() => {
  killPoints.hook = undefined
})

/** Death comes when `point` has been passed `passings` times. */
function dieAt(wanted: KillPoint, passings: number, bites: Map<KillPoint, number>): void {
  let left = passings
  killPoints.hook = (point) => {
    if (point !== wanted || left-- > 0) return
    bites.set(point, (bites.get(point) ?? 0) + 1)
    killPoints.hook = undefined
    throw new Death(point)
  }
}

/** Runs `body`; the broker that ran when death came, undefined when it did not. */
function untilDeath(world: LogWorld, body: () => void): TestBroker | undefined {
  try {
    body()
    return undefined
  } catch (error) {
    if (!(error instanceof Death)) throw error
    return world.acting
  }
}

test(`${DEATHS} deaths at kill points of the log: all that was published is there, offsets go on, nothing leaks`, () => {
  const random = seededRandom(SEED)
  const bites = new Map<KillPoint, number>()
  let deaths = 0
  let whileAdopting = 0
  for (let run = 0; deaths < DEATHS; run++) {
    killPoints.hook = undefined
    const world = new LogWorld(random)
    for (let life = 0; life < 12; life++) {
      // Each point in its turn, however rarely it is passed: the frequent ones at their nth time.
      const wanted = LOG_POINTS[(run * 12 + life) % LOG_POINTS.length]!
      dieAt(wanted, wanted.startsWith('log.append') ? random.below(60) : random.below(3), bites)
      let dead = untilDeath(world, () => {
        for (let i = 0; i < 400; i++) {
          world.act()
          if (i % 4 === 0) world.turn()
        }
        // Points of adoption come only if somebody is dead.
        world.acting = world.fixture.brokers[random.below(3)]
        throw new Death('at no point')
      })
      while (dead !== undefined) {
        deaths++
        const died = dead
        died.logs.clear()
        if (random.below(2) === 0) dieAt(ADOPTION_POINTS[random.below(ADOPTION_POINTS.length)]!, random.below(2), bites)
        dead = untilDeath(world, () => world.adopt(died))
        if (dead !== undefined) whileAdopting++
      }
      killPoints.hook = undefined
      // What rests is waited for, so that the next life has memory to work with.
      for (let i = 0; i < 4; i++) world.turn()
      world.expectWhole()
    }
    world.expectNothingLeaks()
  }
  expect([...LOG_POINTS].filter((point) => (bites.get(point) ?? 0) < 3)).toEqual([])
  expect(whileAdopting).toBeGreaterThan(15)
})
