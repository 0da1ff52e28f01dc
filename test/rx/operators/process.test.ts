import {
  Observable,
  NEVER,
  Subject,
  bufferCount,
  bufferTime,
  concatMap,
  debounceTime,
  delay,
  exhaustMap,
  from,
  map,
  mergeMap,
  of,
  scan,
  switchMap,
  throwError,
  timer,
  withLatestFrom,
} from 'rxjs'
import { expect, test, vi } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { process } from '../../../src/rx/operators/process.ts'
import type { MillraceRecord } from '../../../src/rxjs.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

/** A handler whose works are ended by hand. */
class Works {
  readonly begun: number[] = []
  readonly ends = new Map<number, PromiseWithResolvers<string>>()

  readonly handler = ({ value }: { value: number }): Promise<string> => {
    const end = Promise.withResolvers<string>()
    this.begun.push(value)
    this.ends.set(value, end)
    return end.promise
  }

  async end(value: number): Promise<void> {
    this.ends.get(value)!.resolve(`done ${value}`)
    await settle()
  }

  async fail(value: number, error: unknown): Promise<void> {
    this.ends.get(value)!.reject(error)
    await settle()
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

test('what the handler returns is emitted: a value, a promise, an Observable', async () => {
  const source = new HeldSource<number>()
  const seen: string[] = []
  const results = source.records.pipe(
    process(({ value }): Observable<string> | Promise<string> | string => {
      if (value === 1) return 'one'
      return value === 2 ? Promise.resolve('two') : of('three', 'more')
    }),
  )
  results.subscribe((result) => seen.push(result))
  for (const n of [1, 2, 3]) source.emit(n)
  await settle()
  expect(seen).toEqual(['one', 'two', 'three', 'more'])
  expect(source.position()).toBe(3)
})

test('a record is held until its work is done', async () => {
  const source = new HeldSource<number>()
  const works = new Works()
  source.records.pipe(process(works.handler, { concurrency: 2 })).subscribe()
  for (const n of [1, 2, 3]) source.emit(n)
  expect(works.begun).toEqual([1, 2])
  expect([source.position(), source.room.records]).toEqual([0, 3])
  await works.end(2)
  expect([works.begun, source.position(), source.room.records]).toEqual([[1, 2, 3], 0, 2])
  await works.end(1)
  expect(source.position()).toBe(2)
  await works.end(3)
  expect([source.position(), source.room.records]).toEqual([3, 0])
})

test('records of one key are worked on one behind the other', async () => {
  const source = new HeldSource<number>()
  const works = new Works()
  source.records.pipe(process(works.handler, { concurrency: 10 })).subscribe()
  source.emit(1, { key: 'a' })
  source.emit(2, { key: 'a' })
  source.emit(3, { key: 'b' })
  source.emit(4)
  source.emit(5)
  expect(works.begun).toEqual([1, 3, 4, 5])
  await works.end(1)
  expect(works.begun).toEqual([1, 3, 4, 5, 2])
})

test('order by partition, and none', async () => {
  const source = new HeldSource<number>({ partitions: 2 })
  const works = new Works()
  const others = new Works()
  source.records.pipe(process(works.handler, { concurrency: 10, order: 'partition' })).subscribe()
  source.emit(1, { partition: 0 })
  source.emit(2, { partition: 0 })
  source.emit(3, { partition: 1 })
  expect(works.begun).toEqual([1, 3])
  const free = new HeldSource<number>()
  free.records.pipe(process(others.handler, { concurrency: 10, order: 'none' })).subscribe()
  free.emit(1, { key: 'a' })
  free.emit(2, { key: 'a' })
  expect(others.begun).toEqual([1, 2])
})

test('a failure is tried again, and holds up its key alone', async () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const tries: string[] = []
  const retries: number[] = []
  const handler = ({ value }: { value: number }, { attempt }: { attempt: number }): string => {
    tries.push(`${value}/${attempt}`)
    if (value === 1 && attempt < 3) throw new Error('not yet')
    return 'done'
  }
  const options = { clock, retry: { attempts: 3, backoffMs: 100 }, onRetry: ({ attempt }: { attempt: number }) => retries.push(attempt) }
  source.records.pipe(process(handler, options)).subscribe()
  source.emit(1, { key: 'a' })
  source.emit(2, { key: 'a' })
  source.emit(3, { key: 'b' })
  expect(tries).toEqual(['1/1', '3/1'])
  clock.advance(120)
  expect(tries).toEqual(['1/1', '3/1', '1/2'])
  expect(source.position()).toBe(0)
  clock.advance(240)
  expect(tries).toEqual(['1/1', '3/1', '1/2', '1/3', '2/1'])
  expect(source.position()).toBe(3)
  expect(retries).toEqual([1, 2])
  expect(clock.pending).toBe(0)
})

test('given up without a dead-letter topic, it ends the Observable, unsettled', () => {
  const source = new HeldSource<number>()
  let failure: MillraceError | undefined
  const cause = new RangeError('poison')
  const handler = (): never => {
    throw cause
  }
  source.records.pipe(process(handler, { retry: { attempts: 1 } })).subscribe({ error: (error: MillraceError) => (failure = error) })
  source.emit(1)
  expect(failure).toMatchObject({ code: 'PROCESSING_FAILED', cause })
  expect(source.position()).toBe(0)
  expect(source.isSubscribed).toBe(false)
})

test('an error that says so is not tried again', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  let failure: unknown
  const handler = (): never => {
    throw Object.assign(new Error('final'), { retriable: false })
  }
  source.records.pipe(process(handler, { clock })).subscribe({ error: (error) => (failure = error) })
  source.emit(1)
  expect(failure).toMatchObject({ code: 'PROCESSING_FAILED' })
})

