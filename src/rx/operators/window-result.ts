// A result of a window, as a record of the chain. Private to the subscriber's thread.

import { INSPECT, recordJson } from '../../client/consumer/consumer-record.ts'
import { RecordHeaders } from '../../client/headers.ts'
import type { RecordFields } from '../changed-record.ts'
import { MillraceRecord } from '../millrace-record.ts'
import type { Origin } from '../hold.ts'
import type { OpenWindow } from '../windows/open-windows.ts'
import type { Windowed } from '../windows/windowed.ts'

const NO_HEADERS = new RecordHeaders([])

/** Where a result comes from: the place of the record that brought it about. */
export interface ResultPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** `value` null: the window is no longer, it went into another one. */
export function windowResult<K>(
  place: ResultPlace,
  { key, startMs, endMs, timestampMs }: OpenWindow<K, unknown>,
  value: unknown,
  origin: Origin | undefined,
): MillraceRecord<Windowed<K>, unknown> {
  const fields = new ResultFields(place, { key, window: { startMs, endMs } }, value, timestampMs)
  return new MillraceRecord<Windowed<K>, unknown>(fields, origin, true)
}

class ResultFields<K> implements RecordFields<Windowed<K>, unknown> {
  readonly #place: ResultPlace
  readonly key: Windowed<K>
  readonly value: unknown
  readonly timestamp: number

  constructor(place: ResultPlace, key: Windowed<K>, value: unknown, timestamp: number) {
    this.#place = place
    this.key = key
    this.value = value
    this.timestamp = timestamp
  }

  get topic(): string {
    return this.#place.topic
  }

  get partition(): number {
    return this.#place.partition
  }

  get offset(): number {
    return this.#place.offset
  }

  get headers(): RecordHeaders {
    return NO_HEADERS
  }

  toJSON(): object {
    return recordJson(this)
  }

  [INSPECT](): object {
    return this.toJSON()
  }
}
