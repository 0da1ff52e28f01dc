// The producer ids that this thread may hand out: a block of them at a time, which the
// controller gives to nobody else (Kafka: RPCProducerIdManager, KIP-730).
// Runs on the attached thread. Holds: no id is handed out twice; at most one block is asked
// for at a time, and asked for again, after a while, until there is one.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { ProducerIdsBlock } from '../metadata/controller-commands.ts'

export interface ProducerIdsOptions {
  readonly allocate: () => Promise<ProducerIdsBlock>
  readonly clock: Clock
  /** There are ids now: whoever was refused asks again. */
  readonly onAllocated: () => void
}

/** The controller was asked and could not: its log found no room in log memory, or nobody answered. */
const ASK_AGAIN_MS = 100

export class ProducerIds {
  readonly #options: ProducerIdsOptions
  #next = 0
  #left = 0
  #isAsking = false

  constructor(options: ProducerIdsOptions) {
    this.#options = options
  }

  /** The next id; undefined when there is none yet. */
  take(): number | undefined {
    if (this.#left === 0) {
      void this.#ask()
      return undefined
    }
    this.#left--
    return this.#next++
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      const { firstProducerId, count } = await this.#options.allocate()
      this.#next = firstProducerId
      this.#left = count
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      // Closed: nobody asks any more. Otherwise those who wait ask again when they are woken.
      if (!error.retriable) return
      await new Promise<void>((resolve) => this.#options.clock.setTimer(ASK_AGAIN_MS, resolve))
    } finally {
      this.#isAsking = false
    }
    this.#options.onAllocated()
  }
}
