// The job itself: three brokers, a topic of five partitions, producer threads that
// are fed with lines, consumer threads that read, and this thread, which watches.
//
//   input ─▶ line router ─▶ producer threads ─▶ user_activity ─▶ consumer threads
//            (main)         parse, offer        5 partitions     RxJS: count, check
//                                               3 brokers
//
// Main sends a producer thread at most a few chunks ahead, so no queue grows. When
// the input has ended and all is acked, it asks where the log ends, and the
// consumers stop there.

import { setTimeout as pause } from 'node:timers/promises'
import type { EmbeddedMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import type { ActivityCounts, ActivitySnapshot } from './activity-view.ts'
import { mergeSnapshots } from './activity-view.ts'
import { Changes } from './changes.ts'
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
import { aheadBytesMax, allocateProgress, Progress } from './progress.ts'
import type { MalformedRecord, RunResult } from './summary.ts'
import { MALFORMED_SHOWN_MAX } from './summary.ts'
import type { Screen, TableState } from './table.ts'
import { missedPartitions } from './table.ts'
import { ThreadGroup } from './thread-group.ts'
import { malformedLines, userActivity } from './topics.ts'

const CHUNKS_AHEAD_MAX = 4
const MALFORMED_SCANNED_MAX = 1_000

export interface JobOptions extends Options {
  readonly inputs: readonly Input[]
  readonly screen: Screen
  readonly refreshMs: number
  /** Aborted when the input should end early; what has been read by then is finished. */
  readonly endOfInput: AbortController
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
  readonly #views: (ActivitySnapshot | undefined)[] = []
  readonly #producerReports: ProducerReport[] = []
  readonly #consumerReports: ConsumerReport[] = []
  readonly #done = new AbortController()
  #readyThreads = 0
  #startedMs = 0
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(millrace: EmbeddedMillrace, options: JobOptions) {
    this.#millrace = millrace
    this.#options = options
    const { handle } = millrace
    const progress = allocateProgress(PARTITIONS)
    this.#progress = new Progress(progress)
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
      workerData: times(options.consumers, (thread): ConsumerData => ({ handle, progress, partitions: this.#partitionsOf(thread) })),
      onMessage: (thread, message) => this.#onConsumerMessage(thread, message),
      changes,
    })
  }

  async run(): Promise<RunResult> {
    const { inputs, repeat, producers, consumers, endOfInput } = this.#options
    await this.#changes.until(() => this.#readyThreads === producers + consumers)
    this.#startedMs = performance.now()
    const watching = this.#watch()
    const fed = await feedLines({ inputs, repeat, producers, signal: endOfInput.signal }, this.#sink())
    this.#producers.postAll({ kind: 'end' })
    await this.#changes.until(() => this.#producers.finished)
    this.#consumers.postAll({ kind: 'end', endOffsets: await this.#endOffsets(userActivity) })
    await this.#changes.until(() => this.#consumers.finished)
    const elapsedMs = performance.now() - this.#startedMs
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
      consumers: this.#consumerReports,
      views: this.#mergedViews(),
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
      case 'view':
        this.#views[thread] = message.view
        return false
      case 'done':
        this.#consumerReports[thread] = message.report
        return true
    }
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
        consumer: `consumer ${this.#consumerOf(partition)}`,
        endOffset,
        readRecords: this.#progress.readRecords(partition, endOffset),
      })),
      views: this.#mergedViews(),
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

  /** Consumer threads that have said nothing yet have no snapshot. */
  #mergedViews(): ActivityCounts {
    return mergeSnapshots(this.#views.filter((view) => view !== undefined))
  }

  #consumerOf(partition: number): number {
    return partition % this.#options.consumers
  }

  #partitionsOf(consumer: number): number[] {
    return times(PARTITIONS, (partition) => partition).filter((partition) => this.#consumerOf(partition) === consumer)
  }
}

function times<Value>(count: number, make: (at: number) => Value): Value[] {
  return Array.from({ length: count }, (_, at) => make(at))
}
