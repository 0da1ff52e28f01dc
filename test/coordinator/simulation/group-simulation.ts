// Groups on virtual time: a coordinator that moves, members that die and come back, topics that
// come and go. What must hold is looked at as things happen (log-model.ts, ownership.ts,
// simulated-coordinator.ts) and here at the end.
//
//   chaos ──▶ calm: all converges ──▶ one more member ──▶ it leaves ──▶ a move: nothing changes ──▶ all leave

import { setImmediate as nextTurn } from 'node:timers/promises'
import { groupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import { CLASSIC_ASSIGNORS } from '../../../src/coordinator/assignor/classic-assignors.ts'
import type { BrokerGroupConfig } from '../../../src/config/broker-config.ts'
import { GROUP_SETTINGS } from '../../../src/config/broker-group-settings.ts'
import type { MetadataDelta } from '../../../src/metadata/metadata-delta.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { EventQueue } from './event-queue.ts'
import { EventTrace } from './event-trace.ts'
import { ClassicMember } from './classic-member.ts'
import type { SharedOut } from './classic-leader.ts'
import { unconverged } from './convergence.ts'
import { LogModel } from './log-model.ts'
import { Ownership } from './ownership.ts'
import { ScriptedMember } from './scripted-member.ts'
import { RealMember } from './real-member.ts'
import { SimulatedCoordinator } from './simulated-coordinator.ts'
import { SimulatedFaults } from './simulated-faults.ts'
import type { MemberOptions, SimulatedMember } from './simulated-member.ts'
import { SimulatedThread } from './simulated-thread.ts'
import { SimulatedTopics } from './simulated-topics.ts'
import type { Situation, SimulationWorld } from './simulation-world.ts'
import { drawSwarm } from './swarm.ts'
import type { Swarm } from './swarm.ts'

export interface SimulationResult {
  readonly seed: number
  readonly hash: number
  readonly events: number
  readonly virtualMs: number
  readonly situations: ReadonlyMap<Situation, number>
  /** What does not hold; undefined: all holds. With the last events and a line for each who is there. */
  readonly failure: string | undefined
}

export class GroupSimulation implements SimulationWorld {
  readonly seed: number
  readonly queue = new EventQueue()
  readonly random: Random
  readonly swarm: Swarm
  readonly trace = new EventTrace()
  readonly topics = new SimulatedTopics(() => this.queue.monotonicMs())
  readonly threads: SimulatedThread[] = []
  readonly members: SimulatedMember[] = []
  readonly model: LogModel
  readonly ownership: Ownership
  readonly coordinator: SimulatedCoordinator
  readonly situations = new Map<Situation, number>()
  readonly sharedOut = new Map<string, SharedOut>()
  isCalm = false
  readonly #faults: SimulatedFaults
  #violation: string | undefined
  readonly #doubles = new Set<SimulatedMember>()
  readonly #commonAssignors = new Map<string, string>()
  #memberIds = 0
  #incarnations = 0

  constructor(seed: number, swarm?: Partial<Swarm>) {
    this.seed = seed
    this.random = seededRandom(seed)
    this.swarm = { ...drawSwarm(this.random), ...swarm }
    this.model = new LogModel((text) => this.violate(text))
    this.model.isDeleted = (topic, topicKey) => this.topics.keyOf(topic) !== topicKey
    this.model.onMigrated = (to) =>
      this.saw(to === 'consumer' ? 'a group went to the new protocol with its members' : 'a group went back to the classic protocol')
    this.ownership = new Ownership(this.model, (text) => this.violate(text))
    this.coordinator = new SimulatedCoordinator(this, configOf(this.swarm))
    this.#faults = new SimulatedFaults(this)
  }

  readonly note = (...words: Parameters<SimulationWorld['note']>): void => this.trace.note(this.queue.monotonicMs(), ...words)

  readonly saw = (situation: Situation): void => {
    this.situations.set(situation, (this.situations.get(situation) ?? 0) + 1)
  }

  readonly violate = (text: string): void => {
    this.#violation ??= text
    this.note('VIOLATION', text)
  }

  async run(): Promise<SimulationResult> {
    try {
      this.#begin()
      await this.#until(this.swarm.chaosMs)
      await this.#calmDown()
    } catch (error) {
      if (!(error instanceof Stopped)) this.violate(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    return {
      seed: this.seed,
      hash: this.trace.hash >>> 0,
      events: this.queue.count,
      virtualMs: this.queue.monotonicMs(),
      situations: this.situations,
      failure: this.#violation === undefined ? undefined : this.#report(this.#violation),
    }
  }

  anyMember(): SimulatedMember | undefined {
    const there = this.members.filter((member) => !member.isOver && member.thread.isAlive && !this.#doubles.has(member))
    return there[this.random.below(Math.max(1, there.length))]
  }

  drawSubscription(): { topics: readonly string[]; regex: string | undefined } {
    const { random, swarm } = this
    if (random.fraction() < swarm.regexShare)
      return { topics: [], regex: random.below(2) === 0 ? 't.*' : `t[0-${random.below(swarm.topics)}]` }
    // Mostly all the same; names of topics that are not there yet are wanted too.
    const all = Array.from({ length: swarm.topics }, (_, i) => `t${i}`)
    if (random.below(3) > 0) return { topics: all, regex: undefined }
    const some = all.filter(() => random.below(2) === 0)
    return { topics: some.length === 0 ? all : some, regex: undefined }
  }

  kill(thread: SimulatedThread): void {
    this.note(thread.host, 'dies')
    thread.isAlive = false
    for (const member of this.members) if (member.thread === thread) member.died()
    if (!thread.isLocal) return
    // What it had sent is heard first.
    this.queue.setTimer(this.swarm.delayMs + this.random.below(5), () => {
      thread.isGone = true
      this.coordinator.hostGone(thread.host)
    })
  }

  /** A thread in the place of one that died, with the members that were there. */
  replace(thread: SimulatedThread): void {
    const at = this.threads.indexOf(thread)
    const next = this.#newThread(at, thread.isLocal)
    // The old one stays known: fences of its members may still come.
    this.threads.push(thread)
    this.threads[at] = next
    for (const member of [...this.members]) {
      if (member.thread !== thread) continue
      this.members.splice(this.members.indexOf(member), 1)
      if (this.#doubles.has(member)) continue
      this.#add(next, { ...member.options, memberId: this.#newMemberId(), topics: member.topics, regex: member.regex }, member.kind)
    }
  }

  /** It has left, and is there again under another member id. */
  comeBack(member: SimulatedMember): void {
    // Its thread may have died meanwhile, and brought it back.
    if (!this.members.includes(member)) return
    if (!member.thread.isAlive) return
    this.members.splice(this.members.indexOf(member), 1)
    if (this.#doubles.has(member)) return
    if (member.options.instanceId !== null) this.saw('a static member came back')
    this.#add(
      member.thread,
      { ...member.options, memberId: this.#newMemberId(), topics: member.topics, regex: member.regex },
      this.#nextKind(member),
    )
  }

  /** Somebody else with the instance id of a member that is there, for a while. */
  addDouble({ options, kind, name }: SimulatedMember): void {
    const living = this.threads.filter(({ isAlive, isLocal }) => isAlive && isLocal)
    const thread = living[this.random.below(Math.max(1, living.length))]
    if (thread === undefined) return
    this.note(name, 'has a double')
    const double = this.#add(thread, { ...options, memberId: this.#newMemberId() }, kind === 'real' ? 'scripted' : kind)
    this.#doubles.add(double)
    thread.after(2_000, () => {
      if (!double.isOver) double.leave(false, () => this.forget(double))
    })
  }

  /** It does not come back. */
  forget(member: SimulatedMember): void {
    const at = this.members.indexOf(member)
    if (at >= 0) this.members.splice(at, 1)
  }

  changeTopics(what: string, name: string, delta: MetadataDelta): void {
    this.note(what, name)
    this.#follow(delta)
  }

  #begin(): void {
    const { swarm, random } = this
    for (let i = 0; i < swarm.topics; i++) {
      if (random.below(4) > 0) this.coordinator.follow(this.topics.create(`t${i}`, 1 + random.below(swarm.partitionsMax)))
    }
    for (let i = 0; i < swarm.threads; i++) this.threads.push(this.#newThread(i, true))
    const remote = this.threads.length
    for (let i = 0; i < swarm.remoteMembers; i++) this.threads.push(this.#newThread(remote + i, false))
    this.coordinator.start()
    for (let group = 0; group < swarm.groups; group++) {
      const assignor = random.fraction() < swarm.rangeShare ? 'range' : 'uniform'
      for (let i = 0; i < swarm.localMembers; i++) this.#addNew(`g${group}`, this.threads[random.below(swarm.threads)]!, assignor)
      for (let i = 0; i < swarm.remoteMembers; i++) this.#addNew(`g${group}`, this.threads[remote + i]!, assignor)
    }
    this.#faults.start()
  }

  async #calmDown(): Promise<void> {
    const { swarm, coordinator } = this
    this.isCalm = true
    this.#faults.end()
    this.note('calm')
    coordinator.makeRoom()
    for (const thread of this.threads) thread.wake()
    // Stalls that go on, restarts that are under way, sessions and rebalances of those who are gone.
    const graceMs = 3 * swarm.sessionTimeoutMs + 2 * swarm.rebalanceTimeoutMs + 10 * swarm.heartbeatIntervalMs + 8_000
    await this.#converge(graceMs)
    if (swarm.localMembers > 0 && swarm.remoteMembers === 0 && swarm.classicShare === 0) {
      // All are of this process, and none is of the classic protocol: nobody waits for a heartbeat to be due.
      const soonMs = Math.min(250, swarm.heartbeatIntervalMs - 20)
      const thread = this.threads.find(({ isAlive, isLocal }) => isAlive && isLocal)!
      const last = this.#addNew('g0', thread, this.members.find(({ groupId }) => groupId === 'g0')?.options.assignor ?? null, false)
      await this.#converge(soonMs)
      last.leave(false, () => this.forget(last))
      await this.#converge(soonMs)
    }
    // Restarts and subscriptions that are still on their way.
    await this.#until(this.queue.monotonicMs() + 5_000)
    await this.#converge(graceMs)
    const before = this.members.map(({ epoch }) => epoch).join()
    coordinator.move(true)
    await this.#until(this.queue.monotonicMs() + 1_000)
    await this.#converge(graceMs)
    const after = this.members.map(({ epoch }) => epoch).join()
    if (before !== after) this.violate(`epochs were ${before}, and are ${after}, though nothing but the coordinator has moved`)
    for (const member of this.members) member.leave(false, () => undefined)
    await this.#until(this.queue.monotonicMs() + swarm.sessionTimeoutMs + 2_000)
    for (const [groupId, { members, classicMembers }] of this.model.groups) {
      if (members.size + classicMembers.size > 0) this.violate(`${groupId} still has members, though all have left`)
    }
    const overdue = coordinator.overdue()
    if (overdue !== undefined && overdue.ms > 1_000) this.violate(`${overdue.words} is not answered for ${overdue.ms} ms`)
  }

  /** All is as it is to be within so long, and stays so. */
  async #converge(withinMs: number): Promise<void> {
    const endMs = this.queue.monotonicMs() + withinMs
    let why: string | undefined = 'nothing was looked at'
    while (why !== undefined && this.queue.monotonicMs() < endMs) {
      await this.#until(Math.min(endMs, this.queue.monotonicMs() + Math.min(100, withinMs / 10)))
      why = unconverged(this)
    }
    if (why !== undefined) this.violate(`${Math.round(withinMs)} ms after all was calm, ${why}`)
  }

  /** Answers are promises: they have their turn after each event. */
  async #until(atMs: number): Promise<void> {
    for (let i = 0; ; i++) {
      if (this.#violation !== undefined) throw new Stopped(this.#violation)
      this.model.cause = undefined
      const sequence = this.queue.step(atMs)
      await ANSWERS_GIVEN
      if (sequence === undefined) return
      this.trace.tick(this.queue.monotonicMs(), sequence)
      if (i % 100_000 === 99_999) await nextTurn()
    }
  }

  #addNew(groupId: string, thread: SimulatedThread, assignor: string | null, mayBeStatic = true): SimulatedMember {
    const memberId = this.#newMemberId()
    const isStatic = mayBeStatic && this.random.fraction() < this.swarm.staticShare
    const kind = this.#drawKind(thread, this.random.fraction() < this.swarm.classicShare)
    const classicAssignors = this.#drawClassicAssignors(groupId)
    const options = { name: `${groupId}/${memberId}`, groupId, memberId, instanceId: isStatic ? `i-${memberId}` : null, assignor }
    return this.#add(thread, { ...options, classicAssignors, ...this.drawSubscription() }, kind)
  }

  #drawKind(thread: SimulatedThread, isClassic: boolean): SimulatedMember['kind'] {
    if (isClassic) return 'classic'
    return thread.isLocal && this.random.fraction() < this.swarm.realShare ? 'real' : 'scripted'
  }

  /** Of a member that comes back: the same, or of the other protocol. */
  #nextKind({ kind, thread }: SimulatedMember): SimulatedMember['kind'] {
    if (this.isCalm || this.random.fraction() >= this.swarm.migrationShare) return kind
    return this.#drawKind(thread, kind !== 'classic')
  }

  /**
   * All members of a group have one in common, and like it best: where one that is alone liked another, a coordinator that has
   * loaded the group would know of that one alone.
   */
  #drawClassicAssignors(groupId: string): readonly string[] {
    const names = [...CLASSIC_ASSIGNORS.keys()]
    let common = this.#commonAssignors.get(groupId)
    if (common === undefined) this.#commonAssignors.set(groupId, (common = names[this.random.below(names.length)]!))
    const other = names[this.random.below(names.length)]!
    const isAlone = other === common || this.random.below(2) > 0
    return isAlone ? [common] : [common, other]
  }

  #add(thread: SimulatedThread, options: MemberOptions, kind: SimulatedMember['kind']): SimulatedMember {
    const named = { ...options, name: `${options.groupId}/${options.memberId}` }
    const member = new MEMBERS[kind](this, thread, named)
    this.members.push(member)
    this.note(member.name, 'is there', options.instanceId, thread.host)
    thread.run(() => member.start())
    return member
  }

  #newMemberId(): string {
    return `m${++this.#memberIds}`
  }

  #newThread(number: number, isLocal: boolean): SimulatedThread {
    const incarnation = ++this.#incarnations
    return new SimulatedThread(this.queue, `10.0.0.${number}`, isLocal ? { thread: number, incarnation } : undefined)
  }

  #followedAtMs = 0

  /** The coordinator's broker hears of it a little later, in order. */
  #follow(delta: MetadataDelta): void {
    const atMs = this.queue.monotonicMs() + this.random.fraction() * (this.isCalm ? 1 : 20)
    this.#followedAtMs = Math.max(this.#followedAtMs, atMs)
    this.queue.at(this.#followedAtMs, () => this.coordinator.follow(delta))
    for (const member of this.members) member.thread.after(this.random.fraction() * (this.isCalm ? 1 : 20), () => member.topicsChanged())
  }

  #report(violation: string): string {
    const { rates, ...swarm } = this.swarm
    return [
      `seed ${this.seed} at ${(this.queue.monotonicMs() / 1_000).toFixed(3)} s, event ${this.queue.count}: ${violation}`,
      '',
      ...this.trace.lines(),
      '',
      this.coordinator.stateLine(),
      ...this.members.map((member) => member.stateLine()),
      JSON.stringify(rates),
      JSON.stringify(swarm),
      `again: npm run simulate:groups -- --seeds 1 --from ${this.seed}`,
    ].join('\n')
  }
}

const MEMBERS = { real: RealMember, scripted: ScriptedMember, classic: ClassicMember }

/** Promises that are settled have their turn before who waits for this one goes on. */
const ANSWERS_GIVEN = Promise.resolve()

/** Something does not hold. */
class Stopped extends Error {}

function configOf(swarm: Swarm): ReturnType<typeof groupCoordinatorConfig> {
  const defaults = Object.fromEntries(Object.entries(GROUP_SETTINGS).map(([name, setting]) => [name, setting.default]))
  return {
    ...groupCoordinatorConfig(defaults as unknown as BrokerGroupConfig),
    minSessionTimeoutMs: 100,
    initialRebalanceDelayMs: swarm.assignmentIntervalMs,
    consumerSessionTimeoutMs: swarm.sessionTimeoutMs,
    consumerHeartbeatIntervalMs: swarm.heartbeatIntervalMs,
    consumerAssignmentIntervalMs: swarm.assignmentIntervalMs,
    offsetsRetentionMs: swarm.retentionMs,
    offsetsRetentionCheckIntervalMs: 5_000,
  }
}
