// What a member of a group knows of itself, and what it does next (Kafka:
// ConsumerMembershipManager, KIP-848). Pure: it is told what has happened and answers with
// effects; whoever runs it makes the calls, moves the partitions and comes back.
//
//   unsubscribed ──▶ joining ──▶ stable ⇄ reconciling      ──▶ leaving ──▶ unsubscribed
//                       ▲          └── fenced ──┘ │            (-1; -2 for a static member)
//                       └──────────────┴─ stalled ┘   its user asks for nothing
//
// Holds: a heartbeat is always under way while it is a member, and what there is to say is
// said at once; of an assignment, what goes is revoked and acknowledged before what comes is
// taken, and what stays is not touched; what comes is said to be had from the start, and what
// is said not to be had is not taken before the coordinator has given it again; an answer to a request that was overtaken says
// nothing, because what overtakes it asks for everything.

import { KAFKA_ERRORS, isRetriable, kafkaErrorName } from '../../errors.ts'
import type { ErrorName, MillraceError } from '../../errors.ts'
import { formatTopicId } from '../../ids.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  TopicPartitions,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { membershipError } from './group-errors.ts'
import { JOIN_EPOCH, fullRequest, groupPartitionKey, leaveEpochOf, plainRequest } from './membership-requests.ts'
import type { GroupPartition, MemberIdentity } from './membership-requests.ts'

export type MembershipState = 'unsubscribed' | 'joining' | 'stable' | 'reconciling' | 'fenced' | 'stalled' | 'leaving'

export interface GroupMembershipOptions extends MemberIdentity {
  /** Whether this thread knows the partition already; `metadataChanged` says that it may. */
  readonly isReadable: (partition: GroupPartition) => boolean
}

/** What is to be done, in order. Work has an id, by which it is told to be over. */
export type MembershipEffect =
  /** Ask the coordinator; the request before, if it is not answered, is overtaken. Held back up to `holdMs` until there is news. */
  | { readonly kind: 'heartbeat'; readonly id: number; readonly request: ConsumerGroupHeartbeatRequest; readonly holdMs: number }
  /** Call `due` then. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** They go to others: `released` when they are read no more, and committed. */
  | { readonly kind: 'revoke'; readonly id: number; readonly partitions: readonly GroupPartition[] }
  /** They are others' already: `released` when that was told. */
  | { readonly kind: 'lose'; readonly id: number; readonly partitions: readonly GroupPartition[] }
  /** They come: `taken` when they are read. */
  | { readonly kind: 'assign'; readonly id: number; readonly partitions: readonly GroupPartition[] }
  /** It is no member, and does not come back by itself. */
  | { readonly kind: 'fail'; readonly error: MillraceError }
  | { readonly kind: 'left' }

type Partitions = Map<string, GroupPartition>

/** Before a coordinator that could not be asked is asked again. */
const RETRY_MS = 100
const HEARTBEAT_INTERVAL_MS = 5_000

