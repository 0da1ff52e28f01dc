// Three threads count pages by window, in one group, and are killed at random; what they have
// counted is held against what was sent.

import { setTimeout as nextTick } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { json, openMillrace, string } from '../../../src/index.ts'
import type { EmbeddedMillrace } from '../../../src/index.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { windowed } from '../../../src/rxjs.ts'
import { bundledEntry } from '../../setup/bundled-entry.ts'
import { CountedWindows } from './counted-windows.ts'
import { AHEAD, GROUP, PARTITIONS, THREADS, WINDOW_MS, clicksOf, countsOf } from './windows-plan.ts'
import type { WindowsThreadData } from './windows-thread.ts'

const entry = await bundledEntry(new URL('./windows-thread.ts', import.meta.url))
/** A round that comes no further in so long hangs. */
const STUCK_MS = 60_000
/** A kill waits no longer for results. */
const REST_MS = 200

export interface WindowsRoundOptions {
  readonly seed: number
  readonly kills: number
  readonly forgetsOrigins?: boolean
}

export interface WindowsRoundResult {
  readonly kills: number
  /** Of those, threads that had counted something. */
  readonly bit: number
  readonly windows: number
  readonly clicks: number
  /** Results that came more than once, with the same count. */
  readonly again: number
  /** Records that came after their windows had closed. */
  readonly late: number
  readonly faults: readonly string[]
}

export async function runWindowsRound(options: WindowsRoundOptions): Promise<WindowsRoundResult> {
  const millrace = await openMillrace({ brokers: 2, logMemoryBytes: 128 * 1024 * 1024 })
  const round = new WindowsRound(millrace, options)
  try {
    return await round.run()
  } finally {
    await round.close()
    await millrace.close()
  }
}

interface Counting {
  readonly worker: Worker
  readonly exited: Promise<unknown>
  hasCounted: boolean
}

class WindowsRound {
  readonly #millrace: EmbeddedMillrace
  readonly #options: WindowsRoundOptions
  readonly #random: Random
  readonly #checker = new CountedWindows()
  readonly #threads: Counting[] = []
  readonly #faults: string[] = []
  #counted = 0
  #wake: (() => void) | undefined
  #kills = 0
  #bit = 0
  #clicks = 0
  #late = 0

  constructor(millrace: EmbeddedMillrace, options: WindowsRoundOptions) {
    this.#millrace = millrace
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  async run(): Promise<WindowsRoundResult> {
    const millrace = this.#millrace
    const clicks = await millrace.topic('clicks', { partitions: PARTITIONS, key: string(), value: json<string>() })
    const counts = await millrace.topic('counts', { key: windowed(string()), value: json<number>() })
    const reader = millrace.consumer()
    const reading = (async () => {
      for await (const { key, value } of reader.records(counts)) {
        this.#checker.counted(key.window.startMs / WINDOW_MS, key.key, value)
        this.#counted++
        this.#wake?.()
      }
    })()
    const producer = millrace.producer()
    for (let thread = 0; thread < THREADS; thread++) this.#spawn(thread)
    let window = 0
    const ends: number[][] = []
    // Behind the last kill a few more, in peace.
    for (let peace = 0; peace < AHEAD + 2 && this.#allFaults.length === 0; window++) {
      const sent = clicksOf(window, this.#random)
      this.#clicks += sent.length
      this.#checker.expect(window, countsOf(sent))
      await producer.sendAll(
        clicks,
        sent.map(({ user, page, timeMs }) => ({ key: user, value: page, timestamp: timeMs })),
      )
      ends.push(await this.#ends())
      // In the middle of their work: when some of the results that are due have come.
      if (this.#kills < this.#options.kills) await this.#killAfter(this.#random.below(40))
      else peace++
      await this.#until(() => this.#checker.isWhole(window - AHEAD))
      await this.#passed(ends[window + 1 - AHEAD])
    }
    await reader.close()
    await reading
    const { again } = this.#checker
    return { kills: this.#kills, bit: this.#bit, windows: window, clicks: this.#clicks, again, late: this.#late, faults: this.#allFaults }
  }

  async close(): Promise<void> {
    for (const { worker, exited } of this.#threads) {
      worker.postMessage('finish')
      await exited
    }
  }

  get #allFaults(): string[] {
    return [...this.#faults, ...this.#checker.faults]
  }

  #spawn(thread: number): void {
    const { handle } = this.#millrace
    const { forgetsOrigins = false } = this.#options
    const workerData: WindowsThreadData = { handle, clicks: 'clicks', counts: 'counts', forgetsOrigins }
    const worker = new Worker(entry, { workerData, name: `windows-${thread}` })
    const counting: Counting = { worker, exited: new Promise((resolve) => worker.once('exit', resolve)), hasCounted: false }
    worker.on('error', (error: Error) => this.#fault(`a thread died: ${error.stack}`))
    worker.on('message', ({ late, error }: { late?: unknown; error?: string }) => {
      counting.hasCounted = true
      if (error !== undefined) this.#fault(`a chain ended: ${error}`)
      // Sent twice, and its windows have closed: what is counted tells whether it is more than that.
      if (late !== undefined) this.#late++
    })
    this.#threads[thread] = counting
  }

  /** Kills a thread when so many more results have come, or nothing comes any more: one that has counted, if there is one. */
  async #killAfter(results: number): Promise<void> {
    const from = this.#counted
    await this.#until(() => this.#counted >= from + results, REST_MS)
    const atWork = this.#threads.flatMap(({ hasCounted }, thread) => (hasCounted ? [thread] : []))
    const thread = atWork.length === 0 ? this.#random.below(THREADS) : atWork[this.#random.below(atWork.length)]!
    const { worker, exited, hasCounted } = this.#threads[thread]!
    await worker.terminate()
    await exited
    this.#kills++
    if (hasCounted) this.#bit++
    this.#spawn(thread)
  }

  async #ends(): Promise<number[]> {
    return (await this.#millrace.admin.listOffsets('clicks', 'latest')).map(({ offset }) => offset ?? 0)
  }

  /** The group has handed on all records up to these offsets. */
  async #passed(ends: readonly number[] | undefined): Promise<void> {
    const from = performance.now()
    while (ends !== undefined && this.#allFaults.length === 0) {
      const committed = await this.#millrace.admin.listGroupOffsets(GROUP)
      const isPassed = ends.every((end, at) => committed.some((one) => one.topic === 'clicks' && one.partition === at && one.offset >= end))
      if (isPassed) return
      if (performance.now() - from > STUCK_MS) this.#faults.push(`the group does not come to ${ends.join(', ')} in clicks`)
      await nextTick(5)
    }
  }

  #fault(text: string): void {
    this.#faults.push(text)
    this.#wake?.()
  }

  /** With `withinMs`, no longer than that. */
  async #until(isSo: () => boolean, withinMs?: number): Promise<void> {
    let since = performance.now()
    let counted = this.#counted
    while (!isSo() && this.#allFaults.length === 0) {
      const left = since + (withinMs ?? STUCK_MS) - performance.now()
      if (left <= 0) {
        if (withinMs === undefined) this.#faults.push(`nothing comes any more; missing: ${this.#checker.missing.slice(0, 10).join(', ')}`)
        return
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (withinMs === undefined && counted !== this.#counted) {
        counted = this.#counted
        since = performance.now()
      }
    }
  }
}
