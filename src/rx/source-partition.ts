// A partition as the operators of a chain see it, for as long as its source reads it. Types
// only. Private to the subscriber's thread.

/** All records of one source and partition have the same one; after a rebalance it is another. */
export interface SourcePartition {
  readonly topic: string
  readonly partition: number
  /** What was committed beside the offset that reading started from (Kafka: OffsetAndMetadata); '' for nothing. */
  readonly committedMetadata: string
  /** What is settled of it is committed for a group. */
  readonly isCommitted: boolean
  /** It went to another member, or its source has ended: nothing of it is settled or committed any more. */
  readonly isGone: boolean
  /** Aborted when it is gone. */
  readonly signal: AbortSignal
  /** Calls the listener once, when it is gone. */
  onGone(listener: () => void): void
  /** Whether all records up to the end, as the end is now, were emitted. */
  readonly isCaughtUp: boolean
  /**
   * The text that goes with a commit of this position; at most offset.metadata.max.bytes long. Set by one
   * stateful operator a partition, and asked whenever something may be committed: it must be cheap.
   */
  metadata: ((position: number) => string) | undefined
  /**
   * Asked for what is settled by now; what it gives is called when that may be committed, a timer turn later: before,
   * the text says nothing of it. Set by who sets `metadata`.
   */
  whenSettled: (() => () => void) | undefined
}

/** Bytes of one batch, counted once as long as any of its records is held. */
export interface BatchShare {
  readonly bytes: number
  held: number
}

/** What a record's origin tells its partition. */
export interface OriginKeeper extends SourcePartition {
  /** Holds are counted for room only: a record may be held at any time, and is settled once it was emitted. */
  readonly isLossy: boolean
  /** `next` has returned, and nobody keeps the record: in order, and nothing else is said of it. */
  passed(offset: number): void
  /** `next` has returned, and somebody keeps the record. */
  keep(offset: number): void
  /** A kept record is done with. */
  settle(offset: number): void
  /** A kept record is held, and so counts for maxInFlight and maxInFlightBytes, from now on. */
  takeRoom(share: BatchShare): void
  giveRoom(share: BatchShare): void
}
