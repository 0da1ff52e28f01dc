// Worker: one of the user's own threads with @platformatic/kafka, on a topic of its own of a
// running Kafka. It produces so many records a send, consumes what it produced, and measures
// the latency of single records.

import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { Admin, Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import type { MessagesStream, MessageToProduce } from '@platformatic/kafka'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { patternValue, stampValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { latencyTally, STAMP_AT } from '../latency/latency-tally.ts'
import type { Latencies } from '../latency/latency-tally.ts'

export interface KafkaThreadData {
  readonly address: string
  readonly topic: string
  readonly valueBytes: number
}

export interface Moved {
  readonly records: number
  readonly checksum: number
  readonly seconds: number
}

const { address, topic, valueBytes } = workerData as KafkaThreadData
const connection = { clientId: topic, bootstrapBrokers: [address], retries: 2, retryDelay: 200, connectTimeout: 3_000 }
const admin = new Admin(connection)
const producer = new Producer(connection)
const consumer = new Consumer({ ...connection, groupId: topic, autocommit: false, maxWaitTime: 50, minBytes: 1 })
let consumed = 0n

/** The library keeps the reason below its own words. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const { cause, message } = error as Error
  return cause === undefined ? message : reasonOf(cause)
}

async function ready(): Promise<void> {
  try {
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  } catch (error) {
    throw new Error(`no Kafka answers at ${address}: ${reasonOf(error)}`, { cause: error })
  }
}

/** One send after another, each awaited. */
async function produce({ records, recordsPerSend }: { records: number; recordsPerSend: number }): Promise<{ seconds: number }> {
  const messages = Array.from({ length: recordsPerSend }, (): MessageToProduce => ({ topic, value: Buffer.from(patternValue(valueBytes)) }))
  const startSeconds = monotonicSeconds()
  for (let i = 0; i < records; i += recordsPerSend) {
    const count = Math.min(recordsPerSend, records - i)
    for (let n = 0; n < count; n++) stampValue(messages[n]!.value!, i + n)
    await producer.send({ messages: count === recordsPerSend ? messages : messages.slice(0, count), acks: ProduceAcks.ALL })
  }
  return { seconds: monotonicSeconds() - startSeconds }
}

function open(): Promise<MessagesStream<Buffer, Buffer, Buffer, Buffer>> {
  const offsets = [{ topic, partition: 0, offset: consumed }]
  return consumer.consume({ topics: [topic], mode: MessagesStreamModes.MANUAL, offsets })
}

/** From the first record that arrives to the last: joining a group is not counted. */
async function consume({ records }: { records: number }): Promise<Moved> {
  const stream = await open()
  let startSeconds = 0
  let count = 0
  let checksum = 0
  for await (const { value } of stream) {
    if (count === 0) startSeconds = monotonicSeconds()
    checksum += value[0]! + value[value.length - 1]!
    if (++count === records) break
  }
  const seconds = monotonicSeconds() - startSeconds
  consumed += BigInt(count)
  await stream.close()
  return { records: count, checksum, seconds }
}

function sendStamped(i: number): Promise<unknown> {
  const value = Buffer.from(patternValue(valueBytes))
  stampValue(value, i)
  value.writeBigInt64BE(process.hrtime.bigint(), STAMP_AT)
  return producer.send({ messages: [{ topic, value }], acks: ProduceAcks.ALL })
}

async function latency({ records, recordsPerSecond }: { records: number; recordsPerSecond: number }): Promise<Latencies> {
  const tally = latencyTally(createHistogram({ lowest: 1, highest: 10_000_000_000, figures: 3 }))
  const stream = await open()
  const attached = Promise.withResolvers<void>()
  const reading = (async () => {
    let isFirst = true
    for await (const { value } of stream) {
      if (isFirst) attached.resolve()
      else tally.add(value, 0, value.length)
      isFirst = false
      if (tally.records === records) break
    }
  })()
  // A record that is not counted: what follows finds a consumer that has joined and fetches.
  await sendStamped(0)
  await attached.promise
  const startNs = process.hrtime.bigint()
  const sends: Promise<unknown>[] = []
  while (sends.length < records) {
    const due = Math.min(records, Math.floor((Number(process.hrtime.bigint() - startNs) / 1e9) * recordsPerSecond) + 1)
    while (sends.length < due) sends.push(sendStamped(sends.length))
    await sleep(1)
  }
  await Promise.all(sends)
  await reading
  consumed += BigInt(1 + records)
  await stream.close()
  return tally.result()
}

async function close(): Promise<void> {
  await Promise.allSettled([producer.close(), consumer.close(true)])
  await admin.deleteTopics({ topics: [topic] })
  await admin.close()
}

serve({ ready, produce, consume, latency, close })
