// What a producer of the road offers, record by record, and what its readers must then have
// counted and summed. The loops run on the producer's thread; nothing is waited for in them.
//
//   plain        bytes, no key
//   view         the same, a view of the value a record: what the heap profiler of C4 must find
//   keyed        text keys, 1,000 of them in turn, and a header on every tenth record
//   round-robin  bytes, no key, each record to the next partition
//   msgpack      an object a record, through that serde; json: the same
//   line         the lines of the access log, from the first on and again, without a key
//
// A reader sums the first and last byte of every value; of keyed records also the last
// character of the key and the number of headers; of objects what events.ts says.

import { bytes } from '../../src/index.ts'
import type { Producer, Serde, Topic } from '../../src/index.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import { expectedLineSum, logLines } from './log-lines.ts'
import { eventOf, eventSerde, expectedEventSum } from '../serde/events.ts'

export type Offering = 'plain' | 'view' | 'keyed' | 'round-robin' | 'msgpack' | 'json' | 'line'

/** Offers records `from` up to `to`; gives the first that was not taken. */
export type Offer = (from: number, to: number) => number

type RoadTopic = Topic<string | null, unknown>

const KEYS = 1_000
const HEADER_EVERY = 10

export function offerOf(offering: Offering, producer: Producer, topic: RoadTopic, value: Uint8Array, partitions: number): Offer {
  switch (offering) {
    case 'plain':
      return offerPlain(producer, topic, value)
    case 'view':
      return offerViews(producer, topic, value)
    case 'keyed':
      return offerKeyed(producer, topic, value)
    case 'round-robin':
      return offerRoundRobin(producer, topic, value, partitions)
    case 'msgpack':
    case 'json':
      return offerEvents(producer, topic)
    case 'line':
      return offerLines(producer, topic)
  }
}

function offerPlain(producer: Producer, topic: RoadTopic, value: Uint8Array): Offer {
  const last = value.length - 1
  return (from, to) => {
    for (let i = from; i < to; i++) {
      value[0] = i
      value[last] = i >>> 8
      if (!producer.offer(topic, null, value)) return i
    }
    return to
  }
}

function offerViews(producer: Producer, topic: RoadTopic, value: Uint8Array): Offer {
  const last = value.length - 1
  return (from, to) => {
    for (let i = from; i < to; i++) {
      value[0] = i
      value[last] = i >>> 8
      if (!producer.offer(topic, null, value.subarray(0))) return i
    }
    return to
  }
}

function offerKeyed(producer: Producer, topic: RoadTopic, value: Uint8Array): Offer {
  const last = value.length - 1
  const keys = Array.from({ length: KEYS }, (_, i) => `user-${String(i).padStart(4, '0')}`)
  const withHeader = { headers: { source: 'web' } }
  return (from, to) => {
    for (let i = from; i < to; i++) {
      value[0] = i
      value[last] = i >>> 8
      if (!producer.offer(topic, keys[i % KEYS]!, value, i % HEADER_EVERY === 0 ? withHeader : undefined)) return i
    }
    return to
  }
}

function offerRoundRobin(producer: Producer, topic: RoadTopic, value: Uint8Array, partitions: number): Offer {
  const last = value.length - 1
  const toNext = { partition: 0 }
  return (from, to) => {
    for (let i = from; i < to; i++) {
      value[0] = i
      value[last] = i >>> 8
      toNext.partition = i % partitions
      if (!producer.offer(topic, null, value, toNext)) return i
    }
    return to
  }
}

function offerEvents(producer: Producer, topic: RoadTopic): Offer {
  return (from, to) => {
    for (let i = from; i < to; i++) if (!producer.offer(topic, null, eventOf(i))) return i
    return to
  }
}

function offerLines(producer: Producer, topic: RoadTopic): Offer {
  const lines = logLines()
  return (from, to) => {
    for (let i = from; i < to; i++) if (!producer.offer(topic, null, lines[i % lines.length]!)) return i
    return to
  }
}

/** The serde of the values of a topic of the road. */
export function serdeOf(offering: Offering): Serde<unknown> {
  return (offering === 'msgpack' || offering === 'json' ? eventSerde(offering) : bytes()) as Serde<unknown>
}

/** The sum over records 0 to `records` - 1 of what a reader adds. */
export function expectedSum(offering: Offering, records: number): number {
  if (offering === 'msgpack' || offering === 'json') return expectedEventSum(records)
  if (offering === 'line') return expectedLineSum(records)
  if (offering !== 'keyed') return expectedChecksum(records)
  const rest = records % HEADER_EVERY
  const digits = Math.floor(records / HEADER_EVERY) * 45 + (rest * (rest - 1)) / 2
  const headers = Math.ceil(records / HEADER_EVERY)
  return expectedChecksum(records) + records * '0'.charCodeAt(0) + digits + headers
}
