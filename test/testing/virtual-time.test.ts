import { expect, test } from 'vitest'
import { StepScheduler } from '../../src/actor/turn-scheduler.ts'
import { InlineTurns } from '../../src/testing/inline-turns.ts'
import { TimeDriver } from '../../src/testing/time-driver.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

test('timers fire in order of time, then of setting, one a move', () => {
  const turns = new StepScheduler()
  const time = new VirtualTime(turns, 1_000)
  const clock = time.clock('a')
  const fired: string[] = []
  for (const [name, delayMs] of [
    ['late', 20],
    ['first', 10],
    ['second', 10],
  ] as const) {
    clock.setTimer(delayMs, () => fired.push(`${name}@${clock.nowMs()}`))
  }
  expect(time.nextDueMs).toBe(1_010)
  while (time.moveTo(1_015)) turns.step()
  expect(fired).toEqual(['first@1010', 'second@1010'])
  expect(time.nowMs).toBe(1_015)
  expect(clock.monotonicMs()).toBe(15)
  expect([...time.pendingByOwner()]).toEqual([['a', 1]])
})

test('a timer that is cancelled does not fire, even when it is due', () => {
  const turns = new StepScheduler()
  const time = new VirtualTime(turns, 0)
  const clock = time.clock('a')
  let fired = 0
  const due = clock.setTimer(5, () => fired++)
  const atOnce = clock.setTimer(0, () => fired++)
  expect(time.moveTo(5)).toBe(true)
  due.cancel()
  atOnce.cancel()
  turns.step()
  expect(fired).toBe(0)
})

test('what is due at once needs no time, and comes in a later turn', () => {
  const turns = new StepScheduler()
  const time = new VirtualTime(turns, 0)
  let fired = 0
  time.clock('a').setTimer(0, () => fired++)
  expect(fired).toBe(0)
  turns.step()
  expect(fired).toBe(1)
  expect(time.nowMs).toBe(0)
})

test('the clocks of two owners are taken back each for itself', () => {
  const turns = new StepScheduler()
  const time = new VirtualTime(turns, 0)
  const [a, b] = [time.clock('a'), time.clock('b')]
  a.setTimer(1, () => undefined)
  a.setTimer(2, () => undefined)
  b.setTimer(3, () => undefined)
  a.cancelAll()
  expect([...time.pendingByOwner()]).toEqual([['b', 1]])
})

test('what follows from one timer is settled before the next', async () => {
  const turns = new InlineTurns()
  const time = new VirtualTime(turns, 0)
  const driver = new TimeDriver(turns, time)
  const clock = time.clock('a')
  const seen: string[] = []
  const follow = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => turns.schedule(resolve))
      await Promise.resolve()
    }
    seen.push(`followed@${clock.nowMs()}`)
    clock.setTimer(1, () => seen.push(`nested@${clock.nowMs()}`))
  }
  clock.setTimer(10, () => void follow())
  clock.setTimer(12, () => seen.push(`second@${clock.nowMs()}`))
  await driver.pass(20)
  expect(seen).toEqual(['followed@10', 'nested@11', 'second@12'])
  expect(time.nowMs).toBe(20)
})

test('several who let time pass share it', async () => {
  const turns = new InlineTurns()
  const time = new VirtualTime(turns, 0)
  const driver = new TimeDriver(turns, time)
  const clock = time.clock('a')
  const seen: string[] = []
  const note = (name: string) => () => seen.push(`${name}@${clock.nowMs()}`)
  clock.setTimer(15, note('timer'))
  await Promise.all([
    driver.pass(30).then(note('far')),
    driver.pass(10).then(note('near')),
    driver.pass(50, () => seen.includes('timer@15')).then(note('goal')),
  ])
  expect(seen).toEqual(['near@10', 'timer@15', 'goal@15', 'far@30'])
})

test('what never comes to rest is told so', async () => {
  const turns = new InlineTurns(100)
  let isOver = false
  const again = (): void => {
    if (!isOver) turns.schedule(again)
  }
  again()
  await expect(turns.settle()).rejects.toMatchObject({
    code: 'REQUEST_TIMED_OUT',
    message: expect.stringContaining('does not come to rest'),
  })
  isOver = true
})
