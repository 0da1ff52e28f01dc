// A partition for as long as it is this consumer's: from when the coordinator has assigned
// it, or `assign` has, until it is another's. What is settled of it, what was committed, and
// who commits its batches and records. Private to the consumer's thread.
//
//   coming ──committed offset known──▶ reading ──revoked──▶ going ──▶ gone
//      └──────────────────────── lost ───────────────────────────────▲
//
// Holds: once it is gone, nothing of it is handed out or committed any more.

import type { BoundTopic } from '../topic.ts'
import type { Serde } from '../serde.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import type { RecordCommits, RecordSource } from './record-source.ts'
import { SettledOffsets } from './settled-offsets.ts'

/** The loop that reads it. */
export interface PartitionReader {
  /** Settles what was handed out and asked past, one by one. */
  settleAsked(partition: OwnedPartition): void
  /** Resolves when no batch of it is in its user's hands. */
  letGo(partition: OwnedPartition): Promise<void>
  /** Reads it from now on. */
  add(partition: OwnedPartition): void
  remove(partition: OwnedPartition): void
}

export interface OwnedPartitionOptions {
  readonly topic: BoundTopic
  readonly fetcher: PartitionFetcher
  readonly reader: PartitionReader
  /** Commits what is settled of it, now; rejects where it is gone, and what is below `offset` was not committed. */
  readonly commit: (partition: OwnedPartition, offset: number) => Promise<void>
}

export class OwnedPartition implements RecordSource, RecordCommits {
  readonly topic: BoundTopic
  readonly fetcher: PartitionFetcher
  readonly reader: PartitionReader
  state: 'coming' | 'reading' | 'going' | 'gone' = 'coming'
  /** `onAssigned` was told of it. */
  isTold = false
  /** Its user has said where it is read on: the offsets are kept elsewhere, perhaps. */
  isMoved = false
  /** What the coordinator has, as far as is known; undefined: nothing. */
  committedOffset: number | undefined
  /** What was committed beside it; '' for nothing. */
  committedMetadata = ''
  /** The text that goes with a commit of this position. */
  metadataOf: ((position: number) => string) | undefined
  readonly settled = new SettledOffsets(0)
  /** Resolves when it is gone. */
  readonly whenGone: Promise<void>
  readonly #commit: (partition: OwnedPartition, offset: number) => Promise<void>
  readonly #onGone: () => void
  /** Something was handed out: before, the position is the fetcher's. */
  #isStarted = false

  constructor({ topic, fetcher, reader, commit }: OwnedPartitionOptions) {
    this.topic = topic
    this.fetcher = fetcher
    this.reader = reader
    this.#commit = commit
    const { promise, resolve } = Promise.withResolvers<void>()
    this.whenGone = promise
    this.#onGone = resolve
    fetcher.topic = topic
    fetcher.source = this
  }

  get name(): string {
    return this.topic.name
  }

  get partition(): number {
    return this.fetcher.partition
  }

  get keySerde(): Serde<unknown, never> {
    return this.topic.keySerde
  }

  get valueSerde(): Serde<unknown, never> {
    return this.topic.valueSerde
  }

  get commits(): RecordCommits {
    return this
  }

  handedOut(firstOffset: number, nextOffset: number): void {
    // The first one, or its user has moved back.
    if (!this.#isStarted || firstOffset < this.settled.endOffset) this.settled.reset(firstOffset)
    this.#isStarted = true
    this.settled.handedOut(firstOffset, nextOffset)
  }

  /** All below is done with; nothing where its user has moved back since. */
  settleBelow(offset: number): void {
    if (offset <= this.settled.endOffset) this.settled.settleUpTo(offset)
  }

  /** Its user reads on from there: that is what is committed. */
  moved(offset: number): void {
    this.isMoved = true
    this.#isStarted = true
    this.settled.reset(offset)
  }

  /** What may be committed; undefined before there is anything. */
  get position(): number | undefined {
    this.reader.settleAsked(this)
    const read = this.fetcher.source === this ? this.fetcher.knownPosition : undefined
    if (!this.#isStarted) return read ?? this.committedOffset
    // What holds no records was passed over behind those that are settled.
    if (this.settled.unsettled === 0 && read !== undefined && read > this.settled.endOffset) this.settled.handedOut(read, read)
    return this.settled.position
  }

  /** Where what was handed out and not settled begins; undefined: all of it is. */
  get unsettledFrom(): number | undefined {
    return this.settled.unsettled > 0 ? this.settled.position : undefined
  }

  get hasNews(): boolean {
    const { position } = this
    if (position === undefined) return false
    return position !== this.committedOffset || (this.metadataOf !== undefined && this.metadataOf(position) !== this.committedMetadata)
  }

  async commitBelow(offset: number): Promise<void> {
    this.settleBelow(offset)
    await this.#commit(this, offset)
  }

  async commitRecord(offset: number): Promise<void> {
    this.reader.settleAsked(this)
    this.settled.settle(offset)
    await this.#commit(this, offset + 1)
  }

  gone(): void {
    if (this.state === 'gone') return
    this.state = 'gone'
    this.reader.remove(this)
    // The next one who reads it says anew whose it is.
    if (this.fetcher.source === this) this.fetcher.source = this.topic
    this.#onGone()
  }

  toString(): string {
    return `${this.name}-${this.partition}`
  }
}
