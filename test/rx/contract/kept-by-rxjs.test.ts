// What RxJS's own operators keep past `next`, outside of `process`: refused where it comes to an
// operator of millrace, else at most once. Each operator is a test of that rule.

import {
  bufferCount,
  bufferTime,
  concatMap,
  debounceTime,
  delay,
  exhaustMap,
  interval,
  lastValueFrom,
  map,
  mergeMap,
  of,
  scan,
  startWith,
  switchMap,
  takeUntil,
  toArray,
  withLatestFrom,
} from 'rxjs'
import { Subject } from 'rxjs'
import type { Observable } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTopic, toTopic } from '../../../src/rxjs.ts'
import type { FromTopicOptions, MillraceRecord } from '../../../src/rxjs.ts'
import { ContractWorld, until, upTo } from './contract-world.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

type Numbered = MillraceRecord<string | null, number>
type Kept = (source: Observable<Numbered>) => Observable<{ value: number }>

const later = ({ value }: Numbered): Observable<{ value: number }> => of({ value }).pipe(delay(1))

/** They hand on what they have kept, behind the call that brought it. */
const LATER: [string, Kept][] = [
  ['mergeMap', (source) => source.pipe(mergeMap(later))],
  ['concatMap', (source) => source.pipe(concatMap(later))],
  ['switchMap', (source) => source.pipe(switchMap(later))],
  ['exhaustMap', (source) => source.pipe(exhaustMap(later))],
  ['delay', (source) => source.pipe(delay(1))],
  ['debounceTime', (source) => source.pipe(debounceTime(1))],
  [
    'bufferTime',
    (source) =>
      source.pipe(
        bufferTime(1),
        mergeMap((records) => records),
      ),
  ],
]

describe('an emission outside any hold that reaches a millrace operator fails with SETTLED_EARLY', () => {
  test.each(LATER)('%s', async (_, kept) => {
    const topic = await world.filled(10)
    const target = await world.topic()
    // Without an end: the source has not completed before it is late.
    const ended = lastValueFrom(kept(fromTopic(topic)).pipe(toTopic(target)))
    await expect(ended).rejects.toMatchObject({ code: 'SETTLED_EARLY', message: expect.stringContaining('process(…)') as string })
    expect(await world.valuesOf(target)).toEqual([])
  })
})

describe('what they keep is at most once: it is committed while they still have it', () => {
  test.each(LATER)('%s', async (name, kept) => {
    const records = 50
    const topic = await world.filled(records)
    const groupId = world.name()
    const options: FromTopicOptions = { groupId, autoCommitIntervalMs: 0 }
    // Nothing comes out before all is committed, and then it is left.
    const left = new Subject<void>()
    const out: unknown[] = []
    const subscription = kept(fromTopic(topic, options))
      .pipe(delay(60_000), takeUntil(left))
      .subscribe((value) => out.push(value))
    await until(async () => (await world.committed(groupId)) === records)
    left.next()
    subscription.unsubscribe()
    expect([name, out]).toEqual([name, []])
    expect(await world.committedAtLast(groupId)).toBe(records)
  })
})

describe('accumulators of RxJS own their memory: what they hand on is held, what they keep is not restored', () => {
  test('scan', async () => {
    const topic = await world.filled(10)
    const target = await world.topic()
    const groupId = world.name()
    const sums = (): Observable<{ value: number }> =>
      fromTopic(topic, { groupId, until: 'end' }).pipe(
        scan((sum, { value }) => sum + value, 0),
        map((value) => ({ value })),
      )
    await lastValueFrom(sums().pipe(toTopic(target)))
    expect((await world.valuesOf(target)).at(-1)).toBe(45)
    await world.committedAtLast(groupId)
    await world.millrace.producer().send(topic, { value: 100 })
    // Another process would begin at zero, and so does this subscription.
    expect(await lastValueFrom(sums())).toEqual({ value: 100 })
  })

  test('bufferCount: all but the last of a buffer is settled before it is handed on', async () => {
    const topic = await world.filled(10)
    const target = await world.topic()
    const groupId = world.name()
    const buffers = fromTopic(topic, { groupId, autoCommitIntervalMs: 0 }).pipe(
      bufferCount(4),
      map((records) => ({ value: records.length })),
      toTopic(target),
    )
    const subscription = buffers.subscribe()
    // Two in a buffer that is not full: they are lost when it is left.
    await until(async () => (await world.committed(groupId)) === 10)
    subscription.unsubscribe()
    expect(await world.valuesOf(target)).toEqual([4, 4])
    expect(await world.committedAtLast(groupId)).toBe(10)
  })

  test('withLatestFrom: the other side is kept, and comes in the call of this one', async () => {
    const topic = await world.filled(10)
    const other = await world.filled(3)
    const target = await world.topic()
    const latest = fromTopic(other).pipe(
      map(({ value }) => value),
      startWith(-1),
    )
    await lastValueFrom(
      fromTopic(topic, { until: 'end' }).pipe(
        withLatestFrom(latest),
        map(([{ value }]) => ({ value })),
        toTopic(target),
      ),
    )
    expect(await world.valuesOf(target)).toEqual(upTo(10))
  })
})

test('what is kept is unbounded: maxInFlight does not count it', async () => {
  const topic = await world.filled(2_000)
  const kept = fromTopic(topic, { maxInFlight: 1, until: 'end' }).pipe(bufferTime(60_000), takeUntil(interval(60_000)), toArray())
  expect((await lastValueFrom(kept)).flat()).toHaveLength(2_000)
})
