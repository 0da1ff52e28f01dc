// A process that writes to a data directory: until each partition holds so much, and closes it; or at
// full speed, until it is killed. What is acknowledged to it stands in a file, a number a partition, which
// outlives it. Started by recovery.ts; prints one line.

import { openSync, writeSync } from 'node:fs'
import type { bytes as bytesSerde, openMillrace as open } from '../../src/index.ts'

export interface LoadOptions {
  /** Of millrace's index. */
  readonly module: string
  readonly dataDir: string
  readonly ackFile: string
  readonly partitions: number
  readonly valueBytes: number
  /** Undefined: without end. */
  readonly recordsPerPartition: number | undefined
}

export const RECOVERY_TOPIC = 'recovered'
/** Records that are sent, and awaited, together. */
const RECORDS_A_SEND = 256

/** The record at `offset`. */
export function valueAt(offset: number, valueBytes: number): Uint8Array {
  const value = new Uint8Array(valueBytes).fill(offset % 251)
  new DataView(value.buffer).setFloat64(0, offset)
  return value
}

async function load(options: LoadOptions): Promise<void> {
  const { module, dataDir, ackFile, partitions, valueBytes, recordsPerPartition = Number.POSITIVE_INFINITY } = options
  const { bytes, openMillrace } = (await import(module)) as { bytes: typeof bytesSerde; openMillrace: typeof open }
  const millrace = await openMillrace({ dataDir })
  const topic = await millrace.topic(RECOVERY_TOPIC, { value: bytes(), partitions })
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await millrace.consumer().endOffsets(all)
  const producer = millrace.producer()
  const word = Buffer.alloc(8)
  const acks = openSync(ackFile, 'r+')
  const write = async (partition: number): Promise<void> => {
    for (let offset = ends[partition]!; offset < recordsPerPartition; ) {
      const count = Math.min(RECORDS_A_SEND, recordsPerPartition - offset)
      const records = Array.from({ length: count }, (_, i) => ({ partition, value: valueAt(offset + i, valueBytes) }))
      await producer.sendAll(topic, records)
      offset += count
      word.writeDoubleLE(offset)
      writeSync(acks, word, 0, 8, partition * 8)
    }
  }
  if (recordsPerPartition === Number.POSITIVE_INFINITY) process.stdout.write('{}\n')
  await Promise.all(all.map(({ partition }) => write(partition)))
  await millrace.close()
  process.stdout.write('{}\n')
}

if (process.argv[2] !== undefined && import.meta.main) await load(JSON.parse(process.argv[2]) as LoadOptions)
