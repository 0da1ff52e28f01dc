// A sink that holds what comes until it is told that it is done with.

import type { Observable } from 'rxjs'
import { newChain, subscribeUpstream } from '../../../src/rx/chain.ts'
import { holdCurrent } from '../../../src/rx/hold.ts'
import type { Hold } from '../../../src/rx/hold.ts'
import type { MillraceRecord, Windowed } from '../../../src/rxjs.ts'

export type Result = MillraceRecord<Windowed<string>, number | null>

export class HeldSink {
  readonly results: Result[] = []
  readonly errors: unknown[] = []
  isComplete = false
  readonly #held: Hold[] = []

  constructor(source: Observable<unknown>) {
    const chain = newChain()
    const next = (result: unknown): void => {
      this.results.push(result as Result)
      this.#held.push(holdCurrent(chain))
    }
    const complete = (): void => {
      this.isComplete = true
    }
    subscribeUpstream(chain, () => source.subscribe({ next, complete, error: (error: unknown) => this.errors.push(error) }))
  }

  get held(): number {
    return this.#held.length
  }

  /** Any of them. */
  settle(which = 0): void {
    if (this.#held.length > 0) this.#held.splice(which % this.#held.length, 1)[0]!.release()
  }

  /** As `key start-end: value`. */
  get shown(): string[] {
    return this.results.map((result) => `${idOf(result)}: ${result.value}`)
  }
}

export function idOf({ key: { key, window } }: Result): string {
  return `${key} ${window.startMs}-${window.endMs}`
}
