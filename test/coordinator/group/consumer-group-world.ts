// Members of consumer groups at random: they join, take their time to give up what they are
// to give up, lose responses, fall silent, change what they want, go and come back, while
// topics come and go, coordinators move and logs are full. After each event the world looks
// whether two members hold one partition.

import { deepStrictEqual } from 'node:assert/strict'
import { localHost } from '../../../src/coordinator/client-host.ts'
import { assignmentOf, partitionKeys, topicPartitionsOf } from '../../../src/coordinator/group/assignment.ts'
import { memberKey } from '../../../src/coordinator/group/member-names.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { CoordinatorFixture, REMOTE, threadContext } from './coordinator-fixture.ts'
import { REBALANCE_TIMEOUT_MS, heartbeatRequest } from './consumer-member.ts'

type Request = ConsumerGroupHeartbeatRequest
type Response = ConsumerGroupHeartbeatResponse

const GROUP = 'group'
const TOPICS = ['a', 'b', 'b2', 'c']
const PATTERNS = ['b.*', '[ac]', 'none']

interface Client {
  memberId: string
  readonly thread: number
  readonly isLocal: boolean
  readonly instanceId: string | null
  epoch: number
  /** Out: it has to join. */
  isIn: boolean
  /** `partitionKey`s that it works on. */
  held: Set<string>
  /** What it was told to have; it gives up the rest of `held` before it takes what is new. */
  told: Set<string>
  /** The last response was lost: it says all again. */
  isUnsure: boolean
  topics: string[]
  regex: string | null
}

