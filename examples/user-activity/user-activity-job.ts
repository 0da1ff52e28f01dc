// The job itself: three brokers, a topic of five partitions, producer threads that
// are fed with lines, consumer threads that read, and this thread, which watches.
//
//   input ─▶ line router ─▶ producer threads ─▶ user_activity ─▶ consumer threads ─▶ counts
//            (main)         parse, offer        5 partitions     a group; RxJS:      (main)
//                                               3 brokers        count, check
//
// Main sends a producer thread at most a few chunks ahead, so no queue grows. When
// the input has ended and all is acked, it asks where the log ends, and waits until all
// up to there is counted. A consumer thread may be terminated meanwhile: the others of
// its group go on behind what it had told.

import type { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { EmbeddedMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import type { ActivityShare } from './activity-view.ts'
import { ActivityCounts } from './activity-view.ts'
import { Changes } from './changes.ts'
import { ClientLedger } from './client-ledger.ts'
import { BROKERS, MALFORMED_PARTITIONS, PARTITIONS } from './cluster.ts'
import type { LineSink } from './feed-lines.ts'
import { feedLines } from './feed-lines.ts'
import type { Input } from './input.ts'
import type {
  ConsumerData,
  ConsumerReport,
  FromConsumer,
  FromProducer,
  ProducerData,
  ProducerReport,
  ToConsumer,
  ToProducer,
} from './messages.ts'
import type { Options } from './options.ts'
import { PartitionReaders } from './partition-readers.ts'
import { aheadBytesMax, allocateProgress, Progress } from './progress.ts'
import type { MalformedRecord, RunResult } from './summary.ts'
import { MALFORMED_SHOWN_MAX } from './summary.ts'
import { formatNumber } from './format.ts'
import type { Screen, TableState } from './table.ts'
import { missedPartitions } from './table.ts'
import { ThreadGroup } from './thread-group.ts'
import { malformedLines, userActivity } from './topics.ts'

const CHUNKS_AHEAD_MAX = 4
const MALFORMED_SCANNED_MAX = 1_000

export interface JobCommands {
  killConsumer: []
}

export interface JobOptions extends Options {
  readonly inputs: readonly Input[]
  readonly screen: Screen
  readonly refreshMs: number
  /** Aborted when the input should end early; what has been read by then is finished. */
  readonly endOfInput: AbortController
  readonly commands: EventEmitter<JobCommands>
}

export async function runJob(options: JobOptions): Promise<RunResult> {
  const millrace = await openMillrace({ brokers: BROKERS, logMemoryBytes: options.logMemoryBytes })
  try {
    await millrace.topic(userActivity)
    await millrace.topic(malformedLines)
    const job = new UserActivityJob(millrace, options)
    try {
      return await job.run()
    } finally {
      await job.close()
    }
  } finally {
    await millrace.close()
  }
}

class UserActivityJob {
  readonly #millrace: EmbeddedMillrace
  readonly #options: JobOptions
  readonly #progress: Progress
  readonly #changes: Changes
  readonly #producers: ThreadGroup<ToProducer, FromProducer>
  readonly #consumers: ThreadGroup<ToConsumer, FromConsumer>
  /** For each producer thread, the chunks that were sent and are not yet parsed. */
  readonly #chunksAhead: number[]
  readonly #readers = new PartitionReaders(PARTITIONS)
  /** Consumer threads that have not been terminated. */
  readonly #living: Set<number>
  readonly #views = new ActivityCounts()
  readonly #ledger = new ClientLedger()
  readonly #notes: string[] = []
  readonly #producerReports: ProducerReport[] = []
  readonly #consumerReports: (ConsumerReport | undefined)[] = []
  readonly #done = new AbortController()
  #readyThreads = 0
  #startedMs = 0
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(millrace: EmbeddedMillrace, options: JobOptions) {
    this.#millrace = millrace
    this.#options = options
    const { handle } = millrace
    const progress = allocateProgress()
    this.#progress = new Progress(progress)
    this.#living = new Set(times(options.consumers, (thread) => thread))
    this.#chunksAhead = new Array<number>(options.producers).fill(0)
    const aheadMax = aheadBytesMax(options.logMemoryBytes, PARTITIONS + MALFORMED_PARTITIONS)
    this.#changes = new Changes(() => options.endOfInput.abort()) // else it would be noticed when the next line comes
    const changes = this.#changes
    this.#producers = new ThreadGroup({
      name: 'producer',
      entry: new URL('./producer-thread.ts', import.meta.url),
      workerData: times(options.producers, (): ProducerData => ({ handle, progress, aheadBytesMax: aheadMax })),
      onMessage: (thread, message) => this.#onProducerMessage(thread, message),
      changes,
    })
    this.#consumers = new ThreadGroup({
      name: 'consumer',
      entry: new URL('./consumer-thread.ts', import.meta.url),
      workerData: times(options.consumers, (): ConsumerData => ({ handle })),
      onMessage: (thread, message) => this.#onConsumerMessage(thread, message),
      changes,
    })
    options.commands.on('killConsumer', () => void this.#killConsumer())
  }

  async run(): Promise<RunResult> {
    const { inputs, repeat, producers, consumers, endOfInput } = this.#options
    await this.#changes.until(() => this.#readyThreads === producers + consumers && this.#isShared())
    this.#startedMs = performance.now()
    const watching = this.#watch()
    const fed = await feedLines({ inputs, repeat, producers, signal: endOfInput.signal }, this.#sink())
    this.#producers.postAll({ kind: 'end' })
    await this.#changes.until(() => this.#producers.finished)
    const endOffsets = await this.#endOffsets(userActivity)
    await this.#changes.until(() => endOffsets.every((end, partition) => this.#readers.position(partition) >= end))
    const elapsedMs = performance.now() - this.#startedMs
    this.#options.commands.removeAllListeners('killConsumer')
    this.#consumers.postAll({ kind: 'end' })
    await this.#changes.until(() => this.#consumers.finished)
    this.#done.abort()
    await watching
    this.#options.screen.close(await this.#state())
    return {
      inputs: inputs.map((input) => input.name),
      repeat,
      lines: fed.lines,
      inputBytes: fed.bytes,
      endedEarly: fed.endedEarly,
      inputFailure: fed.failure,
      elapsedMs,
      producers: this.#producerReports,
      consumers: this.#consumerReports.filter((report) => report !== undefined),
      read: this.#ledger.totals(),
      notes: this.#notes,
      views: this.#views,
      malformedEndOffset: (await this.#endOffsets(malformedLines))[0]!,
      malformedShown: await this.#readMalformed(),
    }
  }

  async close(): Promise<void> {
    this.#done.abort()
    await Promise.all([this.#producers.close(), this.#consumers.close()])
  }

  #sink(): LineSink {
    return {
      send: async (producer, input, shiftMs, chunk) => {
        this.#chunksAhead[producer]!++
        this.#producers.post(producer, { kind: 'lines', input, shiftMs, chunk }, [chunk.bytes.buffer])
        await this.#changes.until(() => this.#chunksAhead[producer]! < CHUNKS_AHEAD_MAX)
      },
      parsed: async () => {
        await this.#changes.until(() => this.#chunksAhead.every((chunks) => chunks === 0))
        return { firstMs: this.#firstMs, lastMs: this.#lastMs }
      },
    }
  }

  #onProducerMessage(thread: number, message: FromProducer): boolean {
    switch (message.kind) {
      case 'ready':
        this.#readyThreads++
        return false
      case 'chunkDone':
        this.#chunksAhead[thread]!--
        this.#firstMs = Math.min(this.#firstMs, message.firstMs)
        this.#lastMs = Math.max(this.#lastMs, message.lastMs)
        return false
      case 'done':
        this.#producerReports[thread] = message.report
        return true
    }
  }

  #onConsumerMessage(thread: number, message: FromConsumer): boolean {
    switch (message.kind) {
      case 'ready':
        this.#readyThreads++
        return false
      case 'assigned':
        void this.#start(thread, message.partitions).catch(() => {}) // whoever failed has said so
        return false
      case 'released':
        this.#readers.release(thread, message.partitions)
        return false
      case 'counted':
        this.#count(thread, message.share)
        return false
      case 'done':
        this.#consumerReports[thread] = message.report
        return true
    }
  }

  /** Reads on behind what has been counted, once nobody else counts there. */
  async #start(thread: number, partitions: readonly number[]): Promise<void> {
    await this.#changes.until(() => this.#readers.isFree(partitions))
    if (!this.#living.has(thread)) return
    this.#consumers.post(thread, { kind: 'start', positions: this.#readers.take(thread, partitions) })
    this.#changes.happened()
  }

  #count(thread: number, share: ActivityShare): void {
    try {
      if (!this.#readers.count(thread, share)) return
    } catch (error) {
      this.#changes.failed(error as Error)
      return
    }
    this.#views.merge(share.view)
    this.#ledger.addPart(share.lines)
    this.#progress.addRead(share.bytes)
  }

  /** Terminates the consumer that reads most, in the middle of whatever it does. */
  async #killConsumer(): Promise<void> {
    const [victim] = [...this.#living].sort((a, b) => this.#readers.partitionsOf(b).length - this.#readers.partitionsOf(a).length)
    if (this.#living.size === 1 || victim === undefined) {
      this.#note(`consumer ${victim} is the last one, and stays`)
      return
    }
    const startedMs = performance.now()
    const left = this.#readers.partitionsOf(victim)
    this.#living.delete(victim)
    await this.#consumers.kill(victim)
    this.#readers.release(victim, left)
    this.#changes.happened()
    const isTaken = (): boolean => left.every((partition) => !this.#readers.isFree([partition]))
    await this.#changes.until(isTaken).catch(() => {})
    if (!isTaken()) return
    const ms = performance.now() - startedMs
    const taken = left.map(
      (partition) =>
        `${partition} by consumer ${this.#readers.lastReaderOf(partition)} at ${formatNumber(this.#readers.position(partition))}`,
    )
    this.#note(`consumer ${victim} was terminated; its partitions were taken over within ${ms.toFixed(0)} ms: ${taken.join(', ')}`)
  }

  #note(note: string): void {
    this.#notes.push(note)
  }

  /** Every partition is read, and every consumer reads. */
  #isShared(): boolean {
    return (
      [...this.#living].every((thread) => this.#readers.partitionsOf(thread).length > 0) &&
      times(PARTITIONS, (partition) => partition).every((partition) => !this.#readers.isFree([partition]))
    )
  }

  /** Shows how things stand until all is done. What cannot be shown now is shown next time: it never holds up the work. */
  async #watch(): Promise<void> {
    const { screen, refreshMs } = this.#options
    let before: TableState | undefined
    while (!this.#done.signal.aborted) {
      await pause(refreshMs, undefined, { signal: this.#done.signal }).catch(() => {})
      const state = this.#done.signal.aborted ? undefined : await this.#state().catch(() => undefined)
      if (state === undefined) continue
      screen.show(state)
      const [missed] = missedPartitions(before, state)
      if (missed !== undefined) this.#changes.failed(new Error(`records of partition ${missed} went before they were read`))
      before = state
    }
  }

  async #state(): Promise<TableState> {
    const { partitions } = await this.#millrace.admin.describeTopic(userActivity.name)
    return {
      elapsedMs: performance.now() - this.#startedMs,
      rows: partitions.map(({ partition, leader, startOffset, endOffset }) => ({
        partition,
        startOffset,
        leader: `broker ${leader}`,
        consumer: `consumer ${this.#readers.lastReaderOf(partition)}`,
        endOffset,
        readRecords: this.#readers.position(partition),
      })),
      views: this.#views,
      notes: this.#notes,
    }
  }

  async #endOffsets(topic: { readonly name: string }): Promise<number[]> {
    const { partitions } = await this.#millrace.admin.describeTopic(topic.name)
    const offsets: number[] = []
    for (const { partition, endOffset } of partitions) offsets[partition] = endOffset
    return offsets
  }

  /** The first different ones; a repeated input has each of them as often. */
  async #readMalformed(): Promise<MalformedRecord[]> {
    const shown = new Map<string, MalformedRecord>()
    const topic = await this.#millrace.topic(malformedLines)
    let scanned = 0
    for await (const record of this.#millrace.consumer().records(topic, { until: 'end' })) {
      const input = record.headers.get('input') ?? ''
      const line = record.headers.get('line') ?? ''
      shown.set(`${input}:${line}`, { input, line, reason: record.headers.get('reason') ?? '', text: record.value })
      if (shown.size === MALFORMED_SHOWN_MAX || ++scanned === MALFORMED_SCANNED_MAX) break
    }
    return [...shown.values()]
  }
}

function times<Value>(count: number, make: (at: number) => Value): Value[] {
  return Array.from({ length: count }, (_, at) => make(at))
}