/** The coordinator does not know this member, or its group, any more: all it had is lost, and it joins anew. */
const FENCED: ReadonlySet<ErrorName> = new Set<ErrorName>(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND'])

interface Work {
  readonly id: number
  readonly kind: 'revoke' | 'lose' | 'assign'
  readonly partitions: Partitions
}

export class GroupMembership {
  readonly #options: GroupMembershipOptions
  #state: MembershipState = 'unsubscribed'
  #epoch = JOIN_EPOCH
  #heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS
  /** Names of the topics that are read, by id. */
  #topics: ReadonlyMap<string, string> = new Map()
  readonly #owned: Partitions = new Map()
  /** What the coordinator has assigned; undefined before it has. */
  #target: Partitions | undefined
  #work: Work | undefined
  #asked: { readonly id: number; readonly kind: 'full' | 'plain' | 'leave' } | undefined
  /** The coordinator may know of this member: it was asked since it was last left. */
  #mayBeKnown = false
  /** There is something to say that the request under way does not say. */
  #hasNews = false
  /** A user asks again, behind a leave that is under way. */
  #comesBack = false
  #ids = 0
  #effects: MembershipEffect[] = []

  constructor(options: GroupMembershipOptions) {
    this.#options = options
  }

  get state(): MembershipState {
    return this.#state
  }

  /** 0 before it has joined. */
  get epoch(): number {
    return this.#epoch
  }

  get isMember(): boolean {
    return this.#state === 'stable' || this.#state === 'reconciling' || (this.#state === 'leaving' && this.#epoch > 0)
  }

  /** What is read from now on: names of topics by their id; nothing leaves the group. */
  subscribe(topics: ReadonlyMap<string, string>): MembershipEffect[] {
    this.#topics = topics
    // What was given up is not taken again before the coordinator has said so.
    for (const [key, { topicId }] of this.#target ?? []) if (!topics.has(formatTopicId(topicId))) this.#target!.delete(key)
    if (topics.size === 0) return this.#leave()
    switch (this.#state) {
      case 'unsubscribed':
        return this.#join()
      case 'leaving':
        this.#comesBack = true
        break
      case 'joining':
      case 'stable':
      case 'reconciling':
        this.#reconcile()
        this.#tell()
        break
      case 'fenced':
      case 'stalled':
        break
    }
    return this.#take()
  }

  /** Whoever is asked is a member, or not, as of now. */
  verify(): MembershipEffect[] {
    if (this.isMember) this.#tell()
    return this.#take()
  }

  /** Partitions that were not known may be now. */
  metadataChanged(): MembershipEffect[] {
    this.#reconcile()
    return this.#take()
  }

  /** Its user has asked for nothing for too long: it is out, so that others get what it has. */
  stall(): MembershipEffect[] {
    if (this.#state !== 'stable' && this.#state !== 'reconciling' && this.#state !== 'joining') return []
    this.#state = 'stalled'
    this.#epoch = JOIN_EPOCH
    this.#comesBack = false
    this.#lose()
    this.#sendLeave()
    return this.#take()
  }

  /** Its user asks again. */
  resume(): MembershipEffect[] {
    if (this.#state !== 'stalled') return []
    this.#comesBack = true
    return this.#comeBack()
  }

  heard(id: number, response: ConsumerGroupHeartbeatResponse): MembershipEffect[] {
    const asked = this.#asked
    if (asked?.id !== id) return []
    this.#asked = undefined
    if (asked.kind === 'leave') return this.#left()
    const code = kafkaErrorName(response.errorCode)
    if (response.errorCode !== KAFKA_ERRORS.NONE) {
      if (FENCED.has(code)) return this.#fenced()
      if (isRetriable(code)) return this.#waitAndTell()
      return this.#fail(membershipError(code, response.errorMessage, this.#options))
    }
    this.#epoch = response.memberEpoch
    if (response.heartbeatIntervalMs > 0) this.#heartbeatIntervalMs = response.heartbeatIntervalMs
    if (this.#state === 'joining') this.#state = 'stable'
    if (response.assignment !== null) this.#target = this.#partitionsOf(response.assignment.topicPartitions)
    this.#reconcile()
    // A heartbeat may be under way already, for what is to be said of that.
    if (this.#asked === undefined) this.#send(this.#hasNews ? 'full' : 'plain')
    return this.#take()
  }

  /** The coordinator could not be asked. */
  unheard(id: number, error: MillraceError): MembershipEffect[] {
    const asked = this.#asked
    if (asked?.id !== id) return []
    this.#asked = undefined
    if (asked.kind === 'leave') return this.#left()
    return error.retriable ? this.#waitAndTell() : this.#fail(error)
  }

  /** The wait is over. */
  due(): MembershipEffect[] {
    if (this.#asked === undefined && (this.isMember || this.#state === 'joining')) this.#send('full')
    return this.#take()
  }

  /** What was to be revoked, or was lost, is read no more. */
  released(id: number): MembershipEffect[] {
    const work = this.#work
    if (work?.id !== id) return []
    this.#work = undefined
    for (const key of work.partitions.keys()) this.#owned.delete(key)
    switch (this.#state) {
      case 'leaving':
        return this.#leaveOn()
      case 'fenced':
        return this.#topics.size === 0 ? this.#left() : this.#join()
      case 'stalled':
        return this.#comeBack()
      case 'unsubscribed':
        // It had failed, and somebody has subscribed since.
        return this.#comesBack ? this.#join() : this.#take()
      default:
        this.#tell()
        this.#reconcile()
        return this.#take()
    }
  }

  /** What was assigned is read. */
  taken(id: number): MembershipEffect[] {
    const work = this.#work
    if (work?.id !== id) return []
    this.#work = undefined
    for (const [key, partition] of work.partitions) this.#owned.set(key, partition)
    if (this.#state === 'leaving') return this.#leaveOn()
    this.#tell()
    this.#reconcile()
    return this.#take()
  }

  #join(): MembershipEffect[] {
    this.#comesBack = false
    this.#state = 'joining'
    this.#epoch = JOIN_EPOCH
    this.#target = undefined
    // Work of the time before is still under way: it is a member again when that is over.
    if (this.#work === undefined) this.#send('full')
    else this.#comesBack = true
    if (this.#comesBack) this.#state = 'unsubscribed'
    return this.#take()
  }

  #leave(): MembershipEffect[] {
    this.#comesBack = false
    switch (this.#state) {
      case 'unsubscribed':
        this.#effects.push({ kind: 'left' })
        return this.#take()
      case 'fenced':
      case 'leaving':
        return this.#take()
      default:
        this.#state = 'leaving'
        return this.#leaveOn()
    }
  }

  /** Everything is given up first, then the group. */
  #leaveOn(): MembershipEffect[] {
    if (this.#work?.kind === 'revoke' || this.#work?.kind === 'lose') return this.#take()
    const rest = this.#allPartitions()
    if (rest.size > 0) this.#begin('revoke', rest)
    else if (this.#asked?.kind === 'leave') return this.#take()
    else if (this.#mayBeKnown) this.#sendLeave()
    else return this.#left()
    return this.#take()
  }

  #left(): MembershipEffect[] {
    if (this.#state === 'stalled') return this.#comeBack()
    // What was lost is still being told.
    if (this.#work !== undefined) return this.#take()
    const comesBack = this.#comesBack
    this.#state = 'unsubscribed'
    this.#epoch = JOIN_EPOCH
    this.#target = undefined
    this.#effects.push({ kind: 'left' })
    return comesBack ? this.#join() : this.#take()
  }

  /** From where it was stalled, once all of the time before is over. */
  #comeBack(): MembershipEffect[] {
    if (this.#comesBack && this.#work === undefined && this.#asked === undefined) return this.#join()
    return this.#take()
  }

  #fenced(): MembershipEffect[] {
    const isLeaving = this.#state === 'leaving'
    this.#epoch = JOIN_EPOCH
    this.#mayBeKnown = false
    this.#target = undefined
    this.#hasNews = false
    this.#state = isLeaving ? 'leaving' : 'fenced'
    if (this.#allPartitions().size > 0) {
      this.#lose()
      return this.#take()
    }
    return isLeaving ? this.#leaveOn() : this.#join()
  }

  #fail(error: MillraceError): MembershipEffect[] {
    this.#lose()
    this.#state = 'unsubscribed'
    this.#epoch = JOIN_EPOCH
    this.#mayBeKnown = false
    this.#target = undefined
    this.#comesBack = false
    this.#topics = new Map()
    this.#effects.push({ kind: 'fail', error })
    return this.#take()
  }

  #waitAndTell(): MembershipEffect[] {
    this.#hasNews = true
    this.#effects.push({ kind: 'wait', ms: RETRY_MS })
    return this.#take()
  }

  #reconcile(): void {
    if (this.#work !== undefined || this.#target === undefined) return
    if (this.#state !== 'stable' && this.#state !== 'reconciling') return
    const target = this.#target
    const going = new Map([...this.#owned].filter(([key]) => !target.has(key)))
    const coming = new Map([...target].filter(([key, partition]) => !this.#owned.has(key) && this.#options.isReadable(partition)))
    this.#state = 'reconciling'
    if (going.size > 0) this.#begin('revoke', going)
    else if (coming.size > 0) this.#begin('assign', coming)
    else this.#state = 'stable'
  }

  /** Whatever it does with them, they are others'. */
  #lose(): void {
    const lost = this.#allPartitions()
    this.#work = undefined
    if (lost.size > 0) this.#begin('lose', lost)
  }

  /** Those that it has, and those that it is about to take. */
  #allPartitions(): Partitions {
    const all = new Map(this.#owned)
    for (const [key, partition] of this.#work?.partitions ?? []) all.set(key, partition)
    return all
  }

  #begin(kind: Work['kind'], partitions: Partitions): void {
    const id = ++this.#ids
    this.#work = { id, kind, partitions }
    this.#effects.push({ kind, id, partitions: [...partitions.values()] })
  }

  /** At once, unless a request that says all is under way: then behind it. */
  #tell(): void {
    if (this.#asked?.kind === 'full' || this.#asked?.kind === 'leave') this.#hasNews = true
    else this.#send('full')
  }

  #send(kind: 'full' | 'plain'): void {
    const isFull = kind === 'full'
    const owned = this.#allPartitions()
    if (isFull) {
      this.#hasNews = false
      // What it says that it does not have, the coordinator may give to others at once: it counts again when the answer has it.
      for (const key of this.#target?.keys() ?? []) if (!owned.has(key)) this.#target!.delete(key)
    }
    this.#mayBeKnown = true
    const id = ++this.#ids
    this.#asked = { id, kind }
    const request = isFull
      ? fullRequest(this.#options, this.#epoch, this.#topics.values(), owned.values())
      : plainRequest(this.#options, this.#epoch)
    this.#effects.push({ kind: 'heartbeat', id, request, holdMs: isFull ? 0 : this.#heartbeatIntervalMs })
  }

  #sendLeave(): void {
    const id = ++this.#ids
    this.#mayBeKnown = false
    this.#asked = { id, kind: 'leave' }
    const request = plainRequest(this.#options, leaveEpochOf(this.#options))
    this.#effects.push({ kind: 'heartbeat', id, request, holdMs: 0 })
  }

  #partitionsOf(topicPartitions: readonly TopicPartitions[]): Partitions {
    const found: Partitions = new Map()
    for (const { topicId, partitions } of topicPartitions) {
      // An answer may be older than what is read now.
      if (!this.#topics.has(formatTopicId(topicId))) continue
      for (const partition of partitions) found.set(groupPartitionKey({ topicId, partition }), { topicId, partition })
    }
    return found
  }

  #take(): MembershipEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
