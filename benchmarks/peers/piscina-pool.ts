// Peer: piscina, a pool of one thread, one task for `recordsPerTask` records. The main thread
// submits, the pool's thread sums; a bounded number of tasks is in flight.

import { Piscina } from 'piscina'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'
import type { TaskResult } from './piscina-task.ts'

export interface PiscinaOptions {
  readonly recordsPerTask: number
  readonly tasksInFlight: number
  readonly valueBytes: number
}

export async function openPiscina({ recordsPerTask, tasksInFlight, valueBytes }: PiscinaOptions): Promise<Running> {
  const pool = new Piscina<{ value: Uint8Array }[], TaskResult>({
    filename: new URL('./piscina-task.ts', import.meta.url).href,
    name: 'sumRecords',
    minThreads: 1,
    maxThreads: 1,
  })
  return {
    async run(records: number): Promise<Measurement> {
      // One set of objects a task in flight: piscina clones them when it posts the task.
      let offered = 0
      let arrived = 0
      let checksum = 0
      const submit = async (): Promise<void> => {
        const task = Array.from({ length: recordsPerTask }, () => ({ value: patternValue(valueBytes) }))
        while (offered < records) {
          const count = Math.min(recordsPerTask, records - offered)
          for (let i = 0; i < count; i++) stampValue(task[i]!.value, offered + i)
          offered += count
          const result = await pool.run(count === recordsPerTask ? task : task.slice(0, count))
          arrived += result.records
          checksum += result.checksum
        }
      }
      const startSeconds = monotonicSeconds()
      await Promise.all(Array.from({ length: tasksInFlight }, submit))
      const seconds = monotonicSeconds() - startSeconds
      const arrival = { records: arrived, checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      return throughput(arrival, records * valueBytes, seconds)
    },
    close: () => pool.destroy(),
  }
}
