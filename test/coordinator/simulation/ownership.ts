// Who may hand out records of which partition, as members see it: from the answer that gave
// it until the member has said that it gave it up, or its thread's fence counter has gone up,
// or it has died. No two may at the same time.

import type { LogModel } from './log-model.ts'
import type { SimulatedThread } from './simulated-thread.ts'

export interface Owner {
  readonly name: string
  readonly groupId: string
  readonly memberId: string
  readonly thread: SimulatedThread
  /** The fence counter of its thread when it asked last and was told that it is a member. */
  fencesSeen: number
  /** Of the classic protocol: nobody can stop it, and it may commit in its generation, `epoch`, alone. */
  readonly isClassic?: boolean
  readonly epoch: number
}

export class Ownership {
  readonly #owners = new Map<string, Set<Owner>>()
  readonly #keys = new Map<Owner, Set<string>>()
  readonly #model: LogModel
  readonly #violate: (text: string) => void

  constructor(model: LogModel, violate: (text: string) => void) {
    this.#model = model
    this.#violate = violate
  }

  /** By `partitionKey`. */
  keysOf(owner: Owner): ReadonlySet<string> {
    return this.#keys.get(owner) ?? new Set()
  }

  give(owner: Owner, key: string): void {
    const name = `${owner.groupId} ${key}`
    let owners = this.#owners.get(name)
    if (owners === undefined) this.#owners.set(name, (owners = new Set()))
    owners.add(owner)
    let keys = this.#keys.get(owner)
    if (keys === undefined) this.#keys.set(owner, (keys = new Set()))
    keys.add(key)
    this.#check(owner, key, owners)
  }

  drop(owner: Owner, key: string): void {
    this.#owners.get(`${owner.groupId} ${key}`)?.delete(owner)
    this.#keys.get(owner)?.delete(key)
  }

  dropAll(owner: Owner): void {
    for (const key of [...this.keysOf(owner)]) this.drop(owner, key)
    this.#keys.delete(owner)
  }

  /** It may hand out again. */
  verified(owner: Owner): void {
    for (const key of this.keysOf(owner)) this.#check(owner, key, this.#owners.get(`${owner.groupId} ${key}`)!)
  }

  mayHandOut({ thread, fencesSeen, groupId, memberId, isClassic, epoch }: Owner): boolean {
    if (!thread.isAlive) return false
    if (isClassic === true) return this.#model.epochOf(groupId, memberId) === epoch
    // Nobody can stop a client behind a socket: what it does after it was put out is kept from being committed.
    return thread.isLocal ? fencesSeen === thread.fenceCount : this.#isMember(groupId, memberId)
  }

  #isMember(groupId: string, memberId: string): boolean {
    const group = this.#model.groups.get(groupId)
    return group !== undefined && (group.members.has(memberId) || group.classicMembers.has(memberId))
  }

  #check(owner: Owner, key: string, owners: ReadonlySet<Owner>): void {
    if (owners.size < 2 || !this.mayHandOut(owner)) return
    for (const other of owners) {
      if (other !== owner && this.mayHandOut(other))
        this.#violate(`${key} of ${owner.groupId} has two owners: ${owner.name} and ${other.name}`)
    }
  }
}
