// A world of one thread and of virtual time, and a millrace in it: the code of every millrace, but for what starts threads, sleeps,
// reads clocks and draws lots.
//
// Holds: the same seed and the same calls give the same run.

import { newInlinePortPair } from './inline-port.ts'
import { InlineThreads } from './inline-threads.ts'
import { InlineTurns } from './inline-turns.ts'
import { TimeDriver } from './time-driver.ts'
import { CLOCK_OF_THE_TEST } from './test-millrace.ts'
import { VirtualTime } from './virtual-time.ts'
import type { OwnedClock } from './virtual-time.ts'
import type { MillraceWorld } from '../client/open-millrace.ts'
import { BatchCompressor } from '../engine/batch-compressor.ts'
import { seededRandom } from '../random.ts'

/** Tells the inline millraces of a process apart: those of one seed have the same token otherwise. */
let worlds = 0

export class InlineWorld {
  readonly #time: VirtualTime
  readonly driver: TimeDriver
  /** Of the test and of what it tests. */
  readonly clock: OwnedClock
  readonly threads: InlineThreads
  readonly millrace: Omit<MillraceWorld, 'onMade'>

  constructor(seed: number, startMs: number) {
    const turns = new InlineTurns()
    this.#time = new VirtualTime(turns, startMs)
    this.driver = new TimeDriver(turns, this.#time)
    this.clock = this.#time.clock(CLOCK_OF_THE_TEST)
    const random = seededRandom(seed)
    this.threads = new InlineThreads({ turns, time: this.#time, random: seededRandom(random.uint32()) })
    // There are no threads to compress on: who sends compresses.
    const compressor = new BatchCompressor()
    compressor.close()
    this.millrace = {
      clock: this.#time.clock('millrace'),
      random: seededRandom(random.uint32()),
      clientRandom: seededRandom(random.uint32()),
      spawner: this.threads,
      local: { newPortPair: () => newInlinePortPair(turns), name: ` inline ${++worlds}` },
      compressor,
    }
  }

  /** How many timers of each owner have not fired. */
  pendingTimers(): Map<string, number> {
    return this.#time.pendingByOwner()
  }
}
