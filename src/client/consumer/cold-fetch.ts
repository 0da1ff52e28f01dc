// Fetches what lies below log memory out of a partition's files, for its fetcher. Runs on
// the consumer's thread, and never waits.
//
//   resting ──take──▶ reading one ahead ──caught up, paused, the loop ends, others wait──▶ resting
//
// Holds: while it rests no file is open, and no memory kept.

import type { ControlBlock } from '../../log/control-block.ts'
import type { ReadTarget } from '../../log/shared-log-reader.ts'
import { SegmentReadAhead } from '../../storage/segment-read-ahead.ts'
import { SegmentReader } from '../../storage/segment-reader.ts'
import type { ColdReads } from './cold-reads.ts'

export class ColdFetch {
  readonly #topic: string
  readonly #partition: number
  readonly #control: ControlBlock
  readonly #reads: ColdReads
  #ahead: SegmentReadAhead | undefined

  constructor(topic: string, partition: number, control: ControlBlock, reads: ColdReads) {
    this.#topic = topic
    this.#partition = partition
    this.#control = control
    this.#reads = reads
  }

  /** As `SegmentReadAhead.take`; -1 also where others read, and this one must wait. */
  take(position: number, endOffset: number, target: ReadTarget): number {
    const ahead = this.#begin()
    if (ahead === undefined) return -1
    const isWanted = this.#reads.isWanted
    const next = ahead.take(position, endOffset, target, !isWanted)
    if (next >= 0 && isWanted) this.rest()
    return next
  }

  /** As `SegmentReadAhead.readyBytes`; -1 as with `take`. */
  readyBytes(position: number, endOffset: number): number {
    return this.#begin()?.readyBytes(position, endOffset) ?? -1
  }

  /** Behind what `readyBytes` has counted. */
  get nextOffset(): number {
    return this.#ahead?.nextOffset ?? -1
  }

  /** Lets go of the file, and of what was read ahead. */
  rest(): void {
    const ahead = this.#ahead
    if (ahead === undefined) return
    this.#ahead = undefined
    void ahead.close()
    this.#reads.leave()
  }

  #begin(): SegmentReadAhead | undefined {
    if (this.#ahead !== undefined) return this.#ahead
    if (!this.#reads.tryEnter()) return undefined
    const { files, clock, directoryOf, chunkBytes: maxBytes, onRead } = this.#reads.options
    const directory = (): string | undefined => directoryOf(this.#topic, this.#partition)
    const reader = new SegmentReader({ files, clock, directory, startOffset: () => this.#control.logStartOffset })
    this.#ahead = new SegmentReadAhead({ reader, maxBytes, onRead })
    return this.#ahead
  }
}
