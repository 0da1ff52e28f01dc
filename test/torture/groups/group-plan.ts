// What happens in one round of churn in groups, drawn from a seed before it begins: the same
// seed plans the same round. What threads make of it in time is theirs.

import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import type { TortureTopic } from '../torture-tasks.ts'
import type { SlotTask } from './group-tasks.ts'

export const GROUP_FAULT_KINDS = {
  terminate: 'a thread of members is terminated at any instant',
  twoThreads: 'two threads of members at once',
  shortStall: 'a thread stands still, for less than the session timeout',
  longStall: 'a thread stands still, for longer than the session timeout',
  restart: 'a thread closes its members, and starts again',
  broker: 'a broker is terminated at any instant',
} as const

export type GroupFaultKind = keyof typeof GROUP_FAULT_KINDS

/** As often as each comes among so many. */
const SHARES: Record<GroupFaultKind, number> = { terminate: 5, twoThreads: 1, shortStall: 2, longStall: 1, restart: 1, broker: 1 }

export interface GroupFault {
  readonly kind: GroupFaultKind
  /** Of the threads, or of the brokers. */
  readonly victim: number
  readonly other: number
  /** Before it strikes. */
  readonly delayMs: number
  readonly stallMs: number
}

/** How a round with files ends: closed, or all its threads die at once; then the directory is opened again. */
export type GroupRoundEnding = 'close' | 'kill'

export interface GroupRoundPlan {
  readonly seed: number
  readonly brokers: number
  readonly groups: number
  readonly topics: readonly TortureTopic[]
  readonly logs: number
  readonly threads: number
  /** By thread: what its members do, which a thread that comes in its place does too. */
  readonly slots: readonly (readonly SlotTask[])[]
  readonly faults: readonly GroupFault[]
  readonly sessionTimeoutMs: number
  /** undefined: no files. */
  readonly ending: GroupRoundEnding | undefined
  readonly threadSeed: number
}

export interface GroupPlanOptions {
  readonly faults: number
  readonly files?: 'none' | 'some' | 'all'
  readonly kinds?: readonly GroupFaultKind[] | undefined
}

const SESSION_TIMEOUT_MS = 1_000
const TOPICS = 2
const PARTITIONS = 8

export function planGroupRound(seed: number, { faults, files = 'some', kinds }: GroupPlanOptions): GroupRoundPlan {
  const random = seededRandom(seed)
  const brokers = 1 + random.below(3)
  const groups = 2 + random.below(2)
  const threads = 4
  const hasFiles = files === 'all' || (files === 'some' && random.below(2) === 0)
  const ending = hasFiles ? (['close', 'kill'] as const)[random.below(2)] : undefined
  const topics = Array.from({ length: TOPICS }, (_, topic) => ({
    name: `work-${topic}`,
    firstLog: topic * PARTITIONS,
    partitions: PARTITIONS,
  }))
  const slots = Array.from({ length: threads }, (_, thread) => planSlots(random, thread, groups))
  return {
    seed,
    brokers,
    groups,
    topics,
    logs: TOPICS * PARTITIONS,
    threads,
    slots,
    faults: planFaults(random, faults, threads, brokers, kinds),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    ending,
    threadSeed: random.uint32(),
  }
}

/** In each group one that stays, one that is static, and two that come and go. */
function planSlots(random: Random, thread: number, groups: number): SlotTask[] {
  return Array.from({ length: groups }, (_, group) => {
    const groupId = `group-${group}`
    const staying = planSlot(random, group, groupId, { lifeMsMax: Number.POSITIVE_INFINITY })
    const isBrief = random.below(2) === 0
    const fixed = planSlot(random, group, groupId, {
      instance: thread,
      lifeMsMax: isBrief ? 600 : Number.POSITIVE_INFINITY,
      pauseMsMax: 60,
    })
    const coming = Array.from({ length: 2 }, () => planSlot(random, group, groupId, { lifeMsMax: 50 + random.below(300) }))
    return [staying, fixed, ...coming]
  }).flat()
}

function planSlot(random: Random, group: number, groupId: string, own: Partial<SlotTask>): SlotTask {
  const commitsByHand = random.below(3) === 0
  const dawdles = own.lifeMsMax !== Number.POSITIVE_INFINITY && random.below(3) === 0
  const isBatches = random.below(4) > 0
  return {
    group,
    groupId,
    instance: undefined,
    lifeMsMax: 200,
    pauseMsMax: 50,
    mode: isBatches ? 'batches' : 'records',
    autoCommitIntervalMs: commitsByHand ? undefined : [5, 50, 5_000][random.below(3)]!,
    // Of records one by one each is a commit: who waits for many is slow to come to its other partitions.
    commitsEvery: (commitsByHand ? 4 : 20) * (isBatches ? 1 : 10),
    maxPollIntervalMs: dawdles ? 100 : 60_000,
    dawdlesEvery: dawdles ? 100 : 0,
    ...own,
  }
}

/** Each kind once, in whatever order, and then as chance has it. */
function planFaults(
  random: Random,
  count: number,
  threads: number,
  brokers: number,
  only: readonly GroupFaultKind[] | undefined,
): GroupFault[] {
  const kinds = (Object.keys(SHARES) as GroupFaultKind[]).filter((kind) => only?.includes(kind) ?? true)
  const drawn = (): GroupFaultKind => {
    let share = random.below(kinds.reduce((sum, kind) => sum + SHARES[kind], 0))
    return kinds.find((kind) => (share -= SHARES[kind]) < 0)!
  }
  const each = kinds.map((kind) => ({ kind, at: random.uint32() })).sort((a, b) => a.at - b.at)
  return Array.from({ length: count }, (_, i) => planFault(random, each[i]?.kind ?? drawn(), threads, brokers))
}

function planFault(random: Random, kind: GroupFaultKind, threads: number, brokers: number): GroupFault {
  const victim = random.below(kind === 'broker' ? brokers : threads)
  const other = (victim + 1 + random.below(threads - 1)) % threads
  const delayMs = random.below(100)
  const stallMs = kind === 'longStall' ? SESSION_TIMEOUT_MS + 200 + random.below(300) : 20 + random.below(SESSION_TIMEOUT_MS / 4)
  return { kind, victim, other, delayMs, stallMs }
}
