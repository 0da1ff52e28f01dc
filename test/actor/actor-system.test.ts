import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Actor, Reply, StopReason } from '../../src/actor/actor.ts'
import type { ActorFailure } from '../../src/actor/actor-host.ts'
import type { ActorRef } from '../../src/actor/actor-ref.ts'
import { ActorSystem, MESSAGES_PER_TURN } from '../../src/actor/actor-system.ts'
import type { SpawnActorOptions } from '../../src/actor/actor-system.ts'
import { StepScheduler } from '../../src/actor/turn-scheduler.ts'
import { VirtualClock } from '../../src/clock.ts'

type Message =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'throw'; readonly error: unknown }
  | { readonly kind: 'slow'; readonly until: Promise<void> }
  | { readonly kind: 'double'; readonly value: number; readonly reply: Reply<number> }
  | { readonly kind: 'later'; readonly reply: Reply<string> }
  | { readonly kind: 'throw-asked'; readonly error: unknown; readonly reply: Reply<never> }

/** Writes down all that happens to it. */
class Scribe implements Actor<Message> {
  readonly deferred: Reply<string>[] = []
  readonly #log: string[]
  readonly #number: number
  readonly #hooks: Hooks

  constructor(log: string[], number: number, hooks: Hooks) {
    this.#log = log
    this.#number = number
    this.#hooks = hooks
  }

  onStart(): void | Promise<void> {
    this.#log.push(`start ${this.#number}`)
    return this.#hooks.onStart?.(this.#number)
  }

  async #slowly(until: Promise<void>): Promise<void> {
    this.#log.push('slow begins')
    await until
    this.#log.push('slow ends')
  }

  receive(message: Message): void | Promise<void> {
    switch (message.kind) {
      case 'note':
        this.#log.push(message.text)
        return
      case 'throw':
      case 'throw-asked':
        this.#log.push('throw')
        throw message.error
      case 'slow':
        return this.#slowly(message.until)
      case 'double':
        message.reply.resolve(message.value * 2)
        return
      case 'later':
        this.deferred.push(message.reply)
    }
  }

  onStop(reason: StopReason): void | Promise<void> {
    this.#log.push(`stop ${this.#number} ${reason}`)
    return this.#hooks.onStop?.(reason)
  }
}

interface Hooks {
  readonly onStart?: (number: number) => void | Promise<void>
  readonly onStop?: (reason: StopReason) => void | Promise<void>
}

interface Rig {
  readonly scheduler: StepScheduler
  readonly clock: VirtualClock
  readonly system: ActorSystem
  readonly escalated: ActorFailure[]
  readonly failures: ActorFailure[]
  readonly log: string[]
  readonly scribes: Scribe[]
  spawn(name: string, options?: SpawnActorOptions, hooks?: Hooks): ActorRef<Message>
}

function rig(): Rig {
  const scheduler = new StepScheduler()
  const clock = new VirtualClock()
  const escalated: ActorFailure[] = []
  const failures: ActorFailure[] = []
  const log: string[] = []
  const scribes: Scribe[] = []
  const system = new ActorSystem({
    clock,
    scheduler,
    onEscalate: (failure) => escalated.push(failure),
    onFailure: (failure) => failures.push(failure),
  })
  return {
    scheduler,
    clock,
    system,
    escalated,
    failures,
    log,
    scribes,
    spawn(name, options = {}, hooks = {}) {
      return system.spawn<Message>(
        name,
        () => {
          const scribe = new Scribe(log, scribes.length + 1, hooks)
          scribes.push(scribe)
          return scribe
        },
        options,
      )
    },
  }
}

function note(text: string): Message {
  return { kind: 'note', text }
}

function gate(): { readonly until: Promise<void>; open: () => void; fail: (error: unknown) => void } {
  let open!: () => void
  let fail!: (error: unknown) => void
  const until = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { until, open, fail }
}

const bad = new Error('bad')

