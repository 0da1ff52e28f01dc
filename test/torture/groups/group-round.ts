// One round of churn in groups: a millrace of its own, threads whose members come and go,
// producers that send all the time, faults one after the other as planned; then all is read to
// the end by members that come last, and the history is held against the logs.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { FaultyMillrace } from '../../faults/faulty-millrace.ts'
import { bytesTopic } from '../../faults/sent-ledger.ts'
import { FILE_BROKER_CONFIG } from '../file-plan.ts'
import { ASSIGNED, COMMITTED, GroupTape, HANDED_OUT, LEFT, LOST, REVOKED } from '../group-history.ts'
import { checkHistory } from '../history-checker.ts'
import { ACKED, CLOSED, ONCE, ReadTape, SendTape } from '../history.ts'
import { drainLogs, settleLogs } from '../log-drain.ts'
import type { BoundTopic } from '../producer-work.ts'
import { breakLock, killEverything, wasClosedClean } from '../round-reopening.ts'
import { TortureHang } from '../torture-round.ts'
import type { ProducerTask } from '../torture-tasks.ts'
import { RoundWords, sharedNowMs } from '../torture-words.ts'
import { TortureWorker } from '../torture-worker.ts'
import type { GroupFaultKind, GroupRoundPlan } from './group-plan.ts'
import type { GroupRoundResult } from './group-result.ts'
import { timesOf } from './group-times.ts'
import type { GroupDeath } from './group-times.ts'
import { COUNTS, GroupWords } from './group-words.ts'
import { strikeGroups } from './group-faults.ts'
import { GroupWorker, describeWorker } from './group-worker.ts'
import { watchLooks } from './looked-since.ts'
import { MemberWork } from './member-work.ts'

/** A round in which nothing moves for so long hangs. */
const HANG_MS = 30_000
const OBSERVED_EVERY_MS = 25
const FINAL_ROWS = 150_000
const PRODUCERS = 1

const PRODUCER: ProducerTask = {
  role: 'producer',
  mode: 'steady',
  options: {},
  isHasty: false,
  inFlight: 1,
  bytesMax: 100,
  recordsAJob: 1,
  pauseMs: 4,
}

export class GroupRound {
  readonly plan: GroupRoundPlan
  faulty: FaultyMillrace
  readonly bites = new Map<GroupFaultKind, number>()
  readonly deaths: GroupDeath[] = []
  readonly workers: GroupWorker[] = []
  readonly groups: GroupWords
  /** When something else was wrong than the deaths of threads. */
  readonly windows: { from: number; to: number }[] = []
  threadDeaths = 0
  memberDeaths = 0
  readonly #round: RoundWords
  readonly #dataDir: string | undefined
  readonly #random: Random
  readonly #all: GroupWorker[] = []
  readonly #producers: TortureWorker[] = []
  readonly #tried = new Map<GroupFaultKind, number>()
  readonly #tape = GroupTape.allocate(FINAL_ROWS)
  readonly #reads = ReadTape.allocate(FINAL_ROWS)
  readonly #problems: string[] = []
  #topics: readonly BoundTopic[] = []
  #isOver = false
  #step = 'opening'