test('a rejected promise and an Observable that errs are failures', async () => {
  for (const failing of [
    (): Promise<never> => Promise.reject(new Error('no')),
    (): Observable<never> => throwError(() => new Error('no')),
  ]) {
    const clock = new VirtualClock()
    const source = new HeldSource<number>()
    let tries = 0
    const handler = (_: unknown, { attempt }: { attempt: number }): Promise<never> | Observable<never> | number => {
      tries++
      return attempt === 1 ? failing() : 7
    }
    const seen: number[] = []
    source.records.pipe(process<unknown, number>(handler, { clock })).subscribe((result) => seen.push(result))
    source.emit(1)
    await settle()
    expect([tries, source.position()]).toEqual([1, 0])
    clock.advance(2_000)
    expect([tries, source.position(), seen]).toEqual([2, 1, [7]])
  }
})

test('when the partition goes, signals fire, nothing of it is emitted, and what waits is not begun', async () => {
  const source = new HeldSource<number>({ partitions: 2 })
  const begun: number[] = []
  const seen: number[] = []
  const ends = new Map<number, () => void>()
  let signal: AbortSignal | undefined
  source.records
    .pipe(
      process(({ value }, context) => {
        begun.push(value)
        if (value === 1) ({ signal } = context)
        return new Promise<number>((resolve) => ends.set(value, () => resolve(value)))
      }),
    )
    .subscribe((value) => seen.push(value))
  source.emit(1)
  source.emit(2)
  source.emit(3, { partition: 1 })
  source.revoke(0)
  expect(signal!.aborted).toBe(true)
  ends.get(1)!()
  await settle()
  expect(begun).toEqual([1, 3])
  ends.get(3)!()
  await settle()
  expect(seen).toEqual([3])
  expect(source.room.records).toBe(0)
})

test('an Observable of a partition that has gone is left', () => {
  const source = new HeldSource<number>()
  let isLeft = false
  source.records.pipe(process(() => new Observable<never>(() => () => (isLeft = true)))).subscribe()
  source.emit(1)
  source.revoke()
  expect(isLeft).toBe(true)
})

test('unsubscribed, its signals fire, no timer is left, nothing is settled', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const signals: AbortSignal[] = []
  const handler = ({ value }: { value: number }, { signal }: { signal: AbortSignal }): Promise<never> => {
    signals.push(signal)
    if (value === 2) throw new Error('once more')
    return new Promise(() => undefined)
  }
  const subscription = source.records.pipe(process(handler, { concurrency: 2, clock })).subscribe()
  source.emit(1)
  source.emit(2)
  expect(clock.pending).toBe(1)
  subscription.unsubscribe()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  expect([clock.pending, source.position(), source.isAbandoned]).toEqual([0, 0, true])
})

