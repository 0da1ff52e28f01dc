// What a simulation asks of its members.

import type { Owner } from './ownership.ts'

export interface MemberOptions {
  readonly name: string
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | null
  /** Names of topics; or a pattern. */
  readonly topics: readonly string[]
  readonly regex: string | undefined
  readonly assignor: string | null
  /** As a member of the classic protocol: the one it likes best first. */
  readonly classicAssignors: readonly string[]
}

export interface SimulatedMember extends Owner {
  readonly options: MemberOptions
  readonly kind: 'scripted' | 'real' | 'classic'
  /** What it wants now. */
  readonly topics: readonly string[]
  readonly regex: string | undefined
  /** It has left for good, or is about to. */
  readonly isOver: boolean
  readonly epoch: number
  /** By `partitionKey`, whether they are read already or not. */
  readonly heldKeys: ReadonlySet<string>
  /** It wants to read nothing that there is, and is in no group. */
  readonly isIdle: boolean
  /** It is neither giving up partitions nor taking some. */
  readonly isSettled: boolean
  start(): void
  subscribe(topics: readonly string[], regex: string | undefined): void
  /** Its thread has heard of it. */
  topicsChanged(): void
  /** Its user asks for nothing for so long. */
  forget(ms: number): void
  /** `forNow`: a static member that comes back. `then`: it has left, as far as it knows. */
  leave(forNow: boolean, then: () => void): void
  /** Its thread has died. */
  died(): void
  stateLine(): string
}