  static async run(plan: GroupRoundPlan): Promise<GroupRoundResult> {
    const startMs = performance.now()
    const dataDir = plan.ending === undefined ? undefined : mkdtempSync(join(tmpdir(), 'millrace-groups-'))
    const round = new GroupRound(plan, await open(plan, dataDir), dataDir)
    try {
      await round.#churn()
      return await round.#judge(startMs)
    } finally {
      round.#isOver = true
      await Promise.all([...round.#all, ...round.#producers].map((worker) => worker.terminate()))
      await round.faulty.close({ timeoutMs: 2_000 })
      if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
    }
  }

  private constructor(plan: GroupRoundPlan, faulty: FaultyMillrace, dataDir: string | undefined) {
    this.plan = plan
    this.faulty = faulty
    this.#dataDir = dataDir
    this.#round = RoundWords.allocate(plan.logs)
    this.groups = GroupWords.allocate(plan.groups, plan.logs)
    this.#random = seededRandom(plan.threadSeed)
  }

  // --- what the faults need -------------------------------------------------------

  bit(kind: GroupFaultKind): void {
    this.bites.set(kind, (this.bites.get(kind) ?? 0) + 1)
  }

  /** A thread in place `index`; resolves when its members may join. */
  async spawn(index: number): Promise<GroupWorker> {
    const { plan } = this
    const worker = new GroupWorker(`members ${index}, ${this.#all.length}`, {
      handle: this.faulty.millrace.handle,
      topics: plan.topics,
      slots: plan.slots[index]!,
      seed: this.#random.uint32(),
      round: this.#round.buffer,
      groups: this.groups.buffer,
    })
    this.#all.push(worker)
    this.workers[index] = worker
    await this.until(`thread ${worker.name} at work`, () => worker.words.isWorking || worker.isOver)
    return worker
  }

  /** Members of a tape that had something. */
  membersOf(tape: GroupTape): number {
    const members = new Set<number>()
    for (let row = 0; row < tape.rows; row++) {
      if (tape.what[row] === LEFT) members.delete(tape.member[row]!)
      else if (tape.what[row] === ASSIGNED) members.add(tape.member[row]!)
    }
    return members.size
  }

  /** All that members have. */
  allOwned(): ReturnType<GroupRound['ownedBy']> {
    return this.workers.flatMap(({ tape }) => this.ownedBy(tape))
  }

  /** What members of a tape had when it was written last, as [group, log] and how often that was handed out. */
  ownedBy(tape: GroupTape): { group: number; log: number; handOuts: number }[] {
    const owned = new Map<string, { group: number; log: number; handOuts: number }>()
    for (let row = 0; row < tape.rows; row++) {
      const [what, group, log] = [tape.what[row]!, tape.group[row]!, tape.log[row]!]
      const key = `${group} ${log} ${tape.member[row]}`
      if (what === ASSIGNED) owned.set(key, { group, log, handOuts: this.groups.handOuts(group, log) })
      else if (what === REVOKED || what === LOST) owned.delete(key)
    }
    return [...owned.values()]
  }

  /** Waits until others have handed them out. */
  async takenOver(owned: readonly { group: number; log: number; handOuts: number }[]): Promise<void> {
    await this.until('others to take over', () => owned.every(({ group, log, handOuts }) => this.groups.handOuts(group, log) > handOuts))
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + HANG_MS
    while (!isSo()) {
      if (this.#problems.length > 0) return
      if (performance.now() > deadlineMs) throw this.#hang(what)
      this.#lookAtThreads()
      await sleep(1)
    }
  }

  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    const aborted = new AbortController()
    try {
      const late = sleep(HANG_MS, undefined, { signal: aborted.signal })
      return await Promise.race([promise, late.then(() => Promise.reject(this.#hang(what)))])
    } finally {
      aborted.abort()
    }
  }

  // --- the round ------------------------------------------------------------------

  async #churn(): Promise<void> {
    const { plan } = this
    this.#topics = await this.#bind(true)
    for (let i = 0; i < PRODUCERS; i++) this.#startProducer(i)
    await Promise.all(plan.slots.map((_, i) => this.spawn(i)))
    const all = Array.from({ length: plan.groups * plan.logs }, (_, i) => ({
      group: Math.floor(i / plan.logs),
      log: i % plan.logs,
      handOuts: 0,
    }))
    await this.takenOver(all)
    const observer = this.#observe().catch((error: unknown) => void this.#problems.push(`the observer: ${(error as Error).stack}`))
    for (const [i, fault] of plan.faults.entries()) {
      this.#step = `fault ${i}: ${JSON.stringify(fault)}`
      this.#tried.set(fault.kind, (this.#tried.get(fault.kind) ?? 0) + 1)
      await sleep(fault.delayMs)
      await strikeGroups(this, fault)
      this.#lookAtThreads()
      if (this.#problems.length > 0) break
    }
    this.#step = 'ending'
    this.#isOver = true
    // All members leave or die now, and the last ones come when the rest is done.
    this.windows.push({ from: sharedNowMs(), to: Number.POSITIVE_INFINITY })
    await this.within('the observer', observer)
    if (plan.ending === 'kill' && this.#problems.length === 0) {
      await this.within('the death of all threads', killEverything(this.faulty, [...this.#all, ...this.#producers], 0))
      return
    }
    for (const producer of this.#producers) producer.finish()
    await this.within('the end of producers', Promise.all(this.#producers.map((producer) => producer.ended())))
    await this.within('the end of members', Promise.all(this.#all.map((worker) => worker.finish())))
    this.#lookAtThreads()
  }

  async #judge(startMs: number): Promise<GroupRoundResult> {
    const { plan } = this
    if (this.#dataDir !== undefined) await this.#reopen(this.#dataDir)
    this.#step = 'reading to the end'
    await this.until('the restart of brokers', () => this.faulty.cluster.brokers.length === plan.brokers)
    const sends = this.#producers.map(({ tape }) => tape as SendTape)
    const settling = SendTape.allocate(100_000, { promises: ONCE })
    await this.within('the settling of logs', settleLogs(this.faulty.millrace, this.#topics, settling, sends.length, this.#round))
    sends.push(settling)
    const looks = watchLooks(this.faulty.engine, this.#round)
    for (let group = 0; group < plan.groups; group++) {
      const member = new MemberWork(
        {
          millrace: this.faulty.millrace,
          topics: this.#topics,
          round: this.#round,
          groups: this.groups,
          words: { add: () => undefined, isToFinish: false, toFinish: () => new Promise(() => undefined) },
          random: this.#random,
          tape: this.#tape,
          reads: this.#reads,
          lookedSince: () => looks.since,
        },
        {
          group,
          groupId: groupIdOf(group),
          instance: undefined,
          lifeMsMax: Number.POSITIVE_INFINITY,
          pauseMsMax: 0,
          mode: 'batches',
          autoCommitIntervalMs: 50,
          commitsEvery: 20,
          maxPollIntervalMs: 60_000,
          dawdlesEvery: 0,
        },
      )
      await this.within(`the last member of group ${group}`, member.runToEnd())
    }
    await this.#readCommitted()
    const drain = await this.within('the drain', drainLogs(this.faulty.millrace, this.#topics))
    await this.#checkCommitted()
    this.#tape.end(CLOSED)
    this.#reads.end(CLOSED)
    const tapes = [...this.#all.map(({ tape }) => tape), this.#tape]
    const reads = [...this.#all.map((worker) => worker.reads), this.#reads]
    const history = { logs: plan.logs, sends, reads, drain, keepsAll: () => true, groups: { count: plan.groups, tapes } }
    const anomalies = checkHistory(history)
    const quiet = (from: number, to: number): boolean => this.windows.every((window) => window.to < from || window.from > to)
    const { groups, logs, sessionTimeoutMs } = plan
    const times = timesOf(tapes, { groups, logs, sessionTimeoutMs, deaths: this.deaths, quiet, sentTick: sentTicks(sends, logs) })
    for (const one of times.abandoned) this.#problems.push(`nobody took over ${one}`)
    const counts = new Map(COUNTS.map((count) => [count, this.#all.reduce((sum, { words }) => sum + words.count(count), 0)]))
    return {
      plan,
      bites: this.bites,
      tried: this.#tried,
      counts,
      threadDeaths: this.threadDeaths,
      memberDeaths: this.memberDeaths,
      times,
      acked: sends.reduce((sum, { outcome, rows }) => sum + outcome.subarray(0, rows).filter((one) => one === ACKED).length, 0),
      handedOut: tapes.reduce((sum, tape) => sum + handedOutOn(tape), 0),
      seconds: (performance.now() - startMs) / 1_000,
      anomalies,
      problems: this.#problems,
    }
  }

  #startProducer(index: number): void {
    const data = {
      handle: this.faulty.millrace.handle,
      topics: this.plan.topics,
      task: PRODUCER,
      producer: index,
      seed: this.#random.uint32(),
      round: this.#round.buffer,
    }
    this.#producers.push(new TortureWorker(`producer ${index}`, data, () => undefined))
  }

  async #bind(areNew: boolean): Promise<BoundTopic[]> {
    const make = this.plan.topics.map(async (topic) => ({
      ...topic,
      bound: await bytesTopic(this.faulty.millrace, topic.name, areNew ? { partitions: topic.partitions } : {}),
    }))
    return this.within('the topics', Promise.all(make))
  }

  async #reopen(dataDir: string): Promise<void> {
    this.#step = 'reopening'
    if (this.plan.ending === 'close') {
      await this.within('the closing', this.faulty.close({ timeoutMs: HANG_MS }))
      if (!wasClosedClean(dataDir)) this.#problems.push('millrace was closed, and not all of it is clean')
    } else breakLock(dataDir)
    this.faulty = await this.within('the opening of the directory', open(this.plan, dataDir))
    this.#topics = await this.#bind(false)
    // What the group has committed before anybody joins.
    await this.#readCommitted()
  }

  /** Notes what the groups have committed, as anybody is told, again and again. */
  async #observe(): Promise<void> {
    while (!this.#isOver && !this.#tape.isFull) {
      await this.#readCommitted()
      await sleep(OBSERVED_EVERY_MS)
    }
  }

  async #readCommitted(): Promise<void> {
    for (let group = 0; group < this.plan.groups; group++) {
      const consumer = this.faulty.millrace.consumer({ groupId: groupIdOf(group) })
      const partitions = this.#topics.flatMap(({ bound, partitions: count }) =>
        Array.from({ length: count }, (_, partition) => ({ topic: bound, partition })),
      )
      const since = this.#round.tick()
      const committed = await this.within(`what group ${group} has committed`, consumer.committed(partitions))
      for (const [log, found] of committed.entries()) {
        const row = { group, member: -1, log, offset: found?.offset ?? -1, since, tick: this.#round.tick(), ms: sharedNowMs() }
        this.#tape.write(COMMITTED, row)
      }
      await consumer.close()
    }
  }

  /** Who has read all has settled all, and committed it at its end. */
  async #checkCommitted(): Promise<void> {
    const ends = await Promise.all(this.#topics.map(({ name }) => this.faulty.millrace.admin.describeTopic(name)))
    const end = ends.flatMap(({ partitions }) => partitions.map(({ endOffset }) => endOffset))
    const { plan } = this
    const rows = plan.groups * plan.logs
    for (let row = this.#tape.rows - rows; row < this.#tape.rows; row++) {
      const [group, log, offset] = [this.#tape.group[row]!, this.#tape.log[row]!, this.#tape.offset[row]!]
      if (offset !== end[log]) this.#problems.push(`group ${group} has read log ${log} to its end ${end[log]}, and has committed ${offset}`)
    }
  }

  #lookAtThreads(): void {
    for (const worker of [...this.#all, ...this.#producers]) {
      if (worker.error !== undefined) this.#problems.push(`thread ${worker.name} died of ${worker.error.stack}`)
    }
  }

  #hang(what: string): TortureHang {
    const { plan, groups, faulty } = this
    const handOuts = Array.from({ length: plan.groups }, (_, group) =>
      Array.from({ length: plan.logs }, (__, log) => groups.handOuts(group, log)).join(' '),
    )
    const brokers = faulty.cluster.brokers.map(({ brokerId, incarnation }) => `${brokerId}.${incarnation}`).join(' ')
    const lines = [`waited for ${what} at ${this.#step}; brokers ${brokers}`, ...this.#all.map(describeWorker), ...handOuts]
    return new TortureHang(lines.join('\n  '))
  }
}

export function groupIdOf(group: number): string {
  return `group-${group}`
}

function open({ brokers, sessionTimeoutMs }: GroupRoundPlan, dataDir: string | undefined): Promise<FaultyMillrace> {
  return FaultyMillrace.open({
    brokers,
    restarts: { maxRestarts: 1_000_000 },
    config: {
      ...(dataDir === undefined ? {} : FILE_BROKER_CONFIG),
      'group.consumer.session.timeout.ms': sessionTimeoutMs,
      'group.consumer.heartbeat.interval.ms': Math.floor(sessionTimeoutMs / 4),
    },
    ...(dataDir === undefined ? {} : { dataDir }),
  })
}

function sentTicks(sends: readonly SendTape[], logs: number): (log: number, offset: number) => number {
  const ticks = Array.from({ length: logs }, () => new Map<number, number>())
  for (const { rows, log, offset, invoked } of sends) {
    for (let row = 0; row < rows; row++) if (offset[row]! >= 0) ticks[log[row]!]!.set(offset[row]!, invoked[row]!)
  }
  return (log, offset) => ticks[log]!.get(offset) ?? -1
}

function handedOutOn(tape: GroupTape): number {
  let sum = 0
  for (let row = 0; row < tape.rows; row++) if (tape.what[row] === HANDED_OUT) sum += tape.endOffset[row]! - tape.offset[row]!
  return sum
}