test('it completes when the source has and all is done', async () => {
  const source = new HeldSource<number>()
  const works = new Works()
  let isComplete = false
  source.records.pipe(process(works.handler)).subscribe({ complete: () => (isComplete = true) })
  source.emit(1)
  source.complete()
  expect(isComplete).toBe(false)
  await works.end(1)
  expect(isComplete).toBe(true)
})

test('what a result is handed on to holds the record too', async () => {
  const source = new HeldSource<number>()
  const second = new Works()
  const results = source.records.pipe(
    process(async ({ value }) => value),
    map((value) => ({ value })),
    process(second.handler),
  )
  results.subscribe()
  source.emit(1)
  await settle()
  expect([second.begun, source.position()]).toEqual([[1], 0])
  await second.end(1)
  expect(source.position()).toBe(1)
})

test('thousands of handlers that end at once need no depth, and leave the event loop its turn', async () => {
  const source = new HeldSource<number>()
  let count = 0
  const gate = new Subject<number>()
  source.records.pipe(process((record) => (record.offset === 0 ? gate : of(count++)), { order: 'partition' })).subscribe()
  for (let n = 0; n < 20_000; n++) source.emit(n)
  gate.complete()
  await vi.waitFor(() => expect([count, source.position()]).toEqual([19_999, 20_000]), { timeout: 20_000 })
})

test('a backlog of synchronous work gives way after 5 ms', async () => {
  let nowMs = 0
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, setTimer: () => ({ cancel: () => undefined }) }
  const source = new HeldSource<number>()
  const gate = new Subject<number>()
  let worked = 0
  const handler = ({ offset }: { offset: number }): Subject<number> | number => {
    if (offset === 0) return gate
    nowMs++
    return worked++
  }
  source.records.pipe(process(handler, { order: 'partition', clock })).subscribe()
  for (let n = 0; n <= 100; n++) source.emit(n)
  gate.complete()
  expect(worked).toBeLessThan(30)
  await vi.waitFor(() => expect([worked, source.position()]).toEqual([100, 101]))
})

test('values that are no records are worked on too, in no order', () => {
  marbles(({ cold, expectObservable, time }) => {
    const delayed = cold('ab|').pipe(process((letter) => of(letter).pipe(delay(time('--|'))), { concurrency: 2 }))
    expectObservable(delayed).toBe('--a(b|)')
  })
})

const KEEPERS: Record<string, (n: number) => Observable<unknown>> = {
  mergeMap: (n) => of(n).pipe(mergeMap((x) => timer(5).pipe(map(() => x)))),
  concatMap: (n) => of(n, n).pipe(concatMap((x) => timer(5).pipe(map(() => x)))),
  switchMap: (n) => of(n, n).pipe(switchMap((x) => timer(5).pipe(map(() => x)))),
  exhaustMap: (n) => of(n, n).pipe(exhaustMap((x) => timer(5).pipe(map(() => x)))),
  delay: (n) => of(n).pipe(delay(5)),
  debounceTime: (n) => from([n, n]).pipe(delay(1), debounceTime(5)),
  bufferTime: (n) =>
    timer(1, 1).pipe(
      map(() => n),
      bufferTime(5),
      mergeMap((batch) => of(batch.length)),
      (source) =>
        new Observable((s) =>
          source.subscribe({
            next: (x) => {
              s.next(x)
              s.complete()
            },
          }),
        ),
    ),
  bufferCount: (n) => from([n, n, n]).pipe(delay(5), bufferCount(2)),
  scan: (n) =>
    from([n, n]).pipe(
      delay(5),
      scan((sum, x) => sum + x, 0),
    ),
  withLatestFrom: (n) => of(n).pipe(delay(5), withLatestFrom(of('latest'))),
}

