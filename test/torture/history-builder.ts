// Writes small histories by hand, for the tests of the checker.

import { checkHistory } from './history-checker.ts'
import type { AnomalyKind } from './anomalies.ts'
import { GroupLines } from './group-lines.ts'
import {
  ACKED,
  CLOSED,
  DIED,
  DOUBT,
  GAPLESS,
  MARK_END,
  MARK_END_SEEN,
  MARK_FIRST_SEEN,
  MARK_START,
  REFUSED,
  ReadTape,
  SendTape,
} from './history.ts'
import type { Ending, Outcome, Promises } from './history.ts'

const ROWS = 64

export class HistoryBuilder {
  readonly #logs: number
  readonly #keepsAll: boolean
  readonly producers: ProducerLines[] = []
  readonly readers: ReaderLines[] = []
  readonly groups: GroupLines[] = []
  readonly drain = new ReaderLines()
  #tick = 0

  constructor({ logs = 1, keepsAll = false }: { logs?: number; keepsAll?: boolean } = {}) {
    this.#logs = logs
    this.#keepsAll = keepsAll
  }

  tick(): number {
    return ++this.#tick
  }

  producer(promises: Promises = GAPLESS): ProducerLines {
    const lines = new ProducerLines(this, this.producers.length, promises)
    this.producers.push(lines)
    return lines
  }

  reader(): ReaderLines {
    const lines = new ReaderLines()
    this.readers.push(lines)
    return lines
  }

  group(): GroupLines {
    const lines = new GroupLines(this.groups.length, () => this.tick())
    this.groups.push(lines)
    return lines
  }

  /** What the drain reads of a log, in order, from `from` on: each as `[producer, number]`. */
  drained(records: readonly (readonly [ProducerLines, number])[], { log = 0, from = 0 }: { log?: number; from?: number } = {}): void {
    this.drain.start(log)
    for (const [i, [producer, number]] of records.entries()) this.drain.read(from + i, producer, number, { log })
    this.drain.end(from + records.length, { log })
  }

  /** The kinds of anomalies that are found. */
  found(): AnomalyKind[] {
    const sends = this.producers.map(({ tape }) => tape)
    const reads = this.readers.map(({ tape }) => tape)
    const groups = { count: this.groups.length, tapes: this.groups.map(({ tape }) => tape) }
    return checkHistory({ logs: this.#logs, sends, reads, drain: this.drain.tape, keepsAll: () => this.#keepsAll, groups }).kinds
  }
}

export class ProducerLines {
  readonly tape: SendTape
  readonly producer: number
  readonly #history: HistoryBuilder

  constructor(history: HistoryBuilder, producer: number, promises: Promises) {
    this.#history = history
    this.producer = producer
    this.tape = SendTape.allocate(ROWS, { promises })
    this.tape.end(CLOSED)
  }

  /** The hash of a record's bytes. */
  hash(number: number): number {
    return this.producer * 1_000 + number
  }

  invoke(log = 0): number {
    return this.tape.invoke(log, this.hash(this.tape.rows), this.#history.tick())
  }

  complete(number: number, outcome: Outcome, offset?: number): this {
    this.tape.complete(number, outcome, this.#history.tick(), offset)
    return this
  }

  /** Sends records that are acknowledged at these offsets, one after the other. */
  acked(...offsets: number[]): this {
    for (const offset of offsets) this.complete(this.invoke(), ACKED, offset)
    return this
  }

  refused(): this {
    return this.complete(this.invoke(), REFUSED)
  }

  doubt(): this {
    return this.complete(this.invoke(), DOUBT)
  }

  pending(): this {
    this.invoke()
    return this
  }

  ended(ended: Ending = DIED): this {
    this.tape.end(ended)
    return this
  }
}

export class ReaderLines {
  readonly tape = ReadTape.allocate(ROWS)

  constructor() {
    this.tape.end(CLOSED)
  }

  start(log = 0, offset = -1): this {
    this.tape.mark(MARK_START, log, offset)
    return this
  }

  read(
    offset: number,
    producer: ProducerLines | number,
    number: number,
    { log = 0, hash, epoch }: { log?: number; hash?: number; epoch?: number } = {},
  ): this {
    const bytes = hash ?? (typeof producer === 'number' ? 0 : producer.hash(number))
    this.tape.read(log, offset, typeof producer === 'number' ? producer : producer.producer, number, bytes, epoch)
    return this
  }

  overtaken(from: number, to: number, missed = to - from): this {
    this.tape.overtaken(0, from, to, missed)
    return this
  }

  seen(first: number, end: number, epoch = 0): this {
    this.tape.mark(MARK_FIRST_SEEN, 0, first, 0, epoch)
    this.tape.mark(MARK_END_SEEN, 0, end)
    return this
  }

  end(offset: number, { log = 0, first }: { log?: number; first?: number } = {}): this {
    if (first !== undefined) this.tape.mark(MARK_FIRST_SEEN, log, first)
    this.tape.mark(MARK_END, log, offset)
    return this
  }
}
