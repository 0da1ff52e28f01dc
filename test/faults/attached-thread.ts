// A thread of a user's that attaches, and sends or reads at full speed until it is
// terminated, wherever it is then, or told to finish.

import { workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { ATTACHED_WORDS, AT_WORK, DONE, FAILED, FINISH, GAP_US_MAX, NEVER, STANDS } from './attached-words.ts'
import { SentLedger, bytesTopic, decode } from './sent-ledger.ts'

export interface AttachedData {
  readonly handle: MillraceHandle
  readonly words: SharedArrayBuffer
  readonly role: 'producer' | 'offerer' | 'consumer'
  readonly topic: string
  readonly partition: number
  readonly producerNumber: number
  /** Where to stand still, and at which passing; without one it runs on. */
  readonly point?: KillPoint
  readonly passing?: number
}

const data = workerData as AttachedData
const words = new Int32Array(data.words, 0, ATTACHED_WORDS)

let passings = 0
if (data.point !== undefined) {
  killPoints.hook = (point) => {
    if (point !== data.point || ++passings !== data.passing) return
    Atomics.store(words, STANDS, 1)
    Atomics.notify(words, STANDS)
    Atomics.wait(words, NEVER, 0)
  }
}

const millrace = await attachMillrace(data.handle)
const topic = await bytesTopic(millrace, data.topic)
Atomics.store(words, AT_WORK, 1)
Atomics.notify(words, AT_WORK)
const isFinished = (): boolean => Atomics.load(words, FINISH) === 1

async function produce(): Promise<void> {
  const producer = millrace.producer()
  const ledger = new SentLedger()
  let ackedMs = performance.now()
  const acked = (): void => {
    const nowMs = performance.now()
    words[GAP_US_MAX] = Math.max(words[GAP_US_MAX]!, Math.ceil((nowMs - ackedMs) * 1_000))
    ackedMs = nowMs
  }
  const one = async (): Promise<void> => {
    while (!isFinished()) {
      const outcome = await ledger.send(producer, topic, data.partition, 200, data.producerNumber)
      if (typeof outcome !== 'number' && !outcome.retriable) throw outcome
      if (typeof outcome === 'number') acked()
      Atomics.add(words, typeof outcome === 'number' ? DONE : FAILED, 1)
      Atomics.notify(words, DONE)
    }
  }
  await Promise.all([one(), one(), one(), one()])
}

/** Its batches are sent once: whatever becomes of one is told. */
async function offer(): Promise<void> {
  const producer = millrace.producer({ retries: 0, batchSize: 1_024 })
  const { partition } = data
  const value = new Uint8Array(200)
  while (!isFinished()) {
    for (let i = 0; i < 100; i++) while (!producer.offer(topic, null, value, { partition })) await producer.drained()
    Atomics.add(words, DONE, 100)
    Atomics.notify(words, DONE)
  }
}

async function consume(): Promise<void> {
  const consumer = millrace.consumer()
  for await (const batch of consumer.batches(topic)) {
    const cursor = batch.cursor()
    while (cursor.next()) {
      decode(cursor.bytes, cursor.valueStart, cursor.valueEnd)
      Atomics.add(words, DONE, 1)
    }
    Atomics.notify(words, DONE)
    if (isFinished()) break
  }
}

if (data.role === 'producer') await produce()
else if (data.role === 'offerer') await offer()
else await consume()
await millrace.close()
