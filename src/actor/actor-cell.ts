// The life of one actor: its states, its mailbox, one message at a time, and what
// follows a failure. The actor system runs it; nobody else holds one.
//
//              onStart ok             stop asked            onStop done
//   starting ─────────────▶ running ─────────────▶ stopping ───────────▶ stopped
//      ▲  │                    │ threw                │ (a throw of onStop is    ▲
//      │  └───── threw ────────┤                      │  reported, no more)      │
//      │                       ▼                                                │
//      └────── restart ──── failed ───────── stop, escalate ────────────────────┘
//
// Holds: hooks and messages never overlap: while a promise of one is pending the cell
// is busy and takes nothing; every ask settles: with its answer, with the failure of
// the instance that had it, or with CLOSED.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import type { Actor } from './actor.ts'
import type { ActorFailure, ActorHost } from './actor-host.ts'
import { Mailbox } from './mailbox.ts'
import type { MailboxOptions } from './mailbox.ts'
import { PendingAsk } from './pending-ask.ts'
import type { Settleable } from './pending-ask.ts'
import type { Directive, Supervisor } from './supervisor.ts'

export type ActorState = 'starting' | 'running' | 'failed' | 'stopping' | 'stopped'

const TRANSITIONS: Readonly<Record<ActorState, readonly ActorState[]>> = {
  starting: ['running', 'failed', 'stopped'],
  running: ['failed', 'stopping'],
  failed: ['starting', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
}

interface Envelope<Message> {
  readonly message: Message
  readonly ask: Settleable | undefined
}

/** A throw, kept apart from `undefined`, which can be thrown too. */
interface Thrown {
  readonly error: unknown
}

export class ActorCell<Message> {
  readonly name: string
  /** Resolves when the actor has stopped, whatever the reason; never rejects. */
  readonly stopped: Promise<void>
  readonly #host: ActorHost
  readonly #supervisor: Supervisor
  readonly #create: () => Actor<Message>
  readonly #mailbox: Mailbox<Envelope<Message>>
  // Asks whose message an instance has taken and not answered yet.
  readonly #taken = new Set<Settleable>()
  #markStopped!: () => void
  #state: ActorState = 'starting'
  #instance: Actor<Message> | undefined
  #busy = false
  #stopAsked = false
  // Raised when the cell is abandoned: what a pending promise brings later is ignored.
  #incarnation = 0

  constructor(name: string, host: ActorHost, supervisor: Supervisor, create: () => Actor<Message>, mailbox: MailboxOptions) {
    this.name = name
    this.#host = host
    this.#supervisor = supervisor
    this.#create = create
    this.#mailbox = new Mailbox(mailbox)
    this.stopped = new Promise((resolve) => {
      this.#markStopped = resolve
    })
  }

  get state(): ActorState {
    return this.#state
  }

  get mailboxSize(): number {
    return this.#mailbox.size
  }

  /** Whether a step would do something now. */
  get hasWork(): boolean {
    if (this.#busy) return false
    if (this.#state === 'starting') return true
    return this.#state === 'running' && (this.#stopAsked || this.#mailbox.size > 0)
  }

  tell(message: Message, system: boolean): void {
    this.#post({ message, ask: undefined }, system)
  }

  ask<Answer>(message: (reply: PendingAsk<Answer>) => Message, signal: AbortSignal | undefined): Promise<Answer> {
    if (signal?.aborted === true) {
      return Promise.reject(new MillraceError('ABORTED', `the question to actor ${this.name} was aborted`, { cause: signal.reason }))
    }
    const ask: PendingAsk<Answer> = new PendingAsk<Answer>(this.name, signal, () => this.#taken.delete(ask))
    try {
      this.#post({ message: message(ask), ask }, false)
    } catch (error) {
      ask.reject(error)
    }
    return ask.promise
  }

  /** Goes before every message that waits; those are dropped, their asks reject with CLOSED. */
  stop(): Promise<void> {
    if (!this.#stopAsked && this.#state !== 'stopped') {
      this.#stopAsked = true
      this.#host.ready(this)
    }
    return this.stopped
  }

  /** Stops without waiting for a promise that may never settle. */
  abandon(): void {
    if (this.#state === 'stopped') return
    this.#incarnation++
    this.#busy = false
    if (this.#state === 'running') this.#transition('stopping')
    this.#finish()
  }

  /** Starts the instance, handles one message, or stops it: one thing, then returns. */
  step(): void {
    if (!this.hasWork) return
    if (this.#state === 'starting') {
      if (this.#stopAsked) this.#finish()
      else this.#begin()
    } else if (this.#stopAsked) {
      this.#end()
    } else {
      this.#receive()
    }
  }

  #post(envelope: Envelope<Message>, system: boolean): void {
    if (this.#stopAsked || this.#state === 'stopped') throw new MillraceError('CLOSED', `actor ${this.name} has stopped`)
    const taken = system ? this.#mailbox.offerSystem(envelope) : this.#mailbox.offer(envelope)
    if (!taken) {
      throw new MillraceError(
        'MAILBOX_FULL',
        `actor ${this.name} has ${this.#mailbox.size} messages waiting: try again when it has caught up`,
      )
    }
    this.#host.ready(this)
  }

  #begin(): void {
    const start = (): void | Promise<void> => {
      this.#instance = this.#create()
      return this.#instance.onStart?.()
    }
    this.#attempt(start, (thrown) => {
      if (thrown === undefined) this.#transition('running')
      else this.#fail(thrown.error)
    })
  }

  #receive(): void {
    const envelope = this.#mailbox.take()
    if (envelope === undefined) return
    const { message, ask } = envelope
    // Aborted while it waited: nobody wants the answer, and nothing was begun.
    if (ask?.settled === true) return
    if (ask !== undefined) this.#taken.add(ask)
    const instance = this.#instance
    assert(instance !== undefined, `actor ${this.name} runs without an instance`)
    this.#attempt(
      () => instance.receive(message),
      (thrown) => {
        if (thrown === undefined) return
        ask?.reject(thrown.error)
        this.#fail(thrown.error)
      },
    )
  }

  #end(): void {
    this.#transition('stopping')
    this.#attempt(
      () => this.#instance?.onStop?.('stopped'),
      (thrown) => {
        if (thrown !== undefined) this.#report(thrown.error, 'ignored')
        this.#finish()
      },
    )
  }

  #fail(error: unknown): void {
    this.#transition('failed')
    const directive = this.#supervisor.onFailure(error)
    this.#report(error, directive)
    this.#rejectTaken(new MillraceError('ACTOR_FAILED', `actor ${this.name} failed before it answered`, { cause: error }))
    this.#attempt(
      () => this.#instance?.onStop?.('failed'),
      (thrown) => {
        if (thrown !== undefined) this.#report(thrown.error, 'ignored')
        this.#instance = undefined
        if (directive === 'restart' && !this.#stopAsked) {
          this.#transition('starting')
          return
        }
        this.#finish()
        if (directive === 'escalate') this.#host.escalate({ actor: this.name, error, directive })
      },
    )
  }

  /** Runs a hook or a message, and `then` once with what it threw; never throws itself. */
  #attempt(work: () => void | Promise<void>, then: (thrown: Thrown | undefined) => void): void {
    let result: void | Promise<void>
    // Busy while it runs, so that a stop or a message from inside waits like any other.
    this.#busy = true
    const incarnation = this.#incarnation
    const settled = (thrown: Thrown | undefined): void => {
      if (incarnation !== this.#incarnation) return
      this.#busy = false
      then(thrown)
      if (this.hasWork) this.#host.ready(this)
    }
    try {
      result = work()
    } catch (error) {
      settled({ error })
      return
    }
    if (isThenable(result))
      result.then(
        () => settled(undefined),
        (error: unknown) => settled({ error }),
      )
    else settled(undefined)
  }

  #finish(): void {
    this.#transition('stopped')
    this.#instance = undefined
    const closed = new MillraceError('CLOSED', `actor ${this.name} has stopped`)
    for (let envelope = this.#mailbox.take(); envelope !== undefined; envelope = this.#mailbox.take()) envelope.ask?.reject(closed)
    this.#rejectTaken(closed)
    this.#host.stopped(this)
    this.#markStopped()
  }

  #rejectTaken(error: MillraceError): void {
    for (const ask of [...this.#taken]) ask.reject(error)
  }

  #report(error: unknown, directive: Directive | 'ignored'): void {
    const failure: ActorFailure = { actor: this.name, error, directive }
    this.#host.failed(failure)
  }

  #transition(to: ActorState): void {
    assert(TRANSITIONS[this.#state].includes(to), `actor ${this.name} cannot go from ${this.#state} to ${to}`)
    this.#state = to
  }
}

function isThenable(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && 'then' in value
}
