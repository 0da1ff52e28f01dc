// What a seed draws before anything happens: who is there, how fast everything is, and which
// faults are on and how often (swarm testing: each kind is off in half of all runs).

import type { Random } from '../../../src/random.ts'

/** Means, in ms of virtual time, between two faults of a kind; undefined: there are none. */
export interface FaultRates {
  /** The coordinator's broker dies, or gives its partition to another. */
  readonly coordinatorMove: number | undefined
  /** The log takes nothing for a while. */
  readonly noRoom: number | undefined
  /** The log's files fail: until the coordinator moves nothing more is committed. */
  readonly storageFailure: number | undefined
  readonly threadStall: number | undefined
  readonly threadDeath: number | undefined
  /** A member leaves and comes back, a static one with its instance id. */
  readonly memberRestart: number | undefined
  readonly subscriptionChange: number | undefined
  readonly topicChange: number | undefined
  readonly admin: number | undefined
  readonly wallJump: number | undefined
}

export interface Swarm {
  readonly rates: FaultRates
  readonly groups: number
  /** Members of each group, on threads of this process and behind sockets. */
  readonly localMembers: number
  readonly remoteMembers: number
  readonly threads: number
  readonly topics: number
  readonly partitionsMax: number
  readonly chaosMs: number
  /** A message takes up to so long. */
  readonly delayMs: number
  /** Shares of messages behind sockets. */
  readonly lossShare: number
  readonly duplicateShare: number
  readonly staticShare: number
  readonly regexShare: number
  readonly rangeShare: number
  /** Local members whose client is the real one. */
  readonly realShare: number
  /** Of the classic protocol. */
  readonly classicShare: number
  /** Of restarts, that come back with the other protocol. */
  readonly migrationShare: number
  readonly watermarkLagMs: number
  /** Of reloads that find the log compacted. */
  readonly compactedShare: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly assignmentIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly retentionMs: number
  /** How long a member takes to give a partition up, at the most. */
  readonly revokeMs: number
  /** Between two steps of a member's work. */
  readonly workMs: number
}

export function drawSwarm(random: Random): Swarm {
  const is = (share = 0.5): boolean => random.fraction() < share
  const pick = <Choice>(...choices: readonly Choice[]): Choice => choices[random.below(choices.length)]!
  const every = (shortest: number, share = 0.5): number | undefined => (is(share) ? pick(shortest, 3 * shortest, 10 * shortest) : undefined)
  const sessionTimeoutMs = pick(1_000, 3_000, 10_000)
  const localMembers = random.below(6)
  const remoteMembers = localMembers === 0 ? 1 + random.below(4) : is() ? random.below(4) : 0
  return {
    rates: {
      coordinatorMove: every(2_000),
      noRoom: every(4_000, 0.4),
      storageFailure: every(8_000, 0.3),
      threadStall: every(3_000),
      threadDeath: every(3_000),
      memberRestart: every(3_000),
      subscriptionChange: every(4_000),
      topicChange: every(4_000),
      admin: every(1_000),
      wallJump: every(10_000, 0.2),
    },
    groups: pick(1, 1, 2),
    localMembers,
    remoteMembers,
    threads: 1 + random.below(4),
    topics: 1 + random.below(3),
    partitionsMax: pick(1, 4, 8),
    chaosMs: pick(20_000, 60_000, 120_000),
    delayMs: pick(0, 1, 5, 100),
    lossShare: pick(0, 0, 0.02, 0.2),
    duplicateShare: pick(0, 0, 0.05, 0.3),
    staticShare: pick(0, 0, 0.5, 1),
    regexShare: pick(0, 0, 0.5, 1),
    rangeShare: pick(0, 0, 0.5, 1),
    realShare: pick(0, 1, 1, 0.5),
    watermarkLagMs: pick(0, 1, 20, 200),
    compactedShare: pick(0, 0.5, 1),
    sessionTimeoutMs,
    heartbeatIntervalMs: pick(Math.floor(sessionTimeoutMs / 10), Math.floor(sessionTimeoutMs / 3)),
    assignmentIntervalMs: pick(0, 500, 1_000),
    rebalanceTimeoutMs: pick(500, 3_000, 10_000),
    retentionMs: pick(10_000, 60_000, 604_800_000),
    revokeMs: pick(0, 100, 500, 2_000),
    workMs: pick(500, 1_000, 3_000),
    ...pick({ classicShare: 0, migrationShare: 0 }, { classicShare: 1, migrationShare: 0 }, { classicShare: 0.5, migrationShare: 0.5 }),
  }
}
