// What goes wrong in a simulation, each kind at its own rate: coordinators, logs, threads,
// members, topics, clocks, and an admin who commits, deletes and looks.

import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { GroupSimulation } from './group-simulation.ts'
import { SimulatedLink } from './simulated-link.ts'
import { SimulatedThread } from './simulated-thread.ts'
import type { FaultRates } from './swarm.ts'

export class SimulatedFaults {
  readonly #simulation: GroupSimulation
  readonly #admin: SimulatedLink
  #isOver = false
  #adminOffset = 0

  constructor(simulation: GroupSimulation) {
    this.#simulation = simulation
    const process = new SimulatedThread(simulation.queue, 'admin', undefined)
    this.#admin = new SimulatedLink(simulation, process, 'admin')
  }

  start(): void {
    const { swarm } = this.#simulation
    for (const [kind, everyMs] of Object.entries(swarm.rates) as [keyof FaultRates, number | undefined][]) {
      if (everyMs !== undefined) this.#again(kind, everyMs)
    }
  }

  end(): void {
    this.#isOver = true
  }

  #again(kind: keyof FaultRates, everyMs: number): void {
    const { queue, random } = this.#simulation
    queue.setTimer(random.fraction() * 2 * everyMs, () => {
      if (this.#isOver) return
      this.#strike(kind)
      this.#again(kind, everyMs)
    })
  }

