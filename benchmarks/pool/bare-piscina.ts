// Peer: piscina as it comes, a pool of one thread. One `run(task)` a record, or one for an array of them; as many records
// are in the pool at most as with `mapInPool`. Nothing is read from a topic, kept or brought in order.

import { Piscina } from 'piscina'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'
import type { PoolTask } from './bare-piscina-worker.ts'
import type { PoolWork } from './value-work.ts'

export interface BarePiscinaOptions {
  readonly work: PoolWork
  readonly valueBytes: number
  readonly recordsPerTask: number
  readonly recordsInPool: number
}

export async function openBarePiscina({ work, valueBytes, recordsPerTask, recordsInPool }: BarePiscinaOptions): Promise<Running> {
  const pool = new Piscina<PoolTask, readonly number[]>({
    filename: new URL('./bare-piscina-worker.ts', import.meta.url).href,
    name: 'sums',
    minThreads: 1,
    maxThreads: 1,
  })
  return {
    async run(records: number): Promise<Measurement> {
      let offered = 0
      let arrived = 0
      let checksum = 0
      const submit = async (): Promise<void> => {
        while (offered < records) {
          const count = Math.min(recordsPerTask, records - offered)
          const values = Array.from({ length: count }, (_, i) => {
            const value = patternValue(valueBytes)
            stampValue(value, offered + i)
            return value
          })
          offered += count
          const sums = await pool.run({ work, values })
          arrived += sums.length
          for (const sum of sums) checksum += sum
        }
      }
      const startSeconds = monotonicSeconds()
      await Promise.all(Array.from({ length: Math.ceil(recordsInPool / recordsPerTask) }, submit))
      const seconds = monotonicSeconds() - startSeconds
      const arrival = { records: arrived, checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      return throughput(arrival, records * valueBytes, seconds)
    },
    close: () => pool.destroy(),
  }
}
