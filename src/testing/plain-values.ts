// Keys and values of a topic that a test knows by its name alone: text, or JSON, or bytes.
//
// What is sent: text as it is, bytes as they are, null as null, and anything else as its JSON text. What is read: JSON objects and
// arrays parsed, other text as it is, and bytes where they are no text.

import type { Serde } from '../client/serde.ts'
import { bytes, json, nullable, string } from '../client/serde.ts'

/** Text, JSON, bytes or null. */
export type PlainValue = unknown

const TEXT = string()
const JSON_TEXT = json()
const BYTES = bytes()

const PLAIN: Serde<PlainValue> = {
  name: 'plain values of a test',
  serialize(value) {
    if (value instanceof Uint8Array) return value
    return typeof value === 'string' ? value : JSON_TEXT.serialize(value)
  },
  deserialize(view) {
    let text: string
    try {
      text = TEXT.deserialize(view)
    } catch {
      return BYTES.deserialize(view).slice()
    }
    return parsedJson(text) ?? text
  },
}

/** The serde of both key and value. */
export const PLAIN_VALUES: Serde<PlainValue> = nullable(PLAIN)

/** The object or array that a text is the JSON of; undefined for any other text. */
export function parsedJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