describe('an actor', () => {
  it('starts, receives in order and stops, each in a turn of its own', async () => {
    const { spawn, scheduler, log, system } = rig()
    const ref = spawn('scribe')
    ref.tell(note('one'))
    ref.tell(note('two'))
    expect(log).toEqual([])
    expect(ref.state).toBe('starting')
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'one', 'two'])
    expect(scheduler.pending).toBe(0)
    const stopped = ref.stop()
    await scheduler.settle()
    await stopped
    expect(log.at(-1)).toBe('stop 1 stopped')
    expect(ref.state).toBe('stopped')
    expect(system.size).toBe(0)
    expect(() => ref.tell(note('late'))).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    await expect(ref.ask<number>((reply) => ({ kind: 'double', value: 1, reply }))).rejects.toMatchObject({ code: 'CLOSED' })
    await ref.stop()
  })

  it('takes one message to completion, an asynchronous one too', async () => {
    const { spawn, scheduler, log } = rig()
    const ref = spawn('scribe')
    const first = gate()
    ref.tell({ kind: 'slow', until: first.until })
    ref.tell(note('after'))
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'slow begins'])
    expect(scheduler.pending).toBe(0)
    first.open()
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'slow begins', 'slow ends', 'after'])
  })

  it('takes system messages first', async () => {
    const { spawn, scheduler, log } = rig()
    const ref = spawn('scribe')
    ref.tell(note('ordinary'))
    ref.tellSystem(note('system 1'))
    ref.tellSystem(note('system 2'))
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'system 1', 'system 2', 'ordinary'])
  })

  it('refuses what its mailbox cannot take, and takes nothing of it', async () => {
    const { spawn, scheduler, log } = rig()
    const ref = spawn('scribe', { mailbox: { capacity: 2, systemCapacity: 1 } })
    ref.tell(note('one'))
    ref.tell(note('two'))
    expect(() => ref.tell(note('three'))).toThrow(expect.objectContaining({ code: 'MAILBOX_FULL', retriable: true }))
    await expect(ref.ask<number>((reply) => ({ kind: 'double', value: 1, reply }))).rejects.toMatchObject({ code: 'MAILBOX_FULL' })
    ref.tellSystem(note('system'))
    expect(() => ref.tellSystem(note('system 2'))).toThrow(expect.objectContaining({ code: 'MAILBOX_FULL' }))
    expect(ref.mailboxSize).toBe(3)
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'system', 'one', 'two'])
    ref.tell(note('three'))
    await scheduler.settle()
    expect(log.at(-1)).toBe('three')
  })

  it('stops ahead of the messages that wait', async () => {
    const { spawn, scheduler, log } = rig()
    const ref = spawn('scribe')
    const first = gate()
    ref.tell({ kind: 'slow', until: first.until })
    ref.tell(note('never'))
    const asked = ref.ask<number>((reply) => ({ kind: 'double', value: 1, reply }))
    await scheduler.settle()
    const stopped = ref.stop()
    first.open()
    await scheduler.settle()
    await stopped
    await expect(asked).rejects.toMatchObject({ code: 'CLOSED' })
    expect(log).toEqual(['start 1', 'slow begins', 'slow ends', 'stop 1 stopped'])
  })

  it('stopped before its first turn it is never made', async () => {
    const { spawn, scheduler, scribes } = rig()
    const ref = spawn('scribe')
    const stopped = ref.stop()
    await scheduler.settle()
    await stopped
    expect(scribes).toHaveLength(0)
  })
})

describe('ask', () => {
  it('is answered, at once or later', async () => {
    const { spawn, scheduler, scribes } = rig()
    const ref = spawn('scribe')
    const doubled = ref.ask<number>((reply) => ({ kind: 'double', value: 21, reply }))
    const later = ref.ask<string>((reply) => ({ kind: 'later', reply }))
    await scheduler.settle()
    expect(await doubled).toBe(42)
    scribes[0]!.deferred[0]!.resolve('now')
    scribes[0]!.deferred[0]!.reject(bad)
    expect(await later).toBe('now')
  })

  it('rejects with the failure it caused; what its instance had taken before, with ACTOR_FAILED', async () => {
    const { spawn, scheduler } = rig()
    const ref = spawn('scribe')
    const taken = ref.ask<string>((reply) => ({ kind: 'later', reply }))
    const cause = ref.ask<never>((reply) => ({ kind: 'throw-asked', error: bad, reply }))
    const after = ref.ask<number>((reply) => ({ kind: 'double', value: 4, reply }))
    const all = Promise.allSettled([taken, cause, after])
    await scheduler.settle()
    expect(await all).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ code: 'ACTOR_FAILED', retriable: true, cause: bad }) },
      { status: 'rejected', reason: bad },
      { status: 'fulfilled', value: 8 },
    ])
  })

  it('an aborted question rejects at once, and is not received if it was not yet', async () => {
    const { spawn, scheduler, scribes } = rig()
    const ref = spawn('scribe')
    const controller = new AbortController()
    const options = { signal: controller.signal }
    const asked = ref.ask<string>((reply) => ({ kind: 'later', reply }), options)
    controller.abort(bad)
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', cause: bad })
    await expect(ref.ask<string>((reply) => ({ kind: 'later', reply }), options)).rejects.toMatchObject({ code: 'ABORTED' })
    await scheduler.settle()
    expect(scribes[0]!.deferred).toEqual([])
  })

  it('what a taken question holds rejects with CLOSED when the actor stops', async () => {
    const { spawn, scheduler } = rig()
    const ref = spawn('scribe')
    const asked = ref.ask<string>((reply) => ({ kind: 'later', reply }))
    await scheduler.settle()
    const stopped = ref.stop()
    const settled = expect(asked).rejects.toMatchObject({ code: 'CLOSED' })
    await scheduler.settle()
    await Promise.all([stopped, settled])
  })
})

