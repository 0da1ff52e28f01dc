// Worker: the sending end of `postMessage`, three ways. The port leads straight to the
// receiving worker; the main thread only says when to start.

import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedProducer } from '../harness/pacing.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { PACKED_BYTES, packRecords } from './packed-records.ts'

export const RECORDS_PER_ARRAY = 1_000

export type PostMessageWay = 'object' | 'array' | 'packed'

export interface SenderData {
  readonly way: PostMessageWay
  readonly valueBytes: number
  readonly port: MessagePort
  readonly pacing: SharedArrayBuffer
  readonly windowRecords: number
}

const { way, valueBytes, port, pacing, windowRecords } = workerData as SenderData

// Messages with shared memory in them are not what is measured: each value is its own memory.
const value = patternValue(valueBytes)
const array = way === 'array' ? Array.from({ length: RECORDS_PER_ARRAY }, () => ({ value: patternValue(valueBytes) })) : []
// Buffers that came back from the receiver: a transfer detaches, a new one each time must be zeroed.
const spare: ArrayBuffer[] = []

/** Sends one message that begins with record `from`; gives the first record not sent. */
function sendOne(from: number, to: number): number {
  if (way === 'object') {
    stampValue(value, from)
    port.postMessage({ value })
    return from + 1
  }
  if (way === 'array') {
    const count = Math.min(to - from, RECORDS_PER_ARRAY)
    for (let i = 0; i < count; i++) stampValue(array[i]!.value, from + i)
    port.postMessage(count === RECORDS_PER_ARRAY ? array : array.slice(0, count))
    return from + count
  }
  const buffer = spare.pop() ?? new ArrayBuffer(PACKED_BYTES)
  const next = packRecords(new Uint8Array(buffer), value, from, to)
  port.postMessage(buffer, [buffer])
  return next
}

async function run({ records }: { records: number }): Promise<{ startSeconds: number; waits: number }> {
  const paced = new PacedProducer(pacing, 0, 1, windowRecords)
  const startSeconds = monotonicSeconds()
  let sent = 0
  while (sent < records) {
    const burst = Math.min(records, sent + Math.max(1, windowRecords >> 3))
    while (sent < burst) sent = sendOne(sent, burst)
    paced.report(sent)
    if (!paced.mayOffer()) await paced.room()
  }
  return { startSeconds, waits: paced.waits }
}

port.on('message', (returned: ArrayBuffer[]) => {
  for (const buffer of returned) spare.push(buffer)
})

serve({ run, close: () => port.close() })
