// The actors of one thread and the loop that gives each its turn.
//
// Runs on the thread that made it. Holds: actors never run inside `tell`, `ask` or
// `spawn`, always in a turn of their own; of the actors with work each gets one step
// in turn, at most `MESSAGES_PER_TURN` steps, then the event loop runs; with no work
// nothing is scheduled.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { Actor } from './actor.ts'
import { ActorCell } from './actor-cell.ts'
import type { ActorFailure, ActorHost, RunnableCell } from './actor-host.ts'
import { ActorRef } from './actor-ref.ts'
import type { MailboxOptions } from './mailbox.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisionPolicy } from './supervisor.ts'
import type { TurnScheduler } from './turn-scheduler.ts'

export const MESSAGES_PER_TURN = 64
export const ACTORS_CLOSE_TIMEOUT_MS = 5_000

export interface ActorSystemOptions {
  readonly clock: Clock
  readonly scheduler: TurnScheduler
  /** An actor could not be kept alive. The owner of the thread ends the thread. Must not throw. */
  readonly onEscalate: (failure: ActorFailure) => void
  /** Every failure, whatever became of it: for logs and counters. Must not throw. */
  readonly onFailure?: (failure: ActorFailure) => void
}

export interface SpawnActorOptions {
  readonly mailbox?: MailboxOptions
  readonly supervision?: SupervisionPolicy
}

export class ActorSystem {
  readonly #options: ActorSystemOptions
  readonly #host: ActorHost
  // In order of their start; a name is free again when its actor has stopped.
  readonly #cells = new Map<string, RunnableCell>()
  readonly #ready = new Set<RunnableCell>()
  #scheduled = false
  #closing: Promise<void> | undefined

  constructor(options: ActorSystemOptions) {
    this.#options = options
    this.#host = {
      ready: (cell) => this.#makeReady(cell),
      stopped: (cell) => {
        this.#ready.delete(cell)
        this.#cells.delete(cell.name)
      },
      failed: (failure) => options.onFailure?.(failure),
      escalate: (failure) => options.onEscalate(failure),
    }
  }

  /** Actors that have not stopped. */
  get size(): number {
    return this.#cells.size
  }

  /** Starts an actor. The factory is called again for each restart; `self` is the same ref each time. */
  spawn<Message>(name: string, factory: (self: ActorRef<Message>) => Actor<Message>, options: SpawnActorOptions = {}): ActorRef<Message> {
    if (this.#closing !== undefined) throw new MillraceError('CLOSED', `actor ${name} cannot start: its thread is closing`)
    if (this.#cells.has(name)) throw new MillraceError('DUPLICATE_RESOURCE', `an actor named ${name} runs already on this thread`)
    const supervisor = new Supervisor(this.#options.clock, options.supervision)
    const cell: ActorCell<Message> = new ActorCell<Message>(name, this.#host, supervisor, () => factory(ref), options.mailbox ?? {})
    const ref = new ActorRef<Message>(cell)
    this.#cells.set(name, cell)
    this.#makeReady(cell)
    return ref
  }

  /** Stops all actors, the last one started first; after `timeoutMs` those that hang are left behind. Always ends. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? ACTORS_CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    // Abandoning a cell resolves its `stopped`, so the loop below runs on without waiting.
    const abandonAll = (): void => {
      for (const cell of [...this.#cells.values()]) cell.abandon()
    }
    const timer = this.#options.clock.setTimer(timeoutMs, abandonAll, { ref: true })
    try {
      for (const cell of [...this.#cells.values()].reverse()) await cell.stop()
    } finally {
      timer.cancel()
    }
  }

  #makeReady(cell: RunnableCell): void {
    this.#ready.add(cell)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.scheduler.schedule(this.#turn)
  }

  readonly #turn = (): void => {
    let steps = 0
    // A set keeps the order in which cells came in; one that is ready again goes to its end.
    for (const cell of this.#ready) {
      if (steps++ === MESSAGES_PER_TURN) break
      this.#ready.delete(cell)
      cell.step()
      if (cell.hasWork) this.#ready.add(cell)
    }
    this.#scheduled = this.#ready.size > 0
    if (this.#scheduled) this.#options.scheduler.schedule(this.#turn)
  }
}
