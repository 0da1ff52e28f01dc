// A conversation with a group coordinator (KIP-848) as text: commands in, and all that
// follows out. Each command is a line that begins with `> `; what follows it is made.
//
//   > topic NAME PARTITIONS            a topic is created, or has more partitions
//   > drop NAME                        a topic is deleted
//   > join MEMBER [topics=a,b] [regex=P] [instance=I] [assignor=A] [on=THREAD|remote] [as=MEMBER ID]
//   > beat MEMBER                      says what it has; it gives up at once what it is told to
//   > quiet MEMBER                     says nothing but who it is
//   > want MEMBER topics=… regex=…
//   > leave MEMBER [-2]
//   > raw MEMBER EPOCH                 with an epoch of one's own
//   > wait MS                          timers fire
//   > gone THREAD · restart [THREAD]   a thread has ended; another broker takes over (and the thread has ended)
//   > full · room                      the log takes no records; it does again
//   > describe

import { localHost } from '../../../src/coordinator/client-host.ts'
import type { CoordinatorStep } from '../../../src/coordinator/coordinator-shard.ts'
import { assignmentOf, partitionsOf } from '../../../src/coordinator/group/assignment.ts'
import type { Assignment } from '../../../src/coordinator/group/assignment.ts'
import { newMember, withCurrentAssignment } from '../../../src/coordinator/group/consumer-group-member.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { CoordinatorFixture, REMOTE, threadContext } from './coordinator-fixture.ts'
import type { FixtureOptions } from './coordinator-fixture.ts'
import { ConsumerMember, heartbeatRequest } from './consumer-member.ts'

type Step = CoordinatorStep<GroupRecord>

const ERROR_NAMES = new Map<number, string>(Object.entries(KAFKA_ERRORS).map(([name, code]) => [code, name]))
const GROUP = 'g'

/** The text with what follows each command made anew; other lines that do not follow a command stay. */
export function retold(text: string, options?: FixtureOptions): string {
  const conversation = new Conversation(options)
  const lines: string[] = []
  let isFollowing = false
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) {
      isFollowing = true
      lines.push(line, ...conversation.run(line.slice(2)).map((told) => `  ${told}`))
    } else if (!isFollowing || line.trim() === '' || line.startsWith('#')) {
      if (line.startsWith('#')) isFollowing = false
      lines.push(line)
    }
  }
  return lines.join('\n')
}

class Conversation {
  readonly #fixture: CoordinatorFixture
  readonly #members = new Map<string, ConsumerMember>()
  #told: string[] = []

  constructor(options?: FixtureOptions) {
    this.#fixture = new CoordinatorFixture(options)
    this.#fixture.onStep = (step) => this.#tellStep(step)
  }

  run(command: string): string[] {
    this.#told = []
    const [verb = '', name = '', ...rest] = command.split(' ')
    this.#do(verb, name, rest)
    return this.#told
  }

