// What a coordinator is to the thread that runs it: a state machine over one partition of
// an internal topic (Kafka: CoordinatorShard). It is asked, and answers with records and
// what is to be told; its state changes only by replay of records that are in the log, so
// live work and recovery are one path.
//
//   request ─▶ handler ─▶ step: records ─▶ append ─▶ replay ─▶ applied() ─▶ committed ─▶ replies
//                               └ none: applied() and replies at once, behind what was appended before
//
// Pure: types only. Time comes in as `nowMs`, milliseconds of the monotonic clock, unless it is said to be wall-clock time.

import type { ErrorName } from '../errors.ts'

/** Names a request until it is answered. */
export type RequestId = number

export interface CoordinatorReply {
  readonly requestId: RequestId
  /** Kafka's response message. */
  readonly response: unknown
}

/** A timer of the shard: setting one anew moves it; `atMs` undefined takes it back. */
export interface TimerChange {
  readonly timer: string
  readonly atMs: number | undefined
}

/** What follows from one event. All of it is optional: nothing at all may follow. */
export interface CoordinatorStep<Record> {
  /** Go to the log as one batch, all or none, and are replayed when they are there. */
  readonly records?: readonly Record[]
  /** Changes of what no record holds; called when the records were replayed, and not at all when they found no room. */
  readonly applied?: () => void
  /** The records found no room: what is to follow then. The request itself is answered with that error, unless a reply here answers it. */
  readonly failed?: (error: ErrorName) => CoordinatorStep<Record>
  /** Given when the records, and all that was appended before, are committed. A request without one is answered by a later step. */
  readonly replies?: readonly CoordinatorReply[]
  readonly timers?: readonly TimerChange[]
  /** `memberKey`s of members for whom there is something new: a heartbeat of theirs that is held back is looked at again. */
  readonly news?: readonly string[]
  /**
   * `clientHost`s of local members that are out of their group though they did not ask to be: they are told in shared memory, before
   * anybody else gets what was theirs.
   */
  readonly fenced?: readonly string[]
}

/** Who asks. */
export interface ClientContext {
  readonly clientId: string
  /** Kafka: a host name behind a slash. Of a thread of this process, what `localHost` gives. */
  readonly clientHost: string
  /** A thread of this process: its end is known at once, so nothing waits for others to come. */
  readonly isLocal: boolean
  /** The version of the request's API; undefined: the newest. Classic members of old versions are told less. */
  readonly apiVersion?: number
}
