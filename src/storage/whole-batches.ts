// A walk over the whole batches of a .log, each with its CRC checked: what compaction reads, for
// what it writes gets a new CRC, and damage must not be signed. Any thread; on memory private to it.

import type { DiskFile } from '../disk/disk.ts'
import { corruptBatch } from '../record/batch-errors.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, isCrcValid } from '../record/record-batch.ts'
import { headerFault } from './segment-scan.ts'
import { SegmentSource, WHOLE_BATCHES_WINDOW_BYTES } from './segment-source.ts'

/** A header that says more is taken for damaged, before memory is allocated for it. */
export const BATCH_BYTES_MAX = 256 * 1024 * 1024

/** Called with a batch in bytes[at, at + sizeInBytes), good until it returns; false ends the walk. */
export type VisitBatch = (bytes: Uint8Array, at: number, sizeInBytes: number, position: number) => boolean

/** Visits the batches in [0, sizeInBytes) of the file. Throws CORRUPT_MESSAGE for what is none. */
export function walkWholeBatches(file: DiskFile, sizeInBytes: number, visit: VisitBatch): void {
  const source = new SegmentSource(file, WHOLE_BATCHES_WINDOW_BYTES)
  for (let position = 0; position < sizeInBytes; ) {
    let at = source.at(position, BATCH_HEADER_BYTES)
    const fault = headerFault(source, at, position)
    if (fault !== undefined) throw damaged(file, fault, position)
    const size = batchSizeInBytes(source.bytes, at)
    if (size > BATCH_BYTES_MAX) throw damaged(file, `a batch of ${size} bytes`, position)
    at = source.at(position, size)
    if (at < 0 || !isCrcValid(source.bytes, at, at + size)) throw damaged(file, 'a wrong CRC', position)
    if (!visit(source.bytes, at, size, position)) return
    position += size
  }
}

function damaged({ path }: DiskFile, found: string, position: number): Error {
  return corruptBatch(`${found} in ${path}`, position)
}
