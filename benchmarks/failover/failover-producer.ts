// Worker: one of the user's own threads, attached by handle, that sends to each partition once a
// millisecond, one record in flight, and notes when each was acknowledged.

import { workerData } from 'node:worker_threads'
import { setTimeout as sleep } from 'node:timers/promises'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'

export interface FailoverProducerData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly valueBytes: number
}

export interface Sent {
  readonly records: number
  /** By partition and offset, in milliseconds of this thread's clock. */
  readonly ackedMs: readonly Float64Array[]
}

const data = workerData as FailoverProducerData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const producer = millrace.producer()
const partitions = Array.from({ length: topic.partitions }, (_, partition) => ({
  partition,
  ackedMs: [] as number[],
  value: patternValue(data.valueBytes),
}))
let sent = 0
let stopped = false
let work: Promise<unknown> | undefined

/** A send that is refused ends the run: a death fails none. */
async function keepSending({ partition, ackedMs, value }: (typeof partitions)[number]): Promise<void> {
  while (!stopped) {
    stampValue(value, sent++)
    const { offset } = await producer.send(topic, { value, partition })
    ackedMs[offset] = performance.now()
    await sleep(1)
  }
}

serve({
  ready: () => true,
  start: (): void => {
    work = Promise.all(partitions.map(keepSending))
    work.catch(() => {})
  },
  stop: async (): Promise<Sent> => {
    stopped = true
    await work
    return { records: sent, ackedMs: partitions.map(({ ackedMs }) => Float64Array.from(ackedMs)) }
  },
  close: () => millrace.close(),
})
