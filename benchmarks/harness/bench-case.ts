// The words of the benchmark: a case asks one question of TARGETS' kind, its contenders take
// turns at answering it, each answer is a measurement that says how many records arrived.
//
//   case S1 ─┬─ contender cursor        repetition 1, 2, 3 …   ┐
//            ├─ contender record        repetition 1, 2, 3 …   ├─ alternating, one of each a round
//            └─ contender hand-packed   repetition 1, 2, 3 …   ┘
//
// Always holds: a measurement whose count or checksum is not the expected one is not a
// result; its contender has none, whatever its other repetitions gave.

import type { Machine } from './machine.ts'

/** What a figure is counted in and which way is good. */
export interface Metric {
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
}

/** What arrived in one repetition, and what ought to have. */
export interface Arrival {
  readonly records: number
  readonly checksum: number
  readonly expectedRecords: number
  readonly expectedChecksum: number
}

export interface Measurement {
  /** null only where no record is moved, such as the time of an import. */
  readonly arrival: Arrival | null
  readonly bytes: number
  readonly seconds: number
  /** By metric id; every repetition of a contender gives the same ids. */
  readonly values: Readonly<Record<string, number>>
  /** Anything worth keeping in the JSON report: never judged. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** A contender that is warm and waiting: its threads are parked. */
export interface Running {
  run(records: number): Promise<Measurement>
  close(): Promise<void>
}

export type ContenderKind = 'millrace' | 'peer' | 'limit' | 'control'

export interface ContenderSpec {
  readonly id: string
  readonly title: string
  readonly kind: ContenderKind
  /** Records of one repetition, full and with --small. */
  readonly records: number
  readonly smallRecords: number
  readonly valueBytes: number
  /** Threads that work on the road, brokers included; the main thread only where it works. */
  readonly threads: number
  readonly partitions: number
  /** How it is set up, in one line: window, memory, batch size. */
  readonly setup: string
  /** Its place in a sweep. */
  readonly cell?: SweepCell
  /** Each repetition has threads, or a process, of its own that nothing warmed up: --small, which keeps no figure, runs it once. */
  readonly startsAnew?: true
  /** A reason why it cannot run here. */
  readonly skip?: (context: OpenContext) => string | undefined
  readonly open: (context: OpenContext) => Promise<Running>
}

export interface SweepCell {
  readonly recordsPerBatch: number
  readonly lanes: number
  readonly valueBytes: number
}

export interface OpenContext {
  readonly small: boolean
  readonly machine: Machine
  /** A running Kafka to compare with, as host:port. */
  readonly kafka: string | undefined
  /** How long the soak of C3 lasts. */
  readonly soakMinutes: number
  /** Aborted by an interrupt or a deadline; everything that waits ends with it. */
  readonly signal: AbortSignal
}

/** What a target may look at: figures of its own case, already summarised. */
export interface CaseView {
  /** Median of a metric of a contender; undefined when it has no result. */
  median(contender: string, metric: string): number | undefined
  /** The largest of all repetitions. */
  max(contender: string, metric: string): number | undefined
  /** That of the last repetition, for figures that gather over all of them. */
  last(contender: string, metric: string): number | undefined
  /** Median of the ratios of the repetitions of two contenders that took turns. */
  ratio(numerator: string, denominator: string, metric?: string): number | undefined
}

export interface TargetSpec {
  readonly id: string
  /** The sentence of the table: what is asked. */
  readonly text: string
  readonly value: (view: CaseView, machine: Machine) => number | undefined
  /** Exactly one of the two, which may depend on the Node.js version. */
  readonly atLeast?: number
  readonly atMost?: number | ((machine: Machine) => number)
  /** How the value is printed: a ratio as 0.71, otherwise with a unit. */
  readonly unit: 'ratio' | 'count' | 'ms' | 'µs' | 'bytes' | 'size' | 'percent' | 'per second'
  /** A reason why it cannot be judged in this run, beyond contenders that were skipped. */
  readonly notJudged?: (context: OpenContext) => string | undefined
}

export interface CaseSpec {
  readonly id: string
  readonly title: string
  /** One or two sentences: what is measured, between which two points in time. */
  readonly measures: string
  readonly metrics: Readonly<Record<string, Metric>>
  /** The metric of the table's main column and of ratios. */
  readonly primary: string
  /** `alternate`: one repetition of each in turn. `one-by-one`: a contender's repetitions follow each other. */
  readonly order: 'alternate' | 'one-by-one'
  /** How its part of the table looks. */
  readonly table: 'throughput' | 'metrics' | 'sweep'
  readonly warmUps: number
  readonly repetitions: number
  readonly contenders: readonly ContenderSpec[]
  /** A trimmed list for --small; without it all contenders run. */
  readonly smallContenders?: readonly string[]
  readonly targets: readonly TargetSpec[]
  /** Peers that never run here, with the reason. */
  readonly skippedPeers?: readonly { readonly title: string; readonly why: string }[]
}

export const THROUGHPUT_METRICS = {
  recordsPerSecond: { title: 'records', unit: 'records/s', better: 'higher' },
  bytesPerSecond: { title: 'values', unit: 'B/s', better: 'higher' },
} as const satisfies Record<string, Metric>

/** The measurement of a road that moved records: both figures come from one pair of instants. */
export function throughput(
  arrival: Arrival,
  bytes: number,
  seconds: number,
  more: { values?: Record<string, number>; detail?: Record<string, unknown> } = {},
): Measurement {
  return {
    arrival,
    bytes,
    seconds,
    values: { recordsPerSecond: arrival.expectedRecords / seconds, bytesPerSecond: bytes / seconds, ...more.values },
    ...(more.detail === undefined ? {} : { detail: more.detail }),
  }
}

/** Why an arrival is not whole; undefined when it is. */
export function arrivalFault(arrival: Arrival): string | undefined {
  if (arrival.records !== arrival.expectedRecords) {
    return `${arrival.records} of ${arrival.expectedRecords} records arrived`
  }
  if (arrival.checksum !== arrival.expectedChecksum) {
    return `the checksum of ${arrival.records} records is ${arrival.checksum}, expected ${arrival.expectedChecksum}`
  }
  return undefined
}
