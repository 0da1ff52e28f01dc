// One mix of all that a simulation knows, drawn out or pressed together until so many events
// happen in a virtual second, and how many of those go by in a second then.

import { GroupSimulation } from './group-simulation.ts'
import type { FaultRates, Swarm } from './swarm.ts'

/** About 10 events in a virtual second. Times in ms. */
const MIX: Omit<Swarm, 'rates'> = {
  groups: 1,
  localMembers: 2,
  remoteMembers: 2,
  threads: 2,
  topics: 2,
  partitionsMax: 4,
  chaosMs: 600_000,
  delayMs: 5,
  lossShare: 0.02,
  duplicateShare: 0.05,
  staticShare: 0.5,
  regexShare: 0.25,
  rangeShare: 0.5,
  realShare: 0.5,
  classicShare: 0.5,
  migrationShare: 0.5,
  watermarkLagMs: 5,
  compactedShare: 0.5,
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 3_000,
  assignmentIntervalMs: 1_000,
  rebalanceTimeoutMs: 10_000,
  retentionMs: 60_000,
  revokeMs: 500,
  workMs: 3_000,
}
const RATES: { readonly [Kind in keyof FaultRates]: number } = {
  coordinatorMove: 60_000,
  noRoom: 120_000,
  storageFailure: 240_000,
  threadStall: 60_000,
  threadDeath: 60_000,
  memberRestart: 60_000,
  subscriptionChange: 60_000,
  topicChange: 60_000,
  admin: 20_000,
  wallJump: 240_000,
}
/** Times that grow with the pace; those of messages stay. */
const SCALED = ['chaosMs', 'sessionTimeoutMs', 'heartbeatIntervalMs', 'assignmentIntervalMs', 'rebalanceTimeoutMs', 'workMs'] as const

export interface Paced {
  readonly seeds: number
  readonly events: number
  readonly virtualSeconds: number
  readonly seconds: number
  /** What does not hold. */
  readonly failure: string | undefined
}

/** Looks for the scale at which a virtual second has so many events, and then runs so many of those. */
export async function runPaced(eventsASecond: number, virtualSeconds: number, from: number): Promise<Paced> {
  let scale = 1
  for (let i = 0; i < 4; i++) {
    const { events, virtualSeconds: seen, failure } = await run(scale, 5_000, from)
    if (failure !== undefined) return { seeds: 1, events, virtualSeconds: seen, seconds: 0, failure }
    scale *= events / seen / eventsASecond
  }
  const startMs = performance.now()
  const ran = await run(scale, virtualSeconds, from)
  return { ...ran, seconds: (performance.now() - startMs) / 1_000 }
}

async function run(scale: number, virtualSeconds: number, from: number): Promise<Omit<Paced, 'seconds'>> {
  const swarm = scaled(scale)
  let [seeds, events, virtualMs] = [0, 0, 0]
  let failure: string | undefined
  while (virtualMs < virtualSeconds * 1_000 && failure === undefined) {
    const result = await new GroupSimulation(from + seeds++, swarm).run()
    events += result.events
    virtualMs += result.virtualMs
    failure = result.failure
  }
  return { seeds, events, virtualSeconds: virtualMs / 1_000, failure }
}

function scaled(scale: number): Swarm {
  const rates = Object.fromEntries(Object.entries(RATES).map(([kind, ms]) => [kind, ms * scale]))
  const times = Object.fromEntries(SCALED.map((name) => [name, Math.ceil(MIX[name] * scale)]))
  return { ...MIX, ...times, rates: rates as unknown as FaultRates }
}
