// A consumer of the classic protocol as Kafka's clients are: it joins, assigns where it
// leads, sends heartbeats, joins again when it is told to, and says what it hears.

import { CLASSIC_ASSIGNORS } from '../../../src/coordinator/assignor/classic-assignors.ts'
import type { ClassicSubscription } from '../../../src/coordinator/assignor/classic-assignor.ts'
import type { ClientContext } from '../../../src/coordinator/coordinator-shard.ts'
import type { GroupRequestOf } from '../../../src/coordinator/group/group-requests.ts'
import { readSubscription } from '../../../src/coordinator/group/consumer-protocol-subscription.ts'
import type { JoinGroupResponse } from '../../../src/protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../../src/protocol/messages/14-sync-group.ts'
import { CONSUMER_PROTOCOL_ASSIGNMENT, CONSUMER_PROTOCOL_SUBSCRIPTION } from '../../../src/protocol/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../../../src/protocol/versioned-message.ts'
import type { Timer, VirtualClock } from '../../../src/clock.ts'
import { kafkaErrorName } from '../../../src/errors.ts'
import { GROUP } from './classic-world.ts'
import type { Answer, ClassicApi } from './classic-world.ts'

/** Where a client asks, and is heard. */
export interface ClassicDoor {
  readonly clock: VirtualClock
  readonly nowMs: number
  readonly transcript: string[]
  ask<Api extends ClassicApi>(api: Api, request: GroupRequestOf<Api>, context: ClientContext, answer: Answer<Api>): void
  say(line: string): void
}

export interface ClassicClientOptions {
  readonly topics?: readonly string[]
  readonly assignors?: readonly string[]
  readonly instanceId?: string
  readonly apiVersion?: number
  readonly clientHost?: string
  readonly isLocal?: boolean
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  /** Partitions by topic, as the leader knows them. */
  readonly partitions?: ReadonlyMap<string, number>
}

const HEARTBEAT_MS = 3000
const RETRY_MS = 100
const PARTITIONS = new Map([['t', 4]])

export class ClassicClient {
  readonly name: string
  readonly world: ClassicDoor
  readonly options: ClassicClientOptions
  topics: readonly string[]
  memberId = ''
  generation = -1
  /** 'topic:partition' */
  owned: string[] = []
  /** What it was told that it cannot go on with. */
  stopped: string | undefined
  /** It sends nothing, and hears nothing. */
  isStalled = false
  /** Called when it was assigned something. */
  onAssigned: (client: ClassicClient) => void = () => {}
  #heartbeat: Timer | undefined
  #isLeader = false
  /** Answers of before count no more. */
  #epoch = 0

  constructor(world: ClassicDoor, name: string, options: ClassicClientOptions = {}) {
    this.world = world
    this.name = name
    this.options = options
    this.topics = options.topics ?? ['t']
  }

  get context(): ClientContext {
    const { apiVersion, clientHost, isLocal = false } = this.options
    return { clientId: this.name, clientHost: clientHost ?? '/127.0.0.1', isLocal, ...(apiVersion === undefined ? {} : { apiVersion }) }
  }

  get groupInstanceId(): string | null {
    return this.options.instanceId ?? null
  }

