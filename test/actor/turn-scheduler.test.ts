import { describe, expect, it } from 'vitest'
import { StepScheduler } from '../../src/actor/turn-scheduler.ts'

describe('a step scheduler', () => {
  it('runs in one step what was scheduled before it, in order', () => {
    const scheduler = new StepScheduler()
    const ran: string[] = []
    scheduler.schedule(() => {
      ran.push('one')
      scheduler.schedule(() => ran.push('three'))
    })
    scheduler.schedule(() => ran.push('two'))
    expect(ran).toEqual([])
    expect(scheduler.step()).toBe(2)
    expect(ran).toEqual(['one', 'two'])
    expect(scheduler.pending).toBe(1)
    expect(scheduler.step()).toBe(1)
    expect(scheduler.step()).toBe(0)
    expect(ran).toEqual(['one', 'two', 'three'])
  })

  it('settles what promises schedule in between, up to a limit', async () => {
    const scheduler = new StepScheduler()
    let turns = 0
    const again = (): void => {
      turns++
      if (turns < 5) void Promise.resolve().then(() => scheduler.schedule(again))
    }
    scheduler.schedule(again)
    expect(await scheduler.settle()).toBe(5)
    expect(turns).toBe(5)
    const forever = (): void => scheduler.schedule(forever)
    forever()
    expect(await scheduler.settle(10)).toBe(10)
  })
})
