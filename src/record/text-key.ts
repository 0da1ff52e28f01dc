// A key that is text, as bytes: its UTF-8 and Kafka's hash of it. A text is read once for
// both, for a character of a string costs several times as much as a byte. Then the hash
// picks the batch, and the batch takes the bytes.
// Runs on the producer's thread, once a keyed record; one object serves for ever.
// Holds: nothing is allocated for a text of up to TEXT_KEY_CHARACTERS_MAX; memory is fixed.

import { assert } from '../assert.ts'
import { finishMurmur2, mixMurmur2, murmur2, startMurmur2 } from './murmur2.ts'
import { LOOP_BYTES_MAX, LOOP_CHARACTERS_MAX, UTF8_BYTES_MAX } from './record-fields.ts'

/** Longer texts are rare as keys; no memory is held for them. */
export const TEXT_KEY_CHARACTERS_MAX = 1_024

export class TextKey {
  /** The UTF-8 of the text is in [0, length). */
  readonly bytes: Uint8Array
  length = 0
  /** Kafka's murmur2 of these bytes. */
  hash = 0
  /** The same memory, as Node writes and copies. */
  readonly #room: Buffer

  constructor() {
    this.#room = Buffer.allocUnsafeSlow(TEXT_KEY_CHARACTERS_MAX * UTF8_BYTES_MAX)
    this.bytes = new Uint8Array(this.#room.buffer)
  }

  /** Takes a text of up to TEXT_KEY_CHARACTERS_MAX; a lone surrogate becomes U+FFFD. */
  set(text: string): void {
    const length = text.length
    if (length > LOOP_CHARACTERS_MAX) {
      this.#setAny(text)
      return
    }
    const bytes = this.bytes
    let hash = startMurmur2(length)
    let seen = 0
    let i = 0
    for (const fours = length - 3; i < fours; i += 4) {
      const a = text.charCodeAt(i)
      const b = text.charCodeAt(i + 1)
      const c = text.charCodeAt(i + 2)
      const d = text.charCodeAt(i + 3)
      seen |= a | b | c | d
      bytes[i] = a
      bytes[i + 1] = b
      bytes[i + 2] = c
      bytes[i + 3] = d
      hash = mixMurmur2(hash, a | (b << 8) | (c << 16) | (d << 24))
    }
    let rest = 0
    for (let shift = 0; i < length; i++, shift += 8) {
      const character = text.charCodeAt(i)
      seen |= character
      bytes[i] = character
      rest |= character << shift
    }
    // Beyond ASCII the characters are not the bytes, so all of the above was in vain.
    if (seen > 0x7f) {
      this.#setAny(text)
      return
    }
    this.length = length
    this.hash = finishMurmur2(hash, rest, length & 3)
  }

  /** Copies the bytes to where there is room for them. */
  copyTo(target: Uint8Array, at: number): void {
    const { bytes, length } = this
    if (length > LOOP_BYTES_MAX) this.#room.copy(target, at, 0, length)
    else for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  }

  #setAny(text: string): void {
    assert(text.length <= TEXT_KEY_CHARACTERS_MAX, 'a text key of this length is not kept')
    this.length = this.#room.write(text)
    this.hash = murmur2(this.bytes, 0, this.length)
  }
}

const hashed = new TextKey()

/** The hash of a text's UTF-8. */
export function murmur2OfText(text: string): number {
  if (text.length > TEXT_KEY_CHARACTERS_MAX) {
    const bytes = Buffer.from(text)
    return murmur2(bytes, 0, bytes.length)
  }
  hashed.set(text)
  return hashed.hash
}
