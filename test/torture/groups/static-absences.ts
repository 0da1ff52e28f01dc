// When static members of a group were away: gone for a while, with what they had and what they
// were given meanwhile kept for them (Kafka: KIP-345, KIP-848). Nobody else may have that, however
// long it takes. From the tapes alone; knows nothing of millrace.
//
//   arrived … revoked for now, left │ away … │ arrived        at most a session long

import { ARRIVED, ASSIGNED, KEPT_FOR_IT, LEFT, LOST, REVOKED } from '../group-history.ts'
import type { GroupTape } from '../group-history.ts'

interface Span {
  readonly from: number
  readonly to: number
}

interface Said {
  /** It goes away, or is here. */
  readonly isAway: boolean
  readonly ms: number
}

export class StaticAbsences {
  /** By group: in order, none touches another. */
  readonly #spans: readonly (readonly Span[])[]

  constructor(tapes: readonly GroupTape[], groups: number, sessionTimeoutMs: number) {
    const said = Array.from({ length: groups }, () => new Map<number, Said[]>())
    for (const tape of tapes) readTape(tape, said)
    this.#spans = said.map((instances) => union([...instances.values()].flatMap((some) => absencesOf(some, sessionTimeoutMs))))
  }

  /** For how much of this time at least one member of the group was away. */
  within(group: number, from: number, to: number): number {
    let ms = 0
    for (const span of this.#spans[group]!) ms += Math.max(0, Math.min(to, span.to) - Math.max(from, span.from))
    return ms
  }
}

/** A member is one thread's, so all of it is on one tape. */
function readTape(tape: GroupTape, said: readonly Map<number, Said[]>[]): void {
  const byMember = new Map<number, Said[]>()
  for (let row = 0; row < tape.rows; row++) {
    const [what, group, member, ms] = [tape.what[row]!, tape.group[row]!, tape.member[row]!, tape.ms[row]!]
    if (what === ARRIVED) {
      const instance = tape.offset[row]!
      const some = said[group]!.get(instance) ?? []
      said[group]!.set(instance, some)
      byMember.set(member, some)
    }
    const some = byMember.get(member)
    if (some === undefined) continue
    if (what === ARRIVED || what === ASSIGNED) some.push({ isAway: false, ms })
    else if (what === LEFT || what === LOST || (what === REVOKED && tape.endOffset[row] === KEPT_FOR_IT)) some.push({ isAway: true, ms })
  }
}

function absencesOf(said: readonly Said[], sessionTimeoutMs: number): Span[] {
  const spans: Span[] = []
  let from: number | undefined
  for (const { isAway, ms } of said.toSorted((a, b) => a.ms - b.ms)) {
    if (isAway) from ??= ms
    else if (from !== undefined) {
      spans.push({ from, to: Math.min(ms, from + sessionTimeoutMs) })
      from = undefined
    }
  }
  if (from !== undefined) spans.push({ from, to: from + sessionTimeoutMs })
  return spans
}

function union(spans: readonly Span[]): Span[] {
  const all: Span[] = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last === undefined || from > last.to) all.push({ from, to })
    else if (to > last.to) all[all.length - 1] = { from: last.from, to }
  }
  return all
}
