// Peer: Kafka's own Java clients by Kafka's own performance tools, to a running Kafka: produce,
// then consume the same topic. The tools count what arrived; what is in it they do not tell.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, OpenContext, Running } from '../harness/bench-case.ts'
import { kafkaTool } from './kafka-address.ts'
import { freshTopic } from './kafka-client.ts'

export interface KafkaJavaOptions {
  readonly valueBytes: number
  readonly batchBytes: number
}

const TOOL_TIMEOUT_MS = 120_000

export async function openKafkaJava({ valueBytes, batchBytes }: KafkaJavaOptions, context: OpenContext): Promise<Running> {
  const address = context.kafka!
  const admin = new Admin({ clientId: 'millrace-bench', bootstrapBrokers: [address], retries: 2 })
  const tool = async (name: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(kafkaTool(name)!, args, { signal: context.signal, timeout: TOOL_TIMEOUT_MS })
    return stdout
  }
  return {
    async run(records: number): Promise<Measurement> {
      const topic = freshTopic()
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
      try {
        const sizes = ['--num-records', `${records}`, '--record-size', `${valueBytes}`, '--throughput', '-1']
        const props = [`bootstrap.servers=${address}`, 'acks=all', `batch.size=${batchBytes}`]
        const produced = producedPerSecond(
          await tool('kafka-producer-perf-test', ['--topic', topic, ...sizes, '--producer-props', ...props]),
        )
        const consumeArgs = ['--bootstrap-server', address, '--topic', topic, '--messages', `${records}`]
        const consumed = consumedBy(await tool('kafka-consumer-perf-test', consumeArgs))
        const arrival = { records: consumed.records, checksum: 0, expectedRecords: records, expectedChecksum: 0 }
        return throughput(arrival, records * valueBytes, records / produced, { values: { consumedPerSecond: consumed.perSecond } })
      } finally {
        await admin.deleteTopics({ topics: [topic] })
      }
    },
    close: () => admin.close(),
  }
}

/** From the summary that is its last line: `N records sent, 512345.6 records/sec (48.86 MB/sec), …`. */
export function producedPerSecond(output: string): number {
  const rates = [...output.matchAll(/^\d+ records sent, ([\d.]+) records\/sec/gm)]
  const rate = Number(rates.at(-1)?.[1])
  if (!(rate > 0)) throw new Error(`kafka-producer-perf-test said nothing of a rate: ${output.trim().slice(-500)}`)
  return rate
}

/** From a heading and a row of figures; the time without joining the group, where it is told. */
export function consumedBy(output: string): { records: number; perSecond: number } {
  const lines = output.split('\n').map((line) => line.split(',').map((cell) => cell.trim()))
  const at = lines.findIndex((cells) => cells.includes('data.consumed.in.nMsg'))
  const [heads, row] = [lines[at], lines[at + 1]]
  const cell = (name: string): number => Number(row?.[heads?.indexOf(name) ?? -1])
  const records = cell('data.consumed.in.nMsg')
  const perSecond = cell('fetch.nMsg.sec') || cell('nMsg.sec')
  if (at < 0 || !(records >= 0) || !(perSecond > 0))
    throw new Error(`kafka-consumer-perf-test gave no figures: ${output.trim().slice(-500)}`)
  return { records, perSecond }
}