  join(): void {
    this.#heartbeat?.cancel()
    const assignors = this.options.assignors ?? ['range']
    // As Kafka's: an eager one gives up all before it joins, and only `sticky` says what it had.
    const isEager = assignors.every((name) => CLASSIC_ASSIGNORS.get(name)!.rebalanceProtocol === 'eager')
    const owned = isEager && !assignors.includes('sticky') ? [] : this.owned
    if (isEager) this.owned = []
    const metadata = encodeVersioned(CONSUMER_PROTOCOL_SUBSCRIPTION, 2, {
      topics: [...this.topics],
      ownedPartitions: byTopic(owned),
      generationId: this.generation,
    })
    const request = {
      groupId: GROUP,
      sessionTimeoutMs: this.options.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: this.options.rebalanceTimeoutMs ?? 20_000,
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      protocolType: 'consumer',
      protocols: assignors.map((name) => ({ name, metadata })),
      reason: null,
    }
    this.#say(`▶ JoinGroup${this.memberId === '' ? '' : ` as ${this.memberId}`}`)
    this.world.ask('joinGroup', request, this.context, this.#hear(this.#joined))
  }

  /** Leaves, as on close: a dynamic member; a static one says nothing. */
  leave(): void {
    this.#heartbeat?.cancel()
    this.stopped = 'left'
    this.#epoch++
    if (this.memberId === '') return
    this.#say('▶ LeaveGroup')
    const members = [{ memberId: this.memberId, groupInstanceId: this.groupInstanceId, reason: null }]
    this.world.ask('leaveGroup', { groupId: GROUP, memberId: '', members }, this.context, (response) => {
      if (response !== undefined) this.#say(`◀ ${response.members.map(({ errorCode }) => kafkaErrorName(errorCode)).join(' ')}`)
    })
  }

  /** Its thread is gone, or its machine: nobody hears of it any more. */
  die(): void {
    this.#say('dies')
    this.#heartbeat?.cancel()
    this.stopped = 'dead'
    this.#epoch++
  }

  #joined = (response: JoinGroupResponse | undefined): void => {
    if (response === undefined) return this.#retry()
    const error = kafkaErrorName(response.errorCode)
    if (error === 'MEMBER_ID_REQUIRED') {
      this.memberId = response.memberId
      this.#say(`◀ MEMBER_ID_REQUIRED: ${this.memberId}`)
      return this.join()
    }
    if (error !== 'NONE') return this.#failed(error)
    this.memberId = response.memberId
    this.generation = response.generationId
    this.#isLeader = response.leader === this.memberId
    const leads = this.#isLeader ? `, leads ${response.members.map(({ memberId }) => memberId).join(' ')}` : ''
    const skips = response.skipAssignment ? ', assigns nothing' : ''
    this.#say(`◀ generation ${response.generationId}, ${response.protocolName}, as ${this.memberId}${leads}${skips}`)
    const assignments = this.#isLeader && !response.skipAssignment ? this.#assign(response) : []
    const { protocolType, protocolName } = response
    this.#say('▶ SyncGroup')
    const request = { groupId: GROUP, generationId: this.generation, memberId: this.memberId, groupInstanceId: this.groupInstanceId }
    this.world.ask('syncGroup', { ...request, protocolType, protocolName, assignments }, this.context, this.#hear(this.#synced))
  }

  #assign({ members, protocolName }: JoinGroupResponse): { memberId: string; assignment: Uint8Array }[] {
    const subscriptions: ClassicSubscription[] = members.map(({ memberId, groupInstanceId, metadata }) => {
      const { topics, ownedPartitions, generationId } = readSubscription(metadata)!
      const owned = new Map(ownedPartitions.map(({ topic, partitions }) => [topic, partitions]))
      return { memberId, groupInstanceId, topics, owned, generation: generationId }
    })
    const assignment = CLASSIC_ASSIGNORS.get(protocolName!)!.assign(this.options.partitions ?? PARTITIONS, subscriptions)
    return [...assignment].map(([memberId, topics]) => {
      const assignedPartitions = [...topics].map(([topic, partitions]) => ({ topic, partitions }))
      return { memberId, assignment: encodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, 1, { assignedPartitions }) }
    })
  }

  #synced = (response: SyncGroupResponse | undefined): void => {
    if (response === undefined) return this.#retry()
    const error = kafkaErrorName(response.errorCode)
    if (error !== 'NONE') return this.#failed(error)
    const before = this.owned
    const { assignment } = response
    const assigned = assignment.length === 0 ? [] : decodeVersioned(CONSUMER_PROTOCOL_ASSIGNMENT, assignment).message.assignedPartitions
    this.owned = assigned.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`))
    this.#say(`◀ ${this.owned.join(' ') || 'nothing'}`)
    this.onAssigned(this)
    const isCooperative =
      response.protocolName !== null && CLASSIC_ASSIGNORS.get(response.protocolName)!.rebalanceProtocol === 'cooperative'
    if (isCooperative && before.some((partition) => !this.owned.includes(partition))) this.join()
    else this.#beatLater()
  }

  #beatLater(): void {
    this.#heartbeat = this.world.clock.setTimer(HEARTBEAT_MS, () => this.beat())
  }

  beat(): void {
    if (this.isStalled) return this.#beatLater()
    const request = { groupId: GROUP, generationId: this.generation, memberId: this.memberId, groupInstanceId: this.groupInstanceId }
    this.world.ask(
      'heartbeat',
      request,
      this.context,
      this.#hear((response) => {
        if (response === undefined) return this.#beatLater()
        const error = kafkaErrorName(response.errorCode)
        if (error === 'NONE') return this.#beatLater()
        // What goes well is not written down, or a transcript would hold little else.
        this.#say('▶ Heartbeat')
        this.#failed(error)
      }),
    )
  }

  #failed(error: string): void {
    this.#say(`◀ ${error}`)
    switch (error) {
      case 'REBALANCE_IN_PROGRESS':
        return this.join()
      case 'UNKNOWN_MEMBER_ID':
      case 'ILLEGAL_GENERATION':
        this.owned = []
        this.generation = -1
        if (error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
        return this.join()
      case 'COORDINATOR_NOT_AVAILABLE':
        return this.#retry()
      default:
        this.owned = []
        this.stopped = error
    }
  }

  #retry(): void {
    this.#heartbeat = this.world.clock.setTimer(RETRY_MS, () => this.join())
  }

  #hear<Response>(then: (response: Response) => void): (response: Response) => void {
    const epoch = ++this.#epoch
    return (response) => {
      if (epoch === this.#epoch && !this.isStalled) then.call(this, response)
      // One that stalls hears it when it goes on.
      else if (epoch === this.#epoch) this.world.clock.setTimer(HEARTBEAT_MS, () => this.#hearAgain(epoch, response, then))
    }
  }

  #hearAgain<Response>(epoch: number, response: Response, then: (response: Response) => void): void {
    if (epoch !== this.#epoch) return
    if (this.isStalled) this.world.clock.setTimer(HEARTBEAT_MS, () => this.#hearAgain(epoch, response, then))
    else then.call(this, response)
  }

  #say(text: string): void {
    this.world.say(`${String(this.world.nowMs).padStart(6)}  ${this.name} ${text}`)
  }
}

function byTopic(partitions: readonly string[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const each of partitions) {
    const [topic = '', partition] = each.split(':')
    topics.set(topic, [...(topics.get(topic) ?? []), Number(partition)])
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}

/** The conversation, with short names for the ids that chance made. */
export function transcriptOf({ transcript }: Pick<ClassicDoor, 'transcript'>): string {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  return transcript.join('\n').replaceAll(/([\w.]+)-[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g, (id, name: string) => {
    if (!names.has(id)) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      names.set(id, `${name}-${counts.get(name)}`)
    }
    return names.get(id)!
  })
}
