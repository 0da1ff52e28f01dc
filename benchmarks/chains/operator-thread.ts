// Worker: runs the chains of one operator over a topic that is full, each to its end: with the operator
// and without, on `fromTopic` and on a Subject. A thread an operator, so that none is slow for what ran before.

import { Observable, Subject } from 'rxjs'
import { workerData } from 'node:worker_threads'
import { attachMillrace, bytes } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'
import { fromTopic } from '../../src/rxjs.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { serve } from '../harness/thread-server.ts'
import type { OperatorId } from './operator-ids.ts'
import { OPERATOR_CHAINS, bare } from './operator-chains.ts'
import type { Readable } from './operator-chains.ts'

export interface OperatorThreadData {
  readonly handle: MillraceHandle
  readonly topic: string
  readonly operator: OperatorId
}

export interface Passed {
  readonly seconds: number
  readonly checksum: number
}

export type ChainName = 'bare' | 'own' | 'nearestBare' | 'nearest'

const data = workerData as OperatorThreadData
const millrace = await attachMillrace(data.handle)
const topic = await millrace.topic(data.topic, { value: bytes() })
const { own, nearest, sources: count = 1 } = OPERATOR_CHAINS[data.operator]
/** Of each source: undefined for both partitions. */
const partitions = count === 1 ? [undefined] : [[0], [1]]

function fromTopics() {
  return partitions.map((numbers) => fromTopic(topic, { until: 'end', partitions: numbers }))
}

/** A Subject that is fed with what a consumer reads, from when it is subscribed to. */
function onSubject(numbers: readonly number[] | undefined): Observable<Readable> {
  return new Observable((subscriber) => {
    const subject = new Subject<Readable>()
    subject.subscribe(subscriber)
    feed(subject, numbers).catch((error: unknown) => subscriber.error(error))
  })
}

async function feed(subject: Subject<Readable>, numbers: readonly number[] | undefined): Promise<void> {
  const consumer = millrace.consumer()
  if (numbers !== undefined) consumer.assign(numbers.map((partition) => ({ topic, partition })))
  for await (const batch of consumer.batches(topic, { until: 'end' })) for (const record of batch) subject.next(record)
  subject.complete()
  await consumer.close()
}

const CHAINS: Readonly<Record<ChainName, () => Observable<number>>> = {
  bare: () => bare([fromTopic(topic, { until: 'end' })]),
  own: () => own(fromTopics()),
  nearestBare: () => bare([onSubject(undefined)]),
  nearest: () => nearest(partitions.map(onSubject)),
}

function pass(name: ChainName): Promise<Passed> {
  return new Promise((resolve, reject) => {
    const startSeconds = monotonicSeconds()
    let checksum = 0
    CHAINS[name]().subscribe({
      next(sum) {
        checksum += sum
      },
      error: reject,
      complete: () => resolve({ seconds: monotonicSeconds() - startSeconds, checksum }),
    })
  })
}

serve({
  ready: () => true,
  pass: ({ chain }: { chain: ChainName }) => pass(chain),
  close: () => millrace.close(),
})
