// Worker: one of the user's own threads, attached by handle, that offers at the pace of its
// reader until millrace is closed under it, by itself or by the thread that opened it.

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes, MillraceError } from '../../src/index.ts'
import type { MillraceHandle, Topic } from '../../src/index.ts'
import { PacedProducer, PacedReader } from '../harness/pacing.ts'
import { patternValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { offerOf } from '../road/offering.ts'

export interface LoadThreadData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
  readonly pacing: SharedArrayBuffer
  readonly windowRecords: number
}

export interface Loaded {
  /** How many records `offer` took. */
  readonly taken: number
  readonly closeMs: number
  /** What ended the offering. */
  readonly code: string
}

const BURST_RECORDS = 300

const { handle, topic: name, valueBytes, pacing, windowRecords } = workerData as LoadThreadData
const millrace = await attachMillrace(handle)
const topic = await millrace.topic(name, { value: bytes() })
const producer = millrace.producer()
const offer = offerOf('plain', producer, topic as Topic<string | null, unknown>, patternValue(valueBytes), 1)
const paced = new PacedProducer(pacing, 0, 1, windowRecords)
let taken = 0

/** Ends with the error that says that millrace is closed. */
async function load(): Promise<string> {
  try {
    for (;;) {
      const burst = taken + BURST_RECORDS
      while (taken < burst) {
        taken = offer(taken, burst)
        if (taken < burst) await producer.drained()
      }
      paced.report(taken)
      if (paced.mayOffer()) await new Promise((resolve) => setImmediate(resolve))
      else await paced.room()
    }
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
}

let loading: Promise<string> | undefined

serve({
  ready: () => true,
  start: (): void => {
    loading = load()
    loading.catch(() => {})
  },
  /** Closes what was attached here; what was taken before is acknowledged, or the failure is told. */
  close: async (): Promise<Loaded> => {
    const startMs = performance.now()
    await millrace.close()
    const closeMs = performance.now() - startMs
    // Nobody may read any more, and the loop must not wait for it.
    new PacedReader(pacing).report(taken)
    return { taken, closeMs, code: await loading! }
  },
})
