// Worker: one of the user's own threads, attached by handle, that reads one topic and adds the
// first and last byte of every value. One loop for the life of the thread: a run is a number
// of records in it. The reader says once a batch how far it is.

import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { ConsumerBatch, ConsumerOptions, MillraceHandle } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedReader } from '../harness/pacing.ts'
import { serve } from '../harness/thread-server.ts'

/** `view`, control of C4: a view of the value a record. */
export type Reading = 'cursor' | 'record' | 'view'

export interface RoadReaderData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly reading: Reading
  readonly options: ConsumerOptions
  readonly pacing: SharedArrayBuffer
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
const topic = await millrace.topic(data.topic, { value: bytes() })
const consumer = millrace.consumer(data.options)
const reader = new PacedReader(data.pacing)

let expected = 0
let records = 0
let checksum = 0
let batches = 0
let missed = 0
let nextOffset = -1
let result: PromiseWithResolvers<Read> | undefined

function walkCursor(batch: ConsumerBatch): void {
  const cursor = batch.cursor()
  let sum = 0
  let count = 0
  while (cursor.next()) {
    sum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
    count++
  }
  records += count
  checksum += sum
}

function walkViews(batch: ConsumerBatch): void {
  const cursor = batch.cursor()
  let sum = 0
  let count = 0
  while (cursor.next()) {
    const value = cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)
    sum += value[0]! + value[value.length - 1]!
    count++
  }
  records += count
  checksum += sum
}

function walkRecords(batch: ConsumerBatch<string | null, Uint8Array>): void {
  let sum = 0
  let count = 0
  for (const record of batch) {
    const { value } = record
    sum += value[0]! + value[value.length - 1]!
    count++
  }
  records += count
  checksum += sum
}

async function read(): Promise<void> {
  for await (const batch of consumer.batches(topic)) {
    if (nextOffset >= 0 && batch.firstOffset !== nextOffset) missed += batch.firstOffset - nextOffset
    nextOffset = batch.nextOffset
    if (data.reading === 'cursor') walkCursor(batch)
    else if (data.reading === 'view') walkViews(batch)
    else walkRecords(batch)
    batches++
    reader.report(records)
    if (result !== undefined && records >= expected) {
      result.resolve({ endSeconds: monotonicSeconds(), records, checksum, batches, missed })
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
    records = 0
    checksum = 0
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
