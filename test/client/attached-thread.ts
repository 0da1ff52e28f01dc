// A user's worker: attaches by the handle alone, and does what it is told.

import { parentPort, workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { numbers } from './attached-topic.ts'
import type { Task } from './attached-topic.ts'

const { handle, task } = workerData as { handle: MillraceHandle; task: Task }
const millrace = await attachMillrace(handle)
const topic = await millrace.topic(numbers)

async function produce(from: string, count: number): Promise<unknown> {
  const producer = millrace.producer()
  for (let n = 0; n < count; n++) while (!producer.offer(topic, null, { from, n })) await producer.drained()
  await producer.flush()
  return count
}

async function consume(partitions: readonly number[], count: number): Promise<unknown> {
  const consumer = millrace.consumer()
  consumer.assign(partitions.map((partition) => ({ topic, partition })))
  const last = new Map<string, number>()
  let read = 0
  for await (const { partition, value } of consumer.records(topic)) {
    const key = `${value.from} ${partition}`
    if (value.n <= (last.get(key) ?? -1)) throw new Error(`${value.n} of ${key} is out of order`)
    last.set(key, value.n)
    if (++read === count) break
  }
  return read
}

/** The error that a loop and a producer end with when the opener closes. */
async function wait(): Promise<unknown> {
  const consumer = millrace.consumer({ autoOffsetReset: 'latest' })
  const producer = millrace.producer()
  const next = consumer.records(topic).next()
  parentPort!.postMessage('waiting')
  const codes = [await codeOf(next)]
  codes.push(await codeOf(producer.send(topic, { value: { from: 'late', n: 0 } })))
  codes.push(await codeOf(Promise.resolve().then(() => millrace.consumer())))
  codes.push(await codeOf(millrace.topic('other')))
  await millrace.close()
  return codes
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'nothing',
    (error: unknown) => (error as { code: string }).code,
  )
}

function run(): Promise<unknown> {
  switch (task.do) {
    case 'produce':
      return produce(task.from, task.count)
    case 'consume':
      return consume(task.partitions, task.count)
    case 'wait':
      return wait()
    case 'send into nothing':
      return codeOf(millrace.producer().send(topic, { value: { from: 'x', n: 0 } }))
  }
}

const result = await run()
await millrace.close()
parentPort!.postMessage({ result })
