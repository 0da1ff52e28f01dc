// Processes that a test makes up: who they are, and which of them run.

import type { ProcessIdentity } from '../../src/storage/data-directory-lock.ts'

export class Processes {
  readonly #running = new Set<string>()
  #nextPid = 100

  /** Starts one; another that is given the same pid has another start. */
  start(options: { pid?: number; startedAt?: string; bootId?: string; host?: string; holder?: string } = {}): ProcessIdentity {
    const { pid = this.#nextPid++, startedAt = 'start', bootId = 'boot-1', host = 'host-1', holder } = options
    this.#running.add(`${pid} ${startedAt}`)
    return {
      pid,
      startedAt,
      bootId,
      host,
      ...(holder === undefined ? {} : { holder }),
      isRunning: (other, start) => this.#running.has(`${other} ${start}`),
    }
  }

  end({ pid, startedAt }: ProcessIdentity): void {
    this.#running.delete(`${pid} ${startedAt}`)
  }
}
