// `consumer.process` with a handler that does nothing but count: from the first record that is offered
// to the last that is handled, all on one thread of the user's. Settled offsets are committed meanwhile.

import { bytes, openMillrace } from '../../src/index.ts'
import type { Durability } from '../durability/file-road.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { temporaryDirectory } from '../harness/data-directory.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'

export interface ProcessingOptions {
  readonly concurrency: number
  readonly valueBytes: number
  /** Without it everything is in memory. */
  readonly durability?: Durability
}

const PARTITIONS = 4

export async function openProcessing({ concurrency, valueBytes, durability }: ProcessingOptions): Promise<Running> {
  const directory = durability === undefined ? undefined : temporaryDirectory()
  const millrace = await openMillrace(directory === undefined ? {} : { dataDir: directory.path })
  const config = durability === undefined ? {} : { 'millrace.durability': durability }
  const topic = await millrace.topic('jobs', { partitions: PARTITIONS, value: bytes(), config })
  const producer = millrace.producer()
  let handled = 0
  let checksum = 0
  let expected = Number.POSITIVE_INFINITY
  let over = Promise.withResolvers<void>()
  const processor = millrace
    .consumer({ groupId: 'jobs' })
    .process(topic, { concurrency, order: 'none', maxInFlight: 10 * concurrency }, async ({ value }) => {
      checksum += value[0]! + value[value.length - 1]!
      if (++handled === expected) over.resolve()
    })
  processor.on('error', (error) => over.reject(error))
  const value = patternValue(valueBytes)
  return {
    async run(records: number): Promise<Measurement> {
      handled = 0
      checksum = 0
      expected = records
      over = Promise.withResolvers()
      const startSeconds = monotonicSeconds()
      for (let i = 0; i < records; i++) {
        stampValue(value, i)
        while (!producer.offer(topic, null, value)) await producer.drained()
      }
      await Promise.all([producer.flush(), over.promise])
      const seconds = monotonicSeconds() - startSeconds
      const arrival = { records: handled, checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      return throughput(arrival, records * valueBytes, seconds)
    },
    close: async () => {
      await millrace.close()
      directory?.remove()
    },
  }
}
