// The CRC-32C of @node-rs/crc32, which uses the processor's own instruction, where that package is
// installed: several times as fast as our own. Each thread loads it at the first batch that needs it;
// those that lead partitions never do, since a fault in native code would end the whole process, and they hold what is acknowledged.

import { createRequire } from 'node:module'

/** The CRC-32C of all of `bytes`, which are not shared; `seed` is the CRC of what came before. */
export type NativeCrc32c = (bytes: Uint8Array, seed?: number) => number

const require = createRequire(import.meta.url)
/** null: it is not there. */
let loaded: NativeCrc32c | null | undefined

/** From here on this thread computes with our own code. */
export function forgoNativeCode(): void {
  loaded = null
}

/** undefined where it is not installed, not for this machine, or not wanted on this thread. */
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
