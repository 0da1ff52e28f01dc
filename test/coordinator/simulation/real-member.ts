// A member on a thread of this process, with the membership that consumers have
// (src/client/consumer/group-membership.ts): what it asks for is done as a consumer does it,
// and it asks as the thread's door to coordinators does: again and again while there is none, but for a
// heartbeat that says nothing and may have been answered.

import { partitionKey } from '../../../src/coordinator/group/assignment.ts'
import { GroupMembership } from '../../../src/client/consumer/group-membership.ts'
import type { MembershipEffect } from '../../../src/client/consumer/group-membership.ts'
import type { GroupPartition } from '../../../src/client/consumer/membership-requests.ts'
import { KAFKA_ERRORS, MillraceError } from '../../../src/errors.ts'
import type { ErrorName } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import { MemberWork } from './member-work.ts'
import type { MemberOptions, SimulatedMember } from './simulated-member.ts'
import { SimulatedLink } from './simulated-link.ts'
import type { SimulatedThread } from './simulated-thread.ts'
import type { SimulationWorld } from './simulation-world.ts'

/** The coordinator is asked again without a word: it moves, loads, or has no room. */
const ASKED_AGAIN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_COORDINATOR',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
])
const ASK_AGAIN_MS = 5

type Heartbeat = MembershipEffect & { readonly kind: 'heartbeat' }

export class RealMember implements SimulatedMember {
  readonly kind = 'real'
  readonly options: MemberOptions
  readonly thread: SimulatedThread
  readonly name: string
  readonly groupId: string
  readonly memberId: string
  topics: readonly string[]
  regex: string | undefined
  fencesSeen = 0
  isOver = false
  readonly #world: SimulationWorld
  readonly #link: SimulatedLink
  readonly #work: MemberWork
  readonly #membership: GroupMembership
  #request: { isOver: boolean } | undefined
  #waiting: { cancel(): void } | undefined
  /** Partitions that are being given up or taken. */
  #underWay: { cancel(): void } | undefined
  #fencesAsked = 0
  #whenLeft: () => void = () => undefined
  /** By its text: what the membership was told to read. */
  #subscribed = ''
  readonly #effects: MembershipEffect[] = []
  #isPerforming = false

