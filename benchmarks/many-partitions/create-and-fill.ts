// A fresh process with very many partitions: creates them, produces one record to each, consumes
// all, and says how long each took and how much memory was resident before and after. Started by
// many-partitions.ts.

import { bytes, openMillrace } from '../../src/index.ts'
import type { Topic } from '../../src/index.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { residentOf } from '../harness/resident.ts'
import type { Resident } from '../harness/resident.ts'
import { WALKS } from '../road/reading.ts'

export interface FillOptions {
  readonly topics: number
  readonly partitions: number
  readonly valueBytes: number
  readonly logMemoryBytes: number
}

export interface Filled {
  readonly createMs: number
  readonly produceMs: number
  readonly consumeMs: number
  readonly records: number
  readonly checksum: number
  /** millrace is open; the partitions are there; one record is in each. */
  readonly opened: Resident
  readonly created: Resident
  readonly filled: Resident
}

const { topics: topicCount, partitions, valueBytes, logMemoryBytes } = JSON.parse(process.argv[2] ?? '') as FillOptions
const resident = (): Resident => residentOf('self', logMemoryBytes)
const millrace = await openMillrace({ logMemoryBytes })
const producer = millrace.producer()
const consumer = millrace.consumer()
const opened = resident()

const createAt = performance.now()
const topics: Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>[] = []
for (let i = 0; i < topicCount; i++) topics.push(await millrace.topic(`many-${i}`, { partitions, value: bytes() }))
const createMs = performance.now() - createAt
const created = resident()

const produceAt = performance.now()
const value = patternValue(valueBytes)
const to = { partition: 0 }
for (let i = 0; i < topicCount * partitions; i++) {
  stampValue(value, i)
  to.partition = i % partitions
  while (!producer.offer(topics[Math.floor(i / partitions)]!, null, value, to)) await producer.drained()
}
await producer.flush()
const produceMs = performance.now() - produceAt

const consumeAt = performance.now()
const tally = { records: 0, checksum: 0 }
for (const topic of topics) for await (const batch of consumer.batches(topic, { until: 'end' })) WALKS.cursor(batch, tally)
const consumeMs = performance.now() - consumeAt
const filled = resident()

await millrace.close()
process.stdout.write(`${JSON.stringify({ createMs, produceMs, consumeMs, ...tally, opened, created, filled } satisfies Filled)}\n`)
