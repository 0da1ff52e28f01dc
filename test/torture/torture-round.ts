// One round of a torture: a millrace of its own, threads that send and read, faults one
// after the other as planned, and then the history is held against the log.
// A fault counts when it was seen to bite; one that found nothing to bite on is missed.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlBlock } from '../../src/log/control-block.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { FaultyMillrace } from '../faults/faulty-millrace.ts'
import { bytesTopic } from '../faults/sent-ledger.ts'
import type { Anomalies } from './anomalies.ts'
import { checkHistory } from './history-checker.ts'
import { ACKED, AT_WORK, CLOSED, DOUBT, MARK_END_SEEN, MARK_FIRST_SEEN, ONCE, REFUSED, ReadTape, SendTape } from './history.ts'
import { drainLogs, settleLogs } from './log-drain.ts'
import type { BoundTopic } from './producer-work.ts'
import type { FaultKind, RoundPlan } from './round-plan.ts'
import type { ConsumerTask, ProducerTask } from './torture-tasks.ts'
import { describeSharedState } from './shared-state.ts'
import { strike } from './torture-faults.ts'
import { RoundWords } from './torture-words.ts'
import { TortureWorker } from './torture-worker.ts'

/** A round in which nothing moves for so long hangs. */
export const HANG_MS = 45_000
const OBSERVER_ROWS = 200_000
const OBSERVED_EVERY_MS = 10

export interface RoundResult {
  readonly plan: RoundPlan
  /** Faults that bit, by kind. */
  readonly bites: Map<FaultKind, number>
  /** Threads that died of them. */
  readonly kills: number
  readonly missed: number
  readonly sent: number
  readonly acked: number
  readonly refused: number
  readonly inDoubt: number
  readonly read: number
  readonly bytes: number
  /** By log whose leader died: last ack to next ack, in ms; with other brokers, with the main thread blocked, and by restart alone. */
  readonly failoverMs: readonly number[]
  readonly blockedFailoverMs: readonly number[]
  readonly restartMs: readonly number[]
  readonly seconds: number
  /** What the history says. */
  readonly anomalies: Anomalies
  /** What else was not as it must be. */
  readonly problems: readonly string[]
}

/** Thrown when something does not end: says what everybody was doing. */
export class TortureHang extends Error {}

export class TortureRound {
  readonly plan: RoundPlan
  readonly faulty: FaultyMillrace
  readonly words: RoundWords
  readonly bites = new Map<FaultKind, number>()
  readonly failoverMs: number[] = []
  readonly blockedFailoverMs: number[] = []
  readonly restartMs: number[] = []
  readonly problems: string[] = []
  kills = 0
  brokerKills = 0
  missed = 0
  readonly #topics: readonly BoundTopic[]
  readonly #controls: readonly ControlBlock[]
  readonly #threadRandom: Random
  readonly #hangMs: number
  readonly #producers: TortureWorker[] = []
  readonly #consumers: TortureWorker[] = []
  readonly #all: TortureWorker[] = []
  readonly #sends: SendTape[] = []
  readonly #observed = ReadTape.allocate(OBSERVER_ROWS)
  #isOver = false
  #step = 'opening'

  static async run(plan: RoundPlan, hangMs = HANG_MS): Promise<RoundResult> {
    const startMs = performance.now()
    const needsLimits = plan.faults.some(({ kind }) => kind === 'outOfMemory')
    const faulty = await FaultyMillrace.open({
      brokers: plan.brokers,
      logMemoryBytes: plan.logMemoryBytes,
      restarts: { maxRestarts: 1_000_000 },
      ...(needsLimits ? { resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 } } : {}),
    })
    const topics: BoundTopic[] = []
    const controls: ControlBlock[] = []
    for (const topic of plan.topics) {
      const bound = await bytesTopic(faulty.millrace, topic.name, { partitions: topic.partitions, config: topic.config })
      topics.push({ ...topic, bound })
      const { partitions } = (await faulty.engine.describeTopic(topic.name))!
      for (const { slot } of partitions) controls.push(faulty.engine.controlBlock(slot))
    }
    const round = new TortureRound(plan, faulty, topics, controls, hangMs)
    try {
      await round.#torment()
      return await round.#judge(startMs)
    } finally {
      round.#isOver = true
      await Promise.all(round.#all.map((worker) => worker.terminate()))
      await faulty.close({ timeoutMs: 2_000 })
    }
  }

