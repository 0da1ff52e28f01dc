// Worker: encodes and decodes the events of S7, one after another, with nothing around it.
//
//   serde    the serde that the topic of the road has
//   library  what that serde is made of, used as its documentation says

import { workerData } from 'node:worker_threads'
import { Decoder, Encoder } from '@msgpack/msgpack'
import { serve } from '../harness/thread-server.ts'
import { EVENT_BYTES } from './event-format.ts'
import type { EventFormat } from './event-format.ts'
import { eventOf, eventSerde, sumOf } from './events.ts'
import type { Event } from './events.ts'

export interface SerdeData {
  readonly format: EventFormat
  readonly by: 'serde' | 'library'
}

export interface Coded {
  readonly records: number
  readonly checksum: number
  readonly seconds: number
}

/** There and back, through bytes. */
type RoundTrip = (event: Event) => Event

const scratch = Buffer.alloc(4 * EVENT_BYTES.json)

async function bySerde(format: EventFormat): Promise<RoundTrip> {
  const serde = eventSerde(format)
  await serde.prepare?.()
  const range = serde.deserializeRange ?? ((bytes, start, end) => serde.deserialize(bytes.subarray(start, end)))
  return (event) => {
    const encoded = serde.serialize(event)
    if (typeof encoded === 'string') return range(scratch, 0, scratch.write(encoded))
    return range(encoded as Uint8Array<ArrayBuffer>, 0, encoded.length)
  }
}

function byLibrary(format: EventFormat): RoundTrip {
  if (format === 'json') return (event) => JSON.parse(scratch.toString('utf8', 0, scratch.write(JSON.stringify(event)))) as Event
  const encoder = new Encoder()
  const decoder = new Decoder()
  return (event) => decoder.decode(encoder.encodeSharedRef(event)) as Event
}

const { format, by } = workerData as SerdeData
const roundTrip = by === 'serde' ? await bySerde(format) : byLibrary(format)

serve({
  run: ({ records }: { records: number }): Coded => {
    const startMs = performance.now()
    let checksum = 0
    for (let i = 0; i < records; i++) checksum += sumOf(roundTrip(eventOf(i)))
    return { records, checksum, seconds: (performance.now() - startMs) / 1_000 }
  },
})
