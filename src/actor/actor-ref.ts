// How others speak to an actor of their own thread. Holds: a ref stays usable for
// ever; once the actor has stopped, it says CLOSED. Across threads the same is done
// by a control channel, whose api calls the refs of its thread.

import type { Reply } from './actor.ts'
import type { ActorCell, ActorState } from './actor-cell.ts'

export interface AskOptions {
  /** Rejects with ABORTED; a message that was not taken yet is then dropped. */
  readonly signal?: AbortSignal
}

export class ActorRef<Message> {
  readonly #cell: ActorCell<Message>

  constructor(cell: ActorCell<Message>) {
    this.#cell = cell
  }

  get name(): string {
    return this.#cell.name
  }

  get state(): ActorState {
    return this.#cell.state
  }

  /** Messages that wait. */
  get mailboxSize(): number {
    return this.#cell.mailboxSize
  }

  /** Resolves when the actor has stopped, for whatever reason. */
  get stopped(): Promise<void> {
    return this.#cell.stopped
  }

  /** Puts a message into the mailbox. Throws MAILBOX_FULL (retriable) or CLOSED; then nothing was taken. */
  tell(message: Message): void {
    this.#cell.tell(message, false)
  }

  /** The same, before all ordinary messages. */
  tellSystem(message: Message): void {
    this.#cell.tell(message, true)
  }

  /**
   * Sends a message that carries a reply, and waits for it. Rejects with what the actor
   * rejects or throws, ACTOR_FAILED (retriable) when its instance fails before it answers,
   * MAILBOX_FULL, CLOSED, ABORTED.
   */
  ask<Answer>(message: (reply: Reply<Answer>) => Message, options: AskOptions = {}): Promise<Answer> {
    return this.#cell.ask<Answer>(message, options.signal)
  }

  /** The message that runs now is the last one. */
  stop(): Promise<void> {
    return this.#cell.stop()
  }
}
