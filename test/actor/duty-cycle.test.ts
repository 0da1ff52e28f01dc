import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { DutyCycle, SPIN_MAX_MS } from '../../src/actor/duty-cycle.ts'
import type { IdleStrategy } from '../../src/actor/duty-cycle.ts'
import { immediateScheduler, ThreadParker } from '../../src/actor/thread-parker.ts'
import type { Parker, Sleeper } from '../../src/actor/thread-parker.ts'
import { StepScheduler } from '../../src/actor/turn-scheduler.ts'
import { entryBeside, workerThreadSpawner } from '../../src/actor/worker-thread.ts'
import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { systemClock, VirtualClock } from '../../src/clock.ts'

/** A bell without threads: `ring` wakes in the next step of the scheduler, as the platform would. */
class StepParker implements Parker {
  parked = false
  arms = 0
  onArm: (() => void) | undefined
  readonly #scheduler: StepScheduler
  #callback: (() => void) | undefined

  constructor(scheduler: StepScheduler) {
    this.#scheduler = scheduler
  }

  onRing(callback: () => void): Sleeper {
    this.#callback = callback
    return {
      arm: () => {
        this.parked = true
        this.arms++
        this.onArm?.()
      },
      disarm: () => {
        this.parked = false
      },
      close: () => {
        this.parked = false
        this.#callback = undefined
      },
    }
  }

  ring(): boolean {
    if (!this.parked) return false
    this.parked = false
    this.#scheduler.schedule(() => this.#callback?.())
    return true
  }
}

/** A clock that moves on by a microsecond at each look, as a real one does. */
class TickingClock extends VirtualClock {
  looks = 0

  override monotonicMs(): number {
    this.looks++
    this.advance(0.001)
    return super.monotonicMs()
  }
}

interface Rig {
  readonly cycle: DutyCycle
  readonly scheduler: StepScheduler
  readonly parker: StepParker
  readonly clock: TickingClock
  work: number
  maySpin: boolean
  hasWorkCalls: number
  readonly errors: unknown[]
}

function rig(idleStrategy: IdleStrategy, turn?: (rig: Rig) => number): Rig {
  const scheduler = new StepScheduler()
  const parker = new StepParker(scheduler)
  const clock = new TickingClock()
  const errors: unknown[] = []
  const made: Rig = {
    scheduler,
    parker,
    clock,
    errors,
    work: 0,
    maySpin: false,
    hasWorkCalls: 0,
    cycle: new DutyCycle({
      parker,
      scheduler,
      clock,
      idleStrategy,
      turn: () => {
        if (turn !== undefined) return turn(made)
        if (made.work === 0) return 0
        made.work--
        return 1
      },
      hasWork: () => {
        made.hasWorkCalls++
        return made.work > 0
      },
      maySpin: () => made.maySpin,
      onError: (error) => errors.push(error),
    }),
  }
  return made
}

