// The CRC-32C of @node-rs/crc32, which uses the processor's own instruction, where that package is
// installed: several times as fast as our own. Any thread; each loads it at the first batch that needs it.

import { createRequire } from 'node:module'

/** The CRC-32C of all of `bytes`, which are not shared; `seed` is the CRC of what came before. */
export type NativeCrc32c = (bytes: Uint8Array, seed?: number) => number

const require = createRequire(import.meta.url)
/** null: it is not there. */
let loaded: NativeCrc32c | null | undefined

/** undefined where it is not installed, or not for this machine. */
export function nativeCrc32c(): NativeCrc32c | undefined {
  if (loaded === undefined) loaded = load()
  return loaded ?? undefined
}

function load(): NativeCrc32c | null {
  try {
    const { crc32c } = require('@node-rs/crc32') as { crc32c: NativeCrc32c }
    // What loads and gives another value must not be believed.
    return crc32c(new TextEncoder().encode('123456789')) === CHECK ? crc32c : null
  } catch {
    return null
  }
}

/** Of the text 123456789. */
const CHECK = 0xe306_9283
