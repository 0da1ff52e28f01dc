// Finds what is wrong with what groups of consumers saw, group by group and log by log, in the
// order of the ticks. Knows nothing of millrace. Called by history-checker.ts.
//
// Terms: an ownership is a log as one member's, from when it was told to when it was told
// otherwise, or never again, where its thread died. It is superseded when a later one, one that
// was told later, hands out its first batch: what it hands out or commits from then on is wrong.
// The floor is what the group must have committed at least.

import type { Anomalies } from './anomalies.ts'
import {
  ARRIVED,
  ASSIGNED,
  COMMITTED,
  COMMIT_ACKED,
  COMMIT_ASKED,
  EVENT_NAMES,
  HANDED_OUT,
  LEFT,
  LOST,
  REVOKED,
  SETTLED,
} from './group-history.ts'
import type { GroupTape } from './group-history.ts'
import type { History } from './history.ts'
import type { LogContents } from './log-contents.ts'

export function checkGroups({ groups, logs }: History, contents: readonly LogContents[], anomalies: Anomalies): void {
  if (groups === undefined) return
  const rows = rowsByLog(groups.tapes, groups.count, logs)
  for (let group = 0; group < groups.count; group++) {
    for (let log = 0; log < logs; log++) {
      if (groups.reads?.(group, log) === false) continue
      const checker = new GroupLogChecker(group, log, anomalies)
      for (const { tape, row } of rows[group * logs + log]!) checker.take(tape, row)
      checker.end(contents[log]!)
    }
  }
}

interface RowAt {
  readonly tape: GroupTape
  readonly row: number
}

function rowsByLog(tapes: readonly GroupTape[], count: number, logs: number): RowAt[][] {
  const rows = Array.from({ length: count * logs }, (): RowAt[] => [])
  for (const tape of tapes) {
    for (let row = 0; row < tape.rows; row++) if (tape.log[row]! >= 0) rows[tape.group[row]! * logs + tape.log[row]!]!.push({ tape, row })
  }
  for (const some of rows) some.sort((a, b) => a.tape.tick[a.row]! - b.tape.tick[b.row]!)
  return rows
}

const RECENT = 16

interface Ownership {
  readonly member: number
  readonly assignedTick: number
  /** What the group had committed when it began. */
  readonly floor: number
  isOpen: boolean
  /** End of its last batch; -1: none yet. */
  end: number
  /** When a later one had handed out its first batch. */
  supersededTick: number
  supersededBy: number
}

interface Commit {
  readonly offset: number
  readonly isLate: boolean
}

class GroupLogChecker {
  readonly #name: string
  readonly #anomalies: Anomalies
  /** By member: the last that it had. */
  readonly #ownerships = new Map<number, Ownership>()
  /** Those that no later one has superseded yet. */
  #current = new Set<Ownership>()
  /** By member: what it has asked to be committed. */
  readonly #asked = new Map<number, Commit>()
  /** What was handed out, in pieces as they came. */
  readonly #handedOut: { offset: number; end: number }[] = []
  #settled = 0
  /** What must be committed, from which tick on; the last is true now. */
  readonly #floors: { tick: number; offset: number }[] = [{ tick: -1, offset: 0 }]
  #floorEpoch = -1
  /** What the group may have committed instead, because a member of the same or a newer epoch has asked for it. */
  #lowest = 0
  #committed = 0
  /** What happened last, to be shown with the first thing that is wrong. */
  readonly #recent: RowAt[] = []
  #isShown = false

  constructor(group: number, log: number, anomalies: Anomalies) {
    this.#name = `group ${group}, log ${log}`
    this.#anomalies = anomalies
  }

