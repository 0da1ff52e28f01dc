// The objects of S7: what people put on a topic, a handful of numbers and short texts. All are
// encoded to the same number of bytes, whatever `i` is, and `i` comes back out of them.

import { json, msgpack } from '../../src/index.ts'
import type { Serde } from '../../src/index.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import type { EventFormat } from './event-format.ts'

export interface Event {
  readonly id: number
  readonly user: string
  readonly page: string
  readonly durationMs: number
  readonly at: number
  readonly tags: readonly string[]
  readonly paid: boolean
}

/** Its two lowest bytes are 0, and it has as many digits as any id. */
const FIRST_ID = 0x4000_0000
const FIRST_AT = 1_700_000_000_000
const USERS = Array.from({ length: 1_000 }, (_, i) => `user-${String(i).padStart(4, '0')}`)
const PAGES = Array.from({ length: 100 }, (_, i) => `/products/${String(i).padStart(3, '0')}`)
const TEXT_LENGTH = USERS[0]!.length + PAGES[0]!.length

export function eventSerde(format: EventFormat): Serde<Event> {
  return format === 'msgpack' ? msgpack<Event>() : json<Event>()
}

/** A new object each time, as a user's code makes one. */
export function eventOf(i: number): Event {
  return {
    id: FIRST_ID + i,
    user: USERS[i % 1_000]!,
    page: PAGES[i % 100]!,
    durationMs: (i & 7) + 0.125,
    at: FIRST_AT + i,
    tags: ['web', 'eu'],
    paid: true,
  }
}

/** What a reader adds of an event: its number's two lowest bytes, and the length of its texts. */
export function sumOf({ id, user, page }: Event): number {
  return (id & 255) + ((id >>> 8) & 255) + user.length + page.length
}

export function expectedEventSum(records: number): number {
  return expectedChecksum(records) + records * TEXT_LENGTH
}
