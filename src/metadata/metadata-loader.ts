// Follows the metadata log on the thread of whoever needs to know the cluster: a broker,
// an attached thread, the controller (Kafka: MetadataLoader; here nobody fetches, each
// reads log memory itself). One a thread, with the thread's image.
//
//   high watermark moved? ─no─▶ nothing: one atomic load
//        │ yes
//        ▼
//   read the log from the image's offset on ──▶ delta ──▶ next image
//        │ the log begins later by now
//        └──▶ the last snapshot, then the log from its end on
//
// Holds: only what is committed counts, and all of it in order; a thread that was asleep
// or overtaken comes to the same image as one that saw every record.

import { MillraceError } from '../errors.ts'
import type { ThreadId } from '../ids.ts'
import { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { READ_DELETED, READ_EMPTY, READ_OK, SharedLogReader } from '../log/shared-log-reader.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import { replayBatches } from './metadata-batch.ts'
import { MetadataDelta } from './metadata-delta.ts'
import { MetadataImage } from './metadata-image.ts'
import { CLUSTER_METADATA_SLOT, METADATA_SNAPSHOT_SLOT } from './metadata-records.ts'
import { SnapshotReader } from './metadata-snapshot.ts'

/** Memory to read into; it is let go of at once, for there is seldom something to read. */
const READ_BYTES = 64 * 1024

export class MetadataLoader {
  readonly #memory: LogMemory
  readonly #control: ControlBlock
  #reader: SharedLogReader | undefined
  #image: MetadataImage
  /** What was read before it was committed. */
  #uncommitted: MetadataDelta | undefined

  /** `image`: what is known of the log up to its offset. */
  constructor(memory: LogMemory, image: MetadataImage = MetadataImage.EMPTY) {
    this.#memory = memory
    this.#image = image
    this.#control = new ControlBlock(memory, CLUSTER_METADATA_SLOT)
  }

  /** As of the last `load`. */
  get image(): MetadataImage {
    return this.#image
  }

  /** Whether something was committed that the image does not know. */
  get hasNews(): boolean {
    return this.#control.highWatermarkLow !== (this.#image.offset | 0) && this.#isThereWhole()
  }

  /** A log that was recovered from files begins behind a snapshot; its first leader puts that there, and then rings who waits. */
  #isThereWhole(): boolean {
    return this.#image.offset >= this.#control.logStartOffset || new ControlBlock(this.#memory, METADATA_SNAPSHOT_SLOT).highWatermark > 0
  }

  /** Leaves this thread's mark, so that it is rung at the next commit. Look at `hasNews` after it, with the bell armed. */
  prepareWait(thread: ThreadId): void {
    this.#control.addWaiter(thread)
  }

  /** Takes in what was committed; undefined when that is nothing. */
  load(): MetadataDelta | undefined {
    // In a function of its own: producers look here often, and what follows makes objects when it is entered.
    return this.hasNews ? this.#loadNews() : undefined
  }

  #loadNews(): MetadataDelta {
    // The log is there: something was committed.
    const reader = (this.#reader ??= this.#newReader())
    const known = this.#takeUncommitted()
    if (known !== undefined) {
      reader.seek(known.image.offset)
      this.#image = known.image
      return known
    }
    const target: ReadTarget = { bytes: new Uint8Array(READ_BYTES), length: 0 }
    const previous = this.#image
    let delta = new MetadataDelta(previous)
    let isFromSnapshot = false
    for (;;) {
      const from = reader.position
      const result = reader.read(target, READ_BYTES)
      if (result === READ_OK) {
        replayBatches(target.bytes, target.length, from, (record) => delta.replay(record))
      } else if (result === READ_EMPTY) {
        if (!reader.hasNews) break
      } else if (result === READ_DELETED) {
        throw new MillraceError('ASSERTION_FAILED', 'the metadata log is never deleted')
      } else {
        delta = new MetadataDelta(this.#loadSnapshot(target))
        isFromSnapshot = true
        reader.seek(delta.previous.offset)
      }
    }
    this.#image = delta.apply(reader.position)
    return isFromSnapshot ? MetadataDelta.between(previous, this.#image) : delta
  }

  #newReader(): SharedLogReader {
    const reader = new SharedLogReader(this.#memory, CLUSTER_METADATA_SLOT)
    reader.seek(this.#image.offset)
    return reader
  }

  /**
   * What the log holds beyond the watermark, for the broker that leads it and alone may look: the
   * image as it would be. Everything committed must be loaded. When it is committed, `load` gives the same.
   */
  loadUncommitted(): MetadataDelta {
    const reader = new SharedLogReader(this.#memory, CLUSTER_METADATA_SLOT, 'logEndOffset')
    const target: ReadTarget = { bytes: new Uint8Array(READ_BYTES), length: 0 }
    const delta = new MetadataDelta(this.#image)
    reader.seek(this.#image.offset)
    for (let from = reader.position; reader.read(target, READ_BYTES) === READ_OK; from = reader.position) {
      replayBatches(target.bytes, target.length, from, (record) => delta.replay(record))
    }
    delta.apply(reader.position)
    this.#uncommitted = delta
    return delta
  }

  /** What stands in the log below its end is never taken back: where all of it was committed, it need not be read again. */
  #takeUncommitted(): MetadataDelta | undefined {
    const delta = this.#uncommitted
    this.#uncommitted = undefined
    const isAll = delta?.previous === this.#image && delta.image.offset === this.#control.highWatermark
    return isAll ? delta : undefined
  }

  /** The newest snapshot. One that is replaced while it is read is read anew: a later one is there then. */
  #loadSnapshot(target: ReadTarget): MetadataImage {
    const reader = new SharedLogReader(this.#memory, METADATA_SNAPSHOT_SLOT)
    const snapshots = new SnapshotReader()
    reader.seek(reader.logStartOffset)
    for (;;) {
      const result = reader.read(target, READ_BYTES)
      if (result === READ_OK) {
        snapshots.read(target.bytes, target.length)
      } else if (result === READ_EMPTY) {
        if (!reader.hasNews) break
      } else {
        snapshots.restart()
        reader.seek(reader.logStartOffset)
      }
    }
    if (snapshots.image === undefined) {
      throw new MillraceError('ASSERTION_FAILED', 'the metadata log begins later only once there is a snapshot of what was before')
    }
    return snapshots.image
  }
}
