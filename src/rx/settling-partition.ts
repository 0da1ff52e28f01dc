// What is settled of one partition, for as long as its source reads it, and how much of it
// is in flight. Private to the subscriber's thread.
// Holds: the position never passes a record that is held or pinned; a record that nobody
// keeps costs one store; once it is gone it takes no room, and its position says nothing.

import type { OwnedPartition } from '../client/consumer/owned-partition.ts'
import { SettledOffsets } from '../client/consumer/settled-offsets.ts'
import type { Committable } from './settling-turns.ts'
import type { BatchShare, OriginKeeper } from './source-partition.ts'

/** Held records of all partitions of a source together. */
export interface Room {
  records: number
  bytes: number
  /** Some has become free. */
  readonly onFree: () => void
}

export interface SettlingPartitionOptions {
  readonly topic: string
  readonly partition: number
  readonly committedMetadata: string
  readonly room: Room
  /** Its position may have moved. Often. */
  readonly onSettled: (partition: SettlingPartition) => void
  /** Whether all that was fetched was taken, and nothing is left to fetch. */
  readonly isRead: () => boolean
  /** Holds are counted for room only. Default: false. */
  readonly isLossy?: boolean
  /** In a group: what commits it. Default: undefined. */
  readonly owned?: OwnedPartition | undefined
  /** Something of it may be committed. Default: nothing is done. */
  readonly onCommittable?: () => void
}

export class SettlingPartition implements OriginKeeper, Committable {
  readonly topic: string
  readonly partition: number
  readonly committedMetadata: string
  readonly isLossy: boolean
  metadata: ((position: number) => string) | undefined
  whenSettled: (() => () => void) | undefined
  /** A batch of it is being emitted. */
  isEmitting = false
  /** It is on its way to another: nothing more of it is emitted. */
  isGoing = false
  readonly #options: SettlingPartitionOptions
  /** In a group. */
  readonly #owned: OwnedPartition | undefined
  readonly #room: Room
  /** Of those that were kept; what lies between them was passed. */
  readonly #kept = new SettledOffsets(0)
  /** Below, all was emitted; behind the last that was kept, all is settled. */
  #passed = -1
  #inFlight = 0
  #inFlightBytes = 0
  #isGone = false
  #abort: AbortController | undefined
  #listeners: (() => void)[] = []

  constructor(options: SettlingPartitionOptions) {
    this.#options = options
    const { room, owned } = options
    this.topic = options.topic
    this.partition = options.partition
    this.committedMetadata = options.committedMetadata
    this.#room = room
    this.isLossy = options.isLossy ?? false
    this.#owned = owned
    // What is settled counts up to the end, also after it is gone.
    if (owned !== undefined) owned.metadataOf = (position) => this.metadata?.(position) ?? owned.committedMetadata
  }

  /** A batch comes. The first one says where reading began; one further back, that it was moved. */
  begin(firstOffset: number): void {
    if (firstOffset < this.#passed || this.#passed < 0) {
      this.#kept.reset(firstOffset)
      this.#passed = firstOffset
    }
    this.isEmitting = true
  }

  /** All of a batch was emitted, up to `nextOffset`. */
  end(nextOffset: number): void {
    this.#passed = nextOffset
    this.isEmitting = false
    this.noteSettled()
  }

  /** Something was settled since the last time: not said for each that passed. */
  noteSettled(): void {
    this.#options.onSettled(this)
  }

  /** What may be committed; undefined before anything was emitted. */
  get position(): number | undefined {
    if (this.#passed < 0) return undefined
    if (this.#passed > this.#kept.endOffset) this.#kept.handedOut(this.#passed, this.#passed)
    return this.#kept.position
  }

  settled(): (() => void) | undefined {
    const { position } = this
    if (position === undefined) return undefined
    const mayTell = this.whenSettled?.()
    return () => {
      mayTell?.()
      if (this.#owned === undefined || this.#owned.state === 'gone') return
      this.#owned.settleBelow(position)
      this.#options.onCommittable?.()
    }
  }

  /** Whether a record is kept: held, or pinned. */
  get isKeeping(): boolean {
    return !this.#isGone && this.#kept.unsettled > 0
  }

  get isCaughtUp(): boolean {
    return !this.isEmitting && this.#options.isRead()
  }

  passed(offset: number): void {
    // Under overflow, those that have waited come behind others.
    if (offset >= this.#passed) this.#passed = offset + 1
  }

  keep(offset: number): void {
    this.#passed = Math.max(this.#passed, offset + 1)
    if (this.isLossy) return
    this.#kept.handedOut(offset, offset + 1)
  }

  settle(offset: number): void {
    if (this.#isGone || this.isLossy) return
    this.#kept.settle(offset)
    this.noteSettled()
  }

  takeRoom(share: BatchShare): void {
    if (this.#isGone) return
    this.#inFlight++
    this.#room.records++
    if (share.held++ > 0) return
    this.#inFlightBytes += share.bytes
    this.#room.bytes += share.bytes
  }

  giveRoom(share: BatchShare): void {
    if (this.#isGone) return
    this.#inFlight--
    this.#room.records--
    if (--share.held === 0) {
      this.#inFlightBytes -= share.bytes
      this.#room.bytes -= share.bytes
    }
    this.#room.onFree()
  }

  get isCommitted(): boolean {
    return this.#owned !== undefined
  }

  get isGone(): boolean {
    return this.#isGone
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#isGone) this.#abort.abort()
    }
    return this.#abort.signal
  }

  onGone(listener: () => void): void {
    if (this.#isGone) listener()
    else this.#listeners.push(listener)
  }

  /** Another's, or the source has ended: what is in flight takes no room any more. */
  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.isGoing = true
    this.#room.records -= this.#inFlight
    this.#room.bytes -= this.#inFlightBytes
    this.#room.onFree()
    this.#abort?.abort()
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
