import { from, map, of } from 'rxjs'
import type { Observable } from 'rxjs'
import { expectTypeOf } from 'vitest'
import type { RecordMetadata, Topic } from '../../src/index.ts'
import {
  batchRecords,
  branch,
  deadLetter,
  deduplicate,
  filterValue,
  flatMapValue,
  fromTopic,
  keyBy,
  mapInPool,
  mapValue,
  mergeByTime,
  process,
  punctuate,
  rateLimit,
  toTopic,
} from '../../src/rxjs.ts'
import type { MillraceRecord } from '../../src/rxjs.ts'

// Each operator infers what flows through it, from the topic to the sink, without an annotation.

interface Click {
  readonly page: string
  readonly ms: number | null
}
interface View {
  readonly url: string
}
declare const clicks: Topic<string, Click, string, Click>
declare const lines: Topic<string | null, string, string | null, string>
declare const views: Topic<number, View, number, View>

expectTypeOf(fromTopic(clicks).pipe(mapValue(({ page }) => page.length))).toEqualTypeOf<Observable<MillraceRecord<string, number>>>()
expectTypeOf(fromTopic(clicks).pipe(mapValue((_, { key }) => key))).toEqualTypeOf<Observable<MillraceRecord<string, string>>>()
expectTypeOf(fromTopic(lines).pipe(flatMapValue((line) => line.split(' ')))).toEqualTypeOf<
  Observable<MillraceRecord<string | null, string>>
>()
expectTypeOf(fromTopic(clicks).pipe(filterValue(({ page }) => page !== ''))).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()
const timed = (click: Click): click is Click & { readonly ms: number } => click.ms !== null
expectTypeOf(fromTopic(clicks).pipe(filterValue(timed))).toEqualTypeOf<
  Observable<MillraceRecord<string, Click & { readonly ms: number }>>
>()
expectTypeOf(fromTopic(clicks).pipe(keyBy(({ value }) => value.page.length))).toEqualTypeOf<Observable<MillraceRecord<number, Click>>>()
expectTypeOf(fromTopic(clicks).pipe(batchRecords())).toEqualTypeOf<Observable<MillraceRecord<string, Click>[]>>()
expectTypeOf(fromTopic(clicks).pipe(rateLimit({ recordsPerSecond: 5 }))).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()
expectTypeOf(fromTopic(clicks).pipe(deduplicate(({ value }) => value.page))).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()

// A handler gives a value, a promise of one, or an Observable of some.
expectTypeOf(fromTopic(clicks).pipe(process(({ value }) => value.page))).toEqualTypeOf<Observable<string>>()
expectTypeOf(fromTopic(clicks).pipe(process(async ({ value }) => value.ms))).toEqualTypeOf<Observable<number | null>>()
expectTypeOf(fromTopic(clicks).pipe(process(({ value }) => of(value.page, value.page)))).toEqualTypeOf<Observable<string>>()
expectTypeOf(
  fromTopic(clicks).pipe(
    batchRecords(),
    process(async (records) => records.length),
  ),
).toEqualTypeOf<Observable<number>>()

expectTypeOf(
  fromTopic(clicks).pipe(
    branch(
      [({ value }) => value.ms === null, map(() => 0)],
      map(({ key }) => key),
    ),
  ),
).toEqualTypeOf<Observable<number | string>>()
expectTypeOf(
  fromTopic(lines).pipe(
    deadLetter(
      'lines-dlt',
      mapValue((line) => line.length),
    ),
  ),
).toEqualTypeOf<Observable<MillraceRecord<string | null, number>>>()
expectTypeOf(fromTopic(clicks).pipe(punctuate({ everyMs: 1_000 }, (timeMs) => [timeMs]))).toEqualTypeOf<
  Observable<MillraceRecord<string, Click> | number>
>()
const both = mergeByTime<MillraceRecord<string, Click> | MillraceRecord<number, View>>([fromTopic(clicks), fromTopic(views)])
expectTypeOf(both).toEqualTypeOf<Observable<MillraceRecord<string, Click> | MillraceRecord<number, View>>>()
expectTypeOf(mergeByTime([fromTopic(clicks), fromTopic(clicks)])).toEqualTypeOf<Observable<MillraceRecord<string, Click>>>()
expectTypeOf(fromTopic(lines).pipe(mapInPool<string, number>(new URL('file:///hash.js')))).toEqualTypeOf<
  Observable<MillraceRecord<string | null, number>>
>()

// From the topic to the sink.
const sunk = fromTopic(clicks).pipe(
  keyBy(({ value }) => value.page.length),
  mapValue(({ page }) => ({ url: page })),
  toTopic(views),
)
expectTypeOf(sunk).toEqualTypeOf<Observable<RecordMetadata>>()

const urls = fromTopic(clicks).pipe(mapValue(({ page }) => ({ url: page })))
const numbers = fromTopic(clicks).pipe(process(() => 7))
const batches = fromTopic(clicks).pipe(batchRecords())
// @ts-expect-error: a sink of another value
fromTopic(clicks).pipe(toTopic(views))
// @ts-expect-error: a sink of another key
urls.pipe(toTopic(views))
// @ts-expect-error: numbers are no records
numbers.pipe(mapValue((value) => value))
// @ts-expect-error: these values have no time
mergeByTime([from([1, 2])])
// @ts-expect-error: batches are no records
batches.pipe(toTopic(clicks))
// @ts-expect-error: a promise is no id
fromTopic(clicks).pipe(deduplicate(async ({ value }) => value.page))
