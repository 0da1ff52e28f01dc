// The end of a round: all that was published is appended, and every log is read from its
// first offset to its end.

import { MillraceError } from '../../src/errors.ts'
import type { Millrace } from '../../src/index.ts'
import { noteOvertaken, tapeBatch } from './consumer-work.ts'
import { ACKED, CLOSED, MARK_END, MARK_FIRST_SEEN, MARK_START, REFUSED, ReadTape } from './history.ts'
import type { SendTape } from './history.ts'
import type { BoundTopic } from './producer-work.ts'
import { hashOf, makeValue } from './record-value.ts'
import type { RoundWords } from './torture-words.ts'

/** So often in a row nothing but what is sent here may come. */
const QUIET_ROUNDS = 3

/**
 * Lanes of threads that died are read to their end by brokers in turns like all others:
 * after some turns in which nothing but records of our own comes, they are empty.
 */
export async function settleLogs(
  millrace: Millrace,
  topics: readonly BoundTopic[],
  tape: SendTape,
  producerNumber: number,
  words: RoundWords,
): Promise<void> {
  // One that is full says so at once.
  const producer = millrace.producer({ retries: 0 })
  let quiet = 0
  while (quiet < QUIET_ROUNDS) {
    const before = await endOf(millrace, topics)
    let acked = 0
    for (const { bound, firstLog, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const value = makeValue(producerNumber, tape.rows, 0)
        const number = tape.invoke(firstLog + partition, hashOf(value), words.tick())
        try {
          const { offset } = await producer.send(bound, { value, partition })
          tape.complete(number, ACKED, words.tick(), offset)
          acked++
        } catch (error) {
          if (!(error instanceof MillraceError) || error.code !== 'KAFKA_STORAGE_ERROR') throw error
          tape.complete(number, REFUSED, words.tick())
        }
      }
    }
    quiet = (await endOf(millrace, topics)) - before === acked ? quiet + 1 : 0
  }
  await producer.close()
  tape.end(CLOSED)
}

async function endOf(millrace: Millrace, topics: readonly BoundTopic[]): Promise<number> {
  let sum = 0
  for (const { name } of topics) for (const { endOffset } of (await millrace.admin.describeTopic(name)).partitions) sum += endOffset
  return sum
}

export async function drainLogs(millrace: Millrace, topics: readonly BoundTopic[]): Promise<ReadTape> {
  let records = 0
  for (const { name } of topics) {
    for (const { startOffset, endOffset } of (await millrace.admin.describeTopic(name)).partitions) records += endOffset - startOffset
  }
  // Room for a reader that reads too much.
  const tape = ReadTape.allocate(records + 1_000)
  const consumer = millrace.consumer()
  noteOvertaken(consumer, topics, tape)
  for (const { bound, name, firstLog, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) tape.mark(MARK_START, firstLog + partition, -1)
    for await (const batch of consumer.batches(bound, { until: 'end' })) tapeBatch(batch, firstLog, tape)
    for (const { partition, startOffset, endOffset } of (await millrace.admin.describeTopic(name)).partitions) {
      tape.mark(MARK_FIRST_SEEN, firstLog + partition, startOffset)
      tape.mark(MARK_END, firstLog + partition, endOffset)
    }
  }
  await consumer.close()
  tape.end(CLOSED)
  return tape
}