describe('a duty cycle that parks', () => {
  it('works a turn at a time, then arms, looks once more and parks', () => {
    const { cycle, scheduler, parker, ...rest } = rig('park')
    const counters = rest
    counters.work = 0
    cycle.start()
    cycle.start()
    expect(scheduler.pending).toBe(1)
    expect(cycle.turns).toBe(0)
    scheduler.step()
    expect(cycle.turns).toBe(1)
    expect(cycle.parked).toBe(true)
    expect(parker.arms).toBe(1)
    expect(scheduler.pending).toBe(0)
  })

  it('yields between turns while there is work', () => {
    const one = rig('park')
    one.work = 3
    one.cycle.start()
    expect([one.scheduler.step(), one.cycle.turns]).toEqual([1, 1])
    expect([one.scheduler.step(), one.cycle.turns]).toEqual([1, 2])
    expect(one.cycle.parked).toBe(false)
    one.scheduler.step()
    one.scheduler.step()
    expect(one.cycle.turns).toBe(4)
    expect(one.cycle.parked).toBe(true)
  })

  it('finds the work that was published between its turn and the bell', () => {
    const one = rig('park')
    let early = 1
    one.parker.onArm = () => {
      // The bell is set now, but this waker looked at it before.
      one.work += early
      early = 0
    }
    one.cycle.start()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(false)
    expect(one.parker.parked).toBe(false)
    expect(one.scheduler.pending).toBe(1)
    one.scheduler.step()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(true)
    expect(one.cycle.parks).toBe(1)
  })

  it('is rung awake, and by wake() as well', () => {
    const one = rig('park')
    one.cycle.start()
    one.scheduler.step()
    one.work = 1
    expect(one.parker.ring()).toBe(true)
    one.scheduler.step()
    expect(one.scheduler.pending).toBe(1)
    one.scheduler.step()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(true)
    one.cycle.wake()
    one.cycle.wake()
    expect(one.parker.parked).toBe(false)
    expect(one.scheduler.step()).toBe(1)
    expect(one.cycle.turns).toBe(4)
    expect(one.cycle.parked).toBe(true)
  })

  it('runs another turn after a wake() from inside one', () => {
    let woken = false
    const one = rig('park', (self) => {
      if (!woken) self.cycle.wake()
      woken = true
      return 0
    })
    one.cycle.start()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(false)
    one.scheduler.step()
    expect(one.cycle.parked).toBe(true)
    expect(one.cycle.turns).toBe(2)
  })

  it('spins at most 20 µs before it parks, and only where it may', () => {
    const one = rig('park')
    one.cycle.start()
    one.scheduler.step()
    expect(one.clock.looks).toBe(0)
    expect(one.hasWorkCalls).toBe(1)
    one.maySpin = true
    one.cycle.wake()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(true)
    expect(one.hasWorkCalls).toBeGreaterThan(10)
    // Each look moves this clock on by 1 µs.
    expect(one.clock.looks).toBeLessThanOrEqual(SPIN_MAX_MS * 1_000 + 2)
  })

  it('does not spin for ever under a clock that stands still', () => {
    const one = rig('park')
    const cycle = new DutyCycle({
      parker: one.parker,
      scheduler: one.scheduler,
      clock: new VirtualClock(),
      idleStrategy: 'park',
      turn: () => 0,
      hasWork: () => false,
      maySpin: () => true,
      onError: () => {},
    })
    cycle.start()
    one.scheduler.step()
    expect(cycle.parked).toBe(true)
  })

  it('takes the work it finds while spinning without touching the bell', () => {
    const scheduler = new StepScheduler()
    const parker = new StepParker(scheduler)
    let looks = 0
    const cycle = new DutyCycle({
      parker,
      scheduler,
      clock: new TickingClock(),
      idleStrategy: 'park',
      turn: () => 0,
      hasWork: () => ++looks === 5,
      maySpin: () => true,
      onError: () => {},
    })
    cycle.start()
    scheduler.step()
    expect(scheduler.pending).toBe(1)
    expect(parker.arms).toBe(0)
  })
})

describe('a duty cycle that spins', () => {
  it('never parks while it may spin, and yields each turn', () => {
    const one = rig('spin')
    one.maySpin = true
    one.cycle.start()
    for (let turn = 1; turn <= 100; turn++) {
      expect(one.scheduler.step()).toBe(1)
      expect(one.cycle.turns).toBe(turn)
    }
    expect(one.parker.arms).toBe(0)
  })

  it('parks when the cores are needed elsewhere', () => {
    const one = rig('spin')
    one.maySpin = true
    one.cycle.start()
    one.scheduler.step()
    one.maySpin = false
    one.scheduler.step()
    expect(one.cycle.parked).toBe(true)
    one.maySpin = true
    one.parker.ring()
    one.scheduler.step()
    one.scheduler.step()
    expect(one.cycle.parked).toBe(false)
  })
})

describe('the end of a duty cycle', () => {
  it('a throw of the turn ends it and is told once', () => {
    const bad = new Error('bad')
    const one = rig('park', () => {
      throw bad
    })
    one.cycle.start()
    one.scheduler.step()
    expect(one.errors).toEqual([bad])
    expect(one.cycle.stopped).toBe(true)
    one.cycle.wake()
    expect(one.scheduler.pending).toBe(0)
  })

  it('a throw of hasWork does too, with the bell left awake', () => {
    const scheduler = new StepScheduler()
    const parker = new StepParker(scheduler)
    const errors: unknown[] = []
    const cycle = new DutyCycle({
      parker,
      scheduler,
      clock: new VirtualClock(),
      idleStrategy: 'park',
      turn: () => 0,
      hasWork: () => {
        throw new Error('torn lane')
      },
      maySpin: () => false,
      onError: (error) => errors.push(error),
    })
    cycle.start()
    scheduler.step()
    expect(errors).toHaveLength(1)
    expect(parker.parked).toBe(false)
  })

  it('stop() from outside, from inside a turn, and while parked', () => {
    const waiting = rig('park')
    waiting.work = 5
    waiting.cycle.start()
    waiting.cycle.stop()
    waiting.scheduler.step()
    expect(waiting.cycle.turns).toBe(0)

    const inside = rig('park', (self) => {
      self.cycle.stop()
      return 1
    })
    inside.cycle.start()
    inside.scheduler.step()
    expect(inside.scheduler.pending).toBe(0)
    expect(inside.cycle.stopped).toBe(true)

    const parked = rig('park')
    parked.cycle.start()
    parked.scheduler.step()
    parked.cycle.stop()
    parked.cycle.stop()
    expect(parked.parker.parked).toBe(false)
    parked.cycle.wake()
    expect(parked.scheduler.pending).toBe(0)
  })
})

