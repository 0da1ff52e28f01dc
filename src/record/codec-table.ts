// The codec for each number that a batch's attributes may have. Any thread.

import { unsupportedCompression } from './batch-errors.ts'
import type { Codec } from './codec.ts'
import { GZIP } from './gzip-codec.ts'
import { LZ4 } from './lz4-codec.ts'
import { SNAPPY } from './snappy-codec.ts'
import { ZSTD } from './zstd-codec.ts'

const CODECS: readonly (Codec | undefined)[] = [undefined, GZIP, SNAPPY, LZ4, ZSTD]

/** Throws UNSUPPORTED_COMPRESSION_TYPE for a number that Kafka has no codec for. */
export function codecOf(type: number): Codec {
  const codec = CODECS[type]
  if (codec === undefined) throw unsupportedCompression(type)
  return codec
}
