// A thread with members: it dies, and everybody is told; it stalls, and what was to happen on
// it happens when it goes on. Its fence counter goes up when a member of it was put out.

import type { EventQueue } from './event-queue.ts'
import { localHost } from '../../../src/coordinator/client-host.ts'

export class SimulatedThread {
  readonly host: string
  readonly isLocal: boolean
  fenceCount = 0
  isAlive = true
  /** The broker has heard of its end. */
  isGone = false
  readonly #queue: EventQueue
  readonly #waiting: (() => void)[] = []
  #stalledUntilMs = 0

  /** `number`: of its bell; undefined: a process behind a socket. */
  constructor(queue: EventQueue, name: string, bell: { readonly thread: number; readonly incarnation: number } | undefined) {
    this.#queue = queue
    this.isLocal = bell !== undefined
    this.host = bell === undefined ? `/${name}` : localHost({ ...bell, process: 7 })
  }

  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#queue.monotonicMs() + ms)
    this.#queue.at(this.#stalledUntilMs, () => this.#goOn())
  }

  wake(): void {
    this.#stalledUntilMs = 0
    this.#goOn()
  }

  get isStalled(): boolean {
    return this.#stalledUntilMs > this.#queue.monotonicMs()
  }

  /** At once, or when it goes on, behind what came before; not at all once it is dead. */
  run(work: () => void): void {
    if (!this.isAlive) return
    if (this.isStalled || this.#waiting.length > 0) this.#waiting.push(work)
    else work()
  }

  after(ms: number, work: () => void): { cancel(): void } {
    let isCancelled = false
    // It may be due while the thread stalls, and be cancelled before that goes on.
    this.#queue.setTimer(ms, () => this.run(() => !isCancelled && work()))
    return { cancel: () => (isCancelled = true) }
  }

  #goOn(): void {
    while (this.isAlive && !this.isStalled && this.#waiting.length > 0) {
      this.#waiting[0]!()
      this.#waiting.shift()
    }
  }
}