  private constructor(
    plan: RoundPlan,
    faulty: FaultyMillrace,
    topics: readonly BoundTopic[],
    controls: readonly ControlBlock[],
    hangMs: number,
  ) {
    this.plan = plan
    this.faulty = faulty
    this.words = RoundWords.allocate(plan.logs)
    this.#topics = topics
    this.#controls = controls
    this.#hangMs = hangMs
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
    const observer = this.#observe().catch((error: unknown) => void this.problems.push(`the observer: ${String(error)}`))
    for (const [i, fault] of this.plan.faults.entries()) {
      this.#step = `fault ${i}: ${JSON.stringify(fault)}`
      await strike(this, fault)
      this.#lookAtThreads()
      if (this.problems.length > 0) break
    }
    this.#step = 'ending'
    this.#isOver = true
    for (const worker of this.#all) worker.finish()
    await this.within(
      'the end of all threads',
      Promise.all(this.#all.map((worker) => worker.ended())).then(() => undefined),
    )
    await this.within('the observer', observer)
    this.#lookAtThreads()
  }

  async #judge(startMs: number): Promise<RoundResult> {
    const { faulty, plan } = this
    this.#step = 'draining'
    await this.until('the restart of brokers', () => faulty.cluster.brokers.length === plan.brokers)
    await this.until('the bells of dead threads', () => faulty.bells.liveCount === plan.brokers + 1)
    const settling = SendTape.allocate(100_000, { promises: ONCE })
    await this.within('the settling of logs', settleLogs(faulty.millrace, this.#topics, settling, this.#sends.length, this.words))
    const drain = await this.within('the drain', drainLogs(faulty.millrace, this.#topics))
    this.#checkDeaths()
    const reads = [...this.#all.flatMap(({ tape }) => (tape instanceof ReadTape ? [tape] : [])), this.#observed]
    const sends = [...this.#sends, settling]
    const keepsAll = (log: number): boolean =>
      plan.topics.some((topic) => topic.keepsAll && log >= topic.firstLog && log < topic.firstLog + topic.partitions)
    const anomalies = checkHistory({ logs: plan.logs, sends, reads, drain, keepsAll })
    const count = (outcome: number): number =>
      sends.reduce((sum, { outcome: column, rows }) => sum + column.subarray(0, rows).filter((one) => one === outcome).length, 0)
    return {
      plan,
      bites: this.bites,
      kills: this.kills,
      missed: this.missed,
      sent: sends.reduce((sum, { rows }) => sum + rows, 0),
      acked: count(ACKED),
      refused: count(REFUSED),
      inDoubt: count(DOUBT),
      read: [...reads, drain].reduce((sum, { rows }) => sum + rows, 0),
      bytes: this.#all.reduce((sum, { words }) => sum + words.bytes, 0),
      failoverMs: this.failoverMs,
      blockedFailoverMs: this.blockedFailoverMs,
      restartMs: this.restartMs,
      seconds: (performance.now() - startMs) / 1_000,
      anomalies,
      problems: this.problems,
    }
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

  /** Brokers died of what was done to them, and of nothing else. */
  #checkDeaths(): void {
    const deaths = this.faulty.events.flatMap((event) => (event.type === 'brokerDied' ? [event] : []))
    if (deaths.length !== this.brokerKills) this.problems.push(`${deaths.length} brokers died, ${this.brokerKills} were killed`)
    for (const { brokerId, incarnation, error } of deaths) {
      if (error === undefined || /^fault at|memory limit|out of memory/i.test(error.message)) continue
      this.problems.push(`broker ${brokerId}, incarnation ${incarnation}, died of ${error.stack ?? error.message}`)
    }
  }

  #hang(what: string): TortureHang {
    const lines = [
      `hangs for ${this.#hangMs / 1_000} s, at ${this.#step}: ${what}`,
      `plan: seed ${this.plan.seed}, ${this.plan.brokers} broker(s)`,
      ...describeSharedState(this.faulty, this.#controls),
      ...this.#all.filter(({ isOver }) => !isOver).map((worker) => this.#describe(worker)),
      `last events: ${this.faulty.events
        .slice(-5)
        .map((event) => JSON.stringify(event))
        .join(' ')}`,
    ]
    return new TortureHang(lines.join('\n    '))
  }

  #describe({ name, tape, words }: TortureWorker): string {
    const counts = `${name}: ${words.isWorking ? '' : 'not attached, '}${tape.rows} rows, ${words.done} done, ${words.failed} failed`
    if (tape instanceof ReadTape) return counts
    const pending: string[] = []
    for (let row = 0; row < tape.rows; row++) if (tape.outcome[row] === AT_WORK) pending.push(`${row}→${tape.log[row]}`)
    return `${counts}, ${pending.length} pending: ${pending.slice(0, 20).join(' ')}`
  }
}