  #do(verb: string, name: string, rest: readonly string[]): void {
    const fixture = this.#fixture
    switch (verb) {
      case 'topic':
        if (fixture.metadata.image.topic(name) === undefined) return fixture.createTopic(name, Number(rest[0]))
        return fixture.addPartitions(name, Number(rest[0]))
      case 'drop':
        return fixture.deleteTopic(name)
      case 'wait':
        return fixture.advance(Number(name))
      case 'gone':
        return fixture.clientHostGone(hostOf(name))
      case 'restart':
        return fixture.restart((host) => name === '' || host !== hostOf(name))
      case 'full':
        fixture.refuse = 'COORDINATOR_NOT_AVAILABLE'
        return
      case 'room':
        fixture.refuse = undefined
        return
      case 'describe':
        return this.#describe()
      default:
        return this.#memberDoes(verb, name, rest)
    }
  }

  #memberDoes(verb: string, name: string, rest: readonly string[]): void {
    const options = Object.fromEntries(rest.map((word) => word.split('=') as [string, string]))
    if (verb === 'join') this.#members.set(name, this.#member(name, options))
    const member = this.#members.get(name)!
    switch (verb) {
      case 'join':
        return this.#tellResponse(member.join())
      case 'beat':
        return this.#tellResponse(member.heartbeat())
      case 'quiet':
        return this.#tellResponse(member.heartbeat({ topicPartitions: null }))
      case 'want':
        return this.#tellResponse(member.subscribe(listed(options['topics']), options['regex']))
      case 'leave':
        return this.#tellResponse(member.leave(rest[0] === undefined ? -1 : Number(rest[0])))
      case 'raw': {
        const request = heartbeatRequest(GROUP, member.memberId, Number(rest[0]), { instanceId: member.instanceId ?? null })
        return this.#tellResponse(this.#fixture.ask('consumerGroupHeartbeat', request, member.context))
      }
      default:
        throw new Error(`there is no command ${verb}`)
    }
  }

  #member(name: string, { topics, regex, instance, assignor, on, as }: Readonly<Record<string, string | undefined>>): ConsumerMember {
    const before = this.#members.get(name)
    return new ConsumerMember(this.#fixture, as ?? before?.memberId ?? name, {
      groupId: GROUP,
      topics: topics === undefined ? (before?.topics ?? []) : listed(topics),
      ...optional('regex', regex ?? before?.regex),
      ...optional('instanceId', instance ?? before?.instanceId),
      ...optional('assignor', assignor),
      context: on === 'remote' ? REMOTE : on === undefined ? (before?.context ?? threadContext(1)) : threadContext(Number(on)),
    })
  }

  #describe(): void {
    const { groups } = this.#fixture.ask('consumerGroupDescribe', { groupIds: [GROUP], includeAuthorizedOperations: false })
    const [group] = groups
    this.#told.push(
      `${group!.groupState}, group epoch ${group!.groupEpoch}, assignment epoch ${group!.assignmentEpoch}, ${group!.assignorName}`,
    )
    for (const { memberId, memberEpoch, assignment, targetAssignment } of group!.members) {
      const [has, wants] = [assignment, targetAssignment].map(({ topicPartitions }) => this.#partitions(assignmentOf(topicPartitions)))
      this.#told.push(`${memberId} at ${memberEpoch} has ${has}${wants === has ? '' : `, is to have ${wants}`}`)
    }
  }

  #tellResponse(response: ConsumerGroupHeartbeatResponse | string): void {
    if (typeof response === 'string') return void this.#told.push(`<- ${response}`)
    const { errorCode, errorMessage, memberId, memberEpoch, assignment } = response
    if (errorCode !== 0) return void this.#told.push(`<- ${ERROR_NAMES.get(errorCode)}: ${errorMessage}`)
    const told = assignment === null ? '' : `: ${this.#partitions(assignmentOf(assignment.topicPartitions))}`
    this.#told.push(`<- ${memberId} at ${memberEpoch}${told}`)
  }

  #tellStep({ records = [], timers = [], news = [], fenced = [] }: Step): void {
    if (records.length > 0 && this.#fixture.refuse !== undefined) return
    for (const record of records) this.#told.push(`log ${this.#record(record)}`)
    for (const host of fenced) this.#told.push(`fence ${host.slice(0, host.indexOf('.'))}`)
    for (const { timer, atMs } of timers) {
      const [kind, , memberId] = timer.split('/')
      // Sessions begin anew with each heartbeat: only the first is told.
      if (kind === 'session' && atMs !== undefined && this.#fixture.timers.has(timer)) continue
      if (atMs === undefined && !this.#fixture.timers.has(timer)) continue
      const when = atMs === undefined ? 'off' : `in ${atMs - this.#fixture.nowMs} ms`
      this.#told.push(`timer ${kind}${memberId === undefined ? '' : ` ${memberId}`} ${when}`)
    }
    if (news.length > 0) this.#told.push(`news for ${news.map((key) => key.slice(GROUP.length + 1)).join(' ')}`)
  }

  #record(record: GroupRecord): string {
    const kind = record.type.replace('ConsumerGroup', '')
    const of =
      'memberId' in record.key ? ` ${record.key.memberId}` : 'regularExpression' in record.key ? ` ${record.key.regularExpression}` : ''
    return record.value === null ? `${kind}${of} gone` : `${kind}${of} ${this.#value(record)}`
  }

  #value(record: GroupRecord): string {
    switch (record.type) {
      case 'ConsumerGroupMemberMetadata': {
        const { subscribedTopicNames, subscribedTopicRegex, instanceId, serverAssignor } = record.value!
        const told = { topics: subscribedTopicNames.join(','), regex: subscribedTopicRegex, instance: instanceId, assignor: serverAssignor }
        const words = Object.entries(told).filter(([, value]) => value !== null && value !== '')
        return words.map(([name, value]) => `${name}=${value}`).join(' ')
      }
      case 'ConsumerGroupMetadata':
        return `epoch ${record.value!.epoch}${record.value!.metadataHash === 0n ? ', of no topic' : ''}`
      case 'ConsumerGroupTargetAssignmentMetadata':
        return `epoch ${record.value!.assignmentEpoch}`
      case 'ConsumerGroupTargetAssignmentMember':
        return this.#partitions(assignmentOf(record.value!.topicPartitions))
      case 'ConsumerGroupCurrentMemberAssignment': {
        const { state, memberEpoch, assigned, pendingRevocation } = withCurrentAssignment(newMember(''), record.value!)
        const revoked = pendingRevocation.size === 0 ? '' : `, to give up ${this.#partitions(partitionsOf(pendingRevocation))}`
        return `${state} at ${memberEpoch}: ${this.#partitions(partitionsOf(assigned))}${revoked}`
      }
      case 'ConsumerGroupRegularExpression':
        return record.value!.topics.join(' ')
      default:
        return ''
    }
  }

  /** `a:0,1 b:0` */
  #partitions(assignment: Assignment): string {
    const topics = [...assignment].map(([topic, partitions]) => `${this.#fixture.topicName(topic)}:${partitions.join(',')}`)
    return topics.length === 0 ? 'nothing' : topics.sort().join(' ')
  }
}

function listed(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',')
}

function hostOf(thread: string): string {
  return localHost({ thread: Number(thread), incarnation: 1, process: 7 })
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string }
}
