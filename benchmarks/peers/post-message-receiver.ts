// Worker: the receiving end of `postMessage`. Walks every record of every message.

import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedReader } from '../harness/pacing.ts'
import { serve } from '../harness/thread-server.ts'
import { walkPacked } from './packed-records.ts'
import type { PostMessageWay } from './post-message-sender.ts'

export interface ReceiverData {
  readonly way: PostMessageWay
  readonly port: MessagePort
  readonly pacing: SharedArrayBuffer
  /** Packed buffers are sent back so many at a time, to be used again. */
  readonly returnBuffers: number
}

export interface Received {
  readonly endSeconds: number
  readonly records: number
  readonly checksum: number
}

interface RecordObject {
  readonly value: Uint8Array
}

const { way, port, pacing, returnBuffers } = workerData as ReceiverData
const reader = new PacedReader(pacing)
const walk = { records: 0, checksum: 0 }
let used: ArrayBuffer[] = []
let expected = 0
let done: ((received: Received) => void) | undefined

function take(record: RecordObject): void {
  const { value } = record
  walk.checksum += value[0]! + value[value.length - 1]!
  walk.records++
}

function takePacked(buffer: ArrayBuffer): void {
  walkPacked(new Uint8Array(buffer), walk)
  if (returnBuffers === 0) return
  used.push(buffer)
  if (used.length < returnBuffers) return
  port.postMessage(used, used)
  used = []
}

port.on('message', (message: unknown) => {
  if (way === 'object') take(message as RecordObject)
  else if (way === 'array') for (const record of message as RecordObject[]) take(record)
  else takePacked(message as ArrayBuffer)
  reader.report(walk.records)
  if (done !== undefined && walk.records >= expected) {
    done({ endSeconds: monotonicSeconds(), records: walk.records, checksum: walk.checksum })
    done = undefined
  }
})

/** Readies the next run; the answer to `result` comes when its last record was taken. */
let result: Promise<Received> | undefined

serve({
  expect: ({ records }: { records: number }): void => {
    walk.records = 0
    walk.checksum = 0
    expected = records
    result = new Promise<Received>((resolve) => {
      done = resolve
    })
  },
  result: () => result,
  close: () => port.close(),
})
