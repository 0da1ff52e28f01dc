// Entry of millrace's worker threads, brokers, the I/O thread and, in bundled programs, those that
// compact: everything a broker needs of the real world is put in its hands here. Runs once a thread.

import { availableParallelism } from 'node:os'
import { threadId, workerData } from 'node:worker_threads'
import { Bells } from '../bells.ts'
import { systemClock } from '../clock.ts'
import { engineRandom } from '../random.ts'
import { forgoNativeCode } from '../record/native-crc32c.ts'
import { BrokerActor } from './broker-actor.ts'
import type { BrokerInit } from './broker-control.ts'
import type { IoInit } from './io-init.ts'
import type { CleanerInit } from './cleaner-threads.ts'
import { TakeOverRehearsal } from './take-over-rehearsal.ts'

/** Threads come and go slowly: counting them once in so long is enough to decide about spinning. */
const COUNT_THREADS_EVERY_MS = 100
/** Whoever opened millrace has the cores for his first records, or those who took over from this broker for theirs. */
const REHEARSE_AFTER_MS = 100

const cores = availableParallelism()
let countedMs = Number.NEGATIVE_INFINITY
let spins = false

function maySpin(bells: Bells): boolean {
  const nowMs = systemClock.monotonicMs()
  if (nowMs - countedMs >= COUNT_THREADS_EVERY_MS) {
    countedMs = nowMs
    // The main thread counts too, although it may not have attached.
    spins = cores > bells.liveCount + 1
  }
  return spins
}

function startBroker(init: BrokerInit): void {
  forgoNativeCode()
  const bells = new Bells(init.memory.bells)
  const broker = new BrokerActor(init, {
    clock: systemClock,
    random: engineRandom,
    workerThread: threadId,
    maySpin: () => maySpin(bells),
    onFatal,
  })
  // A broker that is alone takes over from nobody. A rehearsal that fails costs nothing but the time that it would have saved.
  if (init.incarnations.length <= 1) return
  broker.ready().then(
    () => systemClock.setTimer(REHEARSE_AFTER_MS, () => void rehearse().catch(() => undefined)),
    () => undefined,
  )
}

async function rehearse(): Promise<void> {
  for (const step of new TakeOverRehearsal({ clock: systemClock, random: engineRandom }).steps) {
    await step()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Thrown where nobody catches it: the thread ends, and its neighbours see its ports close. */
function onFatal(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}

const init = workerData as BrokerInit | IoInit | CleanerInit
// Only who writes files loads what it needs of disks.
if ('io' in init) (await import('./io-worker.ts')).startIoThread(init, onFatal)
else if ('cleanJob' in init) (await import('./clean-job-thread.ts')).answerCleanJob(init)
else startBroker(init)