describe('supervision', () => {
  it('replaces a failed instance and keeps its mailbox', async () => {
    const { spawn, scheduler, log, failures, escalated } = rig()
    const ref = spawn('scribe')
    ref.tell(note('one'))
    ref.tell({ kind: 'throw', error: bad })
    ref.tell(note('two'))
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'one', 'throw', 'stop 1 failed', 'start 2', 'two'])
    expect(failures).toEqual([{ actor: 'scribe', error: bad, directive: 'restart' }])
    expect(escalated).toEqual([])
  })

  it('sees an asynchronous failure, and waits for an asynchronous onStop before it restarts', async () => {
    const closing = gate()
    const { spawn, scheduler, log } = rig()
    const ref = spawn('scribe', {}, { onStop: () => closing.until })
    const slow = gate()
    ref.tell({ kind: 'slow', until: slow.until })
    ref.tell(note('two'))
    await scheduler.settle()
    slow.fail(bad)
    await scheduler.settle()
    expect(log).toEqual(['start 1', 'slow begins', 'stop 1 failed'])
    expect(ref.state).toBe('failed')
    closing.open()
    await scheduler.settle()
    expect(log.slice(3)).toEqual(['start 2', 'two'])
  })

  it('escalates when the restarts of a window are used up', async () => {
    const { spawn, scheduler, clock, escalated, log } = rig()
    const ref = spawn('scribe', { supervision: { maxRestarts: 2, withinMs: 1_000 } })
    for (let i = 0; i < 2; i++) {
      ref.tell({ kind: 'throw', error: bad })
      await scheduler.settle()
    }
    clock.advance(1_001)
    for (let i = 0; i < 2; i++) {
      ref.tell({ kind: 'throw', error: bad })
      await scheduler.settle()
    }
    expect(escalated).toEqual([])
    ref.tell({ kind: 'throw', error: bad })
    const asked = ref.ask<number>((reply) => ({ kind: 'double', value: 1, reply }))
    const settled = expect(asked).rejects.toMatchObject({ code: 'CLOSED' })
    await scheduler.settle()
    await settled
    expect(escalated).toEqual([{ actor: 'scribe', error: bad, directive: 'escalate' }])
    expect(ref.state).toBe('stopped')
    expect(log.at(-1)).toBe('stop 5 failed')
  })

  it('counts a failing start like any other failure', async () => {
    const { spawn, scheduler, log, escalated } = rig()
    const onStart = (): void => {
      throw bad
    }
    const ref = spawn('scribe', { supervision: { maxRestarts: 2 } }, { onStart })
    await scheduler.settle()
    await ref.stopped
    expect(log.filter((line) => line.startsWith('start'))).toHaveLength(3)
    expect(escalated).toHaveLength(1)
  })

  it('a factory that throws is a failure too', async () => {
    const { system, scheduler, escalated } = rig()
    const ref = system.spawn<Message>(
      'broken',
      () => {
        throw bad
      },
      { supervision: { maxRestarts: 0 } },
    )
    await scheduler.settle()
    await ref.stopped
    expect(escalated).toEqual([{ actor: 'broken', error: bad, directive: 'escalate' }])
  })

  it('may stop an actor alone', async () => {
    const { spawn, scheduler, escalated } = rig()
    const ref = spawn('scribe', { supervision: { decide: () => 'stop' } })
    ref.tell({ kind: 'throw', error: undefined })
    await scheduler.settle()
    await ref.stopped
    expect(escalated).toEqual([])
  })

  it('reports a throw of onStop and goes on', async () => {
    const { spawn, scheduler, failures } = rig()
    const worse = new Error('worse')
    const ref = spawn(
      'scribe',
      {},
      {
        onStop: () => {
          throw worse
        },
      },
    )
    ref.tell({ kind: 'throw', error: bad })
    await scheduler.settle()
    expect(ref.state).toBe('running')
    const stopped = ref.stop()
    await scheduler.settle()
    await stopped
    expect(failures.map(({ error, directive }) => [error, directive])).toEqual([
      [bad, 'restart'],
      [worse, 'ignored'],
      [worse, 'ignored'],
    ])
  })
})

