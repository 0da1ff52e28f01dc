// At which offset each leader epoch of a partition began, in memory and in its file (Kafka:
// LeaderEpochFileCache, KIP-101). Runs on the thread that has the partition's files.
//
// Holds: an epoch is in the file before a batch of it is in a .log, so that it is there after the
// death of the process. After a power cut it may lack epochs of batches that are lost too, or be
// no file at all: what batches say is put in again when the partition is opened.

import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint, LEADER_EPOCH_CHECKPOINT } from './leader-epoch-checkpoint.ts'
import type { EpochStart } from './leader-epoch-checkpoint.ts'
import type { PartitionDirectory } from './partition-directory.ts'

const FILE_BYTES_MAX = 16 * 1024 * 1024

export class LeaderEpochs {
  readonly #directory: PartitionDirectory
  #entries: EpochStart[]

  constructor(directory: PartitionDirectory, entries: readonly EpochStart[] = []) {
    this.#directory = directory
    this.#entries = [...entries]
  }

  /** What the file says; undefined when it is not there, or `onDamage` was told why it cannot be read. */
  static read(directory: PartitionDirectory, onDamage: (error: Error) => void): EpochStart[] | undefined {
    const bytes = directory.readWhole(LEADER_EPOCH_CHECKPOINT, FILE_BYTES_MAX)
    if (bytes === undefined) return undefined
    try {
      return decodeLeaderEpochCheckpoint(directory.pathOf(LEADER_EPOCH_CHECKPOINT), Buffer.from(bytes).toString('latin1'))
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'KAFKA_STORAGE_ERROR') throw error
      onDamage(error as Error)
      return undefined
    }
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  /** -1 when there is none. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /** A leader begins at `startOffset`; those that were to begin there or behind have no records. Older epochs say nothing new. */
  assign(epoch: number, startOffset: number): void {
    this.assignAll([{ epoch, startOffset }])
  }

  /** Many at once, rising: the file has all of them, or none. */
  assignAll(starts: readonly EpochStart[]): void {
    const before = this.latest
    for (const { epoch, startOffset } of starts) {
      if (epoch <= this.latest) continue
      this.#entries = [...this.#entries.filter((entry) => entry.startOffset < startOffset), { epoch, startOffset }]
    }
    if (this.latest !== before) this.#write()
  }

  /** The log ends at `endOffset`: an epoch that begins there may stay. */
  cutEnd(endOffset: number): void {
    this.#keep(this.#entries.filter(({ startOffset }) => startOffset <= endOffset))
  }

  /** The log begins at `startOffset`: the epoch that holds it begins there. */
  cutStart(startOffset: number): void {
    const later = this.#entries.filter((entry) => entry.startOffset > startOffset)
    const first = this.#entries[this.#entries.length - later.length - 1]
    this.#keep(first === undefined ? later : [{ epoch: first.epoch, startOffset: Math.max(startOffset, first.startOffset) }, ...later])
  }

  #keep(entries: EpochStart[]): void {
    const isSame =
      entries.length === this.#entries.length && entries.every(({ startOffset }, i) => startOffset === this.#entries[i]!.startOffset)
    if (isSame) return
    this.#entries = entries
    this.#write()
  }

  #write(): void {
    this.#directory.replace(LEADER_EPOCH_CHECKPOINT, Buffer.from(encodeLeaderEpochCheckpoint(this.#entries), 'latin1'))
  }
}
