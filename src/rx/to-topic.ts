// The sink: sends what comes by to a topic, and holds it until it is acknowledged.
// Runs on the subscriber's thread, with one producer for all sinks of a millrace.

import { Observable } from 'rxjs'
import type { Observer, OperatorFunction } from 'rxjs'
import { AttachedMillrace } from '../client/millrace.ts'
import type { Headers } from '../client/headers.ts'
import type { Producer, ProducerRecord } from '../client/producer/producer.ts'
import type { RecordMetadata } from '../client/producer/producer-batch.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { KeyToSend, Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { emitWith, holdCurrent, subscribeUpstream } from './hold.ts'
import { MillraceRecord } from './millrace-record.ts'

/** What a sink takes: a record of a chain, or a plain one. Key, headers and timestamp carry over. */
export type SinkRecord<K, V> = KeyToSend<K> & { readonly value: V; readonly timestamp?: number; readonly headers?: Headers }

const producers = new WeakMap<AttachedMillrace, Producer>()

/**
 * Sends each record to a bound topic and emits its metadata when it is acknowledged;
 * until then the record that it came from is held. A failed send ends the Observable
 * with its error, and what it held is not settled. A record that was settled before it
 * came here fails with SETTLED_EARLY.
 */
export function toTopic<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>): OperatorFunction<SinkRecord<KIn, VIn>, RecordMetadata> {
  const bound = asBoundTopic(topic)
  const { owner } = bound
  if (!(owner instanceof AttachedMillrace)) throw new MillraceError('INVALID_REQUEST', `topic ${bound.name} is not bound by an open millrace`)
  return (source) =>
    new Observable<RecordMetadata>((subscriber) => {
      const producer = producerOf(owner)
      let inFlight = 0
      let completed = false
      const upstream = { tracked: false }
      const observer: Observer<SinkRecord<KIn, VIn>> = {
        next(record) {
          let hold: ReturnType<typeof holdCurrent>
          try {
            hold = holdCurrent(upstream)
          } catch (error) {
            subscriber.error(error)
            return
          }
          inFlight++
          producer.send(topic, toSend<KIn, VIn>(record)).then(
            (metadata) => {
              inFlight--
              if (subscriber.closed) return
              emitWith(hold.origins, () => subscriber.next(metadata))
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
      return subscribeUpstream(upstream, () => source.subscribe(observer))
    })
}

function toSend<KIn, VIn>(record: SinkRecord<KIn, VIn>): ProducerRecord<KIn, VIn> {
  const { key, value, timestamp, headers } = record as { key?: KIn; value: VIn; timestamp?: number; headers?: Headers }
  const pairs = record instanceof MillraceRecord ? [...record.headers].map(({ key: name, value: bytes }) => [name, bytes] as const) : headers
  return {
    ...(key === undefined ? {} : { key }),
    value,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(pairs === undefined ? {} : { headers: pairs }),
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
