// The libraries below the codecs, each loaded by the first batch that needs it: a thread
// that never sees a compressed batch pays nothing for them (zlib 2 ms, wasm-utils 15 ms).
// Any thread. Loaded by `require`, since a batch cannot wait for an import.

import { createRequire } from 'node:module'
import type * as Zlib from 'node:zlib'
import type * as WasmUtils from '@platformatic/wasm-utils'

const require = createRequire(import.meta.url)
let loadedZlib: typeof Zlib | undefined
let loadedWasm: typeof WasmUtils | undefined

/** gzip and zstd, both ways. */
export function zlib(): typeof Zlib {
  return (loadedZlib ??= require('node:zlib') as typeof Zlib)
}

/** Compresses snappy and lz4. What it reads it trusts, so it is not asked to decompress. */
export function wasmUtils(): typeof WasmUtils {
  return (loadedWasm ??= require('@platformatic/wasm-utils') as typeof WasmUtils)
}
