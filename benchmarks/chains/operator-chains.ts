// Each operator of millrace/rxjs, and the nearest that RxJS has, as chains from records to numbers. The
// chains of one operator do the same with each value, so that both come to the same sum.

import {
  EMPTY,
  bufferCount,
  catchError,
  concatMap,
  connect,
  distinct,
  filter,
  interval,
  last,
  map,
  merge,
  mergeMap,
  of,
  takeUntil,
} from 'rxjs'
import type { Observable } from 'rxjs'
import * as millrace from '../../src/rxjs.ts'
import type { MillraceRecord } from '../../src/rxjs.ts'
import type { OperatorId } from './operator-ids.ts'

/** What both sources emit: `fromTopic`, and a Subject of what `batches()` gives. */
export interface Readable {
  readonly key: string | null
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly value: Uint8Array
}

type Chained = MillraceRecord<string | null, Uint8Array>

export interface OperatorChains {
  /** `sources`: two, a partition each, for what merges; one of both partitions otherwise. */
  readonly own: (sources: readonly Observable<Chained>[]) => Observable<number>
  readonly nearest: (sources: readonly Observable<Readable>[]) => Observable<number>
  readonly sources?: 2
}

/** Without an operator: what each chain costs anyway. The work on a value is the same in all of them. */
export function bare(sources: readonly Observable<Readable>[]): Observable<number> {
  return sources[0]!.pipe(map(sumOf))
}

const CONCURRENCY = 16
const RECORDS_A_BATCH = 100
const EVERY_MS = 1_000
const MINUTE_MS = 60_000
const DISTINCT_MAX = 10_000
const UNLIMITED = 1e9

export function sumOf({ value }: { readonly value: Uint8Array }): number {
  return sum(value)
}

function sum(value: Uint8Array): number {
  return value[0]! + value[value.length - 1]!
}

function sums(records: readonly { readonly value: Uint8Array }[]): number {
  let total = 0
  for (const { value } of records) total += sum(value)
  return total
}

const sumIn = ({ value }: { readonly value: number }): number => value
const idOf = ({ partition, offset }: Readable): number => offset * 2 + partition
const isLow = ({ value }: { readonly value: Uint8Array }): boolean => value[0]! < 128

function one<T>(sources: readonly Observable<T>[]): Observable<T> {
  return sources[0]!
}

/** What one writes with RxJS for a tick each so much of the records' time. */
function ticks(): (record: Readable) => readonly (Readable | number)[] {
  let nextMs = Number.NEGATIVE_INFINITY
  return (record) => {
    if (record.timestamp < nextMs) return [record]
    nextMs = record.timestamp + EVERY_MS
    return [0, record]
  }
}

const sumUnlessTick = (item: Readable | number): number => (typeof item === 'number' ? 0 : sumOf(item))

/** One result with each record: what one writes with RxJS for a count by key and minute. */
function countsByKeyAndMinute(): (record: Readable) => number {
  const counts = new Map<string, number>()
  return (record) => {
    const id = `${record.key} ${Math.floor(record.timestamp / MINUTE_MS)}`
    counts.set(id, (counts.get(id) ?? 0) + 1)
    return sumOf(record)
  }
}