describe('no wake-up is lost', () => {
  // Work comes and bells ring at any point: before a turn, after it, between the store of the bell and
  // the look after it. Whatever the order, all work is done once nothing is scheduled any more.
  it('for any order of publishing, ringing and turns', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('publish', 'ring', 'step', 'arm-publish', 'arm-publish-ring', 'wake'), { maxLength: 60 }),
        fc.boolean(),
        (events, maySpin) => {
          const one = rig('park')
          one.maySpin = maySpin
          let published = 0
          let done = 0
          let duringArm: string | undefined
          const publish = (): void => {
            one.work++
            published++
          }
          one.parker.onArm = () => {
            const event = duringArm
            duringArm = undefined
            if (event !== undefined) publish()
            if (event === 'arm-publish-ring') one.parker.ring()
          }
          one.cycle.start()
          for (const event of events) {
            if (event === 'publish') {
              // A waker publishes, and then always looks at the bell.
              publish()
              one.parker.ring()
            } else if (event === 'ring') one.parker.ring()
            else if (event === 'step') one.scheduler.step()
            else if (event === 'wake') one.cycle.wake()
            else duringArm = event
          }
          for (let i = 0; i < 500 && one.scheduler.pending > 0; i++) one.scheduler.step()
          done = published - one.work
          expect(done).toBe(published)
          expect(one.cycle.parked).toBe(true)
        },
      ),
      { seed: 20_261_123, numRuns: 2_000 },
    )
  })
})

describe('on a real event loop', () => {
  const cycles: DutyCycle[] = []
  afterEach(() => {
    for (const cycle of cycles.splice(0)) cycle.stop()
  })

  it('sleeps and wakes with a thread that rings it, without losing a ring; parked it runs no turn', async () => {
    const rounds = 1_000
    const bells = new Bells(Bells.allocate())
    const here = bells.claim(THREAD_KIND_BROKER).id
    const there = bells.claim(THREAD_KIND_CLIENT).id
    const turn = new Int32Array(new SharedArrayBuffer(4))
    const parker = new ThreadParker(bells, here)
    const thread = workerThreadSpawner.spawn({
      name: 'ping-pong',
      entry: entryBeside('./ping-pong-worker', import.meta.url),
      workerData: { bells: bells.buffer, turn, id: there, other: here, rounds },
      ref: true,
    })
    let round = 0
    Atomics.store(turn, 0, 1)
    const hasWork = (): boolean => Atomics.load(turn, 0) === 2 * round + 2
    const failure = await new Promise<unknown>((resolve) => {
      const cycle = new DutyCycle({
        parker,
        scheduler: immediateScheduler,
        clock: systemClock,
        idleStrategy: 'park',
        maySpin: () => false,
        hasWork: () => round < rounds && hasWork(),
        turn: () => {
          if (!hasWork()) return 0
          round++
          if (round === rounds) resolve(undefined)
          else {
            Atomics.store(turn, 0, 2 * round + 1)
            bells.ring(there)
          }
          return 1
        },
        onError: resolve,
      })
      cycles.push(cycle)
      cycle.start()
    })
    expect(failure).toBe(undefined)
    await thread.exited
    const [cycle] = cycles
    expect(cycle!.parks).toBeGreaterThan(0)
    while (!cycle!.parked) await nextTurn()
    const { turns } = cycle!
    for (let i = 0; i < 500; i++) await nextTurn()
    expect(cycle!.turns).toBe(turns)
    parker.close()
  })

  it('timers and messages run while it never idles', async () => {
    const bells = new Bells(Bells.allocate())
    const parker = new ThreadParker(bells, bells.claim(THREAD_KIND_BROKER).id)
    const { port1, port2 } = new MessageChannel()
    const seen: string[] = []
    const bothSeen = new Promise<void>((resolve) => {
      const see = (what: string): void => {
        seen.push(what)
        if (seen.length === 2) resolve()
      }
      port2.onmessage = () => see('message')
      const cycle: DutyCycle = new DutyCycle({
        parker,
        scheduler: immediateScheduler,
        clock: systemClock,
        idleStrategy: 'park',
        maySpin: () => false,
        hasWork: () => true,
        turn: () => {
          if (cycle.turns === 10) {
            port1.postMessage('over')
            systemClock.setTimer(1, () => see('timer'))
          }
          return 1
        },
        onError: () => {},
      })
      cycles.push(cycle)
      cycle.start()
    })
    await bothSeen
    expect(seen.sort()).toEqual(['message', 'timer'])
    expect(cycles[0]!.parks).toBe(0)
    port1.close()
    parker.close()
  })
})
