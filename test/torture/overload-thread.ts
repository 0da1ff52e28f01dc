// A producer's thread that offers records as fast as they are taken, until it is told to
// finish; for overload.ts.

import { workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { bytesTopic } from '../faults/sent-ledger.ts'
import { ThreadWords } from './torture-words.ts'

export interface OverloadThreadData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
  readonly bufferMemory: number
  readonly words: SharedArrayBuffer
}

const COUNTED_EVERY = 256

const data = workerData as OverloadThreadData
const words = new ThreadWords(data.words)
const millrace = await attachMillrace(data.handle)
const topic = await bytesTopic(millrace, data.topic)
const producer = millrace.producer({ bufferMemory: data.bufferMemory })
const value = new Uint8Array(data.valueBytes)
words.works()
while (!words.isToFinish) {
  for (let i = 0; i < COUNTED_EVERY; i++) while (!producer.offer(topic, null, value)) await producer.drained()
  words.addDone(COUNTED_EVERY)
}
// Rejects if one of them failed.
await producer.flush()
await millrace.close()
