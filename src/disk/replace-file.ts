// A small file in the place of another, in one step: after a crash there is the old one or the new one, whole.
// Kafka writes its checkpoints so: `<name>.tmp`, synced, renamed, the directory synced.

import { dirname } from 'node:path'
import type { Disk } from './disk.ts'

/** Writes `path`, whether it is there or not; when this returns, the new one survives a power cut. */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`
  // Left by a crash, or by a sync that failed: its pages are not trusted, so it is not written again.
  if (disk.exists(temporary)) disk.remove(temporary)
  const file = disk.open(temporary, 'create')
  try {
    file.write(bytes, 0, bytes.byteLength, 0)
    file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  disk.syncDirectory(dirname(path))
}
