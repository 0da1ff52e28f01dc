// The faults of a torture, each under load: does it, sees that it bit, and waits until
// the logs that it hit answer again.

import { setTimeout as sleep } from 'node:timers/promises'
import { actionOf } from './round-plan.ts'
import type { FaultPlan } from './round-plan.ts'
import type { TortureRound } from './torture-round.ts'
import { sharedNowMs } from './torture-words.ts'

/** A thread that does not come to the point of its fault within so long is let go. */
const BITES_WITHIN_MS = 400
const GUEST_RECORDS = 20

export async function strike(round: TortureRound, fault: FaultPlan): Promise<void> {
  switch (fault.kind) {
    case 'killPoint':
    case 'throw':
    case 'exit':
    case 'outOfMemory':
      return killAtPoint(round, fault)
    case 'terminate':
    case 'twoAtOnce':
    case 'allAtOnce':
      return terminateBrokers(round, fault)
    case 'controller':
      return killController(round, fault)
    case 'mainBlocked':
      return killWhileBlocked(round, fault)
    case 'stall':
      return stallBroker(round, fault)
    case 'producer':
    case 'consumer':
      return terminateClient(round, fault)
    case 'producerAtPoint':
    case 'stalledProducer':
      return stopProducer(round, fault)
    case 'comeAndGo':
      return comeAndGo(round, fault)
    case 'io':
    case 'ioAndBroker':
    case 'ioAndAll':
      return terminateIo(round, fault)
  }
}

/** Whether the broker came to the point in time; if not, it will not any more. */
async function bitten(round: TortureRound, victim: number, seen: number): Promise<boolean> {
  const { faults } = round.faulty
  const aborted = new AbortController()
  await Promise.race([faults.bitten(victim, seen), sleep(BITES_WITHIN_MS, undefined, { signal: aborted.signal }).catch(() => undefined)])
  aborted.abort()
  if (faults.bites(victim) > seen) return true
  faults.disarm(victim)
  // It may just have been about to.
  await sleep(5)
  return faults.bites(victim) > seen
}

async function killAtPoint(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty } = round
  const victim = await round.leaderOf(fault.log)
  const led = round.logsLedBy(victim)
  const { incarnation } = faulty.broker(victim)
  const action = actionOf(fault.kind)
  round.words.watchGaps()
  const seen = faulty.faults.bites(victim)
  faulty.faults.arm(victim, fault.point, action, fault.passing)
  if (!(await bitten(round, victim, seen))) {
    round.missed++
    return
  }
  round.brokerKills++
  if (action === 'park') await faulty.kill(victim)
  else await round.within(`the death of broker ${victim}`, faulty.died(victim, incarnation))
  round.bit(fault.kind, 1)
  // To stand still until it is terminated, and to fill a heap, is no part of a failover.
  await recovered(round, led, action === 'throw' || action === 'exit' ? timesOf(round) : [])
}

async function terminateBrokers(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty } = round
  const leader = await round.leaderOf(fault.log)
  await sleep(fault.delayMs)
  const living = faulty.cluster.brokers.map(({ brokerId }) => brokerId)
  const others = living.filter((brokerId) => brokerId !== leader)
  const wanted = fault.kind === 'terminate' ? 0 : fault.kind === 'twoAtOnce' ? 1 : others.length
  const victims = living.includes(leader) ? [leader, ...others.slice(0, wanted)] : others.slice(0, wanted + 1)
  const led = victims.flatMap((victim) => round.logsLedBy(victim))
  round.words.watchGaps()
  round.brokerKills += victims.length
  await round.within(
    `the death of brokers ${victims.join()}`,
    Promise.all(victims.map((victim) => faulty.kill(victim))).then(() => undefined),
  )
  round.bit(fault.kind, victims.length)
  await recovered(round, led, victims.length < living.length ? round.failoverMs : round.restartMs)
}

async function killController(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty } = round
  await round.until('a controller', () => round.isAlive(faulty.activeController))
  const victim = faulty.activeController
  const { incarnation } = faulty.broker(victim)
  const led = round.logsLedBy(victim)
  const seen = faulty.faults.bites(victim)
  const action = (['park', 'throw', 'exit'] as const)[fault.passing % 3]!
  round.words.watchGaps()
  faulty.faults.arm(victim, 'controller.appended', action)
  const name = `made-${faulty.events.length}-${round.kills}`
  const topic = faulty.millrace.topic(name, { partitions: 1 + fault.other })
  // Looked at below.
  topic.catch(() => undefined)
  if (!(await bitten(round, victim, seen))) {
    // It was about to end as the controller, or has ended.
    await round.within(`topic ${name}`, topic)
    round.missed++
    return
  }
  round.brokerKills++
  if (action === 'park') await faulty.kill(victim)
  else await round.within(`the death of controller ${victim}`, faulty.died(victim, incarnation))
  round.bit('controller', 1)
  await round.within(`topic ${name}`, topic)
  if (!(await faulty.millrace.admin.listTopics()).includes(name)) round.problems.push(`topic ${name} was made, and is not there`)
  await recovered(round, led, action === 'park' ? [] : timesOf(round))
}

