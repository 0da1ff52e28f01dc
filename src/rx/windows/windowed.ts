// The key of a window's result, and its bytes, as Kafka Streams writes them. Pure.
//
//   windowed(serde, windows)        │ key │ start: int64 │                  TimeWindowedSerde
//   windowed(serde)                 │ key │ end: int64   │ start: int64 │   SessionWindowedSerde
//
// Big-endian, milliseconds since the epoch.

import { checkSerde } from '../../client/serde.ts'
import type { Serde } from '../../client/serde.ts'
import { MillraceError } from '../../errors.ts'
import type { Windows } from './windows.ts'

/** From when to when, milliseconds since the epoch. The end is exclusive for tumbling and hopping windows, inclusive for the others. */
export interface Window {
  readonly startMs: number
  readonly endMs: number
}

/** A key, and the window in which its records were aggregated. */
export interface Windowed<K> {
  readonly key: K
  readonly window: Window
}

const TIME_BYTES = 8
const encoder = new TextEncoder()

/**
 * The serde of keys of windows. Alone it writes both ends of the window, as Kafka's
 * SessionWindowedSerde; with the windows, unless they are sessions, only the start, as Kafka's
 * TimeWindowedSerde of that size. Throws INVALID_CONFIG.
 */
export function windowed<K, KIn = K>(serde: Serde<K, KIn>, windows?: Windows): Serde<Windowed<K>, Windowed<KIn>> {
  const inner = checkSerde(serde, 'windowed()')
  if (inner.nullable === true)
    throw new MillraceError('INVALID_CONFIG', 'windowed() takes a serde whose key is never null: leave nullable(…) out')
  const sizeMs = windows === undefined ? undefined : sizeOf(windows)
  const times = sizeMs === undefined ? 2 : 1
  const { prepare } = inner
  return Object.freeze({
    name: `windowed(${inner.name ?? 'serde'})`,
    serialize({ key, window }: Windowed<KIn>): Uint8Array {
      const given = inner.serialize(key)
      const keyBytes = typeof given === 'string' ? encoder.encode(given) : given
      const bytes = new Uint8Array(keyBytes.length + times * TIME_BYTES)
      bytes.set(keyBytes)
      const view = new DataView(bytes.buffer)
      checkWindow(window, sizeMs)
      if (sizeMs === undefined) view.setBigInt64(keyBytes.length, BigInt(window.endMs))
      view.setBigInt64(bytes.length - TIME_BYTES, BigInt(window.startMs))
      return bytes
    },
    deserialize(bytes: Uint8Array<ArrayBuffer>): Windowed<K> {
      const keyLength = bytes.length - times * TIME_BYTES
      if (keyLength < 0) throw new RangeError(`${bytes.length} bytes are no key of a window: it has ${times * TIME_BYTES} behind the key`)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const startMs = Number(view.getBigInt64(bytes.length - TIME_BYTES))
      const endMs = sizeMs === undefined ? Number(view.getBigInt64(keyLength)) : startMs + sizeMs
      return { key: inner.deserialize(bytes.subarray(0, keyLength)), window: { startMs, endMs } }
    },
    ...(prepare === undefined ? {} : { prepare: () => prepare.call(inner) }),
  })
}

function sizeOf(windows: Windows): number | undefined {
  switch (windows.kind) {
    case 'time':
      return windows.sizeMs
    case 'sliding':
      return windows.timeDifferenceMs
    case 'session':
      return undefined
  }
}

function checkWindow({ startMs, endMs }: Window, sizeMs: number | undefined): void {
  if (!Number.isSafeInteger(startMs) || !Number.isSafeInteger(endMs)) throw new TypeError('a window has startMs and endMs, whole numbers')
  if (sizeMs !== undefined && endMs - startMs !== sizeMs)
    throw new RangeError(`a window of ${endMs - startMs} ms, where windowed() was told ${sizeMs} ms`)
}
