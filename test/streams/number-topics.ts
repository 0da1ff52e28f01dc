// Topics of numbers for the tests of streams, and what a group has committed of one.

import { json } from '../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../src/index.ts'

export type Numbers = Topic<string | null, number>

let made = 0

export function numbers(millrace: EmbeddedMillrace, name: string, partitions = 1): Promise<Numbers> {
  return millrace.topic(`${name}-${made++}`, { partitions, value: json<number>() })
}

export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}

export async function filled(millrace: EmbeddedMillrace, name: string, records: number, partitions = 1): Promise<Numbers> {
  const topic = await numbers(millrace, name, partitions)
  await send(millrace, topic, upTo(records))
  return topic
}

export async function send(millrace: EmbeddedMillrace, topic: Numbers, values: readonly number[]): Promise<void> {
  const producer = millrace.producer()
  await producer.sendAll(
    topic,
    values.map((value) => ({ key: `k${value}`, value, timestamp: 1_000 + value, headers: { n: `${value}` } })),
  )
  await producer.close()
}

export async function valuesOf(millrace: EmbeddedMillrace, topic: Numbers): Promise<number[]> {
  const values: number[] = []
  const consumer = millrace.consumer()
  for await (const { value } of consumer.records(topic, { until: 'end' })) values.push(value)
  await consumer.close()
  return values
}

/** Offsets that the group has committed, summed over the partitions. */
export async function committedOf(millrace: EmbeddedMillrace, groupId: string, topic: Numbers): Promise<number> {
  const consumer = millrace.consumer({ groupId })
  const committed = await consumer.committed(upTo(topic.partitions).map((partition) => ({ topic, partition })))
  await consumer.close()
  return committed.reduce((sum, each) => sum + (each?.offset ?? 0), 0)
}

export async function codeOf(failing: Promise<unknown>): Promise<unknown> {
  try {
    await failing
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
  return 'nothing was thrown'
}
