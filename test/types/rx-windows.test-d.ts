import { count as countOfRxjs, map } from 'rxjs'
import type { Observable } from 'rxjs'
import { expectTypeOf } from 'vitest'
import { json, string } from '../../src/index.ts'
import type { Millrace, RecordMetadata, Topic } from '../../src/index.ts'
import {
  aggregate,
  batchRecords,
  count,
  fromTopic,
  hopping,
  keyBy,
  mapValue,
  max,
  process,
  reduce,
  repartition,
  session,
  sliding,
  sum,
  toTopic,
  tumbling,
  windowed,
} from '../../src/rxjs.ts'
import type { MillraceRecord, Windowed } from '../../src/rxjs.ts'

// A chain with windows, from a topic to a topic, without an annotation.

interface Click {
  readonly page: string
  readonly ms: number
}
declare const millrace: Millrace
declare const clicks: Topic<string | null, Click, string | null, Click>
const counts = await millrace.topic('counts', { key: windowed(string()), value: json<number>() })
expectTypeOf(counts).toEqualTypeOf<Topic<Windowed<string>, number, Windowed<string>, number>>()

const minutes = tumbling({ sizeMs: 60_000, graceMs: 5_000 })
const chain = fromTopic(clicks, { groupId: 'per-page' }).pipe(
  keyBy(({ value }) => value.page),
  aggregate(minutes, count(), { emit: 'close' }),
  toTopic(counts),
)
expectTypeOf(chain).toEqualTypeOf<Observable<RecordMetadata>>()

const byPage = fromTopic(clicks).pipe(keyBy(({ value }) => value.page))
type Result<R> = Observable<MillraceRecord<Windowed<string>, R>>
expectTypeOf(byPage.pipe(aggregate(minutes, count(), { emit: 'update' }))).toEqualTypeOf<Result<number>>()
expectTypeOf(
  byPage.pipe(
    aggregate(
      minutes,
      sum(({ value }) => value.ms),
      { emit: 'close' },
    ),
  ),
).toEqualTypeOf<Result<number>>()
expectTypeOf(
  byPage.pipe(
    aggregate(
      minutes,
      max(({ value }) => value.page),
      { emit: 'close' },
    ),
  ),
).toEqualTypeOf<Result<string>>()
const pages = reduce({ pages: 0 }, (so: { pages: number }) => ({ pages: so.pages + 1 }))
expectTypeOf(byPage.pipe(aggregate(hopping({ sizeMs: 60_000, advanceMs: 10_000, graceMs: 0 }), pages, { emit: 'close' }))).toEqualTypeOf<
  Result<{ pages: number }>
>()
expectTypeOf(byPage.pipe(aggregate(sliding({ timeDifferenceMs: 1_000, graceMs: 0 }), count(), { emit: 'update' }))).toEqualTypeOf<
  Result<number>
>()
// A session that grows or merges leaves a tombstone, where it is emitted on update.
const visits = session({ inactivityGapMs: 1_000, graceMs: 0 })
expectTypeOf(byPage.pipe(aggregate(visits, count(), { emit: 'close' }))).toEqualTypeOf<Result<number>>()
expectTypeOf(byPage.pipe(aggregate(visits, count(), { emit: 'update' }))).toEqualTypeOf<Result<number | null>>()
expectTypeOf(byPage.pipe(repartition())).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()
// A topic whose records may have no key: those without one are in no window.
expectTypeOf(fromTopic(clicks).pipe(aggregate(minutes, count(), { emit: 'close' }))).toEqualTypeOf<Result<number>>()

// @ts-expect-error: RxJS's count is an operator, and no aggregator
byPage.pipe(aggregate(minutes, countOfRxjs(), { emit: 'close' }))
// @ts-expect-error: an aggregator is no operator
byPage.pipe(count())
// @ts-expect-error: without a window there is no result yet
byPage.pipe(aggregate(count(), { emit: 'close' }))
// @ts-expect-error: when it emits is for its user to say
byPage.pipe(aggregate(minutes, count()))
const numbers = fromTopic(clicks).pipe(map(({ value }) => value.ms))
// @ts-expect-error: numbers have no key
numbers.pipe(aggregate(minutes, count(), { emit: 'close' }))
const batches = fromTopic(clicks).pipe(batchRecords())
// @ts-expect-error: batches have no key
batches.pipe(aggregate(minutes, count(), { emit: 'close' }))
const results = byPage.pipe(aggregate(minutes, count(), { emit: 'close' }))
// @ts-expect-error: the sink has other keys
results.pipe(toTopic(clicks))
// @ts-expect-error: the sink has other values
results.pipe(mapValue(String), toTopic(counts))
const sevens = byPage.pipe(process(() => 7))
// @ts-expect-error: what a handler gives is no record
sevens.pipe(aggregate(minutes, count(), { emit: 'close' }))
