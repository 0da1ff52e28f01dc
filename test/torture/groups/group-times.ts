// What a round's tapes say of time: how often assignments changed, and how long a partition was
// nobody's. Time in which a static member of the group was away does not count: what was meant
// for that one nobody else may have. Nor does time in which there is nothing to read: where the
// first record was sent after its owner was told that the log is its own, it counts until it was
// told. Where whoever came next was put out before it read, its user was too slow: that does not
// count at all. Knows nothing of millrace.

import { ASSIGNED, HANDED_OUT, KEPT_FOR_IT, LOST, REVOKED } from '../group-history.ts'
import type { GroupTape } from '../group-history.ts'
import { StaticAbsences } from './static-absences.ts'

/** A thread of members that was terminated, or stood still for longer than its sessions. */
export interface GroupDeath {
  readonly kind: 'died' | 'stalled'
  /** Just before, on the clock that all threads share. */
  readonly ms: number
  readonly tape: GroupTape
}

export interface GroupTimes {
  /** Assignment epochs of groups that members were told of. */
  readonly rebalances: number
  /** Partitions that members were told to take. */
  readonly moves: number
  /** Of each partition of each member that died with its thread: until another hands out its first batch. */
  readonly takeOverMs: number[]
  /** The same where the thread stood still: the session timeout is part of it. */
  readonly stalledTakeOverMs: number[]
  /** Of each partition that a member gave up: until the next one hands out its first batch. */
  readonly handOverMs: number[]
  /** Partitions that nobody took over. */
  readonly abandoned: string[]
}

interface Event {
  readonly what: number
  /** Nobody may take it: its static member has gone for a while. */
  readonly isKept: boolean
  readonly member: number
  readonly offset: number
  readonly tick: number
  readonly ms: number
  readonly tape: GroupTape
}

export interface GroupTimesOptions {
  readonly groups: number
  readonly logs: number
  /** A static member that is away is waited for so long at most. */
  readonly sessionTimeoutMs: number
  readonly deaths: readonly GroupDeath[]
  /** Whether nothing else was wrong in between: only then it counts for giving up. */
  readonly quiet: (from: number, to: number) => boolean
  /** The tick before a record was sent; -1: not known. */
  readonly sentTick: (log: number, offset: number) => number
}

export function timesOf(tapes: readonly GroupTape[], options: GroupTimesOptions): GroupTimes {
  const { groups, logs, deaths } = options

  const epochs = new Set<number>()
  let moves = 0
  const events = Array.from({ length: groups * logs }, (): Event[] => [])
  for (const tape of tapes) {
    for (let row = 0; row < tape.rows; row++) {
      const what = tape.what[row]!
      const [group, log, member] = [tape.group[row]!, tape.log[row]!, tape.member[row]!]
      const [offset, tick, ms] = [tape.offset[row]!, tape.tick[row]!, tape.ms[row]!]
      if (what === ASSIGNED) {
        moves++
        if (tape.epoch[row]! > 0) epochs.add(group * 2 ** 32 + tape.epoch[row]!)
      }
      if (what === ASSIGNED || what === REVOKED || what === LOST || what === HANDED_OUT)
        events[group * logs + log]!.push({ what, isKept: tape.endOffset[row] === KEPT_FOR_IT, member, offset, tick, ms, tape })
    }
  }
  const times: GroupTimes = { rebalances: epochs.size, moves, takeOverMs: [], stalledTakeOverMs: [], handOverMs: [], abandoned: [] }
  const absences = new StaticAbsences(tapes, groups, options.sessionTimeoutMs)
  for (const [i, some] of events.entries()) {
    some.sort((a, b) => a.ms - b.ms)
    const [group, log] = [Math.floor(i / logs), i % logs]
    const passed = (from: number, first: Event): number => {
      const to = Math.max(from, readableMs(some, first, options.sentTick(log, first.offset)))
      return to - from - absences.within(group, from, to)
    }
    for (const death of deaths) takeOver(some, death, { times, passed, name: `group ${group}, log ${log}` })
    handOvers(some, options.quiet, { times, passed })
  }
  return times
}

interface Counting {
  readonly times: GroupTimes
  /** Milliseconds that count, up to a first batch. */
  readonly passed: (from: number, first: Event) => number
}

/** When a first batch was handed out, or could have been, had there been anything to read. */
function readableMs(events: readonly Event[], first: Event, sentTick: number): number {
  const assigned = events.findLast(({ what, member, tick }) => what === ASSIGNED && member === first.member && tick < first.tick)
  return assigned !== undefined && sentTick > assigned.tick ? assigned.ms : first.ms
}

function takeOver(events: readonly Event[], death: GroupDeath, { times, passed, name }: Counting & { readonly name: string }): void {
  const owners = new Set<number>()
  for (const { what, member, ms, tape } of events) {
    if (tape !== death.tape || ms > death.ms) continue
    if (what === ASSIGNED) owners.add(member)
    else if (what !== HANDED_OUT) owners.delete(member)
  }
  if (owners.size === 0) return
  const next = events.find(
    ({ what, member, ms, tape }) => what === HANDED_OUT && ms > death.ms && !owners.has(member) && tape !== death.tape,
  )
  if (death.kind === 'stalled') {
    // It may be its own again, where it was no longer than a session.
    if (next !== undefined) times.stalledTakeOverMs.push(passed(death.ms, next))
  } else if (next === undefined) times.abandoned.push(`${name} of member ${[...owners].join(' or ')}`)
  else if (!isLostBetween(events, death, next)) times.takeOverMs.push(passed(death.ms, next))
}

function isLostBetween(events: readonly Event[], death: GroupDeath, next: Event): boolean {
  return events.some(({ what, ms, tape }) => what === LOST && tape !== death.tape && ms > death.ms && ms < next.ms)
}

function handOvers(events: readonly Event[], quiet: GroupTimesOptions['quiet'], { times, passed }: Counting): void {
  let given: Event | undefined
  for (const event of events) {
    if (event.what === REVOKED) given = event.isKept ? undefined : event
    else if (event.what === HANDED_OUT && given !== undefined) {
      if (quiet(given.ms, event.ms)) times.handOverMs.push(passed(given.ms, event))
      given = undefined
    } else if (event.what === LOST) given = undefined
  }
}