export class ConsumerGroupWorld {
  readonly fixture: CoordinatorFixture
  readonly clients: Client[] = []
  readonly random: Random
  readonly isLocal: boolean
  events = 0
  #members = 0
  #groupEpoch = 0
  #memberEpochs = new Map<string, number>()

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.isLocal = this.random.below(2) === 0
    const assignors = this.random.below(3) === 0 ? ['range', 'uniform'] : ['uniform', 'range']
    this.fixture = new CoordinatorFixture({ seed, config: { consumerAssignors: assignors, consumerMaxSize: 8 } })
    this.fixture.onStep = ({ records = [] }) => {
      for (const record of records) {
        // Who is put out stops at once: it is told in shared memory, or its own clock has told it.
        if (record.type !== 'ConsumerGroupMemberMetadata' || record.value !== null || this.fixture.refuse !== undefined) continue
        const client = this.clients.find(({ memberId }) => memberId === record.key.memberId)
        if (client !== undefined) this.#stop(client)
      }
    }
    for (const topic of TOPICS) if (this.random.below(4) > 0) this.fixture.createTopic(topic, 1 + this.random.below(6))
    for (let i = 0; i < 1 + this.random.below(6); i++) this.#newClient()
  }

  step(): void {
    this.events++
    const { random, fixture } = this
    fixture.refuse = random.below(25) === 0 ? 'COORDINATOR_NOT_AVAILABLE' : undefined
    this.#event(this.clients[random.below(this.clients.length)]!, random.below(100))
    fixture.refuse = undefined
    this.check()
  }

  #event(client: Client, chance: number): void {
    const { random, fixture } = this
    if (chance < 45) return client.isIn ? this.heartbeat(client) : this.#join(client)
    if (chance < 60) return this.#finishRevocation(client)
    if (chance < 65) return this.#subscribe(client)
    if (chance < 70) return this.#leave(client)
    if (chance < 72 && this.clients.length < 9) return this.#newClient()
    if (chance < 76) return fixture.advance(random.below(3000))
    if (chance < 78) return fixture.advance(random.below(40_000))
    if (chance < 81) return this.#changeTopics()
    if (chance < 83) return this.#restart(client)
    if (chance < 85) return this.#killThread(client)
    // Those of this process are rung: they come when there is news.
    for (const other of this.clients) if (fixture.news.has(memberKey(GROUP, other.memberId)) && other.isIn) this.heartbeat(other)
  }

  /** Only those come for whom there is news, or who are behind sockets; all end up with their share. */
  converge(): void {
    const { fixture } = this
    this.#outliveSessions()
    this.#event(this.clients[0]!, 60)
    this.#changeTopics()
    for (let round = 0; round < 200; round++) {
      let isCalm = true
      for (const client of this.clients) {
        if (!client.isIn) {
          // The answer to its join may have been lost.
          if (!client.isLocal && round % 10 === 0) this.#join(client)
          continue
        }
        if (client.held.size > 0 && [...client.held].some((key) => !client.told.has(key))) {
          this.#finishRevocation(client)
          isCalm = false
        } else if (client.isUnsure || fixture.news.has(memberKey(GROUP, client.memberId)) || (!client.isLocal && round % 10 === 0)) {
          this.heartbeat(client)
          isCalm = false
        }
        this.check()
      }
      // Behind sockets a new target may have to wait for its interval.
      if (!this.clients.every(({ isLocal }) => isLocal)) fixture.advance(150)
      else if (isCalm) break
    }
    const group = fixture.consumerGroup(GROUP)
    if (group.memberCount() === 0) return
    deepStrictEqual(group.state(), 'Stable')
    const members = [...group.members()]
    for (const member of members) {
      const client = this.clients.find(({ memberId }) => memberId === member.memberId)!
      const target = [...group.target(member.memberId)].flatMap(([topic, partitions]) => partitions.map((p) => `${topic}:${p}`))
      deepStrictEqual([...client.held].sort(), target.sort())
      deepStrictEqual(client.epoch, member.memberEpoch)
    }
    const patterns = new Set(members.map(({ subscribedTopicRegex }) => subscribedTopicRegex).filter((pattern) => pattern))
    deepStrictEqual(new Set([...group.regexes()].map(([pattern]) => pattern)), patterns)
    const wanted = [...fixture.metadata.image.topics].filter(({ name }) => group.isSubscribedTo(name))
    const keys = wanted.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionId }) => `${fixture.metadata.image.content.topicKeys.get(name)}:${partitionId}`),
    )
    deepStrictEqual([...group.owners()].map(([key]) => key).sort(), keys.sort())
  }

  /** Who is nobody's any more is out. */
  #outliveSessions(): void {
    for (let i = 0; i < 8; i++) {
      for (const client of this.clients) {
        if (client.isIn) this.#finishRevocation(client)
        else this.#join(client)
      }
      this.fixture.advance(8000)
    }
  }

  check(): void {
    if (!this.fixture.shard.groups.has(GROUP)) return
    const group = this.fixture.consumerGroup(GROUP)
    const [epoch, targetEpoch] = [group.epoch(), group.targetEpoch()]
    if (epoch < this.#groupEpoch || targetEpoch > epoch) throw new Error(`the group went from ${this.#groupEpoch} to ${epoch}`)
    this.#groupEpoch = epoch
    const holders = new Map<string, string>()
    for (const { memberId, held } of this.clients) {
      for (const key of held) claim(holders, key, memberId)
    }
    const owners = new Map<string, string>()
    for (const { memberId, memberEpoch, assigned, pendingRevocation } of group.members()) {
      const before = this.#memberEpochs.get(memberId) ?? 0
      if (memberEpoch > targetEpoch) throw new Error(`member ${memberId} is ahead of the target`)
      if (memberEpoch > 0 && memberEpoch < before) throw new Error(`member ${memberId} went from ${before} to ${memberEpoch}`)
      if (memberEpoch > 0) this.#memberEpochs.set(memberId, memberEpoch)
      for (const key of [...partitionKeys(assigned), ...partitionKeys(pendingRevocation)]) claim(owners, key, memberId)
    }
    let owned = 0
    for (const [key, memberId] of group.owners()) {
      if (owners.get(key) !== memberId) throw new Error(`${key} is ${owners.get(key)}'s, not ${memberId}'s`)
      owned++
    }
    if (owned !== owners.size) throw new Error(`${owners.size - owned} partitions are held and have no owner`)
  }

  heartbeat(client: Client): void {
    // One that still gives up says that it has all; sometimes it says nothing.
    const saysWhatItHas = client.isUnsure || this.random.below(3) > 0
    const topicPartitions = saysWhatItHas ? topicPartitionsOf(byTopic(client.held)) : null
    this.#send(client, client.isUnsure ? { ...this.#full(client), topicPartitions } : { topicPartitions })
  }

  #join(client: Client): void {
    this.#stop(client)
    this.#send(client, { ...this.#full(client), topicPartitions: [] })
  }

  #full({ topics, regex }: Client): Partial<Request> {
    return { subscribedTopicNames: topics, subscribedTopicRegex: regex ?? '', rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS }
  }

  #send(client: Client, also: Partial<Request>): void {
    const { fixture } = this
    const { memberId, epoch, instanceId, isLocal, thread } = client
    fixture.news.delete(memberKey(GROUP, memberId))
    const request = heartbeatRequest(GROUP, memberId, epoch, { instanceId, ...also })
    const response = fixture.ask('consumerGroupHeartbeat', request, isLocal ? threadContext(thread) : REMOTE) as Response | string
    const isLost = !isLocal && this.random.below(10) === 0
    if (isLost || typeof response === 'string') {
      client.isUnsure = client.isIn
      return
    }
    if (response.errorCode !== 0) return this.#stop(client)
    client.isIn = true
    client.isUnsure = false
    client.memberId = response.memberId!
    client.epoch = response.memberEpoch
    if (response.assignment === null) return
    client.told = new Set(keysOf(assignmentOf(response.assignment.topicPartitions)))
    if ([...client.held].every((key) => client.told.has(key))) client.held = new Set(client.told)
  }

  #finishRevocation(client: Client): void {
    if (!client.isIn) return
    client.held = new Set(client.told)
    this.#send(client, { topicPartitions: topicPartitionsOf(byTopic(client.held)), ...(client.isUnsure ? this.#full(client) : {}) })
  }

  #subscribe(client: Client): void {
    this.#choose(client)
    if (client.isIn) this.#send(client, { ...this.#full(client), topicPartitions: topicPartitionsOf(byTopic(client.held)) })
  }

  #leave(client: Client): void {
    if (!client.isIn) return
    const epoch = client.instanceId !== null && this.random.below(2) === 0 ? -2 : -1
    const { memberId, instanceId, isLocal, thread } = client
    this.#stop(client)
    this.fixture.ask(
      'consumerGroupHeartbeat',
      heartbeatRequest(GROUP, memberId, epoch, { instanceId }),
      isLocal ? threadContext(thread) : REMOTE,
    )
    // Another thread comes with the instance id.
    if (epoch === -2 && this.random.below(2) === 0) client.memberId = `m${this.#members++}`
  }

  #stop(client: Client): void {
    client.isIn = false
    client.epoch = 0
    client.held = new Set()
    client.told = new Set()
    client.isUnsure = false
  }

  #killThread({ thread }: Client): void {
    for (const client of this.clients) if (client.thread === thread && client.isLocal) this.#stop(client)
    this.fixture.clientHostGone(localHost({ thread, incarnation: 1, process: 7 }))
  }

  /** Another broker leads the partition; a thread may have ended meanwhile. */
  #restart({ thread }: Client): void {
    const isGone = this.random.below(2) === 0
    for (const client of this.clients) if (isGone && client.thread === thread && client.isLocal) this.#stop(client)
    this.fixture.restart((host) => !isGone || host !== threadContext(thread).clientHost)
  }

  #changeTopics(): void {
    const { fixture, random } = this
    const name = TOPICS[random.below(TOPICS.length)]!
    if (fixture.metadata.image.topic(name) === undefined) fixture.createTopic(name, 1 + random.below(6))
    else if (random.below(2) === 0) fixture.deleteTopic(name)
    else fixture.addPartitions(name, fixture.metadata.image.topic(name)!.partitions.length + 1 + random.below(3))
  }

  #newClient(): void {
    const { random } = this
    const isStatic = random.below(3) === 0
    const number = this.#members++
    const client: Client = {
      memberId: `m${number}`,
      thread: 1 + random.below(4),
      isLocal: this.isLocal || random.below(2) === 0,
      instanceId: isStatic ? `i${number}` : null,
      epoch: 0,
      isIn: false,
      held: new Set(),
      told: new Set(),
      isUnsure: false,
      topics: [],
      regex: null,
    }
    this.#choose(client)
    this.clients.push(client)
  }

  #choose(client: Client): void {
    const { random } = this
    client.topics = TOPICS.filter(() => random.below(2) === 0)
    client.regex = random.below(4) === 0 ? PATTERNS[random.below(PATTERNS.length)]! : null
  }
}

function claim(holders: Map<string, string>, key: string, memberId: string): void {
  const other = holders.get(key)
  if (other !== undefined) throw new Error(`${key} is held by ${other} and by ${memberId}`)
  holders.set(key, memberId)
}

function byTopic(keys: Iterable<string>): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const key of keys) {
    const at = key.lastIndexOf(':')
    const topic = key.slice(0, at)
    found.set(topic, [...(found.get(topic) ?? []), Number(key.slice(at + 1))])
  }
  return found
}

function keysOf(assignment: ReadonlyMap<string, readonly number[]>): string[] {
  return [...assignment].flatMap(([topic, partitions]) => partitions.map((partition) => `${topic}:${partition}`))
}
