// Worker of pacing.test.ts: a producer that only counts, or the reader of what they counted.

import { setImmediate as turn } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { PacedProducer, PacedReader } from '../../benchmarks/harness/pacing.ts'
import { serve } from '../../benchmarks/harness/thread-server.ts'

const { buffer, producer } = workerData as { buffer: SharedArrayBuffer; producer: number }
const offeredWords = new Int32Array(buffer)

async function produce({ records, windowRecords }: { records: number; windowRecords: number }): Promise<number> {
  const paced = new PacedProducer(buffer, producer, 2, windowRecords)
  for (let i = 1; i <= records; i++) {
    paced.report(i)
    if (!paced.mayOffer()) await paced.room()
  }
  return paced.waits
}

async function read({ records }: { records: number }): Promise<number> {
  const reader = new PacedReader(buffer)
  let count = 0
  while (count < records) {
    const offered = Atomics.load(offeredWords, 32) + Atomics.load(offeredWords, 48)
    if (offered === count) await turn()
    count = offered
    reader.report(count)
  }
  return count
}

serve({ produce, read })
