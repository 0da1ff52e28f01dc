// What members of one group saw, written by hand, for the tests of the checker.

import { ASSIGNED, COMMITTED, COMMIT_ACKED, COMMIT_ASKED, GroupTape, HANDED_OUT, LOST, REVOKED, SETTLED } from './group-history.ts'
import type { GroupEvent } from './group-history.ts'
import { CLOSED } from './history.ts'

interface Place {
  readonly log?: number
  readonly epoch?: number
}

export class GroupLines {
  readonly tape = GroupTape.allocate(64)
  readonly #group: number
  readonly #tick: () => number
  #members = 0

  constructor(group: number, tick: () => number) {
    this.#group = group
    this.#tick = tick
    this.tape.end(CLOSED)
  }

  member(): MemberLines {
    return new MemberLines(this, this.#members++)
  }

  write(what: GroupEvent, member: number, row: { log: number; epoch?: number; offset?: number; end?: number; since?: number }): void {
    this.tape.write(what, { group: this.#group, member, tick: this.#tick(), ...row })
  }

  tick(): number {
    return this.#tick()
  }

  /** What the group is said to have committed; `since`: when that was asked, just before unless said. */
  committed(offset: number, { log = 0, since = this.#tick() }: { log?: number; since?: number } = {}): this {
    this.write(COMMITTED, -1, { log, offset, since })
    return this
  }
}

export class MemberLines {
  readonly #group: GroupLines
  readonly #member: number

  constructor(group: GroupLines, member: number) {
    this.#group = group
    this.#member = member
  }

  assigned({ log = 0 }: Place = {}): this {
    return this.#write(ASSIGNED, { log })
  }

  /** `committed`: what it had committed before it let go. */
  revoked({ log = 0, epoch = 1, committed = -1 }: Place & { committed?: number } = {}): this {
    return this.#write(REVOKED, { log, epoch, offset: committed })
  }

  lost({ log = 0 }: Place = {}): this {
    return this.#write(LOST, { log })
  }

  /** Is given [offset, end), is done with it where it settles. `since`: when it was found out that it may have them. */
  got(
    offset: number,
    end: number,
    { log = 0, settles = false, since = this.#group.tick() }: Place & { settles?: boolean; since?: number } = {},
  ): this {
    this.#write(HANDED_OUT, { log, offset, end, since })
    return settles ? this.settled(end, { log }) : this
  }

  settled(end: number, { log = 0 }: Place = {}): this {
    return this.#write(SETTLED, { log, end })
  }

  asksCommit(offset: number, { log = 0, epoch = 1 }: Place = {}): this {
    return this.#write(COMMIT_ASKED, { log, offset, epoch })
  }

  commitAcked(offset: number, { log = 0, epoch = 1 }: Place = {}): this {
    return this.#write(COMMIT_ACKED, { log, offset, epoch })
  }

  commits(offset: number, place: Place = {}): this {
    return this.asksCommit(offset, place).commitAcked(offset, place)
  }

  #write(what: GroupEvent, row: Parameters<GroupLines['write']>[2]): this {
    this.#group.write(what, this.#member, row)
    return this
  }
}
