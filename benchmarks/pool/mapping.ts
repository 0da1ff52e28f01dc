// `fromTopic` → `mapInPool` → subscribe, with one thread in the pool: from the first record that is offered to the
// last result in `subscribe`, all on one thread of the user's. One subscription, and one pool, for all repetitions.

import { bytes, openMillrace } from '../../src/index.ts'
import { fromTopic, mapInPool } from '../../src/rxjs.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'
import type { PoolWork } from './value-work.ts'

const MODULES: Readonly<Record<PoolWork, URL>> = {
  none: new URL('./sum-worker.ts', import.meta.url),
  '20µs': new URL('./work-and-sum-worker.ts', import.meta.url),
}

export interface MappingOptions {
  readonly work: PoolWork
  readonly valueBytes: number
  readonly recordsInPool: number
}

export async function openMapping({ work, valueBytes, recordsInPool }: MappingOptions): Promise<Running> {
  const millrace = await openMillrace()
  const topic = await millrace.topic('records', { value: bytes() })
  const producer = millrace.producer()
  const value = patternValue(valueBytes)
  let arrived = 0
  let checksum = 0
  let expected = Number.POSITIVE_INFINITY
  let over = Promise.withResolvers<void>()
  over.promise.catch(() => {})
  const subscription = fromTopic(topic, { maxInFlight: 2 * recordsInPool })
    .pipe(mapInPool<Uint8Array, number>(MODULES[work], { threads: 1, maxQueue: recordsInPool }))
    .subscribe({
      next(record) {
        checksum += record.value
        if (++arrived === expected) over.resolve()
      },
      error: (error: unknown) => over.reject(error),
    })
  return {
    async run(records: number): Promise<Measurement> {
      arrived = 0
      checksum = 0
      expected = records
      over = Promise.withResolvers()
      over.promise.catch(() => {})
      const startSeconds = monotonicSeconds()
      for (let i = 0; i < records; i++) {
        stampValue(value, i)
        while (!producer.offer(topic, null, value)) await producer.drained()
      }
      await Promise.all([producer.flush(), over.promise])
      const seconds = monotonicSeconds() - startSeconds
      const arrival = { records: arrived, checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      return throughput(arrival, records * valueBytes, seconds)
    },
    close: async () => {
      subscription.unsubscribe()
      await millrace.close()
    },
  }
}
