// The worker threads that this process has started and that have not ended yet.
// Node.js announces each new worker on `process`.

import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'

export class LiveWorkers {
  readonly #live = new Set<Worker>()
  readonly #added = (worker: Worker): void => {
    this.#live.add(worker)
    worker.once('exit', () => this.#live.delete(worker))
  }

  watch(): void {
    process.on('worker', this.#added)
  }

  unwatch(): void {
    process.off('worker', this.#added)
  }

  get count(): number {
    return this.#live.size
  }

  /** Waits until all have ended, at most `graceMs`; gives how many still live, and ends those. */
  async settle(graceMs: number): Promise<number> {
    await setImmediate() // a worker is announced on the tick after it was made
    const deadline = AbortSignal.timeout(graceMs)
    for (const worker of [...this.#live]) {
      if (!this.#live.has(worker)) continue
      await once(worker, 'exit', { signal: deadline }).catch(() => undefined)
    }
    const leaked = [...this.#live]
    await Promise.all(leaked.map((worker) => worker.terminate()))
    return leaked.length
  }
}