describe('the system', () => {
  it('gives every actor its turn, and the event loop its own', async () => {
    const { spawn, scheduler, log } = rig()
    const busy = spawn('busy', { mailbox: { capacity: 10_000 } })
    const other = spawn('other')
    for (let i = 0; i < 1_000; i++) busy.tell(note('busy'))
    other.tell(note('other'))
    scheduler.step()
    expect(log.length).toBe(MESSAGES_PER_TURN)
    expect(log.indexOf('other')).toBeLessThan(5)
    await scheduler.settle()
    expect(log.length).toBe(1_003)
  })

  it('refuses two actors of one name, and frees it when the first has stopped', async () => {
    const { spawn, scheduler } = rig()
    const first = spawn('scribe')
    expect(() => spawn('scribe')).toThrow(expect.objectContaining({ code: 'DUPLICATE_RESOURCE' }))
    const stopped = first.stop()
    await scheduler.settle()
    await stopped
    spawn('scribe')
  })

  it('close stops all, the last one first, and lets none start', async () => {
    const { spawn, scheduler, system, log } = rig()
    spawn('a')
    spawn('b')
    await scheduler.settle()
    const closed = system.close()
    expect(system.close()).toBe(closed)
    await scheduler.settle()
    await closed
    expect(log.slice(2)).toEqual(['stop 2 stopped', 'stop 1 stopped'])
    expect(() => spawn('c')).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })

  it('close leaves behind what hangs', async () => {
    const { spawn, scheduler, system, clock, log, failures } = rig()
    const hung = spawn('hung')
    const quick = spawn('quick')
    const tooLate = gate()
    hung.tell({ kind: 'slow', until: tooLate.until })
    const asked = hung.ask<number>((reply) => ({ kind: 'double', value: 1, reply }))
    const settled = expect(asked).rejects.toMatchObject({ code: 'CLOSED' })
    await scheduler.settle()
    const closed = system.close({ timeoutMs: 100 })
    await scheduler.settle()
    expect(quick.state).toBe('stopped')
    clock.advance(100)
    await scheduler.settle()
    await closed
    await settled
    expect(hung.state).toBe('stopped')
    expect(log).not.toContain('slow ends')
    expect(clock.pending).toBe(0)
    // What was left behind fails at last: nobody listens.
    tooLate.fail(bad)
    await scheduler.settle()
    expect(failures).toEqual([])
    expect(hung.state).toBe('stopped')
  })

  it('whatever actors do, every ask settles, messages never overlap, and order is kept', async () => {
    const action = fc.record({
      actor: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('ask', 'throw', 'slow', 'defer', 'stop', 'turn'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const scheduler = new StepScheduler()
        const system = new ActorSystem({ clock: new VirtualClock(), scheduler, onEscalate: () => {} })
        const seen: number[][] = [[], [], []]
        const running = [0, 0, 0]
        let overlaps = 0
        const refs = seen.map((received, at) =>
          system.spawn<{ what: string; number: number; reply: Reply<number> }>(`actor ${at}`, () => ({
            async receive({ what, number, reply }) {
              if (++running[at]! > 1) overlaps++
              received.push(number)
              try {
                if (what === 'slow') await Promise.resolve().then(() => {})
                if (what === 'throw') throw bad
                if (what !== 'defer') reply.resolve(number)
              } finally {
                running[at]!--
              }
            },
          })),
        )
        const asks: Promise<unknown>[] = []
        let number = 0
        for (const { actor, what } of actions) {
          const ref = refs[actor]!
          if (what === 'turn') scheduler.step()
          else if (what === 'stop') asks.push(ref.stop())
          else asks.push(ref.ask<number>((reply) => ({ what, number: number++, reply })).catch((error: unknown) => error))
        }
        await scheduler.settle()
        const closed = system.close()
        await scheduler.settle()
        await closed
        await Promise.all(asks)
        expect(overlaps).toBe(0)
        for (const received of seen) expect(received).toEqual([...received].sort((a, b) => a - b))
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
