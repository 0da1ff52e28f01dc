// One round of a torture: a millrace of its own, threads that send and read, faults one
// after the other as planned, and then the history is held against the log.
// A fault counts when it was seen to bite; one that found nothing to bite on is missed.

import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlBlock } from '../../src/log/control-block.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import type { FaultyMillrace } from '../faults/faulty-millrace.ts'
import { Anomalies } from './anomalies.ts'
import { checkHistory } from './history-checker.ts'
import { ACKED, CLOSED, DOUBT, MARK_END_SEEN, MARK_FIRST_SEEN, ONCE, REFUSED, ReadTape, SendTape } from './history.ts'
import { drainLogs, settleLogs } from './log-drain.ts'
import type { BoundTopic } from './producer-work.ts'
import {
  bindTopics,
  breakLock,
  countSegments,
  killEverything,
  markGone,
  openFaulty,
  wasClosedClean,
  whatWasNotKept,
} from './round-reopening.ts'
import type { FaultKind, RoundPlan, TopicPlan } from './round-plan.ts'
import type { FilesResult, RoundResult } from './round-result.ts'
import type { ConsumerTask, ProducerTask } from './torture-tasks.ts'
import { describeSharedState, describeThread } from './shared-state.ts'
import { deathProblems } from './round-deaths.ts'
import { strike } from './torture-faults.ts'
import { RoundWords } from './torture-words.ts'
import { TortureWorker } from './torture-worker.ts'

/** A round in which nothing moves for so long hangs. */
export const HANG_MS = 45_000
const OBSERVER_ROWS = 200_000
const OBSERVED_EVERY_MS = 10

/** Thrown when something does not end: says what everybody was doing. */
export class TortureHang extends Error {}

export class TortureRound {
  readonly plan: RoundPlan
  /** After the end of a round with files: the millrace that has opened them again. */
  faulty: FaultyMillrace
  readonly words: RoundWords
  readonly bites = new Map<FaultKind, number>()
  readonly failoverMs: number[] = []
  readonly blockedFailoverMs: number[] = []
  readonly restartMs: number[] = []
  readonly ioRestartMs: number[] = []
  readonly tried = new Map<FaultKind, number>()
  readonly problems: string[] = []
  kills = 0
  brokerKills = 0
  ioKills = 0
  missed = 0
  readonly #dataDir: string | undefined
  #topics: readonly BoundTopic[]
  #controls: readonly ControlBlock[]
  readonly #threadRandom: Random
  readonly #hangMs: number
  readonly #producers: TortureWorker[] = []
  readonly #consumers: TortureWorker[] = []
  readonly #all: TortureWorker[] = []
  readonly #sends: SendTape[] = []
  readonly #observed = ReadTape.allocate(OBSERVER_ROWS)
  /** What there was before all threads were killed. */
  #madeTopics: string[] = []
  #isKilled = false
  #firstAtDeath: readonly number[] | undefined
  #cold = 0
  #isOver = false
  #step = 'opening'

