// What a round's tapes say of time: how often assignments changed, and how long a partition was
// nobody's. Knows nothing of millrace.

import { ASSIGNED, HANDED_OUT, KEPT_FOR_IT, LOST, REVOKED } from '../group-history.ts'
import type { GroupTape } from '../group-history.ts'

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
  readonly ms: number
  readonly tape: GroupTape
}

/** `quiet`: whether nothing else was wrong in between: only then it counts for giving up. */
export function timesOf(
  tapes: readonly GroupTape[],
  {
    groups,
    logs,
    deaths,
    quiet,
  }: { groups: number; logs: number; deaths: readonly GroupDeath[]; quiet: (from: number, to: number) => boolean },
): GroupTimes {
  const epochs = new Set<number>()
  let moves = 0
  const events = Array.from({ length: groups * logs }, (): Event[] => [])
  for (const tape of tapes) {
    for (let row = 0; row < tape.rows; row++) {
      const what = tape.what[row]!
      const [group, log, member, ms] = [tape.group[row]!, tape.log[row]!, tape.member[row]!, tape.ms[row]!]
      if (what === ASSIGNED) {
        moves++
        if (tape.epoch[row]! > 0) epochs.add(group * 2 ** 32 + tape.epoch[row]!)
      }
      if (what === ASSIGNED || what === REVOKED || what === LOST || what === HANDED_OUT)
        events[group * logs + log]!.push({ what, isKept: tape.endOffset[row] === KEPT_FOR_IT, member, ms, tape })
    }
  }
  const times: GroupTimes = { rebalances: epochs.size, moves, takeOverMs: [], stalledTakeOverMs: [], handOverMs: [], abandoned: [] }
  for (const [i, some] of events.entries()) {
    some.sort((a, b) => a.ms - b.ms)
    for (const death of deaths) takeOver(some, death, times, `group ${Math.floor(i / logs)}, log ${i % logs}`)
    handOvers(some, quiet, times)
  }
  return times
}

function takeOver(events: readonly Event[], death: GroupDeath, times: GroupTimes, name: string): void {
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
    if (next !== undefined) times.stalledTakeOverMs.push(next.ms - death.ms)
  } else if (next === undefined) times.abandoned.push(`${name} of member ${[...owners].join(' or ')}`)
  else times.takeOverMs.push(next.ms - death.ms)
}

function handOvers(events: readonly Event[], quiet: (from: number, to: number) => boolean, times: GroupTimes): void {
  let given: Event | undefined
  for (const event of events) {
    if (event.what === REVOKED) given = event.isKept ? undefined : event
    else if (event.what === HANDED_OUT && given !== undefined) {
      if (quiet(given.ms, event.ms)) times.handOverMs.push(event.ms - given.ms)
      given = undefined
    } else if (event.what === LOST) given = undefined
  }
}
