// A process that opens a data directory, and says when it was ready to serve: a record was produced and
// acknowledged, and the first record of each partition was read. Then it holds what is there against what
// was acknowledged before, and closes. Started by recovery.ts; prints one line.

import { readFileSync } from 'node:fs'
import type { bytes as bytesSerde, openMillrace as open } from '../../src/index.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { RECOVERY_TOPIC, valueAt } from './recovery-load.ts'

export interface ReadyOptions {
  readonly module: string
  readonly dataDir: string
  readonly ackFile: string
  readonly partitions: number
  readonly valueBytes: number
  /** When the process was started, in seconds of the machine's monotonic clock. */
  readonly startSeconds: number
}

export interface Ready {
  readonly openMs: number
  readonly producedMs: number
  readonly readyMs: number
  readonly processMs: number
  /** Partitions whose first record and last acknowledged one are there. */
  readonly whole: number
  /** Records that were acknowledged, and are there. */
  readonly acknowledged: number
}

const { module, dataDir, ackFile, partitions, valueBytes, startSeconds } = JSON.parse(process.argv[2] ?? '') as ReadyOptions
const { bytes, openMillrace } = (await import(module)) as { bytes: typeof bytesSerde; openMillrace: typeof open }
const openSeconds = monotonicSeconds()
const millrace = await openMillrace({ dataDir })
const openMs = (monotonicSeconds() - openSeconds) * 1_000
const topic = await millrace.topic(RECOVERY_TOPIC, { value: bytes() })

let producedMs = 0
async function produce(): Promise<void> {
  const { offset } = await millrace.producer().send(topic, { partition: 0, value: new Uint8Array(valueBytes) })
  if (offset < 0) throw new Error(`a record was acknowledged at offset ${offset}`)
  producedMs = (monotonicSeconds() - openSeconds) * 1_000
}

const firsts = new Set<number>()
async function readFirsts(): Promise<void> {
  // One batch of each partition, not a mebibyte.
  for await (const batch of millrace.consumer({ maxPartitionFetchBytes: 1 }).batches(topic)) {
    for (const record of batch) {
      if (record.offset === 0 && Buffer.compare(record.value as Uint8Array, valueAt(0, valueBytes)) === 0) firsts.add(batch.partition)
      break
    }
    if (firsts.size === partitions) return
  }
}

await Promise.all([produce(), readFirsts()])
const readySeconds = monotonicSeconds()

const acks = readFileSync(ackFile)
const consumer = millrace.consumer({ maxPartitionFetchBytes: 1 })
const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
const ends = await consumer.endOffsets(all)
const acked = all.map(({ partition }) => acks.readDoubleLE(partition * 8))
if (acked.some((end, partition) => ends[partition]! < end)) throw new Error('acknowledged records are lost')
consumer.assign(all)
for (const { partition } of all) consumer.seek(topic, partition, acked[partition]! - 1)
const lasts = new Set<number>()
for await (const batch of consumer.batches(topic)) {
  for (const record of batch) {
    const { value, offset } = record
    const isIt = offset === acked[batch.partition]! - 1
    if (isIt && Buffer.compare(value as Uint8Array, valueAt(offset, valueBytes)) === 0) lasts.add(batch.partition)
  }
  if (lasts.size === partitions) break
}
await millrace.close()
const ready: Ready = {
  openMs,
  producedMs,
  readyMs: (readySeconds - openSeconds) * 1_000,
  processMs: (readySeconds - startSeconds) * 1_000,
  whole: lasts.size,
  acknowledged: acked.reduce((sum, end) => sum + end, 0),
}
process.stdout.write(`${JSON.stringify(ready)}\n`)