  /** `keepsFiles`: of a round that is not right the data directory stays, and is named. */
  static async run(plan: RoundPlan, { hangMs = HANG_MS, keepsFiles = false } = {}): Promise<RoundResult> {
    const startMs = performance.now()
    const dataDir = plan.files === undefined ? undefined : mkdtempSync(join(tmpdir(), 'millrace-torture-'))
    let isRight = false
    try {
      const faulty = await openFaulty(plan, dataDir)
      const { topics, controls } = await bindTopics(faulty, plan.topics, true)
      const round = new TortureRound(plan, faulty, topics, controls, hangMs, dataDir)
      try {
        await round.#torment()
        const result = await round.#judge(startMs)
        isRight = result.anomalies.total + result.problems.length === 0
        return result
      } finally {
        round.#isOver = true
        await Promise.all(round.#all.map((worker) => worker.terminate()))
        await round.faulty.close({ timeoutMs: 2_000 })
      }
    } finally {
      if (dataDir !== undefined && keepsFiles && !isRight) console.log(`files are kept in ${dataDir}`)
      else if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
    }
  }

  private constructor(
    plan: RoundPlan,
    faulty: FaultyMillrace,
    topics: readonly BoundTopic[],
    controls: readonly ControlBlock[],
    hangMs: number,
    dataDir: string | undefined,
  ) {
    this.plan = plan
    this.faulty = faulty
    this.words = RoundWords.allocate(plan.logs)
    this.#topics = topics
    this.#controls = controls
    this.#hangMs = hangMs
    this.#dataDir = dataDir
    this.#threadRandom = seededRandom(plan.threadSeed)
  }

  // --- what the faults need -------------------------------------------------------

  /** The broker that leads the log, as soon as one that lives does. */
  async leaderOf(log: number): Promise<number> {
    await this.until(`a leader of log ${log}`, () => this.isAlive(this.#controls[log]!.leaderBroker))
    return this.#controls[log]!.leaderBroker
  }

  logsLedBy(brokerId: number): number[] {
    return this.#controls.flatMap((control, log) => (control.leaderBroker === brokerId ? [log] : []))
  }

  isAlive(brokerId: number): boolean {
    return this.faulty.cluster.brokers.some((broker) => broker.brokerId === brokerId)
  }

  producers(): TortureWorker[] {
    return this.#producers
  }

  consumers(): TortureWorker[] {
    return this.#consumers
  }

  bit(kind: FaultKind, kills: number): void {
    this.bites.set(kind, (this.bites.get(kind) ?? 0) + 1)
    this.kills += kills
  }

  /** Every one of these logs has acknowledged something since then. */
  async answered(logs: readonly number[], sinceMs: number): Promise<void> {
    await this.within(
      `an answer of logs ${logs.join()}`,
      this.words.until(() => logs.every((log) => this.words.lastAckMs(log) > sinceMs)),
    )
  }

  /** Starts a producer or a consumer in a place that is free. */
  spawn(place: 'producers' | 'consumers', index: number): TortureWorker {
    const worker =
      place === 'producers'
        ? this.#spawnProducer(this.plan.producers[index]!, index)
        : this.#spawnConsumer(this.plan.consumers[index]!, index)
    const own = place === 'producers' ? this.#producers : this.#consumers
    own[index] = worker
    return worker
  }

  /** A thread that comes, works a while, and goes. */
  async guest(task: ProducerTask | ConsumerTask, records: number): Promise<void> {
    const worker = task.role === 'producer' ? this.#spawnProducer(task, -1) : this.#spawnConsumer(task, -1)
    await this.within(
      'a guest at work',
      this.words.until(() => worker.words.done >= records || worker.isOver),
    )
    worker.finish()
    await this.within('the end of a guest', worker.ended())
  }

  /** Waits for a condition that rings no bell. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + this.#hangMs
    while (!isSo()) {
      if (performance.now() > deadlineMs) throw this.#hang(what)
      await sleep(1)
    }
  }

  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    const aborted = new AbortController()
    try {
      return await Promise.race([
        promise,
        sleep(this.#hangMs, undefined, { signal: aborted.signal }).then(() => {
          throw this.#hang(what)
        }),
      ])
    } finally {
      aborted.abort()
    }
  }

  // --- the round ------------------------------------------------------------------

  async #torment(): Promise<void> {
    for (const index of this.plan.producers.keys()) this.spawn('producers', index)
    for (const index of this.plan.consumers.keys()) this.spawn('consumers', index)
    const logs = Array.from({ length: this.plan.logs }, (_, log) => log)
    await this.answered(logs, 0)
    // From here on readers that begin at the first offset read files, unless retention has taken those too.
    const haveLeft = (): boolean => this.#controls.some(({ hasFiles, memoryStartOffset }) => hasFiles && memoryStartOffset > 0)
    if (this.plan.files?.isTight === true) await this.until('records that leave memory', haveLeft)
    const observer = this.#observe().catch((error: unknown) => void this.problems.push(`the observer: ${String(error)}`))
    for (const [i, fault] of this.plan.faults.entries()) {
      this.#step = `fault ${i}: ${JSON.stringify(fault)}`
      this.tried.set(fault.kind, (this.tried.get(fault.kind) ?? 0) + 1)
      await strike(this, fault)
      this.#lookAtThreads()
      if (this.problems.length > 0) break
    }
    this.#step = 'ending'
    this.#isOver = true
    await this.within('the observer', observer)
    this.#lookAtThreads()
    // A round in which something is wrong ends as others do.
    this.#cold = this.#coldRecords()
    const mayKill = this.plan.files?.ending === 'kill' && this.problems.length === 0
    // What comes after is no fault's, and an I/O thread that ends first may be started again.
    if (mayKill) this.#checkDeaths()
    this.#isKilled = mayKill && this.problems.length === 0
    if (this.#isKilled) {
      this.#madeTopics = await this.within('the topics', this.faulty.millrace.admin.listTopics())
      this.kills += this.#all.filter(({ isOver }) => !isOver).length + this.faulty.cluster.brokers.length + 1
      await this.within('the death of all threads', killEverything(this.faulty, this.#all, this.plan.files!.ioAheadMs))
      // Log memory outlives them. Where a log began is told to readers before its files follow.
      this.#firstAtDeath = this.#controls.map(({ logStartOffset }) => logStartOffset)
    } else {
      for (const worker of this.#all) worker.finish()
      await this.within(
        'the end of all threads',
        Promise.all(this.#all.map((worker) => worker.ended())).then(() => undefined),
      )
      this.#lookAtThreads()
    }
  }

  async #judge(startMs: number): Promise<RoundResult> {
    const { plan } = this
    const reads = [...this.#all.flatMap(({ tape }) => (tape instanceof ReadTape ? [tape] : [])), this.#observed]
    const sends = [...this.#sends]
    const history = { logs: plan.logs, sends, reads, firstAtDeath: this.#firstAtDeath }
    let anomalies = new Anomalies()
    let files: FilesResult | undefined
    if (!this.#isKilled) {
      const drain = await this.#drain(sends, plan.topics)
      anomalies = checkHistory({ ...history, drain, keepsAll: (log) => this.#topicOf(log).keepsAll })
      reads.push(drain)
    }
    if (!this.#isKilled) this.#checkDeaths()
    if (this.#dataDir !== undefined && anomalies.total + this.problems.length === 0) {
      const ending = plan.files!.ending
      const isKilled = await this.#reopen(this.#dataDir)
      const filed = plan.topics.filter(({ durability }) => durability !== 'memory')
      const drain = await this.#drain(sends, filed)
      for (const topic of plan.topics) if (topic.durability === 'memory') markGone(drain, topic)
      anomalies = checkHistory({
        ...history,
        drain,
        keepsAll: (log) => this.#topicOf(log).keepsAll && this.#topicOf(log).durability !== 'memory',
      })
      reads.push(drain)
      const isFiled = (log: number): boolean => this.#topicOf(log).durability !== 'memory'
      const trimmedLogs = this.#controls.filter(({ logStartOffset }, log) => isFiled(log) && logStartOffset > 0).length
      files = { ending, isKilled, cold: this.#cold, reread: drain.rows, segments: countSegments(this.#dataDir), trimmedLogs }
      this.#checkDeaths()
    }
    const count = (outcome: number): number =>
      sends.reduce((sum, { outcome: column, rows }) => sum + column.subarray(0, rows).filter((one) => one === outcome).length, 0)
    return {
      plan,
      bites: this.bites,
      kills: this.kills,
      missed: this.missed,
      tried: this.tried,
      sent: sends.reduce((sum, { rows }) => sum + rows, 0),
      acked: count(ACKED),
      refused: count(REFUSED),
      inDoubt: count(DOUBT),
      read: reads.reduce((sum, { rows }) => sum + rows, 0),
      bytes: this.#all.reduce((sum, { words }) => sum + words.bytes, 0),
      failoverMs: this.failoverMs,
      blockedFailoverMs: this.blockedFailoverMs,
      restartMs: this.restartMs,
      ioRestartMs: this.ioRestartMs,
      files,
      seconds: (performance.now() - startMs) / 1_000,
      anomalies,
      problems: this.problems,
    }
  }

  #topicOf(log: number): TopicPlan {
    return this.plan.topics.find(({ firstLog, partitions }) => log >= firstLog && log < firstLog + partitions)!
  }

  /** Settles and reads these topics to their ends. */
  async #drain(sends: SendTape[], wanted: readonly TopicPlan[]): Promise<ReadTape> {
    const { faulty, plan } = this
    this.#step = 'draining'
    await this.until('the restart of brokers', () => faulty.cluster.brokers.length === plan.brokers)
    const threads = plan.brokers + 1 + (plan.files === undefined ? 0 : 1)
    await this.until('the bells of dead threads', () => faulty.bells.liveCount === threads)
    const settling = SendTape.allocate(100_000, { promises: ONCE })
    const topics = this.#topics.filter(({ name }) => wanted.some((topic) => topic.name === name))
    await this.within('the settling of logs', settleLogs(faulty.millrace, topics, settling, sends.length, this.words))
    sends.push(settling)
    return this.within('the drain', drainLogs(faulty.millrace, topics))
  }

  /** Closes what is not dead yet, and opens the directory again; whether nothing was closed before. */
  async #reopen(dataDir: string): Promise<boolean> {
    const { plan } = this
    this.#step = 'reopening'
    let isKilled = false
    let names: string[] = this.#madeTopics
    if (this.#isKilled) {
      isKilled = !wasClosedClean(dataDir)
      if (!isKilled) this.missed++
      breakLock(dataDir)
    } else {
      names = await this.within('the topics', this.faulty.millrace.admin.listTopics())
      await this.within('the closing', this.faulty.close({ timeoutMs: this.#hangMs }))
      if (!wasClosedClean(dataDir)) this.problems.push('millrace was closed, and not all of it is clean')
    }
    // What died is in the events of the one before.
    this.brokerKills = 0
    this.ioKills = 0
    this.faulty = await this.within('the opening of the directory', openFaulty(plan, dataDir))
    this.problems.push(...(await this.within('the topics', whatWasNotKept(this.faulty.millrace, plan.topics, names))))
    const { topics, controls } = await this.within('the topics', bindTopics(this.faulty, plan.topics, false))
    this.#topics = topics
    this.#controls = controls
    return isKilled
  }

  #coldRecords(): number {
    return this.#controls.reduce((sum, { memoryStartOffset, logStartOffset }) => sum + Math.max(0, memoryStartOffset - logStartOffset), 0)
  }

  /** Notes where the logs begin and end, as everybody is told. */
  async #observe(): Promise<void> {
    while (!this.#isOver && !this.#observed.isFull) {
      for (const { name, firstLog } of this.#topics) {
        const { partitions } = await this.faulty.millrace.admin.describeTopic(name)
        for (const { partition, startOffset, endOffset, leaderEpoch } of partitions) {
          this.#observed.mark(MARK_FIRST_SEEN, firstLog + partition, startOffset, 0, leaderEpoch)
          this.#observed.mark(MARK_END_SEEN, firstLog + partition, endOffset)
        }
      }
      await sleep(OBSERVED_EVERY_MS)
    }
    this.#observed.end(CLOSED)
  }

  #spawnProducer(task: ProducerTask, index: number): TortureWorker {
    const producer = this.#sends.length
    const worker = this.#spawn(`producer ${producer}, ${task.mode}`, task, producer, () => this.#replace('producers', index, worker))
    this.#sends.push(worker.tape as SendTape)
    return worker
  }

  #spawnConsumer(task: ConsumerTask, index: number): TortureWorker {
    const worker = this.#spawn(`consumer of ${this.#topics[task.topic]!.name}, ${task.mode}`, task, -1, () =>
      this.#replace('consumers', index, worker),
    )
    return worker
  }

  #spawn(name: string, task: ProducerTask | ConsumerTask, producer: number, onExit: () => void): TortureWorker {
    const topics = this.plan.topics.map(({ name: topic, firstLog, partitions }) => ({ name: topic, firstLog, partitions }))
    const data = {
      handle: this.faulty.millrace.handle,
      topics,
      task,
      producer,
      seed: this.#threadRandom.uint32(),
      round: this.words.buffer,
    }
    const worker = new TortureWorker(name, data, onExit)
    this.#all.push(worker)
    return worker
  }

  /** One whose tape was full, or that was killed: another one takes its place. */
  #replace(place: 'producers' | 'consumers', index: number, worker: TortureWorker): void {
    this.words.progressed()
    const own = place === 'producers' ? this.#producers : this.#consumers
    if (!this.#isOver && worker.error === undefined && own[index] === worker) this.spawn(place, index)
  }

  #lookAtThreads(): void {
    for (const { name, error } of this.#all) {
      const said = `${name}: ${String(error)}`
      if (error !== undefined && !this.problems.includes(said)) this.problems.push(said)
    }
  }

  #checkDeaths(): void {
    this.problems.push(...deathProblems(this.faulty, this.brokerKills, this.ioKills))
  }

  #hang(what: string): TortureHang {
    const lines = [
      `hangs for ${this.#hangMs / 1_000} s, at ${this.#step}: ${what}`,
      `plan: seed ${this.plan.seed}, ${this.plan.brokers} broker(s)`,
      ...describeSharedState(this.faulty, this.#controls),
      ...this.#all.filter(({ isOver }) => !isOver).map((worker) => describeThread(worker)),
      `last events: ${this.faulty.events
        .slice(-5)
        .map((event) => JSON.stringify(event))
        .join(' ')}`,
    ]
    return new TortureHang(lines.join('\n    '))
  }
}
