// Peer: `postMessage` between two worker threads, the three ways people use it. Same pacing,
// same records and the same work on every record as on our road; no log, no replay.

import { MessageChannel } from 'node:worker_threads'
import { BenchThread, closeAll } from '../harness/bench-thread.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { allocatePacing, resetPacing } from '../harness/pacing.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import { recordsPerBuffer } from './packed-records.ts'
import type { Received } from './post-message-receiver.ts'
import type { PostMessageWay } from './post-message-sender.ts'

export interface PostMessageOptions {
  readonly way: PostMessageWay
  readonly valueBytes: number
}

const RETURN_BUFFERS = 32
const WINDOW_BUFFERS = 64
const WINDOW_ARRAYS = 32
const WINDOW_OBJECTS = 8_192

export function windowRecords(way: PostMessageWay, valueBytes: number): number {
  if (way === 'packed') return WINDOW_BUFFERS * recordsPerBuffer(valueBytes)
  return way === 'array' ? WINDOW_ARRAYS * 1_000 : WINDOW_OBJECTS
}

export async function openPostMessage(options: PostMessageOptions): Promise<Running> {
  const { way, valueBytes } = options
  const pacing = allocatePacing()
  const { port1, port2 } = new MessageChannel()
  const sender = new BenchThread(`postMessage-${way}-sender`, new URL('./post-message-sender.ts', import.meta.url), {
    workerData: { way, valueBytes, port: port1, pacing, windowRecords: windowRecords(way, valueBytes) },
    transferList: [port1],
  })
  const receiver = new BenchThread(`postMessage-${way}-receiver`, new URL('./post-message-receiver.ts', import.meta.url), {
    workerData: { way, port: port2, pacing, returnBuffers: RETURN_BUFFERS },
    transferList: [port2],
  })
  return {
    async run(records: number): Promise<Measurement> {
      resetPacing(pacing)
      await receiver.ask('expect', { records })
      const [sent, received] = await Promise.all([
        sender.ask<{ startSeconds: number; waits: number }>('run', { records }),
        receiver.ask<Received>('result', null),
      ])
      const arrival = {
        records: received.records,
        checksum: received.checksum,
        expectedRecords: records,
        expectedChecksum: expectedChecksum(records),
      }
      return throughput(arrival, records * valueBytes, received.endSeconds - sent.startSeconds, { detail: { waits: sent.waits } })
    },
    close: () => closeAll([() => sender.close(), () => receiver.close()]),
  }
}
