// A member of the classic protocol, as Kafka's own consumers behave: it joins, shares out where
// it leads, syncs, sends heartbeats, and joins again when it is told to. An eager one gives up
// all before it joins; a cooperative one keeps what it has, gives up what it is told, and joins
// again. After an answer that it did not get it joins again; sometimes it is too late.
//
//   joining ──▶ syncing ──▶ stable ──heartbeat, topics, or something to give up──▶ giving up ──▶ joining
//      ▲─────────out, or of an old generation: all is lost────────┘

import { CLASSIC_ASSIGNORS } from '../../../src/coordinator/assignor/classic-assignors.ts'
import { partitionKey } from '../../../src/coordinator/group/assignment.ts'
import { KAFKA_ERRORS, kafkaErrorName } from '../../../src/errors.ts'
import type { JoinGroupResponse } from '../../../src/protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../../src/protocol/messages/14-sync-group.ts'
import { assignedPartitions, knownTopics, shareOut, subscriptionBytes } from './classic-leader.ts'
import type { HeldPartition } from './member-work.ts'
import { MemberWork } from './member-work.ts'
import type { MemberOptions, SimulatedMember } from './simulated-member.ts'
import { SimulatedLink } from './simulated-link.ts'
import type { SimulatedThread } from './simulated-thread.ts'
import type { SimulationWorld } from './simulation-world.ts'

/** A name that is another topic since a moment may be meant as the one before. */
const DOUBTFUL_MS = 300
const NO_GENERATION = -1
/** Before KIP-394, before KIP-814, and now. A static member is of now: as a leader that came back an older one knows of no topics. */
const API_VERSIONS = [2, 5, 9]

export class ClassicMember implements SimulatedMember {
  readonly kind = 'classic'
  readonly options: MemberOptions
  readonly thread: SimulatedThread
  readonly name: string
  readonly groupId: string
  /** The coordinator gives it. */
  memberId = ''
  topics: readonly string[]
  regex: string | undefined
  fencesSeen = 0
  isOver = false
  readonly isIdle = false
  readonly isClassic = true
  /** The generation whose assignment it has. */
  epoch = NO_GENERATION
  readonly #world: SimulationWorld
  readonly #link: SimulatedLink
  readonly #work: MemberWork
  readonly #apiVersion: number
  readonly #isEager: boolean
  #phase: 'giving up' | 'joining' | 'syncing' | 'stable' = 'joining'
  #asked: { cancel(): void } | undefined
  #next: { cancel(): void } | undefined
  #givingUp: { cancel(): void } | undefined
  #joinedGeneration = NO_GENERATION
  /** The topics that it joined with. */
  #said: readonly string[] = []
  /** Where it leads: what it shared out, as `knownTopics` tells it. */
  #shared: { readonly topics: readonly string[]; readonly known: string } | undefined

