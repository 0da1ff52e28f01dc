// zstd (RFC 8878), by Node's zlib. Any thread.
// A frame names the window that its reader must have, 128 MiB at most: that much is
// reserved while it is read, but memory only where something is written.

import { corruptCompression } from './batch-errors.ts'
import type { Codec } from './codec.ts'
import { zlib } from './codec-libraries.ts'
import { inflated, outputBytes } from './gzip-codec.ts'
import { areWholeFrames } from './zstd-frames.ts'

export const ZSTD: Codec = {
  /** Levels -131072 to 22; 0: the library's default, which is 3. */
  compress: (bytes, level) => {
    const { zstdCompressSync, constants } = zlib()
    return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level }, chunkSize: outputBytes(bytes.length) })
  },

  decompress: (bytes, maxBytes) => {
    const output = inflated('zstd', maxBytes, (options) => zlib().zstdDecompressSync(bytes, options), bytes.length)
    if (!areWholeFrames(bytes)) throw corruptCompression('zstd', 'it ends inside a frame')
    return output
  },
}
