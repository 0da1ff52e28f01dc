// Takes the compression off what one fetch has copied, on the reader's own thread: what
// is behind it walks uncompressed batches only. Private to the consumer's thread.
//
// Holds: it stops behind the batch with which so many bytes are there, so what a fetch holds
// is bounded by that and one batch, however much they were compressed; a batch that is damaged,
// or too large, is told when it comes first, and those before it are handed out.

import { MillraceError } from '../../errors.ts'
import type { ReadTarget } from '../../log/shared-log-reader.ts'
import { appendDecompressed } from '../../record/batch-compression.ts'
import { allocateBytes } from '../../record/codec-memory.ts'
import { baseOffset, batchSizeInBytes, compressionType } from '../../record/record-batch.ts'

const SPARE_BYTES_MAX = 8 * 1024 * 1024

/** What is decompressed into; it changes places with the memory of the fetch. One a thread: nothing stays in it between two calls. */
const spare: ReadTarget = { bytes: new Uint8Array(0), length: 0 }

/**
 * Puts into `target`, in other memory, what it holds without compression; gives the offset of the first batch that is not
 * in it for want of room, -1: there is none. Throws CORRUPT_MESSAGE, RECORD_LIST_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function decompressFetched(target: ReadTarget, enoughBytes: number, partitionName: string): number {
  const { bytes, length } = target
  if (spare.bytes.length < bytes.length) spare.bytes = allocateBytes(bytes.length)
  spare.length = 0
  let rest = -1
  for (let at = 0; at < length; ) {
    const end = at + batchSizeInBytes(bytes, at)
    if (at > 0 && spare.length >= enoughBytes) {
      rest = baseOffset(bytes, at)
      break
    }
    try {
      appendDecompressed(bytes, at, end, spare)
    } catch (error) {
      if (at === 0) throw located(error, baseOffset(bytes, at), partitionName)
      rest = baseOffset(bytes, at)
      break
    }
    at = end
  }
  target.bytes = spare.bytes
  target.length = spare.length
  spare.bytes = bytes.length > SPARE_BYTES_MAX ? new Uint8Array(0) : bytes
  return rest
}

/** Whether one of the batches is compressed. */
export function hasCompressedBatch({ bytes, length }: ReadTarget): boolean {
  for (let at = 0; at < length; at += batchSizeInBytes(bytes, at)) if (compressionType(bytes, at) !== 0) return true
  return false
}

function located(error: unknown, offset: number, partitionName: string): unknown {
  if (!(error instanceof MillraceError)) return error
  return new MillraceError(error.code, `${partitionName} at offset ${offset}: ${error.message}`, { cause: error, retriable: false })
}
