// Reads the logs of a data directory with nothing of millrace but the disk: what a check of it may trust.

import type { Disk } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { crc32c } from '../../src/record/crc32c.ts'
import { keyedBatches } from '../log/keyed-batches.ts'
import type { SeenRecord } from '../log/keyed-batches.ts'

export interface FoundBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** What the batch says it is: its base sequence. */
  readonly number: number
}

/** Every batch of a partition, over all of its segments. Throws where a byte is wrong. */
export function readPartition(disk: Disk, directory: string): FoundBatch[] {
  return walkPartition(disk, directory, () => undefined)
}

/** The values, as text, of all records of a partition by their offsets. The end of the last segment may be cut, as a kill leaves it. */
export function readValues(disk: Disk, directory: string): Map<number, string> {
  const values = new Map<number, string>()
  walkPartition(
    disk,
    directory,
    (bytes, at, end, baseOffset) => {
      let position = at + 61
      const varint = (): number => {
        let value = 0
        let scale = 1
        for (;;) {
          const byte = bytes[position++]!
          value += (byte & 0x7f) * scale
          if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
          scale *= 128
        }
      }
      const field = (): Uint8Array => {
        const length = Math.max(0, varint())
        position += length
        return bytes.subarray(position - length, position)
      }
      while (position < end) {
        const next = varint() + position
        position++
        varint()
        const offset = baseOffset + varint()
        field()
        values.set(offset, new TextDecoder().decode(field()))
        position = next
      }
    },
    true,
  )
  return values
}

/** What compaction left of a partition, as records with keys. */
export function readKeyedRecords(disk: Disk, directory: string): SeenRecord[] {
  const names = disk.list(directory).filter((name) => /^\d{20}\.log$/.test(name))
  return names.flatMap((name) => {
    const bytes = readWhole(disk, `${directory}/${name}`, 1 << 30)
    return keyedBatches(bytes, bytes.length, 0).flatMap(({ crc, baseOffset, records }) => {
      if (crc !== 'valid') throw new Error(`${name}: the CRC of the batch at offset ${baseOffset} is ${crc}`)
      return records
    })
  })
}

function walkPartition(
  disk: Disk,
  directory: string,
  visit: (bytes: Uint8Array, at: number, end: number, baseOffset: number) => void,
  mayBeCut = false,
): FoundBatch[] {
  const found: FoundBatch[] = []
  if (!disk.exists(directory)) return found
  const names = disk.list(directory).filter((name) => /^\d{20}\.log$/.test(name))
  for (const name of names) {
    const bytes = readWhole(disk, `${directory}/${name}`, 1 << 30)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < bytes.length; ) {
      const size = at + 12 > bytes.length ? Number.POSITIVE_INFINITY : view.getInt32(at + 8) + 12
      if (mayBeCut && name === names.at(-1) && (at + 61 > bytes.length || at + size > bytes.length)) return found
      if (size < 61 || at + size > bytes.length) throw new Error(`${name}: a batch of ${size} bytes at ${at} of ${bytes.length}`)
      if (view.getUint32(at + 17) !== crc32c(bytes, at + 21, at + size)) throw new Error(`${name}: wrong CRC at ${at}`)
      const baseOffset = Number(view.getBigInt64(at))
      const lastOffset = baseOffset + view.getInt32(at + 23)
      const previous = found.at(-1)
      if (previous !== undefined && baseOffset !== previous.lastOffset + 1) {
        throw new Error(`${name}: offset ${baseOffset} at ${at} follows ${previous.lastOffset}`)
      }
      visit(bytes, at, at + size, baseOffset)
      found.push({ baseOffset, lastOffset, number: view.getInt32(at + 53) })
      at += size
    }
  }
  return found
}