test.for(Object.keys(KEEPERS))('%s inside process: held until it is done', async (name) => {
  vi.useFakeTimers()
  try {
    const source = new HeldSource<number>()
    const seen: unknown[] = []
    source.records.pipe(process(({ value }) => KEEPERS[name]!(value))).subscribe((result) => seen.push(result))
    source.emit(1)
    expect([source.position(), seen]).toEqual([0, []])
    await vi.advanceTimersByTimeAsync(50)
    expect(source.position()).toBe(1)
    expect(seen.length).toBeGreaterThan(0)
  } finally {
    vi.useRealTimers()
  }
})

test('records of a partition that stays are worked on, whatever goes beside them', async () => {
  const source = new HeldSource<number>({ partitions: 2 })
  const begun: number[][] = []
  const seen: number[] = []
  const signals: AbortSignal[] = []
  const gates: (() => void)[] = []
  const handler = (batch: MillraceRecord<string | null, number>[], { signal }: { signal: AbortSignal }): Promise<number> => {
    begun.push(batch.map(({ value }) => value))
    signals.push(signal)
    return new Promise((resolve) => gates.push(() => resolve(batch.length)))
  }
  source.records.pipe(batchRecords({ maxRecords: 2 }), process(handler)).subscribe((size) => seen.push(size))
  for (const n of [1, 2, 3, 4]) source.emit(n, { partition: n % 2 })
  source.revoke(1)
  expect([source.position(0), signals[0]!.aborted]).toEqual([0, false])
  gates[0]!()
  await settle()
  expect([seen, begun, source.position(0)]).toEqual([
    [2],
    [
      [1, 2],
      [3, 4],
    ],
    1,
  ])
  source.revoke(0)
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true])
})

test('what a listener throws ends the Observable, unsettled', async () => {
  const listener = (): never => {
    throw new Error('of the listener')
  }
  const handler = (): Promise<never> => Promise.reject(new Error('bad'))
  for (const options of [
    { retry: { attempts: 1 }, deadLetterTopic: 'given-up', onDeadLetter: listener },
    { retry: { attempts: 2 }, clock: new VirtualClock(), onRetry: listener },
  ]) {
    const source = new HeldSource<number>()
    let failure: unknown
    source.records.pipe(process(handler, options)).subscribe({ error: (error) => (failure = error) })
    source.emit(1)
    for (let i = 0; i < 3; i++) await settle()
    expect([failure, source.position()]).toEqual([new Error('of the listener'), 0])
    expect(options.clock?.pending ?? 0).toBe(0)
  }
})

test('what a handler emits elsewhere is of no record, before it waits and behind that', async () => {
  const source = new HeldSource<number>()
  const audit = new Subject<string>()
  const seen: string[] = []
  audit.pipe(process((text) => text)).subscribe((text) => seen.push(text))
  const handler = async ({ value }: { value: number }): Promise<void> => {
    audit.next(`begun ${value}`)
    await Promise.resolve()
    audit.next(`done ${value}`)
  }
  source.records.pipe(process(handler)).subscribe()
  source.emit(1)
  await settle()
  expect([seen, source.position()]).toEqual([['begun 1', 'done 1'], 1])
})

test('signals of all attempts are one, and none is kept when its work is done', async () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const signals: AbortSignal[] = []
  const handler = (_: unknown, { signal, attempt }: { signal: AbortSignal; attempt: number }): Promise<void> => {
    signals.push(signal)
    return attempt === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve()
  }
  source.records.pipe(process(handler, { clock })).subscribe()
  source.emit(1)
  await settle()
  clock.advance(1_200)
  await settle()
  expect([signals.length, new Set(signals).size, source.position()]).toEqual([2, 1, 1])
  source.revoke()
  expect(signals[0]!.aborted).toBe(false)
})

test('refuses what it cannot do', () => {
  const handler = (): typeof NEVER => NEVER
  expect(() => process(handler, { concurrency: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
  expect(() => process(handler, { maxInFlight: 3 } as never)).toThrow(/its source bounds what is in flight/)
  expect(() => process(handler, { deadLetterTopic: 'no such/name' })).toThrow(expect.objectContaining({ code: 'INVALID_TOPIC_EXCEPTION' }))
})
