// One member of a classic group (Kafka: ClassicGroupMember): what it said when it joined,
// what it was assigned, and which of its requests still waits for an answer.
// Pure; in memory, but for what a generation's record holds of it.

import type { JoinGroupRequestProtocol } from '../../protocol/messages/11-join-group.ts'
import { isLocalHost } from '../client-host.ts'
import type { RequestId } from '../coordinator-shard.ts'

export const NO_BYTES = new Uint8Array(0)

/** A request that is answered by a later step. */
export interface DeferredRequest {
  readonly requestId: RequestId
  readonly apiVersion: number
}

/** What its JoinGroup says, and who sent it. */
export interface ClassicMemberDetails {
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** The one it likes best first. */
  readonly protocols: readonly JoinGroupRequestProtocol[]
}

export class ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly JoinGroupRequestProtocol[]
  /** As the leader made it; nothing before the first. */
  assignment: Uint8Array = NO_BYTES
  /** It joined for the first time and does not know its id yet, so it cannot send heartbeats. */
  isNew = false
  awaitingJoin: DeferredRequest | undefined
  awaitingSync: DeferredRequest | undefined

  constructor(memberId: string, details: ClassicMemberDetails) {
    this.memberId = memberId
    this.groupInstanceId = details.groupInstanceId
    this.clientId = details.clientId
    this.clientHost = details.clientHost
    this.rebalanceTimeoutMs = details.rebalanceTimeoutMs
    this.sessionTimeoutMs = details.sessionTimeoutMs
    this.protocols = details.protocols
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null
  }

  /** On a thread of this process. */
  get isLocal(): boolean {
    return isLocalHost(this.clientHost)
  }

  /** Of its protocols, the first that is among these. At least one is. */
  vote(candidates: ReadonlySet<string>): string {
    return this.protocols.find(({ name }) => candidates.has(name))!.name
  }

  /** What it says to an assignor's name; nothing to one that it does not know. */
  metadata(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
  }

  /** Whether it says what it said before, byte for byte. */
  says(protocols: readonly JoinGroupRequestProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, place) => {
        const known = this.protocols[place]!
        return known.name === name && equalBytes(known.metadata, metadata)
      })
    )
  }

  /** A record tells of it. What it said of other assignors is not in there, and stays where it is known. */
  recorded(
    { rebalanceTimeoutMs, sessionTimeoutMs, protocols }: ClassicMemberDetails,
    protocol: string | null,
    assignment: Uint8Array,
  ): void {
    this.rebalanceTimeoutMs = rebalanceTimeoutMs
    this.sessionTimeoutMs = sessionTimeoutMs
    if (!protocols.every(({ metadata }) => equalBytes(this.metadata(protocol), metadata))) this.protocols = protocols
    this.assignment = assignment
  }

  /** It may be silent for long where it waits for an answer of ours. */
  get isAwaiting(): boolean {
    return this.awaitingJoin !== undefined || this.awaitingSync !== undefined
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
