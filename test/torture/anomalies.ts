// What can be wrong with a history: each kind, counted, with its first cases in words.

/** Of logs. */
export const LOG_ANOMALY_KINDS = {
  lost: 'acknowledged, and not in the log although later records are',
  unseen: 'acknowledged, and not there when all was read to the end',
  doubled: 'one record at two offsets',
  reordered: "a producer's records are not in the order of its sends",
  holed: "a producer's records are there, and one of its own that it sent before them is not",
  changed: 'other bytes than were sent',
  invented: 'a record that nobody has sent there',
  refusedButRead: 'a record whose sender was told that it was not written',
  inconsistent: 'two records at one offset',
  misplaced: 'acknowledged with another offset than it is read at',
  skipped: 'a reader passes offsets, and nothing says why',
  reread: 'a reader goes back by itself',
  miscounted: 'a reader is told wrongly what it has missed',
  gap: 'an offset between the first and the end with no record',
  regressed: 'what was read or announced once is no longer there',
  epochBack: 'a leader epoch that goes back',
  backdated: 'sent after another was acknowledged, and before it in the log',
  trimmed: 'a log that keeps everything has lost its oldest records',
  hung: 'a call that never ended',
  undrained: 'the reading to the end did not come to the end',
} as const

/** Of groups of consumers. */
export const GROUP_ANOMALY_KINDS = {
  dualOwner: 'handed out by a member after a later owner of the partition had begun',
  notOwned: 'handed out by a member that the partition was not assigned to',
  groupSkipped: 'passed by an owner, or below what the group has committed and handed out to nobody',
  groupLost: 'in the log at the end, and handed out to nobody in the group',
  groupDoubled: 'handed out to the next owner although the group had committed it before',
  groupReordered: 'an owner goes back by itself',
  lostCommit: 'a committed offset lower than one that was acknowledged before',
  committedTooFar: 'a committed offset beyond what was settled',
  lateCommit: 'a commit that was accepted of a member after a later owner had begun',
} as const

export const ANOMALY_KINDS = { ...LOG_ANOMALY_KINDS, ...GROUP_ANOMALY_KINDS } as const

export type AnomalyKind = keyof typeof ANOMALY_KINDS

const CASES_MAX = 10

export class Anomalies {
  readonly counts = new Map<AnomalyKind, number>()
  readonly #cases: string[] = []
  readonly #casesOf = new Map<AnomalyKind, number>()

  add(kind: AnomalyKind, describe: () => string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    const cases = this.#casesOf.get(kind) ?? 0
    if (cases >= CASES_MAX) return
    this.#casesOf.set(kind, cases + 1)
    this.#cases.push(`${kind}: ${describe()}`)
  }

  get total(): number {
    let sum = 0
    for (const count of this.counts.values()) sum += count
    return sum
  }

  get kinds(): AnomalyKind[] {
    return [...this.counts.keys()].sort()
  }

  /** The first cases of each kind. */
  get cases(): readonly string[] {
    return this.#cases
  }

  toString(): string {
    if (this.total === 0) return 'no anomaly'
    const counts = [...this.counts].map(([kind, count]) => `${count} ${kind} (${ANOMALY_KINDS[kind]})`)
    return [...counts, ...this.#cases].join('\n  ')
  }
}
