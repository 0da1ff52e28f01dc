// Worker: one of the user's own threads, attached by handle, that offers records to one topic
// at the pace of its reader. The same code for every case that measures throughput.

import { workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceHandle, ProducerOptions } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedProducer } from '../harness/pacing.ts'
import { patternValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { offerOf, serdeOf } from './offering.ts'
import type { Offering } from './offering.ts'

export interface RoadProducerData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
  readonly options: ProducerOptions
  readonly pacing: SharedArrayBuffer
  /** This producer among those that share the pacing. */
  readonly producer: number
  readonly producers: number
  readonly windowRecords: number
  /** The distance is looked at once in so many records. */
  readonly burstRecords: number
  readonly offering: Offering
  readonly partitions: number
}

export interface Offered {
  readonly startSeconds: number
  readonly endSeconds: number
  /** How often the pace, and how often the producer's own memory, made it wait. */
  readonly paceWaits: number
  readonly drainWaits: number
}

const data = workerData as RoadProducerData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: serdeOf(data.offering) })
const producer = millrace.producer(data.options)
const value = patternValue(data.valueBytes)
const offerUpTo = offerOf(data.offering, producer, topic, value, data.partitions)

/** Offers records `first` up to `first + records` of the pattern. */
async function run({ first, records }: { first: number; records: number }): Promise<Offered> {
  const paced = new PacedProducer(data.pacing, data.producer, data.producers, data.windowRecords)
  const startSeconds = monotonicSeconds()
  const end = first + records
  let drainWaits = 0
  let i = first
  while (i < end) {
    const burst = Math.min(end, i + data.burstRecords)
    for (;;) {
      i = offerUpTo(i, burst)
      if (i === burst) break
      drainWaits++
      await producer.drained()
    }
    paced.report(i - first)
    if (!paced.mayOffer()) await paced.room()
  }
  await producer.flush()
  return { startSeconds, endSeconds: monotonicSeconds(), paceWaits: paced.waits, drainWaits }
}

serve({
  ready: () => true,
  run,
  close: () => millrace.close(),
})
