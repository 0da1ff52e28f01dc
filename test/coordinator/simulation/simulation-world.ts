// What the parts of a simulation share.

import type { Random } from '../../../src/random.ts'
import type { EventQueue } from './event-queue.ts'
import type { EventTrace } from './event-trace.ts'
import type { LogModel } from './log-model.ts'
import type { Ownership } from './ownership.ts'
import type { SimulatedCoordinator } from './simulated-coordinator.ts'
import type { SimulatedMember } from './simulated-member.ts'
import type { SimulatedThread } from './simulated-thread.ts'
import type { SimulatedTopics } from './simulated-topics.ts'
import type { SharedOut } from './classic-leader.ts'
import type { Swarm } from './swarm.ts'

/** Situations that are to come about, over all seeds of a run. */
export const SITUATIONS = [
  'a coordinator died with records that were lost',
  'a coordinator moved while it loaded',
  'a compacted log was loaded',
  'a state was compared after a move',
  'a request found a coordinator that loads',
  'a request found no coordinator',
  'a log had no room',
  'files failed under answers that waited',
  'a session ended',
  'a rebalance took too long',
  'a thread died',
  'a thread died while the coordinator moved',
  'a fence was seen before anything was handed out',
  'a late commit was refused',
  'a member came back with a lost answer',
  'a static member came back',
  'an instance id was not released',
  'an offset of a deleted topic was not given',
  'offsets expired',
  'a group was deleted',
  'an offset was deleted',
  'an admin committed',
  'an admin was refused',
  'a heartbeat was held and answered with news',
  'a member revoked partitions',
  'a classic leader shared out',
  'a leader came back and assigned nothing',
  'a classic member joined again after a lost answer',
  'a classic member was of an old generation',
  'a commit of an old generation was refused',
  'a static classic member was replaced',
  'a group went to the new protocol with its members',
  'a group went back to the classic protocol',
  'a classic member was in a group of the new protocol',
] as const

export type Situation = (typeof SITUATIONS)[number]

export interface SimulationWorld {
  readonly queue: EventQueue
  readonly random: Random
  readonly swarm: Swarm
  readonly trace: EventTrace
  readonly topics: SimulatedTopics
  readonly threads: readonly SimulatedThread[]
  readonly model: LogModel
  readonly ownership: Ownership
  readonly coordinator: SimulatedCoordinator
  readonly situations: Map<Situation, number>
  /** By group: what its leader shared out last. Another that leads without sharing out asks here whether topics have changed. */
  readonly sharedOut: Map<string, SharedOut>
  /** Nothing goes wrong any more, and messages are fast. */
  readonly isCalm: boolean
  /** It does not come back. */
  forget(member: SimulatedMember): void
  /** It has left, or failed, and is there again under another member id. */
  comeBack(member: SimulatedMember): void
  saw(situation: Situation): void
  note(...words: (string | number | boolean | null | undefined)[]): void
  violate(text: string): void
}
