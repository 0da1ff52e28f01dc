// The four text files of a log directory that hold an offset a partition, as they are read when it is
// opened and replaced while it is open. On the thread that writes the data directory.
//
//   recovery-point-offset-checkpoint   recoveryPoints    synced up to here: recovery looks behind it
//   log-start-offset-checkpoint        logStarts         records below were deleted
//   replication-offset-checkpoint      highWatermarks
//   cleaner-offset-checkpoint          cleanerOffsets    compacted up to here
//
// Each is replaced in one step (`.tmp`, synced, renamed, the directory synced), and only where it changes.

import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { MillraceError } from '../errors.ts'
import {
  CLEANER_CHECKPOINT,
  decodeOffsetCheckpoint,
  encodeOffsetCheckpoint,
  LOG_START_CHECKPOINT,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
} from './offset-checkpoint.ts'
import type { PartitionOffset } from './offset-checkpoint.ts'

/** What the files of one log directory say. */
export interface Checkpoints {
  readonly recoveryPoints: readonly PartitionOffset[]
  readonly logStarts: readonly PartitionOffset[]
  readonly highWatermarks: readonly PartitionOffset[]
  readonly cleanerOffsets: readonly PartitionOffset[]
}

// In the order in which they are written: a high watermark or a recovery point never tells of what the log start had not.
const FILES: readonly (readonly [keyof Checkpoints, string])[] = [
  ['logStarts', LOG_START_CHECKPOINT],
  ['cleanerOffsets', CLEANER_CHECKPOINT],
  ['highWatermarks', REPLICATION_CHECKPOINT],
  ['recoveryPoints', RECOVERY_POINT_CHECKPOINT],
]
const FILE_BYTES_MAX = 1 << 28
const NOTHING: Checkpoints = { recoveryPoints: [], logStarts: [], highWatermarks: [], cleanerOffsets: [] }

export class DirectoryCheckpoints {
  readonly #disk: Disk
  readonly #directory: string
  readonly #texts = new Map<string, string>()
  #current: Checkpoints
  /** The same, a partition each; made when one is asked for. */
  #byName: Map<string, Checkpoints> | undefined

  private constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
    this.#current = NOTHING
  }

  /** A file that is missing or damaged is as if empty; of a damaged one `log` is told. Throws UNSUPPORTED_VERSION. Changes nothing. */
  static read(disk: Disk, directory: string, log: (message: string) => void): DirectoryCheckpoints {
    const files = new DirectoryCheckpoints(disk, directory)
    for (const [kind, name] of FILES) files.#read(kind, name, log)
    return files
  }

  /** What the files say now. */
  get current(): Checkpoints {
    return this.#current
  }

  /** Files that are named hold exactly these from now on, and they survive a power cut when this returns. */
  replace(checkpoints: Partial<Checkpoints>): void {
    for (const [kind, name] of FILES) {
      const offsets = checkpoints[kind]
      if (offsets === undefined) continue
      const text = encodeOffsetCheckpoint(offsets.toSorted(byName))
      if (text !== (this.#texts.get(name) ?? encodeOffsetCheckpoint([]))) {
        replaceFile(this.#disk, `${this.#directory}/${name}`, new TextEncoder().encode(text))
        this.#texts.set(name, text)
      }
      this.#current = { ...this.#current, [kind]: offsets }
      this.#byName = undefined
    }
  }

  /** What the files say of one partition. */
  of(topic: string, partition: number): Checkpoints {
    this.#byName ??= byNameOf(this.#current)
    return this.#byName.get(`${topic}-${partition}`) ?? NOTHING
  }

  /** The files say the same, and this of one partition. */
  put(topic: string, partition: number, checkpoints: Checkpoints): void {
    const others = this.#each((offsets) => offsets.filter((one) => one.topic !== topic || one.partition !== partition))
    this.replace({
      recoveryPoints: [...others.recoveryPoints, ...checkpoints.recoveryPoints],
      logStarts: [...others.logStarts, ...checkpoints.logStarts],
      highWatermarks: [...others.highWatermarks, ...checkpoints.highWatermarks],
      cleanerOffsets: [...others.cleanerOffsets, ...checkpoints.cleanerOffsets],
    })
  }

  /** The files say nothing of one partition. */
  drop(topic: string, partition: number): void {
    this.put(topic, partition, NOTHING)
  }

  #each(select: (offsets: readonly PartitionOffset[]) => readonly PartitionOffset[]): Checkpoints {
    const { recoveryPoints, logStarts, highWatermarks, cleanerOffsets } = this.#current
    return {
      recoveryPoints: select(recoveryPoints),
      logStarts: select(logStarts),
      highWatermarks: select(highWatermarks),
      cleanerOffsets: select(cleanerOffsets),
    }
  }

  #read(kind: keyof Checkpoints, name: string, log: (message: string) => void): void {
    const path = `${this.#directory}/${name}`
    if (!this.#disk.exists(path)) return
    const text = new TextDecoder().decode(readWhole(this.#disk, path, FILE_BYTES_MAX))
    try {
      this.#current = { ...this.#current, [kind]: decodeOffsetCheckpoint(path, text) }
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code === 'UNSUPPORTED_VERSION') throw error
      log(`${error.message} It is taken as empty`)
    }
    // A damaged one too: it is replaced by whatever differs from it.
    this.#texts.set(name, text)
  }
}

function byNameOf(checkpoints: Checkpoints): Map<string, Checkpoints> {
  const found = new Map<string, Record<keyof Checkpoints, PartitionOffset[]>>()
  for (const [kind] of FILES) {
    for (const one of checkpoints[kind]) {
      const name = `${one.topic}-${one.partition}`
      const of = found.get(name) ?? { recoveryPoints: [], logStarts: [], highWatermarks: [], cleanerOffsets: [] }
      found.set(name, of)
      of[kind].push(one)
    }
  }
  return found
}

function byName(a: PartitionOffset, b: PartitionOffset): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