  constructor(world: SimulationWorld, thread: SimulatedThread, options: MemberOptions) {
    this.#world = world
    this.thread = thread
    this.options = options
    ;({ name: this.name, groupId: this.groupId, topics: this.topics, regex: this.regex } = options)
    this.#apiVersion = options.instanceId === null ? API_VERSIONS[world.random.below(API_VERSIONS.length)]! : 9
    this.#isEager = options.classicAssignors.some((name) => CLASSIC_ASSIGNORS.get(name)!.rebalanceProtocol === 'eager')
    this.#link = new SimulatedLink(world, thread, options.name, this.#apiVersion)
    this.#work = new MemberWork({
      world,
      link: this.#link,
      owner: this,
      // Also while it joins: whoever commits then may be late.
      committer: () => {
        if (this.isOver || this.epoch === NO_GENERATION) return undefined
        return { memberId: this.memberId, epoch: this.epoch, instanceId: options.instanceId, fetchesAsMember: false }
      },
      verify: () => {
        if (this.#phase === 'stable' || this.#phase === 'giving up') this.#beat()
      },
    })
  }

  get heldKeys(): ReadonlySet<string> {
    return new Set(this.#work.held.keys())
  }

  get isSettled(): boolean {
    return this.#phase === 'stable'
  }

  start(): void {
    if (!this.isOver) this.#join()
  }

  subscribe(topics: readonly string[], regex: string | undefined): void {
    if (this.isOver) return
    this.topics = topics
    this.regex = regex
    this.#look()
  }

  topicsChanged(): void {
    if (!this.isOver) this.#look()
  }

  forget(): void {
    // It never waits for a user.
  }

  leave(forNow: boolean, then: () => void): void {
    if (this.isOver) return
    const { instanceId } = this.options
    if (this.#phase === 'stable') this.#work.commit()
    this.isOver = true
    this.#stop()
    this.#work.end()
    // A static member that comes back says nothing.
    if (this.memberId === '' || (forNow && instanceId !== null)) return then()
    const { groupId, memberId } = this
    const isOld = this.#apiVersion < 3
    const members = isOld ? [] : [{ memberId, groupInstanceId: instanceId, reason: null }]
    const leave = (): void => {
      this.#link.ask({
        api: 'leaveGroup',
        request: { groupId, memberId: isOld ? memberId : '', members },
        heard: then,
        unheard: () => {
          if (this.#world.isCalm || this.#world.random.below(2) === 0) this.thread.after(50, leave)
          else then()
        },
      })
    }
    leave()
  }

  died(): void {
    this.isOver = true
    this.#stop()
    this.#work.end()
  }

  stateLine(): string {
    const keys = [...this.#work.held.keys()].map((key) => key.slice(-6)).join(' ')
    const words = [this.#phase, `generation ${this.epoch}`, `fences ${this.fencesSeen}/${this.thread.fenceCount}`]
    if (this.#asked !== undefined) words.push('asking')
    if (this.thread.isStalled) words.push('stalled')
    const how = `${this.#isEager ? 'eager' : 'cooperative'}, v${this.#apiVersion}`
    return `${this.name} (${how}, ${this.memberId} of ${this.groupId}, ${this.thread.host}): ${words.join(', ')}; has ${keys}`
  }

  #stop(): void {
    this.#asked?.cancel()
    this.#asked = undefined
    this.#next?.cancel()
    this.#givingUp?.cancel()
    this.#givingUp = undefined
  }

  #after(ms: number, work: () => void): void {
    this.#next?.cancel()
    this.#next = this.thread.after(ms, work)
  }

  /** Whoever is to join again hears of it by a heartbeat. */
  get #rebalanceTimeoutMs(): number {
    const { rebalanceTimeoutMs, heartbeatIntervalMs } = this.#world.swarm
    return Math.max(rebalanceTimeoutMs, 3 * heartbeatIntervalMs)
  }

  // --- what it wants

  /** Names that there are now. */
  #wanted(): string[] {
    const { regex } = this
    if (regex === undefined) return [...this.topics].sort()
    const pattern = new RegExp(`^(?:${regex})$`)
    return this.#world.topics.names.filter((name) => pattern.test(name))
  }

  /** What it has of topics that are gone, or others by now, is no more; what it wants may be something else. */
  #look(): void {
    const { topics } = this.#world
    const gone = [...this.#work.held].filter(([, { topicId }]) => topics.image.topicById(topicId) === undefined)
    this.#work.drop(gone.map(([key]) => key))
    if (this.#phase !== 'stable') return
    const isShared = this.#shared === undefined || this.#shared.known === knownTopics(topics, this.#shared.topics)
    if (!isShared || this.#wanted().join() !== this.#said.join()) this.#joinAgain([])
  }

  // --- from one generation to the next

  /** An eager one gives up all, whatever it is told to. */
  #joinAgain(leaving: readonly string[]): void {
    const { random, swarm, isCalm, saw } = this.#world
    this.#phase = 'giving up'
    const going = this.#isEager ? [...this.#work.held.keys()] : leaving
    if (going.length === 0) return this.#join()
    saw('a member revoked partitions')
    this.#work.commit(going)
    const isTooSlow = !isCalm && random.below(20) === 0
    const ms = isTooSlow ? this.#rebalanceTimeoutMs * 1.5 : isCalm ? 0 : random.fraction() * swarm.revokeMs
    this.#givingUp = this.thread.after(ms, () => {
      this.#givingUp = undefined
      this.#join(going)
    })
    this.#beatLater()
  }

  #join(going: readonly string[] = []): void {
    const { swarm } = this.#world
    this.#stop()
    this.#look()
    this.#phase = 'joining'
    const had = [...this.#work.held.values()]
    this.#work.drop(going)
    const { classicAssignors } = this.options
    this.#said = this.#wanted()
    // Only to `sticky` it says what it had and has given up.
    const protocols = classicAssignors.map((name) => {
      const says = this.#isEager && name === 'sticky' ? had : [...this.#work.held.values()]
      return { name, metadata: subscriptionBytes(this.#world.topics, this.#said, says, this.epoch) }
    })
    const fences = this.thread.fenceCount
    this.#asked = this.#link.ask({
      api: 'joinGroup',
      request: {
        groupId: this.groupId,
        sessionTimeoutMs: swarm.sessionTimeoutMs,
        rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
        memberId: this.memberId,
        groupInstanceId: this.options.instanceId,
        protocolType: 'consumer',
        protocols,
        reason: null,
      },
      heard: (response) => this.#joined(response, fences),
      unheard: () => this.#unheard(),
    })
  }

  #joined(response: JoinGroupResponse, fences: number): void {
    this.#asked = undefined
    if (response.errorCode === KAFKA_ERRORS.MEMBER_ID_REQUIRED) {
      this.memberId = response.memberId
      return this.#join()
    }
    if (response.errorCode !== KAFKA_ERRORS.NONE) return this.#refused('JoinGroup', response.errorCode)
    const { memberId, generationId, leader, skipAssignment, members, protocolType, protocolName } = response
    const { note, saw, topics, sharedOut } = this.#world
    this.memberId = memberId
    this.#joinedGeneration = generationId
    this.#phase = 'syncing'
    this.#shared = undefined
    if (leader === '') saw('a classic member was in a group of the new protocol')
    let assignments: { memberId: string; assignment: Uint8Array }[] = []
    if (leader === memberId) {
      saw(skipAssignment ? 'a leader came back and assigned nothing' : 'a classic leader shared out')
      if (skipAssignment) this.#shared = sharedOut.get(this.groupId)
      else ({ shared: this.#shared, assignments } = shareOut(topics, protocolName!, members))
    }
    note(this.name, 'joined generation', generationId, protocolName, leader === memberId ? 'and leads' : '')
    this.#asked = this.#link.ask({
      api: 'syncGroup',
      request: {
        groupId: this.groupId,
        generationId,
        memberId,
        groupInstanceId: this.options.instanceId,
        protocolType,
        protocolName,
        assignments,
      },
      heard: (answer) => this.#synced(answer, fences),
      unheard: () => this.#unheard(),
    })
  }

  #synced({ errorCode, assignment }: SyncGroupResponse, fences: number): void {
    this.#asked = undefined
    if (errorCode !== KAFKA_ERRORS.NONE) return this.#refused('SyncGroup', errorCode)
    const { ownership, topics, note, sharedOut } = this.#world
    const hasMissedSome = this.#joinedGeneration > this.epoch + 1
    this.epoch = this.#joinedGeneration
    this.fencesSeen = fences
    if (this.#shared !== undefined) sharedOut.set(this.groupId, this.#shared)
    const assigned = new Map<string, Pick<HeldPartition, 'topicId' | 'partition'>>()
    let isDoubtful = false
    for (const { topicId, topicKey, partition } of assignedPartitions(topics, assignment)) {
      if (topics.ageMs(topicKey) < DOUBTFUL_MS) isDoubtful = true
      else assigned.set(partitionKey(topicKey, partition), { topicId, partition })
    }
    note(this.name, 'is assigned', [...assigned.keys()].join(' '), 'in', this.epoch)
    const going = [...this.#work.held.keys()].filter((key) => !assigned.has(key))
    // Generations went by without it: what it has may have been others' meanwhile, and they went on from there.
    if (hasMissedSome) this.#work.lose()
    ownership.verified(this)
    for (const { topicId, partition } of assigned.values()) this.#work.give(topicId, partition)
    if (going.length > 0) return this.#joinAgain(hasMissedSome ? [] : going)
    this.#phase = 'stable'
    if (isDoubtful) return this.#after(DOUBTFUL_MS, () => this.#joinAgain([]))
    this.#beatLater()
    this.#look()
  }

  // --- heartbeats

  #beatLater(): void {
    this.#after(this.#world.swarm.heartbeatIntervalMs, () => this.#beat())
  }

  #beat(): void {
    if (this.isOver) return
    this.#next?.cancel()
    this.#asked?.cancel()
    const fences = this.thread.fenceCount
    this.#asked = this.#link.ask({
      api: 'heartbeat',
      request: { groupId: this.groupId, memberId: this.memberId, generationId: this.epoch, groupInstanceId: this.options.instanceId },
      heard: ({ errorCode }) => {
        this.#asked = undefined
        const isToJoin = errorCode === KAFKA_ERRORS.REBALANCE_IN_PROGRESS
        if (errorCode !== KAFKA_ERRORS.NONE && !isToJoin) return this.#refused('Heartbeat', errorCode)
        this.fencesSeen = fences
        this.#world.ownership.verified(this)
        if (isToJoin && this.#phase === 'stable') this.#joinAgain([])
        else this.#beatLater()
      },
      unheard: () => {
        this.#asked = undefined
        this.#after(20 + this.#world.random.below(80), () => this.#beat())
      },
    })
  }

  // --- what goes wrong

  #unheard(): void {
    this.#asked = undefined
    this.#world.saw('a classic member joined again after a lost answer')
    this.#after(20 + this.#world.random.below(80), () => this.#join())
  }

  #refused(what: string, errorCode: number): void {
    const { note, saw, random, violate } = this.#world
    const error = kafkaErrorName(errorCode)
    note(this.name, 'is told', error, 'to its', what)
    switch (error) {
      case 'UNKNOWN_MEMBER_ID':
      case 'ILLEGAL_GENERATION':
        if (error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
        else saw('a classic member was of an old generation')
        return this.#loseAll(random.below(50))
      case 'REBALANCE_IN_PROGRESS':
        return this.#after(random.below(5), () => this.#join())
      case 'COORDINATOR_NOT_AVAILABLE':
      case 'NOT_COORDINATOR':
      case 'KAFKA_STORAGE_ERROR':
        if (what === 'Heartbeat') return this.#beatLater()
        return this.#after(20 + random.below(80), () => this.#join())
      case 'FENCED_INSTANCE_ID':
        // Another has its instance id. Its user tries again.
        saw('a static classic member was replaced')
        this.died()
        this.thread.after(500, () => this.#world.comeBack(this))
        return
      default:
        violate(`${this.name} is told ${error} to its ${what}`)
    }
  }

  #loseAll(ms: number): void {
    this.#stop()
    this.#work.lose()
    this.epoch = NO_GENERATION
    this.#phase = 'joining'
    this.#after(ms, () => this.#join())
  }
}
