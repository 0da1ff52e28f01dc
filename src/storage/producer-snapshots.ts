// The producer snapshots of a partition (Kafka: ProducerStateManager): written when a segment is
// full and when the log is closed, read when it is opened. Runs on the thread that has the files.

import { logFileName, parseLogDirectory } from './log-file-names.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import {
  PRODUCER_SNAPSHOT_ENTRY_BYTES,
  PRODUCER_SNAPSHOT_HEADER_BYTES,
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from './producer-snapshot.ts'
import { PRODUCERS_MAX, ProducerTable } from './producer-table.ts'

/** Kafka bounds producers by time only: so many more are read than are kept. */
const SNAPSHOT_BYTES_MAX = PRODUCER_SNAPSHOT_HEADER_BYTES + PRODUCER_SNAPSHOT_ENTRY_BYTES * PRODUCERS_MAX * 256

/** By producer id, so that the same state gives the same bytes. */
export function encodeProducers(producers: ProducerTable): Uint8Array {
  return encodeProducerSnapshot([...producers.entries()].sort((a, b) => a.producerId - b.producerId))
}

/** Writes the snapshot of `offset`, unless it is there already. */
export function writeSnapshot(directory: PartitionDirectory, offset: number, producers: ProducerTable): void {
  const name = logFileName(offset, 'snapshot')
  const bytes = encodeProducers(producers)
  const there = directory.readWhole(name, SNAPSHOT_BYTES_MAX)
  if (there === undefined || Buffer.compare(there, bytes) !== 0) directory.replace(name, bytes)
}

/** The newest usable snapshot at or below `maxOffset`: its state, and its offset, 0 without one. Those that cannot be read go. */
export function loadProducers(
  directory: PartitionDirectory,
  snapshots: readonly number[],
  maxOffset: number,
  nowMs: number,
  expirationMs: number,
  log: (message: string) => void,
): { producers: ProducerTable; offset: number } {
  for (const offset of [...snapshots].reverse()) {
    if (offset > maxOffset) continue
    const name = logFileName(offset, 'snapshot')
    try {
      const bytes = directory.readWhole(name, SNAPSHOT_BYTES_MAX)!
      const producers = new ProducerTable(decodeProducerSnapshot(directory.pathOf(name), bytes))
      producers.expire(nowMs, expirationMs)
      return { producers, offset }
    } catch (error) {
      if (!isDamage(error)) throw error
      log(`${(error as Error).message} An older one is taken, and the batches behind it.`)
      directory.remove(name)
    }
  }
  return { producers: new ProducerTable(), offset: 0 }
}

/**
 * Removes snapshots behind the end of the log, and those at no segment's begin, but for the newest when it is the one
 * that was read (Kafka: removeStraySnapshots). The offset of the newest that stays, -1 without one.
 */
export function keepSnapshots(directory: PartitionDirectory, segments: readonly number[], endOffset: number, readOffset: number): number {
  const there = snapshotOffsets(directory)
  const offsets = there.filter((offset) => offset <= endOffset)
  const atSegments = offsets.filter((offset) => segments.includes(offset))
  const kept = new Set(atSegments)
  if (offsets.includes(readOffset) && readOffset > (atSegments.at(-1) ?? -1)) kept.add(readOffset)
  for (const offset of there) if (!kept.has(offset)) directory.remove(logFileName(offset, 'snapshot'))
  return Math.max(-1, ...kept)
}

/** Rising. */
export function snapshotOffsets(directory: PartitionDirectory): readonly number[] {
  return parseLogDirectory(directory.path, directory.disk.list(directory.path)).snapshotOffsets
}

/** What is wrong with what a file holds, a newer format too: it can be made again. A failure of the disk is another thing. */
function isDamage(error: unknown): boolean {
  const { code, errno, reason } = error as { code?: unknown; errno?: unknown; reason?: unknown }
  if (code === 'UNSUPPORTED_VERSION') return true
  return code === 'KAFKA_STORAGE_ERROR' && errno === undefined && (reason === undefined || reason === 'too-large')
}
