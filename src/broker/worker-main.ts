// Entry of a broker's worker thread: everything a broker needs of the real world is
// put in its hands here. Runs once a broker thread.

import { availableParallelism } from 'node:os'
import { threadId, workerData } from 'node:worker_threads'
import { Bells } from '../bells.ts'
import { systemClock } from '../clock.ts'
import { engineRandom } from '../random.ts'
import { BrokerActor } from './broker-actor.ts'
import type { BrokerInit } from './broker-control.ts'

/** Threads come and go slowly: counting them once in so long is enough to decide about spinning. */
const COUNT_THREADS_EVERY_MS = 100

const init = workerData as BrokerInit
const bells = new Bells(init.memory.bells)
const cores = availableParallelism()
let countedMs = Number.NEGATIVE_INFINITY
let spins = false

function maySpin(): boolean {
  const nowMs = systemClock.monotonicMs()
  if (nowMs - countedMs >= COUNT_THREADS_EVERY_MS) {
    countedMs = nowMs
    // The main thread counts too, although it may not have attached.
    spins = cores > bells.liveCount + 1
  }
  return spins
}

new BrokerActor(init, {
  clock: systemClock,
  random: engineRandom,
  workerThread: threadId,
  maySpin,
  // Thrown where nobody catches it: the thread ends, and its neighbours see its ports close.
  onFatal: (error) => {
    setImmediate(() => {
      throw error
    })
  },
})
