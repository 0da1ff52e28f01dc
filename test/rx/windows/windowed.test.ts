import { expect, test } from 'vitest'
import { bytes, json, nullable, string } from '../../../src/index.ts'
import { session, tumbling, windowed } from '../../../src/rxjs.ts'

const hex = (given: Uint8Array | string): string => Buffer.from(given as Uint8Array).toString('hex')
const read = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'))

test('the key of a time window is the key and its start, as Kafka has it', () => {
  const serde = windowed(string(), tumbling({ sizeMs: 60_000, graceMs: 0 }))
  const key = { key: 'ab', window: { startMs: 0x0102030405, endMs: 0x0102030405 + 60_000 } }
  expect(hex(serde.serialize(key))).toBe('61620000000102030405')
  expect(serde.deserialize(read('61620000000102030405'))).toEqual(key)
})

test('the key of a session is the key, its end and its start, as Kafka has it', () => {
  const key = { key: 'ab', window: { startMs: 1, endMs: 2 } }
  for (const serde of [windowed(string()), windowed(string(), session({ inactivityGapMs: 5, graceMs: 0 }))]) {
    expect(hex(serde.serialize(key))).toBe('616200000000000000020000000000000001')
    expect(serde.deserialize(read('616200000000000000020000000000000001'))).toEqual(key)
  }
})

test('any serde of keys, and an empty key', () => {
  const window = { startMs: 5, endMs: 9 }
  for (const key of [{ a: 1 }, [], 7]) expect(roundTrip(windowed(json()), { key, window })).toEqual({ key, window })
  expect(roundTrip(windowed(string()), { key: '', window })).toEqual({ key: '', window })
  expect(roundTrip(windowed(bytes()), { key: Uint8Array.of(1, 2), window }).key).toEqual(Uint8Array.of(1, 2))
})

test('what is no key of a window is refused', () => {
  const serde = windowed(string(), tumbling({ sizeMs: 10, graceMs: 0 }))
  expect(() => serde.serialize({ key: 'a', window: { startMs: 0, endMs: 11 } })).toThrow('a window of 11 ms')
  expect(() => serde.serialize({ key: 'a', window: { startMs: 0.5, endMs: 10.5 } })).toThrow('whole numbers')
  expect(() => serde.deserialize(new Uint8Array(7))).toThrow('7 bytes')
  expect(() => windowed(nullable(string()))).toThrow('nullable')
  expect(() => windowed('text' as never)).toThrow('takes a serde')
})

function roundTrip<T>(serde: { serialize(value: T): Uint8Array | string; deserialize(given: Uint8Array<ArrayBuffer>): T }, value: T): T {
  return serde.deserialize(Uint8Array.from(serde.serialize(value) as Uint8Array))
}
