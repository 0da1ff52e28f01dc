// Snapshots of the metadata log as Kafka keeps them beside its segments (KIP-630): all of
// an image in `<end offset>-<epoch>.checkpoint`, batches end to end with offsets from 0. On
// the thread that writes the data directory.
// Holds: a checkpoint is whole and synced before a record that it holds goes, and before an
// older one does.

import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { MillraceError } from '../errors.ts'
import { replayBatches } from '../metadata/metadata-batch.ts'
import { MetadataDelta } from '../metadata/metadata-delta.ts'
import { MetadataImage } from '../metadata/metadata-image.ts'
import { encodeSnapshot } from '../metadata/metadata-snapshot.ts'
import { batchSizeInBytes, isCrcValid, nextOffset, stampBatch } from '../record/record-batch.ts'
import { BATCH_HEADER_BYTES } from '../record/record-batch-layout.ts'

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** Far above what a cluster in one process needs. */
export const METADATA_FILE_BYTES_MAX = 1 << 30

/** It survives a power cut when this returns; those before it are removed. */
export function writeMetadataCheckpoint(disk: Disk, directory: string, image: MetadataImage, leaderEpoch: number, nowMs: number): void {
  const older = disk.list(directory).filter((name) => NAME.test(name))
  const batches = encodeSnapshot(image, nowMs)
  const bytes = new Uint8Array(batches.reduce((sum, batch) => sum + batch.length, 0))
  let at = 0
  let offset = 0
  for (const batch of batches) {
    bytes.set(batch, at)
    stampBatch(bytes, at, offset, leaderEpoch)
    offset = nextOffset(bytes, at)
    at += batch.length
  }
  const name = `${String(image.offset).padStart(20, '0')}-${String(leaderEpoch).padStart(10, '0')}.checkpoint`
  replaceFile(disk, `${directory}/${name}`, bytes)
  for (const each of older) if (each !== name) disk.remove(`${directory}/${each}`)
}

/** The newest image that is there whole, `EMPTY` where none is. */
export function readMetadataCheckpoint(disk: Disk, directory: string): MetadataImage {
  const names = disk.list(directory).filter((name) => NAME.test(name))
  const newest = names.at(-1)
  if (newest === undefined) return MetadataImage.EMPTY
  const path = `${directory}/${newest}`
  const bytes = readWhole(disk, path, METADATA_FILE_BYTES_MAX)
  checkBatches(path, bytes)
  const delta = new MetadataDelta(MetadataImage.EMPTY)
  replayBatches(bytes, bytes.length, 0, (record) => delta.replay(record))
  return delta.apply(Number(NAME.exec(newest)![1]))
}

/** Throws KAFKA_STORAGE_ERROR where bytes are not whole batches: one that was written is whole, so it was damaged since. */
export function checkBatches(path: string, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const size = at + BATCH_HEADER_BYTES <= bytes.length ? batchSizeInBytes(bytes, at) : 0
    const end = at + size
    if (size < BATCH_HEADER_BYTES || end > bytes.length || !isCrcValid(bytes, at, end)) {
      const remedy = 'restore the directory from a copy: what the cluster is stands in it'
      throw new MillraceError('KAFKA_STORAGE_ERROR', `${path} is damaged at byte ${at}: ${remedy}`, { retriable: false })
    }
    at = end
  }
}
