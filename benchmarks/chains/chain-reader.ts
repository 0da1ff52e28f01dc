// Worker: one of the user's own threads, attached by handle, that reads one topic into a chain of
// RxJS operators, and adds the first and last byte of every value. One subscription for the life of
// the thread: a run is a number of records in it.
//
//   from-topic   fromTopic, all partitions, no group
//   group        fromTopic as a member of a group, which commits what is settled
//   subject      batches(), each of its lazy records given to a Subject: nothing is tracked
//
// Behind each stand the same operators: map, filter, subscribe.

import { Subject, filter, map } from 'rxjs'
import type { Observable } from 'rxjs'
import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import { fromTopic } from '../../src/rxjs.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { PacedReader } from '../harness/pacing.ts'
import { serve } from '../harness/thread-server.ts'
import type { Read, RoadReaderData } from '../road/road-reader.ts'

export type ChainSource = 'from-topic' | 'group' | 'subject'

/** The pace is told once in so many records: a chain knows of no batches. A power of two. */
const RECORDS_A_REPORT = 256

const data = workerData as RoadReaderData & { readonly chain: ChainSource }
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const reader = new PacedReader(data.pacing, data.reader, data.readers)
const { promise: failed, reject: fail } = Promise.withResolvers<never>()
failed.catch(() => {})

let expected = 0
let records = 0
let checksum = 0
let missed = 0
let result: PromiseWithResolvers<Read> | undefined

function source(): Observable<{ readonly value: Uint8Array }> {
  if (data.chain === 'subject') return onSubject()
  const onOvertaken = (event: { readonly missed: number }): void => {
    missed += event.missed
  }
  return fromTopic(topic, data.chain === 'group' ? { groupId: 'chain', onOvertaken } : { onOvertaken })
}

function onSubject(): Observable<{ readonly value: Uint8Array }> {
  const subject = new Subject<{ readonly value: Uint8Array }>()
  const consumer = millrace.consumer()
  consumer.on('overtaken', (event) => {
    missed += event.missed
  })
  const read = async (): Promise<void> => {
    for await (const batch of consumer.batches(topic)) for (const record of batch) subject.next(record)
  }
  read().catch(fail)
  return subject
}

source()
  .pipe(
    map(({ value }) => value[0]! + value[value.length - 1]!),
    filter((sum) => sum >= 0),
  )
  .subscribe({
    next(sum) {
      checksum += sum
      records++
      if (records % RECORDS_A_REPORT === 0) reader.report(records)
      if (records === expected) over()
    },
    error: fail,
  })

function over(): void {
  reader.report(records)
  result?.resolve({ endSeconds: monotonicSeconds(), records, checksum, batches: 0, missed })
  result = undefined
}

let answer: Promise<Read> | undefined

serve({
  ready: () => true,
  expect: ({ records: count }: { records: number }): void => {
    expected = count
    records = 0
    checksum = 0
    missed = 0
    result = Promise.withResolvers<Read>()
    answer = Promise.race([result.promise, failed])
    answer.catch(() => {})
  },
  result: () => answer,
  close: () => millrace.close(),
})
