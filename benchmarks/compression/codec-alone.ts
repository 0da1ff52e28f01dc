// S16's bar: the codec alone, on the main thread: batches as a producer builds them, compressed
// and decompressed, nothing around it. Their sizes give the ratio.

import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { expectedLineSum, logLines } from '../road/log-lines.ts'
import { compressBatch, decompressBatch } from '../../src/record/batch-compression.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { COMPRESSION_LEVELS } from '../../src/record/record-batch-layout.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'

/** Whole batches of the lines of the log, one after the other. */
function batchesOf(records: number, batchBytes: number): Uint8Array[] {
  const lines = logLines()
  const builder = new RecordBatchBuilder(batchBytes)
  const batches: Uint8Array[] = []
  const seal = (): void => void batches.push(builder.bytes.slice(0, builder.seal({ withCrc: false })))
  for (let i = 0; i < records; i++) {
    const line = lines[i % lines.length]!
    if (builder.append(0, null, line, null)) continue
    seal()
    builder.reset()
    builder.append(0, null, line, null)
  }
  seal()
  return batches
}

export function openCodecAlone(type: number, batchBytes: number): Running {
  const cursor = new RecordCursor()
  const compression = { type, level: COMPRESSION_LEVELS[type]! }
  return {
    run: (records): Promise<Measurement> => {
      const batches = batchesOf(records, batchBytes)
      const bytes = batches.reduce((sum, { length }) => sum + length, 0)
      const startMs = performance.now()
      const compressed = batches.map((batch) => compressBatch(batch, 0, batch.length, compression, { withCrc: false }))
      const compressedMs = performance.now()
      const whole = compressed.map((batch) => decompressBatch(batch, 0, batch.length))
      const endMs = performance.now()
      let checksum = 0
      let count = 0
      for (const batch of whole) {
        cursor.reset(batch, 0, batch.length, 0)
        for (; cursor.next(); count++) checksum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
      }
      const arrival = { records: count, checksum, expectedRecords: records, expectedChecksum: expectedLineSum(records) }
      const values = {
        ratio: bytes / compressed.reduce((sum, { length }) => sum + length, 0),
        compressedBytesPerSecond: (bytes * 1_000) / (compressedMs - startMs),
        decompressedBytesPerSecond: (bytes * 1_000) / (endMs - compressedMs),
      }
      return Promise.resolve(throughput(arrival, bytes, (endMs - startMs) / 1_000, { values }))
    },
    close: () => Promise.resolve(),
  }
}