  take(tape: GroupTape, row: number): void {
    // A dead owner reads no more, and one that reads has little else to say.
    if (this.#recent.push({ tape, row }) > 2 * RECENT) this.#recent.splice(0, RECENT)
    const member = tape.member[row]!
    const offset = tape.offset[row]!
    const tick = tape.tick[row]!
    const epoch = tape.epoch[row]!
    switch (tape.what[row]!) {
      case ASSIGNED:
        this.#begin(member, tick)
        return
      case REVOKED:
        this.#close(member)
        if (offset >= 0) this.#mustBeCommitted(offset, epoch, tick)
        return
      case LOST:
        this.#close(member)
        return
      case HANDED_OUT:
        return this.#handOut(member, offset, tape.endOffset[row]!, tape.since[row]!, tick)
      case SETTLED:
        // What it was done with after the log was another's, it could not commit.
        if (this.#ownerships.get(member)?.isOpen === true) this.#settled = Math.max(this.#settled, tape.endOffset[row]!)
        return
      case COMMIT_ASKED: {
        const ownership = this.#ownerships.get(member)
        this.#asked.set(member, { offset, isLate: ownership !== undefined && ownership.supersededTick < tick })
        if (epoch >= this.#floorEpoch) this.#lowest = Math.min(this.#lowest, offset)
        return
      }
      case COMMIT_ACKED:
        return this.#commitAcked(member, offset, epoch, tick)
      case COMMITTED:
        return this.#committedRead(offset, tape.since[row]!)
      case LEFT:
      case ARRIVED:
        return
      default:
        throw new Error(`row ${row} is no event`)
    }
  }

  /** The log was read to its end, also by members that were there at the end. */
  end({ drainStart, drainEnd }: LogContents): void {
    const pieces = this.#handedOut.sort((a, b) => a.offset - b.offset)
    let next = Math.max(0, drainStart)
    const missing = (to: number): void => {
      if (next >= to) return
      const below = Math.min(to, this.#committed)
      if (next < below)
        this.#wrong('groupSkipped', () => `${range(next, below)} was handed out to nobody, and ${this.#committed} is committed`)
      const from = Math.max(next, below)
      if (from < to) this.#wrong('groupLost', () => `${range(from, to)} was handed out to nobody`)
    }
    for (const { offset, end } of pieces) {
      missing(offset)
      next = Math.max(next, end)
    }
    missing(drainEnd)
  }

  #begin(member: number, tick: number): Ownership {
    const floor = this.#floors.at(-1)!.offset
    const ownership = {
      member,
      assignedTick: tick,
      floor,
      isOpen: true,
      end: -1,
      supersededTick: Number.POSITIVE_INFINITY,
      supersededBy: -1,
    }
    this.#ownerships.set(member, ownership)
    this.#current.add(ownership)
    return ownership
  }

  #close(member: number): void {
    const ownership = this.#ownerships.get(member)
    if (ownership !== undefined) ownership.isOpen = false
  }

  #handOut(member: number, offset: number, end: number, since: number, tick: number): void {
    this.#handedOut.push({ offset, end })
    let ownership = this.#ownerships.get(member)
    const what = `member ${member} handed out ${range(offset, end)} at tick ${tick}`
    if (ownership === undefined || (!ownership.isOpen && ownership.supersededTick > since)) {
      this.#wrong('notOwned', () => what)
      ownership ??= this.#begin(member, tick)
    }
    if (ownership.supersededTick < since) {
      const { supersededBy, supersededTick } = ownership
      this.#wrong('dualOwner', () => `${what}, and member ${supersededBy} had begun at ${supersededTick}`)
    }
    const before = ownership.end
    if (before < 0) {
      this.#supersede(ownership, tick)
      if (offset < ownership.floor) {
        const { floor } = ownership
        this.#wrong('groupDoubled', () => `${what} as its first, and ${floor} was committed before it was assigned`)
      }
    } else if (offset < before) {
      this.#wrong('groupReordered', () => `${what}, after all below ${before}`)
    } else if (offset > before) {
      this.#wrong('groupSkipped', () => `${what}, after all below ${before}`)
    }
    ownership.end = end
  }

  /** It has handed out its first batch: those before are over. */
  #supersede(later: Ownership, tick: number): void {
    const rest = new Set<Ownership>()
    for (const ownership of this.#current) {
      if (ownership.assignedTick >= later.assignedTick) rest.add(ownership)
      else {
        ownership.supersededTick = tick
        ownership.supersededBy = later.member
      }
    }
    this.#current = rest
  }

  #commitAcked(member: number, offset: number, epoch: number, tick: number): void {
    if (this.#asked.get(member)?.isLate === true) {
      const { supersededBy } = this.#ownerships.get(member)!
      this.#wrong('lateCommit', () => `member ${member} committed ${offset} at tick ${tick}, and member ${supersededBy} had begun`)
    }
    this.#asked.delete(member)
    if (offset > this.#settled)
      this.#wrong('committedTooFar', () => `member ${member} committed ${offset}, and ${this.#settled} was settled`)
    this.#mustBeCommitted(offset, epoch, tick)
  }

  #mustBeCommitted(offset: number, epoch: number, tick: number): void {
    // The answer to an older member's comes late: it was made before.
    if (epoch < this.#floorEpoch) return
    this.#floorEpoch = epoch
    this.#lowest = offset
    if (offset !== this.#floors.at(-1)!.offset) this.#floors.push({ tick, offset })
  }

  #committedRead(offset: number, since: number): void {
    const committed = Math.max(0, offset)
    this.#committed = committed
    if (committed > this.#settled) this.#wrong('committedTooFar', () => `${committed} was committed, and ${this.#settled} was settled`)
    let least = this.#lowest
    // Of all that was true since it was asked, the least.
    for (let i = this.#floors.length - 1; i >= 0; i--) {
      least = Math.min(least, this.#floors[i]!.offset)
      if (this.#floors[i]!.tick < since) break
    }
    if (committed < least) this.#wrong('lostCommit', () => `${offset} was committed, and ${least} was acknowledged before`)
  }

  #wrong(kind: Parameters<Anomalies['add']>[0], describe: () => string): void {
    this.#anomalies.add(kind, () => {
      const recent = this.#isShown ? [] : this.#recent.slice(-RECENT).map(({ tape, row }) => `\n      ${inWords(tape, row)}`)
      this.#isShown = true
      return `${this.#name}: ${describe()}${recent.join('')}`
    })
  }
}

function inWords(tape: GroupTape, row: number): string {
  const { tick, member, epoch, offset, endOffset, since, ms } = tape
  const place = `${offset[row]}…${endOffset[row]} since ${since[row]}`
  return `tick ${tick[row]}, ${ms[row]!.toFixed(1)} ms: member ${member[row]}, epoch ${epoch[row]}: ${EVENT_NAMES[tape.what[row]!]} ${place}`
}

function range(offset: number, end: number): string {
  return `[${offset}, ${end})`
}