  constructor(world: SimulationWorld, thread: SimulatedThread, options: MemberOptions) {
    this.#world = world
    this.thread = thread
    this.options = options
    ;({ name: this.name, groupId: this.groupId, memberId: this.memberId, topics: this.topics, regex: this.regex } = options)
    this.#link = new SimulatedLink(world, thread, options.name)
    this.#membership = new GroupMembership({
      groupId: this.groupId,
      memberId: this.memberId,
      groupInstanceId: options.instanceId,
      rebalanceTimeoutMs: world.swarm.rebalanceTimeoutMs,
      groupRemoteAssignor: options.assignor,
      isReadable: ({ topicId, partition }) => world.topics.image.topicById(topicId)?.partitions[partition] !== undefined,
    })
    this.#work = new MemberWork({
      world,
      link: this.#link,
      owner: this,
      committer: () => {
        if (!this.#membership.isMember) return undefined
        return { memberId: this.memberId, epoch: this.#membership.epoch, instanceId: options.instanceId }
      },
      verify: () => this.#verify(),
    })
  }

  get epoch(): number {
    return this.#membership.epoch
  }

  get heldKeys(): ReadonlySet<string> {
    return new Set(this.#work.held.keys())
  }

  /** There is nothing for it to read. */
  get isIdle(): boolean {
    return this.#subscribed === '' && this.#membership.state === 'unsubscribed'
  }

  get isSettled(): boolean {
    return this.#membership.state === 'stable'
  }

  start(): void {
    if (!this.isOver) this.#subscribe()
  }

  subscribe(topics: readonly string[], regex: string | undefined): void {
    if (this.isOver) return
    this.topics = topics
    this.regex = regex
    this.#subscribe()
  }

  topicsChanged(): void {
    if (this.isOver) return
    this.#subscribe()
    this.#perform(this.#membership.metadataChanged())
  }

  /** Its user does not come back to ask for more, for so long. */
  forget(ms: number): void {
    if (this.isOver) return
    this.#perform(this.#membership.stall())
    this.thread.after(ms, () => this.#perform(this.#membership.resume()))
  }

  leave(_forNow: boolean, then: () => void): void {
    if (this.isOver) return
    this.isOver = true
    this.#whenLeft = then
    this.#perform(this.#membership.subscribe(new Map()))
  }

  died(): void {
    this.isOver = true
    if (this.#request !== undefined) this.#request.isOver = true
    this.#waiting?.cancel()
    this.#work.end()
  }

  stateLine(): string {
    const keys = [...this.#work.held.keys()].map((key) => key.slice(-6)).join(' ')
    const words = [this.#membership.state, `epoch ${this.epoch}`, `fences ${this.fencesSeen}/${this.thread.fenceCount}`]
    if (this.thread.isStalled) words.push('stalled')
    return `${this.name} (real, of ${this.groupId}, ${this.thread.host}): ${words.join(', ')}; has ${keys}`
  }

  #subscribe(): void {
    const { topics } = this.#world
    const wanted = new Map<string, string>()
    for (const name of topics.names) {
      const isWanted = this.topics.includes(name) || (this.regex !== undefined && new RegExp(`^(?:${this.regex})$`).test(name))
      if (isWanted) wanted.set(formatTopicId(topics.topic(name)!.topicId), name)
    }
    const text = [...wanted.keys()].join(' ')
    if (text === this.#subscribed) return
    this.#subscribed = text
    this.#perform(this.#membership.subscribe(wanted))
  }

  #perform(effects: readonly MembershipEffect[]): void {
    this.#effects.push(...effects)
    if (this.#isPerforming) return
    this.#isPerforming = true
    for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) if (this.thread.isAlive) this.#do(next)
    this.#isPerforming = false
  }

  #do(effect: MembershipEffect): void {
    const { random, swarm, isCalm, saw } = this.#world
    switch (effect.kind) {
      case 'heartbeat':
        return this.#heartbeat(effect)
      case 'wait':
        this.#waiting?.cancel()
        this.#waiting = this.thread.after(effect.ms, () => this.#perform(this.#membership.due()))
        return
      case 'assign':
        this.#world.note(this.name, 'takes', keysOf(effect.partitions).join(' '), 'at', this.epoch)
        for (const { topicId, partition } of effect.partitions) this.#work.give(topicId, partition)
        // Often there is nothing that takes time.
        if (random.below(2) === 0) return this.#perform(this.#membership.taken(effect.id))
        this.#underWay = this.thread.after(isCalm ? 0 : random.fraction() * swarm.revokeMs, () =>
          this.#perform(this.#membership.taken(effect.id)),
        )
        return
      case 'revoke': {
        saw('a member revoked partitions')
        const keys = keysOf(effect.partitions)
        this.#world.note(this.name, 'revokes', keys.join(' '), 'at', this.epoch)
        this.#work.commit(keys)
        const isTooSlow = !isCalm && random.below(20) === 0
        const ms = isTooSlow ? swarm.rebalanceTimeoutMs * 1.5 : isCalm ? 0 : random.fraction() * swarm.revokeMs
        this.#underWay = this.thread.after(ms, () => {
          this.#work.drop(keys)
          this.#perform(this.#membership.released(effect.id))
        })
        return
      }
      case 'lose':
        this.#world.note(this.name, 'loses', keysOf(effect.partitions).join(' '))
        this.#underWay?.cancel()
        this.#work.drop(keysOf(effect.partitions))
        this.thread.after(isCalm ? 0 : random.fraction() * swarm.revokeMs, () => this.#perform(this.#membership.released(effect.id)))
        return
      case 'fail':
        return this.#failed(effect.error)
      case 'left': {
        const whenLeft = this.#whenLeft
        this.#whenLeft = () => undefined
        if (this.isOver) this.#work.end()
        whenLeft()
      }
    }
  }

  #failed({ code }: MillraceError): void {
    this.#world.note(this.name, 'fails', code)
    this.died()
    if (code === 'FENCED_INSTANCE_ID') return this.#world.forget(this)
    if (code !== 'UNRELEASED_INSTANCE_ID') return this.#world.violate(`${this.name} fails: ${code}`)
    // Its user tries again.
    this.#world.saw('an instance id was not released')
    this.thread.after(200, () => this.#world.comeBack(this))
  }

  #heartbeat({ id, request, holdMs }: Heartbeat): void {
    if (this.#request !== undefined) this.#request.isOver = true
    const asked = { isOver: false }
    this.#request = asked
    const fences = this.thread.fenceCount
    const ask = (): void => {
      if (asked.isOver) return
      this.#link.ask({
        api: 'consumerGroupHeartbeat',
        request,
        holdMs,
        heard: (response) => {
          if (asked.isOver) return
          if (response.errorCode === KAFKA_ERRORS.NONE) {
            if (response.memberEpoch >= 0 && response.memberEpoch < this.epoch) {
              this.#world.violate(`${this.name} at epoch ${this.epoch} is told ${response.memberEpoch}`)
            }
            this.fencesSeen = fences
            this.#world.ownership.verified(this)
          }
          this.#perform(this.#membership.heard(id, response))
        },
        unheard: (error) => {
          if (asked.isOver) return
          const isInDoubt = error === 'NOT_COORDINATOR' && request.topicPartitions === null && request.memberEpoch > 0
          if (ASKED_AGAIN.has(error) && !isInDoubt) this.thread.after(ASK_AGAIN_MS, ask)
          else this.#perform(this.#membership.unheard(id, new MillraceError(error, 'the coordinator could not be asked')))
        },
      })
    }
    ask()
  }

  #verify(): void {
    if (this.#fencesAsked === this.thread.fenceCount) return
    this.#fencesAsked = this.thread.fenceCount
    this.#perform(this.#membership.verify())
  }
}

function keysOf(partitions: readonly GroupPartition[]): string[] {
  return partitions.map(({ topicId, partition }) => partitionKey(formatTopicId(topicId), partition))
}
