// A process that opens a data directory, sends, reads, and tells (told-lines.ts), until somebody kills
// it: `doomed-process.ts <DoomedTask as JSON>`. It closes in order when its standard input ends.

import { openMillrace } from '../../../src/index.ts'
import type { Millrace, Producer } from '../../../src/index.ts'
import { seededRandom } from '../../../src/random.ts'
import { bytesTopic } from '../../faults/sent-ledger.ts'
import type { BytesTopic } from '../../faults/sent-ledger.ts'
import { wordAt } from '../record-value.ts'
import { tell, toldValue } from './told-lines.ts'
import type { DoomedTask, ToldTopic } from './told-lines.ts'

const MEBIBYTE = 1024 * 1024

const task = JSON.parse(process.argv[2]!) as DoomedTask
const random = seededRandom(task.seed)
let isClosing = false

interface BoundTopic extends ToldTopic {
  readonly bound: BytesTopic
}

tell('b')
run().catch((error: unknown) => {
  tell(`e ${String((error as Error).stack).replaceAll('\n', ' | ')}`)
  process.exit(1)
})

async function run(): Promise<void> {
  const { dataDir, brokers } = task
  const millrace = await openMillrace({ dataDir, brokers, logLevel: 'silent', logMemoryBytes: (8 * brokers + 24) * MEBIBYTE })
  const topics: BoundTopic[] = []
  for (const topic of task.topics) {
    const config = { 'millrace.durability': topic.durability, 'segment.bytes': MEBIBYTE } as const
    topics.push({ ...topic, bound: await bytesTopic(millrace, topic.name, { partitions: topic.partitions, config }) })
    for (const { partition, startOffset, endOffset } of (await millrace.admin.describeTopic(topic.name)).partitions)
      tell(`n ${topic.firstLog + partition} ${startOffset} ${endOffset}`)
  }
  tell('o')
  process.stdin.on('end', () => (isClosing = true)).resume()
  const reading = topics.map((topic) => read(millrace, topic))
  const producers = Array.from({ length: task.producers }, () => millrace.producer())
  await Promise.all(producers.map((producer, i) => send(producer, topics, task.firstProducer + i)))
  await millrace.close()
  await Promise.allSettled(reading)
  tell('c')
  process.exit(0)
}

/** Reads from a place of chance on: of what there was, and of what comes. */
async function read(millrace: Millrace, { bound, firstLog, name }: BoundTopic): Promise<void> {
  const consumer = millrace.consumer()
  try {
    for (const { partition, endOffset } of (await millrace.admin.describeTopic(name)).partitions)
      consumer.seek(bound, partition, random.below(4) === 0 ? 0 : Math.max(0, endOffset - random.below(2_000)))
    for await (const batch of consumer.batches(bound)) {
      const cursor = batch.cursor()
      let lines = ''
      while (cursor.next()) {
        const { bytes, valueStart, valueEnd, offset } = cursor
        const producer = wordAt(bytes, valueStart, valueEnd, 0)
        lines += `\nr ${firstLog + batch.partition} ${offset} ${producer} ${wordAt(bytes, valueStart, valueEnd, 4)}`
      }
      if (lines !== '') tell(lines.slice(1))
    }
  } catch (error) {
    if (!isClosing) tell(`e a consumer: ${String(error)}`)
  }
}

/** Sends to all partitions, always so many at once. */
async function send(producer: Producer, topics: readonly BoundTopic[], number: number): Promise<void> {
  let next = 0
  let told = ''
  const acked = (line: string): void => {
    if (told === '') {
      queueMicrotask(() => {
        const lines = told
        told = ''
        tell(lines.slice(1))
      })
    }
    told += `\n${line}`
  }
  const sendOne = async (): Promise<void> => {
    while (!isClosing) {
      const topic = topics[random.below(topics.length)]!
      const partition = random.below(topic.partitions)
      const own = next++
      tell(`s ${topic.firstLog + partition} ${number} ${own}`)
      try {
        const { offset } = await producer.send(topic.bound, { value: toldValue(number, own), partition })
        acked(`a ${topic.firstLog + partition} ${offset} ${number} ${own}`)
      } catch (error) {
        if (!isClosing) tell(`e a send: ${String(error)}`)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: task.inFlight }, sendOne))
}