async function killWhileBlocked(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty, plan } = round
  if (plan.brokers === 1) return killAtPoint(round, { ...fault, kind: 'exit' })
  const victim = await round.leaderOf(fault.log)
  const led = round.logsLedBy(victim)
  const { incarnation } = faulty.broker(victim)
  const seen = faulty.faults.bites(victim)
  round.words.watchGaps()
  faulty.faults.arm(victim, fault.point, 'exit', fault.passing)
  // Nothing of this thread's event loop runs until this is over.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fault.holdMs)
  if (!(await bitten(round, victim, seen))) {
    round.missed++
    return
  }
  round.brokerKills++
  await round.within(`the death of broker ${victim}`, faulty.died(victim, incarnation))
  round.bit('mainBlocked', 1)
  await recovered(round, led, round.blockedFailoverMs)
}

async function stallBroker(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty } = round
  const victim = await round.leaderOf(fault.log)
  const seen = faulty.faults.bites(victim)
  const { incarnation } = faulty.broker(victim)
  faulty.faults.arm(victim, fault.point, 'park', fault.passing)
  if (!(await bitten(round, victim, seen))) {
    round.missed++
    return
  }
  // From here on: one that registers may give logs away, which leader words still name it for until it does.
  const led = round.logsLedBy(victim)
  const deaths = faulty.count('brokerDied')
  await sleep(fault.holdMs)
  const still = faulty.cluster.brokers.find(({ brokerId }) => brokerId === victim)?.incarnation === incarnation
  if (!still || faulty.count('brokerDied') !== deaths) round.problems.push(`a broker died while broker ${victim} stood still`)
  if (round.logsLedBy(victim).join() !== led.join()) round.problems.push(`logs were taken from broker ${victim}, which only stood still`)
  faulty.faults.go(victim)
  round.bit('stall', 0)
  await round.answered(led, sharedNowMs())
}

/** A client that is at work, but never the one that keeps the load up. */
async function terminateClient(round: TortureRound, fault: FaultPlan): Promise<void> {
  const isProducer = fault.kind === 'producer'
  const threads = isProducer ? round.producers() : round.consumers()
  const index = isProducer ? 1 + (fault.other % (threads.length - 1)) : fault.other % threads.length
  await round.within(
    'a thread to kill',
    round.words.until(() => threads[index]!.isWorking || round.problems.length > 0),
  )
  await sleep(fault.delayMs)
  const victim = threads[index]!
  if (victim.isOver) {
    round.missed++
    return
  }
  await round.within(`the death of ${victim.name}`, victim.terminate())
  round.bit(fault.kind, 1)
}

async function stopProducer(round: TortureRound, fault: FaultPlan): Promise<void> {
  const threads = round.producers()
  const index = 1 + (fault.other % (threads.length - 1))
  await round.within(
    'a thread to stop',
    round.words.until(() => threads[index]!.isWorking),
  )
  const victim = threads[index]!
  const stands = await Promise.race([
    victim.stand(fault.point, fault.passing).then(() => !victim.isOver),
    sleep(BITES_WITHIN_MS).then(() => false),
  ])
  if (!stands && !victim.isOver) {
    // Whether it stands by now or not: it dies.
    await victim.terminate()
    round.missed++
    return
  }
  if (victim.isOver) {
    round.missed++
    return
  }
  if (fault.kind === 'producerAtPoint') {
    await round.within(`the death of ${victim.name}`, victim.terminate())
    return round.bit(fault.kind, 1)
  }
  await sleep(fault.holdMs)
  victim.go()
  round.bit(fault.kind, 0)
}

async function comeAndGo(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { producers, consumers } = round.plan
  const producer = round.guest({ ...producers[0]!, pauseMs: 1 }, GUEST_RECORDS)
  const consumer = round.guest(consumers[fault.other % consumers.length]!, GUEST_RECORDS)
  await Promise.all([producer, consumer])
  round.bit(fault.kind, 0)
}

/** The I/O thread at any instant, also while it opens the directory again after the last time; and brokers beside it. */
async function terminateIo(round: TortureRound, fault: FaultPlan): Promise<void> {
  const { faulty } = round
  const leader = fault.kind === 'ioAndBroker' ? await round.leaderOf(fault.log) : -1
  await sleep(fault.delayMs)
  const living = faulty.cluster.brokers.map(({ brokerId }) => brokerId)
  const victims = fault.kind === 'ioAndAll' ? living : living.filter((brokerId) => brokerId === leader)
  const deaths = faulty.count('ioDied')
  round.words.watchGaps()
  round.brokerKills += victims.length
  const brokersDie = Promise.all(victims.map((victim) => faulty.kill(victim)))
  const ioDies = faulty.cluster.terminateIo().then(() => faulty.happened('ioDied', deaths + 1))
  await round.within(`the death of the I/O thread, and brokers ${victims.join()}`, Promise.all([brokersDie, ioDies]))
  round.ioKills++
  if (fault.kind !== 'io' && victims.length === 0) round.missed++
  else round.bit(fault.kind, 1 + victims.length)
  // All logs with files wait for it, whoever leads them; the others for their leaders.
  const logs = Array.from({ length: round.plan.logs }, (_, log) => log)
  await recovered(round, logs, round.ioRestartMs)
}

/** Where the time of the death of one broker goes: others take over, or it is started again. */
function timesOf({ plan, failoverMs, restartMs }: TortureRound): number[] {
  return plan.brokers > 1 ? failoverMs : restartMs
}

/** The logs that a dead broker led answer again; how long that took goes to `times`. */
async function recovered(round: TortureRound, led: readonly number[], times: number[]): Promise<void> {
  await round.answered(led, sharedNowMs())
  for (const log of led) times.push(round.words.gapMs(log))
}
