// A small file in one piece: checkpoints, properties.

import { DiskError } from './disk-error.ts'
import type { Disk } from './disk.ts'

/** All bytes of a file; throws where it has more than `maxBytes` (`reason` is `too-large`). */
export function readWhole(disk: Disk, path: string, maxBytes: number): Uint8Array {
  const file = disk.open(path, 'read')
  try {
    const sizeInBytes = file.sizeInBytes()
    if (sizeInBytes > maxBytes) throw new DiskError({ path, operation: 'read', reason: 'too-large', wantedBytes: sizeInBytes })
    const bytes = new Uint8Array(sizeInBytes)
    return bytes.subarray(0, file.read(bytes, 0, sizeInBytes, 0))
  } finally {
    file.close()
  }
}
