// Values made on threads of a pool (piscina), handed on in their order.
// Runs on the subscriber's thread.
// Holds: what is in the pool is held and bounded by `maxQueue`; the rest waits here, held, which
// bounds its source; after the end no thread is left.

import { availableParallelism } from 'node:os'
import type { OperatorFunction } from 'rxjs'
import { entryBeside } from '../../actor/worker-thread.ts'
import { WorkerPool, resultOf } from '../../actor/worker-pool.ts'
import type { TaskAnswer } from '../../actor/worker-pool.ts'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { Hold } from '../hold.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import { heldOperator } from './held-operator.ts'
import type { Intake, Outlet } from './held-operator.ts'
import type { PoolMapAnswers, PoolMapTask } from './pool-map-task.ts'

/** So many go to a thread at a time at the most: sending costs more than most work on one value. */
const VALUES_A_TASK = 64

interface FilledMapInPoolOptions {
  /** Threads at the most; one fewer than there are cores, unless given. Default: undefined. */
  readonly threads: number | undefined
  /** Values in the pool at the most, those that are being worked on included. Default: 1024. */
  readonly maxQueue: number
}

/** What `mapInPool` takes beside its module; everything has a default. */
export type MapInPoolOptions = OptionsOf<FilledMapInPoolOptions>

const POOL_CONFIG: ConfigTable<FilledMapInPoolOptions> = {
  what: 'mapInPool option',
  settings: {
    threads: {
      type: 'custom',
      expects: 'a whole number of threads, 1 or more',
      accepts: (value) => Number.isInteger(value) && (value as number) >= 1,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Threads at the most; one fewer than there are cores, unless given.',
    },
    maxQueue: {
      type: 'int',
      min: 1,
      default: 1_024,
      unit: 'records',
      takesEffect: 'at open',
      doc: 'Values in the pool at the most, those that are being worked on included.',
    },
  },
  renamed: { maxThreads: 'threads', poolSize: 'threads', concurrency: 'threads' },
}

/**
 * Hands each record on with the value that a function in another thread makes of its value: the default export of the
 * module at `url`, on threads of a pool (piscina). It is for work on the CPU, of 10 µs a record or more: values and results are
 * copied between threads, some records at a time. Order is kept, records are held meanwhile, and at most
 * `maxQueue` are in the pool. What the function throws ends the Observable, with the error's class and code. Throws
 * INVALID_CONFIG, INVALID_REQUEST for what is no URL of a file.
 *
 * ```ts
 * // hash.ts: export default (text: string): string => createHash('sha256').update(text).digest('hex')
 * fromTopic(documents).pipe(mapInPool<string, string>(new URL('./hash.js', import.meta.url), { threads: 4 }))
 * ```
 */
export function mapInPool<V, R, K = string | null>(
  url: URL,
  options?: MapInPoolOptions,
): OperatorFunction<MillraceRecord<K, V>, MillraceRecord<K, R>> {
  if (!(url instanceof URL)) {
    throw new MillraceError('INVALID_REQUEST', 'mapInPool takes the URL of a module: new URL("./work.js", import.meta.url)')
  }
  const { threads = Math.max(1, availableParallelism() - 1), maxQueue } = fillOptions(POOL_CONFIG, options)
  return heldOperator<MillraceRecord<K, V>, MillraceRecord<K, R>>((outlet) => new PoolMapping(outlet, url.href, threads, maxQueue))
}

interface Item<K, V> {
  readonly record: MillraceRecord<K, V>
  readonly hold: Hold
  answer: TaskAnswer<unknown> | undefined
}

class PoolMapping<K, V, R> implements Intake<MillraceRecord<K, V>> {
  readonly #outlet: Outlet<MillraceRecord<K, R>>
  readonly #url: string
  readonly #threads: number
  readonly #maxQueue: number
  readonly #pool: WorkerPool<PoolMapTask, PoolMapAnswers>
  /** In order: those that are in the pool, or answered behind one that is not. */
  readonly #sent: Item<K, V>[] = []
  readonly #waiting: Item<K, V>[] = []
  #inPool = 0
  #isDue = false

  constructor(outlet: Outlet<MillraceRecord<K, R>>, url: string, threads: number, maxQueue: number) {
    this.#outlet = outlet
    this.#url = url
    this.#threads = threads
    this.#maxQueue = maxQueue
    this.#pool = new WorkerPool({ entry: entryBeside('./pool-map-worker', import.meta.url), name: 'mapTask', threads })
  }

  next(record: MillraceRecord<K, V>, hold: Hold): void {
    // What cannot be decoded fails here.
    void record.value
    this.#waiting.push({ record, hold, answer: undefined })
    if (this.#isDue) return
    this.#isDue = true
    // What comes within the same job goes together.
    queueMicrotask(() => {
      this.#isDue = false
      this.#send()
    })
  }

  close(): void {
    void this.#pool.close()
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#inPool < this.#maxQueue && !this.#outlet.isClosed) {
      const fair = Math.ceil(Math.min(this.#waiting.length, this.#maxQueue) / this.#threads)
      const count = Math.min(fair, VALUES_A_TASK, this.#maxQueue - this.#inPool)
      this.#sendSome(this.#waiting.splice(0, count))
    }
  }

  #sendSome(items: readonly Item<K, V>[]): void {
    this.#inPool += items.length
    this.#sent.push(...items)
    const values = items.map(({ record }) => ofItsOwn(record.value))
    this.#pool.run({ url: this.#url, values }).then(
      (answers) => {
        for (const [i, item] of items.entries()) item.answer = answers[i]!
        this.#inPool -= items.length
        this.#emit()
        this.#send()
      },
      (error: unknown) => this.#outlet.fail(error),
    )
  }

  #emit(): void {
    let count = 0
    try {
      for (; this.#sent[count]?.answer !== undefined && !this.#outlet.isClosed; count++) {
        const { record, hold, answer } = this.#sent[count]!
        this.#outlet.emit(record.with<K, R>({ value: resultOf(answer!) as R }), hold)
        this.#outlet.release(hold)
      }
    } catch (error) {
      this.#outlet.fail(error)
    }
    this.#sent.splice(0, count)
  }
}

/** Bytes are views of the batch that they lie in, and all of that would be copied with them. */
function ofItsOwn(value: unknown): unknown {
  return value instanceof Uint8Array && value.byteLength < value.buffer.byteLength ? value.slice() : value
}
