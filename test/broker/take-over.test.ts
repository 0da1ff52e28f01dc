// Who takes over the metadata log, in every order in which brokers can die, be started again, and
// hear of each other.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { RESTART_DELAY_MS } from '../../src/broker/broker-restarts.ts'
import { seededRandom } from '../../src/random.ts'
import { PARTITIONS, closeStaged, openStaged, until } from './staged-millrace.ts'
import type { StagedMillrace } from './staged-millrace.ts'

/** Of each number of brokers, by seeds from 0 on. */
const ORDERS = 10
const DEATHS_A_BROKER = 5
/** Nothing here waits for time but the retries of a millisecond. */
const HANG_MS = 10_000

/** Ends, reports of ends and beginnings in an order of chance, until all live again; throws what is not as it must be. */
async function shuffle(world: StagedMillrace, brokers: number, seed: number): Promise<void> {
  const { clock, spawner, restarted, controller, leaders, areLed } = world
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T | undefined => (list.length === 0 ? undefined : list[random.below(list.length)])
  spawner.isFree = false
  for (let deaths = 0; deaths < DEATHS_A_BROKER * brokers; ) {
    switch (random.below(5)) {
      case 0: {
        const broker = pick(spawner.all.filter(({ hasEnded }) => !hasEnded))
        if (broker === undefined) break
        await broker.end()
        deaths++
        break
      }
      case 1:
        pick(spawner.all.filter(({ hasEnded, isTold }) => hasEnded && !isTold))?.tellEnd()
        break
      case 2:
        pick(spawner.all.filter(({ hasBegun, hasEnded }) => !hasBegun && !hasEnded))?.begin()
        break
      case 3:
        clock.advance(random.below(RESTART_DELAY_MS))
        break
      default:
        for (let turns = random.below(20); turns > 0; turns--) await nextTurn()
    }
  }
  for (const broker of [...spawner.all]) if (broker.hasEnded) broker.tellEnd()
  clock.advance(RESTART_DELAY_MS)
  spawner.isFree = true
  for (const broker of [...spawner.all]) broker.begin()
  const now = (): string =>
    `seed ${seed}: controller ${controller()}, leaders ${leaders().join()}, registered ${restarted.join(' ')}, failures ${spawner.failures.join()}`
  const living = spawner.all.filter(({ hasEnded }) => !hasEnded)
  const isWell = (): boolean =>
    living.every(({ init }) => init.incarnation === 1 || restarted.includes(`${init.brokerId}.${init.incarnation}`)) && areLed()
  const untilMs = performance.now() + HANG_MS
  while (!isWell()) {
    if (performance.now() > untilMs) throw new Error(`hangs, ${now()}`)
    await nextTurn()
  }
  if (spawner.failures.length > 0) throw new Error(now())
}

afterEach(closeStaged)

test('all die; the one that led the metadata log runs again before another has heard of it', async () => {
  const { spawner, restarted, controller, leaders } = await openStaged(4)
  for (const id of [0, 1, 2]) await spawner.get(id, 1).end()
  await until(() => controller() === 3)
  await spawner.get(3, 1).end()
  spawner.isFree = false
  for (const id of [0, 1, 2, 3]) spawner.get(id, 1).tellEnd()
  spawner.get(3, 2).begin()
  await until(() => restarted.includes('3.2'))
  for (const id of [0, 1, 2]) spawner.get(id, 2).begin()
  await until(() => restarted.length === 4)
  expect(controller()).toBe(3)
  expect(leaders()).toEqual(Array.from({ length: PARTITIONS }, () => 3))
  expect(spawner.failures).toEqual([])
})

test.each([2, 3, 5])('%i brokers die and are started again in any order', async (brokers) => {
  for (let seed = 0; seed < ORDERS; seed++) {
    await shuffle(await openStaged(brokers), brokers, seed)
    await closeStaged()
  }
})
