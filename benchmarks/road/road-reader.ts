// Worker: one of the user's own threads, attached by handle, that reads one topic and adds the
// first and last byte of every value. One loop for the life of the thread: a run is a number
// of records in it. The reader says once a batch how far it is.

import { workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { ConsumerOptions, MillraceHandle } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedReader } from '../harness/pacing.ts'
import { serve } from '../harness/thread-server.ts'
import { serdeOf } from './offering.ts'
import type { Offering } from './offering.ts'
import { WALKS } from './reading.ts'
import type { Reading } from './reading.ts'

export interface RoadReaderData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly offering: Offering
  readonly reading: Reading
  readonly options: ConsumerOptions
  readonly pacing: SharedArrayBuffer
  readonly partitions: number
  /** This reader among those that read the same records. */
  readonly reader: number
  readonly readers: number
}

export interface Read {
  readonly endSeconds: number
  readonly records: number
  readonly checksum: number
  readonly batches: number
  /** Offsets that were expected and did not come: overtaken or lost. */
  readonly missed: number
}

const data = workerData as RoadReaderData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: serdeOf(data.offering) })
const consumer = millrace.consumer(data.options)
const reader = new PacedReader(data.pacing, data.reader, data.readers)

const walk = WALKS[data.reading]
const tally = { records: 0, checksum: 0 }
/** By partition: the offset that must come next. */
const nextOffsets = new Float64Array(data.partitions).fill(-1)

let expected = 0
let batches = 0
let missed = 0
let result: PromiseWithResolvers<Read> | undefined

async function read(): Promise<void> {
  for await (const batch of consumer.batches(topic)) {
    const nextOffset = nextOffsets[batch.partition]!
    if (nextOffset >= 0 && batch.firstOffset !== nextOffset) missed += batch.firstOffset - nextOffset
    nextOffsets[batch.partition] = batch.nextOffset
    walk(batch, tally)
    batches++
    reader.report(tally.records)
    if (result !== undefined && tally.records >= expected) {
      result.resolve({ endSeconds: monotonicSeconds(), ...tally, batches, missed })
      result = undefined
    }
  }
}

const reading = read()
// Whatever ends the loop early is the answer to the question that waits.
let answer: Promise<Read> | undefined

serve({
  ready: () => true,
  expect: ({ records: count }: { records: number }): void => {
    expected = count
    tally.records = 0
    tally.checksum = 0
    batches = 0
    missed = 0
    result = Promise.withResolvers<Read>()
    answer = Promise.race([
      result.promise,
      reading.then(() => {
        throw new Error('the reader ended before its last record')
      }),
    ])
    answer.catch(() => {})
  },
  result: () => answer,
  close: async () => {
    await millrace.close()
    await reading.catch(() => {})
  },
})
