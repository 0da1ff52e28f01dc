// What a cell asks of the system that runs it, and what it tells it. Runs on the
// thread of the actors; declared here, so that cell and system need not know each
// other's class.

import type { Directive } from './supervisor.ts'

/** A failure of an actor. `ignored`: its onStop threw, and it was ending anyway. */
export interface ActorFailure {
  readonly actor: string
  readonly error: unknown
  readonly directive: Directive | 'ignored'
}

/** As the host sees a cell. */
export interface RunnableCell {
  readonly name: string
  readonly hasWork: boolean
  step(): void
  abandon(): void
  stop(): Promise<void>
}

export interface ActorHost {
  /** The cell has work: give it a step in some later turn. */
  ready(cell: RunnableCell): void
  /** The cell has stopped and will never have work again. */
  stopped(cell: RunnableCell): void
  failed(failure: ActorFailure): void
  /** An actor ended by escalation. Its thread should end too. */
  escalate(failure: ActorFailure): void
}
