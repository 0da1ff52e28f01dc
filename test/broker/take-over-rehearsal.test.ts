import { afterEach, expect, test } from 'vitest'
import { TakeOverRehearsal } from '../../src/broker/take-over-rehearsal.ts'
import { VirtualClock } from '../../src/clock.ts'
import { killPoints } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'

afterEach(() => {
  killPoints.hook = undefined
})

test('the broker that is left leads all partitions, with all that they held, and has appended', async () => {
  const rehearsal = new TakeOverRehearsal({ clock: new VirtualClock(), random: seededRandom(1) })
  for (const step of rehearsal.steps) await step()
  expect(rehearsal.describe().map(({ leader }) => leader)).toEqual([1, 1, 1, 1])
  expect(rehearsal.describe().map(({ endOffset }) => endOffset)).toEqual([9, 9, 9, 9])
})

test('it passes no kill point', async () => {
  const hook = (point: string): never => {
    throw new Error(`passed ${point}`)
  }
  killPoints.hook = hook
  const rehearsal = new TakeOverRehearsal({ clock: new VirtualClock(), random: seededRandom(1) })
  for (const step of rehearsal.steps) await step()
  expect(killPoints.hook).toBe(hook)
})

test('no turn of the event loop comes within a step', async () => {
  const rehearsal = new TakeOverRehearsal({ clock: new VirtualClock(), random: seededRandom(1) })
  for (const step of rehearsal.steps) {
    let turns = 0
    const immediate = setImmediate(() => turns++)
    await step()
    expect(turns).toBe(0)
    clearImmediate(immediate)
  }
})
