// The faults of a round of churn: does each, sees that it bit, and waits until others have taken
// over what was hit.

import { sharedNowMs } from '../torture-words.ts'
import type { GroupFault } from './group-plan.ts'
import type { GroupRound } from './group-round.ts'
import type { GroupWorker } from './group-worker.ts'

/** They ask each quarter of a second, and at once when they are fenced. */
const LEARNT_WITHIN_MS = 2_000

export async function strikeGroups(round: GroupRound, fault: GroupFault): Promise<void> {
  switch (fault.kind) {
    case 'terminate':
      return terminate(round, fault, [fault.victim])
    case 'twoThreads':
      return terminate(round, fault, [fault.victim, fault.other])
    case 'shortStall':
      return standStill(round, fault)
    case 'longStall':
      return standStillTooLong(round, fault)
    case 'restart':
      return restart(round, fault)
    case 'broker':
      return killBroker(round, fault)
  }
}

async function terminate(round: GroupRound, { kind }: GroupFault, victims: readonly number[]): Promise<void> {
  const workers = victims.map((victim) => round.workers[victim]!)
  const ms = sharedNowMs()
  for (const { tape } of workers) round.deaths.push({ kind: 'died', ms, tape })
  await round.within('the death of threads', Promise.all(workers.map((worker) => worker.terminate())))
  round.threadDeaths += workers.length
  round.memberDeaths += workers.reduce((sum, { tape }) => sum + round.membersOf(tape), 0)
  const owned = workers.flatMap(({ tape }) => round.ownedBy(tape))
  if (owned.length > 0) round.bit(kind)
  await round.takenOver(owned)
  await Promise.all(victims.map((victim) => round.spawn(victim)))
}

async function standStill(round: GroupRound, { victim, stallMs, kind }: GroupFault): Promise<void> {
  const worker = round.workers[victim]!
  await stall(round, worker, stallMs)
  round.bit(kind)
}

/** Its sessions end meanwhile: others have what it had before it goes on. */
async function standStillTooLong(round: GroupRound, { victim, stallMs, kind }: GroupFault): Promise<void> {
  const worker = round.workers[victim]!
  const lost = worker.words.count('lost')
  const ms = sharedNowMs()
  await stall(round, worker, stallMs)
  const untilMs = sharedNowMs() + LEARNT_WITHIN_MS
  const isOut = (): boolean => worker.words.count('lost') > lost || worker.isOver
  await round.until('members that learn that they are out', () => isOut() || sharedNowMs() > untilMs)
  // Coordinators that had no core either, or had just moved, heard from them before they looked at their sessions.
  if (!isOut()) return
  round.deaths.push({ kind: 'stalled', ms, tape: worker.tape })
  round.bit(kind)
}

async function stall(round: GroupRound, worker: GroupWorker, ms: number): Promise<void> {
  const from = sharedNowMs()
  const { stalls } = worker.words
  worker.words.stall(ms)
  await round.until('a thread that stands still, and goes on', () => worker.words.stalls > stalls || worker.isOver)
  round.windows.push({ from, to: sharedNowMs() })
}

async function restart(round: GroupRound, { victim, kind }: GroupFault): Promise<void> {
  const worker = round.workers[victim]!
  const from = sharedNowMs()
  await round.within('the end of a thread of members', worker.finish())
  round.bit(kind)
  await round.spawn(victim)
  // What its static members had waited for them.
  round.windows.push({ from, to: sharedNowMs() })
}

async function killBroker(round: GroupRound, { victim, kind }: GroupFault): Promise<void> {
  const { faulty, plan } = round
  await round.until('the restart of brokers', () => faulty.cluster.brokers.length === plan.brokers)
  const from = sharedNowMs()
  await round.within('the death of a broker', faulty.kill(victim))
  round.bit(kind)
  await round.until('the restart of brokers', () => faulty.cluster.brokers.length === plan.brokers)
  // Whatever it led is handed out again.
  await round.takenOver(round.allOwned())
  round.windows.push({ from, to: sharedNowMs() })
}
