// Classic groups of one coordinator over a log without memory or threads, on virtual time:
// records go through their bytes and are replayed, answers come when they are committed,
// timers fire when they are due. What is said is written down, so that tests can show it.

import { VirtualClock } from '../../../src/clock.ts'
import type { Timer } from '../../../src/clock.ts'
import { GROUP_SETTINGS } from '../../../src/config/broker-group-settings.ts'
import type { BrokerGroupConfig } from '../../../src/config/broker-config.ts'
import type { ClientContext, CoordinatorStep } from '../../../src/coordinator/coordinator-shard.ts'
import { encodeGroupRecord } from '../../../src/coordinator/group/group-batch.ts'
import { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import { ClassicGroups } from '../../../src/coordinator/group/classic-groups.ts'
import { groupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import type { GroupCoordinatorConfig } from '../../../src/coordinator/group/group-config.ts'
import type { Group, GroupRecord } from '../../../src/coordinator/group/group.ts'
import type { GroupRequestOf, GroupResponseOf } from '../../../src/coordinator/group/group-requests.ts'
import { SnapshotRegistry, TimelineMap } from '../../../src/coordinator/timeline.ts'
import type { ErrorName } from '../../../src/errors.ts'
import { decodeCoordinatorRecord } from '../../../src/protocol/coordinator-record.ts'
import type { GroupMetadataKey, GroupMetadataValue } from '../../../src/protocol/records/classic-group-records.ts'
import { GROUP_RECORDS } from '../../../src/protocol/records/group-records.ts'
import { seededRandom } from '../../../src/random.ts'

export const GROUP = 'readers'
const START_MS = 1_800_000_000_000

export type ClassicApi = 'joinGroup' | 'syncGroup' | 'heartbeat' | 'leaveGroup'
type Step = CoordinatorStep<GroupRecord>
/** undefined: an error of the coordinator itself came instead, as when its log had no room. */
export type Answer<Api extends ClassicApi> = (response: GroupResponseOf<Api> | undefined) => void

export interface ClassicWorldOptions {
  readonly config?: Partial<GroupCoordinatorConfig>
  readonly seed?: number
}

const defaults = Object.fromEntries(Object.entries(GROUP_SETTINGS).map(([name, { default: value }]) => [name, value]))

export class ClassicWorld {
  readonly clock = new VirtualClock(START_MS)
  readonly config: GroupCoordinatorConfig
  /** What is in the log, as it was read back. */
  readonly log: GroupRecord[] = []
  /** What was said so far. */
  readonly transcript: string[] = []
  registry!: SnapshotRegistry
  groups!: TimelineMap<string, Group>
  classic!: ClassicGroups
  /** Why the log takes no records; undefined: it does. */
  refusal: () => ErrorName | undefined = () => undefined
  /** Until an answer is committed. */
  commitDelayMs: () => number = () => 0
  /** Of requests that wait. */
  readonly #waiting = new Map<number, (response: unknown) => void>()
  readonly #timers = new Map<string, Timer>()
  readonly fenced: string[] = []
  readonly #seed: number
  #requests = 0
  #answeredAtMs = 0
  #incarnation = 0

  constructor({ config = {}, seed = 1 }: ClassicWorldOptions = {}) {
    this.config = { ...groupCoordinatorConfig(defaults as unknown as BrokerGroupConfig), ...config }
    this.#seed = seed
    this.restart()
  }

  get nowMs(): number {
    return this.clock.monotonicMs()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  group(groupId = GROUP): ClassicGroup | undefined {
    const group = this.groups.get(groupId)
    return group instanceof ClassicGroup ? group : undefined
  }

  /** The last record of a group. */
  recorded(groupId = GROUP): GroupMetadataValue | null | undefined {
    return this.log.findLast(({ key }) => (key as GroupMetadataKey).group === groupId)?.value as GroupMetadataValue | null | undefined
  }

  /** The coordinator is gone, and what it had in memory; another has read the log. */
  restart(isHostAlive: (clientHost: string) => boolean = () => true): void {
    this.#incarnation++
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.registry = new SnapshotRegistry()
    this.groups = new TimelineMap(this.registry)
    this.classic = new ClassicGroups({
      groups: this.groups,
      config: this.config,
      random: seededRandom(this.#seed + this.#incarnation),
    })
    for (const record of this.log) this.#replay(record)
    for (const answer of [...this.#waiting.values()]) answer(undefined)
    for (const step of this.classic.loaded(this.nowMs, this.clock.nowMs(), isHostAlive)) this.take(step)
  }

  ask<Api extends ClassicApi>(api: Api, request: GroupRequestOf<Api>, context: ClientContext, answer: Answer<Api>): number {
    const requestId = ++this.#requests
    this.#waiting.set(requestId, (response) => {
      this.#waiting.delete(requestId)
      answer(response as GroupResponseOf<Api> | undefined)
    })
    this.take(this.#handle(api, requestId, request, context), requestId)
    return requestId
  }

  clientHostGone(clientHost: string): void {
    for (const step of this.classic.clientHostGone(clientHost, this.nowMs, this.clock.nowMs())) this.take(step)
  }

  take(step: Step, requestId?: number): void {
    const { records = [] } = step
    const refused = records.length > 0 ? this.refusal() : undefined
    if (refused !== undefined) {
      if (requestId !== undefined) this.#answer(requestId, undefined)
      this.take(step.failed?.(refused) ?? {})
      return
    }
    for (const record of records) {
      const { key, value } = encodeGroupRecord(record)
      const read = decodeCoordinatorRecord(GROUP_RECORDS, key, value)
      this.log.push(read)
      this.say(`        log ${textOfRecord(read)}`)
      this.#replay(read)
    }
    this.registry.snapshot(this.log.length)
    step.applied?.()
    for (const host of step.fenced ?? []) {
      this.fenced.push(host)
      this.say(`        fenced ${host}`)
    }
    for (const { timer, atMs } of step.timers ?? []) this.#setTimer(timer, atMs)
    for (const { requestId: answered, response } of step.replies ?? []) this.#answer(answered, response)
  }

  say(line: string): void {
    this.transcript.push(line)
  }

  #replay(record: GroupRecord): void {
    if (record.type === 'GroupMetadata') this.classic.replay(record.key, record.value)
  }

  #handle(api: ClassicApi, requestId: number, request: object, context: ClientContext): Step {
    const [nowMs, wallMs] = [this.nowMs, this.clock.nowMs()]
    switch (api) {
      case 'joinGroup':
        return this.classic.join(requestId, request as GroupRequestOf<'joinGroup'>, context, nowMs, wallMs)
      case 'syncGroup':
        return this.classic.sync(requestId, request as GroupRequestOf<'syncGroup'>, context, nowMs, wallMs)
      case 'heartbeat':
        return this.classic.heartbeat(requestId, request as GroupRequestOf<'heartbeat'>, nowMs, wallMs)
      case 'leaveGroup':
        return this.classic.leave(requestId, request as GroupRequestOf<'leaveGroup'>, nowMs, wallMs)
    }
  }

  /** Answers keep their order. */
  #answer(requestId: number, response: unknown): void {
    const answer = this.#waiting.get(requestId)
    if (answer === undefined) return
    this.#answeredAtMs = Math.max(this.#answeredAtMs, this.nowMs + this.commitDelayMs())
    this.clock.setTimer(this.#answeredAtMs - this.nowMs, () => {
      if (this.#waiting.get(requestId) === answer) answer(response)
    })
  }

  #setTimer(name: string, atMs: number | undefined): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
    if (atMs === undefined) return
    const fire = (): void => {
      this.#timers.delete(name)
      this.take(this.classic.timerFired(name, this.nowMs, this.clock.nowMs()))
    }
    this.#timers.set(name, this.clock.setTimer(atMs - this.nowMs, fire))
  }
}

function textOfRecord({ value, key }: GroupRecord): string {
  const { group } = key as GroupMetadataKey
  if (value === null) return `${group}: none`
  const { generation, leader, members, protocol } = value as GroupMetadataValue
  if (members.length === 0) return `${group}: generation ${generation}, empty`
  return `${group}: generation ${generation}, ${protocol}, leader ${leader}, of ${members.map(({ memberId }) => memberId).join(' ')}`
}