  #strike(kind: keyof FaultRates): void {
    const simulation = this.#simulation
    const { random, queue, coordinator, note } = simulation
    switch (kind) {
      case 'coordinatorMove':
        return coordinator.move(random.below(3) > 0)
      case 'noRoom':
        return coordinator.noRoom(random.below(1_000))
      case 'storageFailure':
        return coordinator.failFiles()
      case 'threadStall':
        return this.#stall()
      case 'threadDeath':
        return this.#kill()
      case 'memberRestart':
        return this.#restartMember()
      case 'subscriptionChange': {
        const member = simulation.anyMember()
        if (member === undefined) return
        const { topics, regex } = simulation.drawSubscription()
        note(member.name, 'subscribes to', topics.join(' '), regex)
        return member.thread.run(() => member.subscribe(topics, regex))
      }
      case 'topicChange':
        return this.#changeTopic()
      case 'admin':
        return this.#administer()
      case 'wallJump':
        queue.wallSkewMs += random.below(20_000) - 10_000
        return note('wall clock jumps to', queue.wallSkewMs)
    }
  }

  #stall(): void {
    const { random, swarm, threads, note } = this.#simulation
    const thread = threads[random.below(threads.length)]!
    const longestMs = random.below(3) === 0 ? 2 * swarm.sessionTimeoutMs : 300
    const ms = random.fraction() * longestMs
    note(thread.host, 'stalls for', Math.floor(ms))
    thread.stall(ms)
  }

  #kill(): void {
    const { random, threads, saw } = this.#simulation
    const living = threads.filter(({ isAlive }) => isAlive)
    if (living.length === 0) return
    saw('a thread died')
    const thread = living[random.below(living.length)]!
    this.#simulation.kill(thread)
    this.#simulation.queue.setTimer(random.below(3_000), () => this.#simulation.replace(thread))
  }

  #restartMember(): void {
    const simulation = this.#simulation
    const { random } = simulation
    const member = simulation.anyMember()
    if (member === undefined) return
    simulation.note(member.name, 'leaves')
    if (random.below(5) === 0) {
      const ms = random.below(3_000)
      member.thread.run(() => member.forget(ms))
      return
    }
    if (member.options.instanceId !== null && random.below(3) === 0) return simulation.addDouble(member)
    const forNow = random.below(4) > 0
    const awayMs = random.below(500)
    member.thread.run(() => member.leave(forNow, () => simulation.queue.setTimer(awayMs, () => simulation.comeBack(member))))
  }

  #changeTopic(): void {
    const { random, topics, swarm } = this.#simulation
    const name = `t${random.below(swarm.topics)}`
    const topic = topics.topic(name)
    const count = 1 + random.below(swarm.partitionsMax)
    if (topic === undefined) this.#simulation.changeTopics('create', name, topics.create(name, count))
    else if (random.below(3) > 0 && topic.partitions.length < 12)
      this.#simulation.changeTopics('add a partition to', name, topics.addPartition(name))
    else {
      this.#simulation.changeTopics('delete', name, topics.delete(name))
      // Often the same name again, at once.
      if (random.below(2) > 0) return
      this.#simulation.changeTopics('create', name, topics.create(name, count))
      // What is committed of the one before is still there then.
      for (let i = 0; i < 4; i++) this.#simulation.queue.setTimer(random.below(60), () => this.#fetch(name))
    }
  }

  #fetch(name: string): void {
    const { swarm, topics, random } = this.#simulation
    const topicId = topics.topic(name)?.topicId
    if (topicId === undefined) return
    this.#admin.ask({
      api: 'offsetFetch',
      request: {
        groupId: '',
        topics: null,
        groups: [
          {
            groupId: `g${random.below(swarm.groups)}`,
            memberId: null,
            memberEpoch: -1,
            topics: [{ name, topicId, partitionIndexes: [0, 1, 2] }],
          },
        ],
        requireStable: true,
      },
      heard: () => undefined,
      unheard: () => undefined,
    })
  }

  #administer(): void {
    const { random, topics, saw, violate } = this.#simulation
    const groupId = `g${random.below(this.#simulation.swarm.groups + 1)}`
    const name = topics.names[random.below(topics.names.length)] ?? 't0'
    const unheard = (): void => undefined
    switch (random.below(6)) {
      case 0: {
        const topic = topics.topic(name)
        if (topic === undefined) return
        const committedOffset = topics.baseOf(topics.keyOf(name)!) + this.#adminOffset++
        const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: 'by an admin' }
        this.#admin.ask({
          api: 'offsetCommit',
          request: {
            groupId,
            generationIdOrMemberEpoch: -1,
            memberId: '',
            groupInstanceId: null,
            retentionTimeMs: -1,
            topics: [{ name: '', topicId: topic.topicId, partitions: [partition] }],
          },
          heard: ({ topics: [answered] }) => {
            saw(answered!.partitions[0]!.errorCode === KAFKA_ERRORS.NONE ? 'an admin committed' : 'an admin was refused')
          },
          unheard,
        })
        return
      }
      case 1:
        this.#admin.ask({
          api: 'offsetDelete',
          request: { groupId, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] },
          heard: ({ topics: [answered] }) => {
            if (answered?.partitions[0]?.errorCode === KAFKA_ERRORS.NONE) saw('an offset was deleted')
          },
          unheard,
        })
        return
      case 2:
        this.#admin.ask({
          api: 'deleteGroups',
          request: { groupsNames: [groupId] },
          heard: ({ results: [result] }) => {
            if (result!.errorCode === KAFKA_ERRORS.NONE) saw('a group was deleted')
          },
          unheard,
        })
        return
      case 3:
        this.#admin.ask({
          api: 'listGroups',
          request: { statesFilter: [], typesFilter: [] },
          heard: ({ errorCode }) => {
            if (errorCode !== KAFKA_ERRORS.NONE) violate(`groups are listed with error ${errorCode}`)
          },
          unheard,
        })
        return
      case 4:
        this.#admin.ask({
          api: 'consumerGroupDescribe',
          request: { groupIds: [groupId], includeAuthorizedOperations: false },
          heard: ({ groups: [group] }) => this.#checkDescribed(group!.groupId, group!.members),
          unheard,
        })
        return
      default:
        this.#admin.ask({
          api: 'offsetFetch',
          request: {
            groupId: '',
            topics: null,
            groups: [{ groupId, memberId: null, memberEpoch: -1, topics: null }],
            requireStable: false,
          },
          heard: () => undefined,
          unheard,
        })
    }
  }

  #checkDescribed(
    groupId: string,
    members: readonly {
      memberId: string
      assignment: { topicPartitions: readonly { topicName: string; partitions: readonly number[] }[] }
    }[],
  ): void {
    const seen = new Map<string, string>()
    for (const { memberId, assignment } of members) {
      for (const { topicName, partitions } of assignment.topicPartitions) {
        for (const partition of partitions) {
          const key = `${topicName}-${partition}`
          if (seen.has(key)) this.#simulation.violate(`${groupId} is described with ${key} at ${seen.get(key)} and ${memberId}`)
          seen.set(key, memberId)
        }
      }
    }
  }
}
