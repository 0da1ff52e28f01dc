// What chance makes of a file: cut short, bits flipped, bytes put in and taken out; and
// that whatever reads it says so in a typed error.

import fc from 'fast-check'
import { expect } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import type { ErrorName } from '../../src/errors.ts'

const CODES: readonly ErrorName[] = ['KAFKA_STORAGE_ERROR', 'UNSUPPORTED_VERSION']

export const PATH = 'dir/file-of-a-test'

export interface Damage {
  readonly kind: 'cut' | 'flip' | 'insert' | 'remove' | 'zero' | 'set'
  readonly at: number
  readonly byte: number
}

export const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('cut', 'flip', 'insert', 'remove', 'zero', 'set'),
    at: fc.nat(),
    byte: fc.nat(255),
  }),
  { minLength: 1, maxLength: 4 },
)

export function damaged(whole: Uint8Array, done: readonly Damage[]): Uint8Array {
  let bytes = [...whole]
  for (const { kind, at, byte } of done) {
    const place = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'cut') bytes = bytes.slice(0, place)
    else if (kind === 'insert') bytes.splice(place, 0, byte)
    else if (kind === 'remove') bytes.splice(place, 1 + (byte % 8))
    else if (bytes.length === 0) continue
    else if (kind === 'flip') bytes[place]! ^= 1 << (byte % 8)
    else if (kind === 'set') bytes[place] = byte
    else bytes.fill(0, place, place + byte)
  }
  return Uint8Array.from(bytes)
}

/** The error of a call that must fail as the files of a log directory do: it names the file and ends with what to do. */
export function refusalOf(call: () => unknown): MillraceError {
  try {
    call()
  } catch (error) {
    if (!(error instanceof MillraceError) || !CODES.includes(error.code)) throw error
    expect(error.message).toContain(PATH)
    expect(error.retriable).toBe(false)
    return error
  }
  throw new Error('it was not refused')
}

/** What a call gives, or undefined where it refuses as the files of a log directory do; any other error goes on. */
export function readOrRefused<T>(call: () => T): T | undefined {
  let read: { value: T } | undefined
  try {
    read = { value: call() }
  } catch (error) {
    refusalOf(() => {
      throw error
    })
  }
  return read?.value
}
