// gzip (RFC 1952), by Node's zlib. Any thread.

import { corruptCompression, tooLargeDecompressed } from './batch-errors.ts'
import type { Codec } from './codec.ts'
import { zlib } from './codec-libraries.ts'

const NOTHING = new Uint8Array(0)

export const GZIP: Codec = {
  /** Levels 1 to 9, or -1: the library's default. */
  compress: (bytes, level) => zlib().gzipSync(bytes, { level, chunkSize: outputBytes(bytes.length) }),

  decompress: (bytes, maxBytes) => inflated('gzip', maxBytes, (options) => zlib().gunzipSync(bytes, options), bytes.length),
}

/** Runs one of zlib's: bounded, and with its errors said as ours. */
export function inflated(
  name: string,
  maxBytes: number,
  run: (options: { maxOutputLength: number; chunkSize: number }) => Uint8Array,
  sizeInBytes: number,
): Uint8Array {
  // To zlib nothing at all is no stream, but no error either.
  if (sizeInBytes === 0) throw corruptCompression(name, 'no bytes at all')
  try {
    // What is allowed to come out is 1 at least.
    const output = run({
      maxOutputLength: Math.max(1, maxBytes),
      chunkSize: Math.min(outputBytes(4 * sizeInBytes), Math.max(1024, maxBytes)),
    })
    if (output.length > maxBytes) throw tooLargeDecompressed(name, maxBytes)
    return output.length === 0 ? NOTHING : output
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLargeDecompressed(name, maxBytes)
    if (typeof code === 'string' && /^(Z_|ZSTD_)/.test(code)) throw corruptCompression(name, (error as Error).message)
    throw error
  }
}

/** Of the pieces that zlib writes into: few, and none much larger than need be. */
export function outputBytes(expected: number): number {
  return Math.min(Math.max(expected, 1024), 256 * 1024)
}
