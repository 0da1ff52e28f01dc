// The sink: sends what comes by to a topic, and holds it until it is acknowledged.
// Runs on the subscriber's thread, with one producer for all sinks of a millrace.

import { Observable } from 'rxjs'
import type { Observer, OperatorFunction } from 'rxjs'
import { AttachedMillrace } from '../client/millrace.ts'
import type { Headers } from '../client/headers.ts'
import type { Producer } from '../client/producer/producer.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import type { RecordMetadata } from '../client/producer/producer-batch.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { KeyToSend, Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { abandonHolds, newChain, subscribeUpstream } from './chain.ts'
import type { Chain } from './chain.ts'
import { emitWith, holdCurrent, isOutsideHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'

/** What a sink takes: a record of a chain, or a plain one. Key, headers and timestamp (ms since the epoch) carry over. */
export type SinkRecord<K, V> = KeyToSend<K> & { readonly value: V; readonly timestamp?: number; readonly headers?: Headers }

const producers = new WeakMap<AttachedMillrace, Producer>()

/**
 * Sends each record to a bound topic and emits its metadata when it is acknowledged;
 * until then the record that it came from is held. Completes when the source has and all
 * is acknowledged. A failed send ends the Observable with its error, as `producer.send`
 * gives it, and what it held is not settled. A record that was settled before it came
 * here fails with SETTLED_EARLY, which says what to do. A source without `fromTopic` upstream has
 * nothing to hold, and cannot be told to wait: sends that find no room wait for it up to
 * `maxBlockMs` of the producer, and then end the Observable with BUFFER_EXHAUSTED.
 */
export function toTopic<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>): OperatorFunction<SinkRecord<KIn, VIn>, RecordMetadata> {
  const bound = asBoundTopic(topic)
  const { owner } = bound
  if (!(owner instanceof AttachedMillrace))
    throw new MillraceError('INVALID_REQUEST', `topic ${bound.name} is not bound by an open millrace`)
  return (source) =>
    new Observable<RecordMetadata>((subscriber) => {
      const producer = producerOf(owner)
      let inFlight = 0
      let completed = false
      const chain = newChain()
      const observer: Observer<SinkRecord<KIn, VIn>> = {
        next(record) {
          // A synchronous source goes on for a while after an error.
          if (subscriber.closed) return
          let hold: Hold
          let toSend: ProducerRecord<KIn, VIn>
          try {
            hold = holdFor(record, chain)
            toSend = asProducerRecord<KIn, VIn>(record)
          } catch (error) {
            subscriber.error(error)
            return
          }
          inFlight++
          producer.send(topic, toSend).then(
            (metadata) => {
              inFlight--
              if (subscriber.closed) return
              emitWith(hold, () => subscriber.next(metadata))
              if (!subscriber.closed) hold.release()
              if (completed && inFlight === 0) subscriber.complete()
            },
            (error: unknown) => subscriber.error(error),
          )
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          completed = true
          if (inFlight === 0) subscriber.complete()
        },
      }
      const subscription = subscribeUpstream(chain, () => source.subscribe(observer))
      return () => {
        subscription.unsubscribe()
        if (inFlight > 0) abandonHolds(chain)
      }
    })
}

/** A record that its user holds may come at any time; everything else only while a source or operator emits. */
function holdFor(record: unknown, chain: Chain): Hold {
  return record instanceof MillraceRecord && isOutsideHold() ? record.hold() : holdCurrent(chain)
}

/** Key, headers and timestamp carry over, the partition does not: it is the partitioner's to choose. */
function asProducerRecord<KIn, VIn>(record: SinkRecord<KIn, VIn>): ProducerRecord<KIn, VIn> {
  if (typeof record !== 'object' || record === null) {
    throw new MillraceError('INVALID_REQUEST', 'toTopic takes records: map what comes by to { value }, and key, headers or timestamp')
  }
  const { key, value, timestamp, headers } = record as { key?: KIn; value: VIn; timestamp?: number; headers?: Headers }
  return {
    ...(key === undefined ? {} : { key }),
    value,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(headers === undefined ? {} : { headers }),
  } as unknown as ProducerRecord<KIn, VIn>
}

function producerOf(owner: AttachedMillrace): Producer {
  let producer = producers.get(owner)
  if (producer === undefined) {
    producer = owner.producer()
    producers.set(owner, producer)
  }
  return producer
}
