// Peer: BullMQ on a running Redis, a job a record, one worker with so many jobs at once, all on this
// thread. It is no dependency of this repository: MILLRACE_BENCH_BULLMQ names the folder in which it was
// installed (`npm install bullmq`), MILLRACE_BENCH_REDIS the address of the Redis.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'

export interface BullmqOptions {
  readonly concurrency: number
  readonly valueBytes: number
}

/** What of BullMQ is used. */
interface Bullmq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { addBulk(jobs: object[]): Promise<unknown>; obliterate(options: object): Promise<void>; close(): Promise<void> }
  readonly Worker: new (
    name: string,
    work: (job: { data: { i: number } }) => Promise<void>,
    options: object,
  ) => { waitUntilReady(): Promise<unknown>; close(): Promise<void> }
}

const JOBS_A_CALL = 1_000

export async function openBullmq({ concurrency, valueBytes }: BullmqOptions): Promise<Running> {
  const require = createRequire(join(process.env['MILLRACE_BENCH_BULLMQ']!, 'package.json'))
  const { Queue, Worker } = require('bullmq') as Bullmq
  const [host, port] = process.env['MILLRACE_BENCH_REDIS']!.split(':')
  const connection = { host, port: Number(port), maxRetriesPerRequest: null }
  const name = `millrace-bench-${process.pid}`
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } })
  let handled = 0
  let checksum = 0
  let expected = Number.POSITIVE_INFINITY
  let over = Promise.withResolvers<void>()
  const worker = new Worker(
    name,
    async ({ data }) => {
      checksum += data.i
      if (++handled === expected) over.resolve()
    },
    { connection, concurrency },
  )
  await worker.waitUntilReady()
  const filling = 'x'.repeat(valueBytes)
  return {
    async run(jobs: number): Promise<Measurement> {
      handled = 0
      checksum = 0
      expected = jobs
      over = Promise.withResolvers()
      const startSeconds = monotonicSeconds()
      for (let first = 0; first < jobs; first += JOBS_A_CALL) {
        const count = Math.min(JOBS_A_CALL, jobs - first)
        await queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'job', data: { i: first + i, filling } })))
      }
      await over.promise
      const seconds = monotonicSeconds() - startSeconds
      const arrival = { records: handled, checksum, expectedRecords: jobs, expectedChecksum: (jobs * (jobs - 1)) / 2 }
      return throughput(arrival, jobs * valueBytes, seconds)
    },
    close: async () => {
      await worker.close()
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}
