import { describe, expect, it } from 'vitest'
import { Supervisor } from '../../src/actor/supervisor.ts'
import { VirtualClock } from '../../src/clock.ts'

const bad = new Error('bad')

describe('a supervisor', () => {
  it('restarts up to the limit within the window, then escalates', () => {
    const clock = new VirtualClock()
    const supervisor = new Supervisor(clock, { maxRestarts: 2, withinMs: 1_000 })
    expect(supervisor.onFailure(bad)).toBe('restart')
    clock.advance(400)
    expect(supervisor.onFailure(bad)).toBe('restart')
    clock.advance(600)
    expect(supervisor.onFailure(bad)).toBe('escalate')
  })

  it('forgets restarts that lie further back than the window', () => {
    const clock = new VirtualClock()
    const supervisor = new Supervisor(clock, { maxRestarts: 2, withinMs: 1_000 })
    for (let i = 0; i < 20; i++) {
      expect(supervisor.onFailure(bad)).toBe('restart')
      clock.advance(501)
    }
    expect(supervisor.onFailure(bad)).toBe('restart')
    expect(supervisor.onFailure(bad)).toBe('escalate')
  })

  it('escalates the first failure when no restart is allowed', () => {
    expect(new Supervisor(new VirtualClock(), { maxRestarts: 0 }).onFailure(bad)).toBe('escalate')
  })

  it('asks the policy what a failure means, and counts only restarts', () => {
    const supervisor = new Supervisor(new VirtualClock(), {
      decide: (error) => (error === bad ? 'stop' : error === 'worse' ? 'escalate' : 'restart'),
      maxRestarts: 1,
    })
    expect(supervisor.onFailure(bad)).toBe('stop')
    expect(supervisor.onFailure('worse')).toBe('escalate')
    expect(supervisor.onFailure('mild')).toBe('restart')
    expect(supervisor.onFailure('mild')).toBe('escalate')
  })
})
