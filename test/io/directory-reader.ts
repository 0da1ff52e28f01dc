// Reads the logs of a data directory with nothing of millrace but the disk: what a check of it may trust.

import type { Disk } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { crc32c } from '../../src/record/crc32c.ts'

export interface FoundBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** What the batch says it is: its base sequence. */
  readonly number: number
}

/** Every batch of a partition, over all of its segments. Throws where a byte is wrong. */
export function readPartition(disk: Disk, directory: string): FoundBatch[] {
  const found: FoundBatch[] = []
  if (!disk.exists(directory)) return found
  for (const name of disk.list(directory)) {
    if (!/^\d{20}\.log$/.test(name)) continue
    const bytes = readWhole(disk, `${directory}/${name}`, 1 << 30)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length; ) {
      const size = view.getInt32(at + 8) + 12
      if (size < 61 || at + size > bytes.length) throw new Error(`${name}: a batch of ${size} bytes at ${at} of ${bytes.length}`)
      if (view.getUint32(at + 17) !== crc32c(bytes, at + 21, at + size)) throw new Error(`${name}: wrong CRC at ${at}`)
      const baseOffset = Number(view.getBigInt64(at))
      const lastOffset = baseOffset + view.getInt32(at + 23)
      const previous = found.at(-1)
      if (previous !== undefined && baseOffset !== previous.lastOffset + 1) {
        throw new Error(`${name}: offset ${baseOffset} at ${at} follows ${previous.lastOffset}`)
      }
      found.push({ baseOffset, lastOffset, number: view.getInt32(at + 53) })
      at += size
    }
  }
  return found
}
