// Offsets that nobody needs any more, and groups that are empty and have none, go
// (KIP-211): looked for every `offsets.retention.check.interval.ms`, a bounded batch of
// tombstones at a time.
//
//   expire ─▶ all groups in a queue ─▶ a batch ─▶ expire at once ─▶ a batch … ─▶ none left: expire after the interval
//
// Pure. Holds: a partition that somebody of its group is subscribed to keeps its offset.

import type { CoordinatorStep } from '../coordinator-shard.ts'
import type { Group, GroupRecord, OffsetsUnusedSince } from './group.ts'
import { TOMBSTONES_A_BATCH } from './offset-delete.ts'
import { offsetTombstone } from './offsets.ts'
import type { CommittedOffset, Offsets, OffsetsOptions } from './offsets.ts'

/** The name of the timer. */
export const EXPIRE_TIMER = 'expire'

/** After so many the event loop has its turn, at the next end of a group. */
const LOOKED_AT_A_STEP = 20_000

export class OffsetExpiry {
  readonly #options: OffsetsOptions
  readonly #offsets: Offsets
  /** Groups that the round which goes on has not come to. */
  #queue: string[] = []

  constructor(options: OffsetsOptions, offsets: Offsets) {
    this.#options = options
    this.#offsets = offsets
  }

  /** All was replayed: the first look is an interval from now, as in Kafka. */
  loaded(nowMs: number): CoordinatorStep<GroupRecord> {
    return this.#again(nowMs, [])
  }

  /** The timer has fired. */
  expire(nowMs: number, wallMs: number): CoordinatorStep<GroupRecord> {
    if (this.#queue.length === 0) this.#queue = [...this.#options.groups.keys()].reverse()
    const batch: GroupRecord[] = []
    let lookedAt = 0
    while (this.#queue.length > 0 && batch.length < TOMBSTONES_A_BATCH && lookedAt < LOOKED_AT_A_STEP) {
      const groupId = this.#queue.at(-1)!
      const group = this.#options.groups.get(groupId)
      const look = group === undefined ? DONE : this.#look(group, wallMs, batch)
      lookedAt += 1 + look.lookedAt
      if (look.isDone) this.#queue.pop()
    }
    return this.#again(nowMs, batch)
  }

  #again(nowMs: number, records: readonly GroupRecord[]): CoordinatorStep<GroupRecord> {
    const intervalMs = this.#options.config.offsetsRetentionCheckIntervalMs
    const timers = [{ timer: EXPIRE_TIMER, atMs: this.#queue.length > 0 ? nowMs : nowMs + intervalMs }]
    const failed = (): CoordinatorStep<GroupRecord> => {
      // The log has no room: the next round begins anew.
      this.#queue = []
      return { timers: [{ timer: EXPIRE_TIMER, atMs: nowMs + intervalMs }] }
    }
    return { records, timers, failed }
  }

  #look(group: Group, wallMs: number, batch: GroupRecord[]): { readonly isDone: boolean; readonly lookedAt: number } {
    const { groupId } = group
    const since = group.offsetsUnusedSince()
    let lookedAt = 0
    let isEmpty = true
    for (const [topic, partitions] of this.#offsets.ofGroup(groupId)?.entries() ?? []) {
      const isHeld = group.isSubscribedTo(topic)
      for (const [partition, committed] of partitions.entries()) {
        lookedAt++
        if (isHeld || !this.#hasExpired(committed, since, wallMs)) isEmpty = false
        else if (batch.length >= TOMBSTONES_A_BATCH) return { isDone: false, lookedAt }
        else batch.push(offsetTombstone(groupId, topic, partition))
      }
    }
    if (isEmpty && group.checkDelete() === 'NONE') batch.push(...group.tombstones())
    return { isDone: true, lookedAt }
  }

  #hasExpired({ commitTimeMs, expireTimeMs }: CommittedOffset, since: OffsetsUnusedSince, wallMs: number): boolean {
    if (expireTimeMs >= 0) return wallMs >= expireTimeMs
    const sinceMs = since.kind === 'since' ? Math.max(since.timeMs, commitTimeMs) : commitTimeMs
    return wallMs - sinceMs >= this.#options.config.offsetsRetentionMs
  }
}

const DONE = { isDone: true, lookedAt: 0 }
