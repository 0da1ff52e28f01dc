// `__cluster_metadata-0` and its snapshots as the active controller writes them.
// Runs on the thread of the broker that leads it.
//
//   append ─▶ published log end ─▶ what the records need is made ready ─▶ publish: the watermark moves
//                    └─▶ written to files and synced, where there are files ──────▲
//
// Holds: a call of `append` is one batch, so it is in the log as a whole or not at all;
// what a controller died over between the two steps, its successor publishes: nothing that
// stands in the log is ever taken back. A record goes only when a snapshot has it.

import type { Bells } from '../bells.ts'
import { MillraceError } from '../errors.ts'
import { killPoint } from '../kill-points.ts'
import type { ControlBlock } from '../log/control-block.ts'
import { APPEND_NO_MEMORY } from '../log/partition-log.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { encodeBatch } from './metadata-batch.ts'
import type { MetadataImage } from './metadata-image.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { encodeSnapshot } from './metadata-snapshot.ts'

export interface MetadataLogOptions {
  readonly log: PartitionLog
  /** The log of its snapshots. */
  readonly snapshots: PartitionLog
  /** The control block of the metadata log. */
  readonly control: ControlBlock
  readonly bells: Bells
  /** Bytes of records after which a snapshot is made (Kafka: metadata.log.max.record.bytes.between.snapshots). */
  readonly bytesBetweenSnapshots: number
  /** Wakes the thread that writes to files what was appended. */
  readonly ringIo: () => void
}

/** A snapshot on its way into its log: log memory may be full for a while. */
interface OpenSnapshot {
  readonly batches: readonly Uint8Array[]
  /** Where it begins in its log, and where it ends in the metadata log. */
  readonly startOffset: number
  readonly endOffset: number
  appended: number
}

export class MetadataLog {
  readonly #options: MetadataLogOptions
  #open: OpenSnapshot | undefined
  #filesMoved: (() => void) | undefined

  constructor(options: MetadataLogOptions) {
    this.#options = options
  }

  /** Appends, and publishes the end: from now on a successor brings it to an end. False when log memory has no room now. */
  append(records: readonly MetadataRecord[], nowMs: number): boolean {
    const { log } = this.#options
    const batch = encodeBatch(records, nowMs)
    const offset = log.append(batch, 0, batch.length)
    if (offset === APPEND_NO_MEMORY) return false
    if (offset < 0) {
      const message = `the metadata log takes no batch of ${batch.length} bytes: make topics of fewer partitions`
      throw new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
    }
    log.publishEnds()
    killPoint('controller.appended')
    return true
  }

  /** Whether all that was appended survives as `__cluster_metadata` must. */
  get isDurable(): boolean {
    const { log } = this.#options
    return log.durableEndOffset >= log.endOffset
  }

  /**
   * Resolves when all that was appended survives as `__cluster_metadata` must: at once where there are no files. Rejects
   * with KAFKA_STORAGE_ERROR when the files have failed.
   */
  async untilDurable(): Promise<void> {
    const { log, control, ringIo } = this.#options
    for (;;) {
      log.publishEnds()
      if (log.durableEndOffset >= log.endOffset) return
      if (control.haveFilesFailed) {
        const message = 'the files of the metadata log have failed: nothing of the cluster can be changed before millrace is opened again'
        throw new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
      }
      const moved = new Promise<void>((resolve) => (this.#filesMoved = resolve))
      ringIo()
      await moved
    }
  }

  /** Something was written to the log's files, or could not be. */
  filesMoved(): void {
    this.#filesMoved?.()
    this.#filesMoved = undefined
  }

  /** Everybody sees what was appended, and who waits for it is woken. */
  publish(): void {
    const { log, control, bells } = this.#options
    log.publishHighWatermark(log.endOffset)
    killPoint('controller.committed')
    control.ringWaiters(bells)
  }

  /** Makes a snapshot when enough was written since the last one, or goes on with one that found no memory. */
  keepBounded(image: MetadataImage, nowMs: number): void {
    const { log, snapshots, bytesBetweenSnapshots } = this.#options
    if (this.#open === undefined && log.sizeInBytes < bytesBetweenSnapshots) return
    const open = (this.#open ??= {
      batches: encodeSnapshot(image, nowMs),
      startOffset: snapshots.endOffset,
      endOffset: image.offset,
      appended: 0,
    })
    for (; open.appended < open.batches.length; open.appended++) {
      const batch = open.batches[open.appended]!
      // Nothing of it is published: whoever takes over cuts it off.
      if (snapshots.append(batch, 0, batch.length) < 0) return
    }
    this.#open = undefined
    killPoint('controller.snapshot.appended')
    snapshots.advance()
    killPoint('controller.snapshot.published')
    snapshots.deleteRecordsBefore(open.startOffset)
    killPoint('controller.snapshot.replaced')
    log.deleteRecordsBefore(open.endOffset)
  }
}
