// A running Kafka as a contender, where an address is given: Kafka's own Java tools, where they
// are installed, and @platformatic/kafka.

import type { CaseView, ContenderSpec, OpenContext, TargetSpec } from '../harness/bench-case.ts'
import { byteSize } from '../harness/format.ts'
import { noKafka, noKafkaTools } from '../peers/kafka-address.ts'
import { BATCH_BYTES } from './road-settings.ts'

const RECORDS_PER_SEND = 1_000

/** Produce and consume, one partition. */
export function kafkaPeers(valueBytes: number, records: number): readonly ContenderSpec[] {
  const shared = { kind: 'peer', records, smallRecords: Math.min(records, 20_000), valueBytes, partitions: 1 } as const
  return [
    {
      ...shared,
      id: 'kafka-java',
      title: 'Kafka, its Java tools',
      threads: 2,
      setup: `a running Kafka, kafka-producer-perf-test with acks=all and batches of ${byteSize(BATCH_BYTES)}, then kafka-consumer-perf-test`,
      skip: (context) => noKafkaTools(context),
      open: async (context) => {
        const { openKafkaJava } = await import('../peers/kafka-java.ts')
        return openKafkaJava({ valueBytes, batchBytes: BATCH_BYTES }, context)
      },
    },
    kafkaClient('kafka-client', RECORDS_PER_SEND, valueBytes, records),
  ]
}

/** @platformatic/kafka, so many records a send, each send awaited; then it consumes them. */
export function kafkaClient(id: string, recordsPerSend: number, valueBytes: number, records: number): ContenderSpec {
  const each = recordsPerSend === 1 ? 'one record' : `${recordsPerSend.toLocaleString('en')} records`
  return {
    id,
    title: `@platformatic/kafka → Kafka, ${each} a send`,
    kind: 'peer',
    records,
    smallRecords: Math.min(records, 20 * recordsPerSend),
    valueBytes,
    threads: 1,
    partitions: 1,
    setup: 'a running Kafka, acks all, each send awaited; consumed afterwards, counted and summed',
    skip: noKafka,
    open: async (context: OpenContext) => {
      const { openKafkaClient } = await import('../peers/kafka-client.ts')
      return openKafkaClient({ valueBytes, recordsPerSend }, context)
    },
  }
}

/** Ours against the faster of the two. */
export function againstKafka(text: string, ours: string, atLeast: number): TargetSpec {
  return {
    id: 'kafka',
    text,
    value: (view: CaseView) => {
      const ratios = [view.ratio(ours, 'kafka-java'), view.ratio(ours, 'kafka-client')].filter((ratio) => ratio !== undefined)
      return ratios.length === 0 ? undefined : Math.min(...ratios)
    },
    atLeast,
    unit: 'ratio',
  }
}