export const OPERATOR_CHAINS: Readonly<Record<OperatorId, OperatorChains>> = {
  mapValue: {
    own: (s) => one(s).pipe(millrace.mapValue(sum), map(sumIn)),
    nearest: (s) =>
      one(s).pipe(
        map((record) => ({ record, value: sumOf(record) })),
        map(sumIn),
      ),
  },
  filterValue: {
    own: (s) =>
      one(s).pipe(
        millrace.filterValue((value) => value.length > 0),
        map(sumOf),
      ),
    nearest: (s) =>
      one(s).pipe(
        filter(({ value }) => value.length > 0),
        map(sumOf),
      ),
  },
  flatMapValue: {
    own: (s) =>
      one(s).pipe(
        millrace.flatMapValue((value) => [sum(value)]),
        map(sumIn),
      ),
    nearest: (s) =>
      one(s).pipe(
        mergeMap((record) => [{ record, value: sumOf(record) }]),
        map(sumIn),
      ),
  },
  keyBy: {
    own: (s) =>
      one(s).pipe(
        millrace.keyBy(({ value }) => value[0]!),
        map(sumOf),
      ),
    nearest: (s) =>
      one(s).pipe(
        map((record) => ({ record, key: record.value[0]! })),
        map(({ record }) => sumOf(record)),
      ),
  },
  branch: {
    own: (s) => one(s).pipe(millrace.branch([isLow, map(sumOf)], map(sumOf))),
    nearest: (s) =>
      one(s).pipe(
        connect((shared) =>
          merge(
            shared.pipe(filter(isLow), map(sumOf)),
            shared.pipe(
              filter((record) => !isLow(record)),
              map(sumOf),
            ),
          ),
        ),
      ),
  },
  deadLetter: {
    own: (s) => one(s).pipe(millrace.deadLetter('dead', map(sumOf))),
    nearest: (s) =>
      one(s).pipe(
        concatMap((record) =>
          of(record).pipe(
            map(sumOf),
            catchError(() => EMPTY),
          ),
        ),
      ),
  },
  deduplicate: {
    own: (s) => one(s).pipe(millrace.deduplicate(idOf, { maxKeys: DISTINCT_MAX }), map(sumOf)),
    nearest: (s) => one(s).pipe(distinct(idOf), map(sumOf)),
  },
  batchRecords: {
    own: (s) => one(s).pipe(millrace.batchRecords({ maxRecords: RECORDS_A_BATCH }), map(sums)),
    nearest: (s) => one(s).pipe(bufferCount(RECORDS_A_BATCH), map(sums)),
  },
  rateLimit: {
    own: (s) => one(s).pipe(millrace.rateLimit({ recordsPerSecond: UNLIMITED, burst: UNLIMITED }), map(sumOf)),
    nearest: (s) =>
      one(s).pipe(
        concatMap((record) => of(record)),
        map(sumOf),
      ),
  },
  mergeByTime: {
    sources: 2,
    own: (s) => millrace.mergeByTime(s).pipe(map(sumOf)),
    nearest: (s) => merge(...s).pipe(map(sumOf)),
  },
  'punctuate-event': {
    own: (s) =>
      one(s).pipe(
        millrace.punctuate({ everyMs: EVERY_MS, time: 'event' }, () => [0]),
        map(sumUnlessTick),
      ),
    nearest: (s) => one(s).pipe(mergeMap(ticks()), map(sumUnlessTick)),
  },
  'punctuate-wall': {
    own: (s) =>
      one(s).pipe(
        millrace.punctuate({ everyMs: EVERY_MS, time: 'wall' }, () => [0]),
        map(sumUnlessTick),
      ),
    nearest: (s) =>
      one(s).pipe(
        connect((shared) =>
          merge(
            shared,
            interval(EVERY_MS).pipe(
              map(() => 0),
              takeUntil(shared.pipe(last())),
            ),
          ),
        ),
        map(sumUnlessTick),
      ),
  },
  'process-sync': {
    own: (s) => one(s).pipe(millrace.process(sumOf, { concurrency: CONCURRENCY, order: 'none' })),
    nearest: (s) => one(s).pipe(mergeMap((record) => of(sumOf(record)), CONCURRENCY)),
  },
  'process-async': {
    own: (s) => one(s).pipe(millrace.process(async (record) => sumOf(record), { concurrency: CONCURRENCY, order: 'none' })),
    nearest: (s) => one(s).pipe(mergeMap(async (record) => sumOf(record), CONCURRENCY)),
  },
  aggregate: {
    own: (s) => {
      const sums = millrace.sum<Chained>(sumOf)
      return one(s).pipe(millrace.aggregate(millrace.tumbling({ sizeMs: MINUTE_MS, graceMs: 0 }), sums, { emit: 'close' }), map(sumIn))
    },
    nearest: (s) => one(s).pipe(map(countsByKeyAndMinute())),
  },
  'process-by-key': {
    own: (s) => one(s).pipe(millrace.process(async (record) => sumOf(record), { concurrency: CONCURRENCY, order: 'key' })),
    nearest: (s) => one(s).pipe(mergeMap(async (record) => sumOf(record), CONCURRENCY)),
  },
}
