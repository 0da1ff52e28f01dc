// A record as `send`, `sendAll` and `offer` take it. Types only.

import type { Headers } from '../headers.ts'
import type { KeyToSend } from '../topic-definition.ts'

/** What may be said of a record beside its key and value. */
export interface RecordOptions {
  /** An object, or pairs where order or duplicates matter. */
  readonly headers?: Headers
  /** Milliseconds since the epoch; the time of sending unless given. */
  readonly timestamp?: number
  /** A partition by number, from 0; the partitioner's choice unless given. */
  readonly partition?: number
}

/** One record to send. The key may be left out where null is a key. */
export type ProducerRecord<K = string | null, V = unknown> = KeyToSend<K> & { readonly value: V } & RecordOptions

/** Any record, as it comes at run time. */
export interface AnyRecord extends RecordOptions {
  readonly key?: unknown
  readonly value: unknown
}
