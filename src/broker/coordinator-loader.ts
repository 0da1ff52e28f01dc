// Reads the log of a coordinator's partition from its first record, for the coordinator that
// starts on the broker that leads it now: what memory holds at once, what is in files alone
// on this broker's thread too, a chunk at a time, between the turns of its duty cycle.
// Holds: what it gives is in order of offset; nothing below `endOffset` is passed over.

import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { READ_DELETED, READ_EMPTY, READ_IN_FILES, READ_OK, SharedLogReader } from '../log/shared-log-reader.ts'
import type { ReadTarget } from '../log/shared-log-reader.ts'
import type { SegmentFiles } from '../storage/segment-files.ts'
import { SegmentReader } from '../storage/segment-reader.ts'

export interface CoordinatorLoad {
  readonly name: string
  readonly memory: LogMemory
  readonly control: ControlBlock
  /** The log end when this broker began to lead. */
  readonly endOffset: number
  readonly files: SegmentFiles
  /** Where the partition's files are; undefined: it has none. */
  readonly directory: () => Promise<string | undefined>
  readonly clock: Clock
  /** Whole batches in bytes[0, length); records below `fromOffset` were given before, or are deleted. */
  readonly replay: (bytes: Uint8Array, length: number, fromOffset: number) => void
  /** Nobody waits for it any more. */
  readonly isOver: () => boolean
  /** Lets the event loop have its turn. */
  readonly turn: () => Promise<void>
}

/** Some milliseconds of replay on a thread that has replayed nothing yet. */
const CHUNK_BYTES = 64 * 1024

/** Resolves when all was given, or nobody waits for it. Rejects with CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_ID. */
export async function loadCoordinatorLog(load: CoordinatorLoad): Promise<void> {
  const { memory, control, endOffset } = load
  const reader = new SharedLogReader(memory, control.slot, 'logEndOffset')
  let position = control.logStartOffset
  // As much as is there is read of it, so it has room from the start; most logs are empty.
  const target: ReadTarget = { bytes: new Uint8Array(position < endOffset ? CHUNK_BYTES : 0), length: 0 }
  const inFiles = new FilesBelow(load)
  try {
    while (position < endOffset && !load.isOver()) {
      if (reader.position !== position) reader.seek(position)
      const status = reader.read(target, CHUNK_BYTES)
      if (status === READ_DELETED) throw new MillraceError('UNKNOWN_TOPIC_ID', `${load.name} was deleted`, { retriable: false })
      let next = position
      if (status === READ_OK) next = reader.position
      // What compaction took at the end of the log is passed over without a batch.
      else if (status === READ_EMPTY) next = reader.position
      else if (status === READ_IN_FILES) next = await inFiles.read(position, target)
      // The log start has moved meanwhile.
      else next = Math.max(position, control.logStartOffset)
      if (load.isOver()) return
      if ((status === READ_OK || status === READ_IN_FILES) && target.length > 0) load.replay(target.bytes, target.length, position)
      position = next
      await load.turn()
    }
  } finally {
    await inFiles.close()
  }
}

/** What memory does not hold any more. */
class FilesBelow {
  readonly #load: CoordinatorLoad
  #reader: SegmentReader | undefined

  constructor(load: CoordinatorLoad) {
    this.#load = load
  }

  /** The offset behind what was read. */
  async read(position: number, target: ReadTarget): Promise<number> {
    const { control, endOffset, files, clock, directory } = this.#load
    if (this.#reader === undefined) {
      const path = await directory()
      this.#reader = new SegmentReader({ files, clock, directory: () => path, startOffset: () => control.logStartOffset })
    }
    const next = await this.#reader.read(position, Math.min(control.memoryStartOffset, endOffset), target, CHUNK_BYTES)
    return Math.max(next, control.logStartOffset)
  }

  async close(): Promise<void> {
    await this.#reader?.close()
  }
}
