// Keys as a Map tells them apart: equal where their bytes are. Pure.

import { MillraceError } from '../../errors.ts'
import { json } from '../../client/serde.ts'
import type { Serde } from '../../client/serde.ts'

/** Numbers, bigints, booleans and text are themselves; other keys are text of their bytes. */
export type KeyId = string | number | bigint | boolean

/** Text of bytes begins with this, and so does text of a user that begins with it. */
const MARK = '\u0000'

/**
 * Gives the id of a key. Objects are taken by the bytes of their serde, or of `json()` without one;
 * then they are equal where they were made with their fields in the same order.
 */
export function keyIds(serde: Serde<unknown, never> | undefined): (key: unknown) => KeyId {
  const encode: (key: never) => Uint8Array | string = serde?.serialize ?? json().serialize
  return (key) => {
    switch (typeof key) {
      case 'string':
        return key.startsWith(MARK) ? `${MARK}t${key}` : key
      case 'number':
      case 'bigint':
      case 'boolean':
        return key
      case 'object': {
        const bytes = key instanceof Uint8Array ? key : encode(key as never)
        return typeof bytes === 'string' ? `${MARK}s${bytes}` : `${MARK}b${latin1(bytes)}`
      }
      default:
        throw new MillraceError(
          'INVALID_REQUEST',
          `a ${typeof key} is no key: operators by key take text, numbers, bytes, and objects of a serde`,
        )
    }
  }
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
