import { Subject, merge } from 'rxjs'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { mergeByTime } from '../../../src/rx/operators/merge-by-time.ts'
import type { Hold, MillraceRecord } from '../../../src/rxjs.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

test('the earliest first, as long as each source has one', () => {
  marbles(({ cold, clock, expectObservable }) => {
    const at = (timestamp: number): { timestamp: number } => ({ timestamp })
    const values = { a: at(1), b: at(4), c: at(2), d: at(3), e: at(5) }
    const sources = [cold('ab 40ms |', values), cold('--c 9ms d 9ms e 30ms |', values)]
    expectObservable(mergeByTime(sources, { clock })).toBe('--(ac) 6ms d 9ms b 19ms e 10ms |', values)
  })
})

function merging(sources: HeldSource<number>[], clock = new VirtualClock()): number[] {
  const seen: number[] = []
  mergeByTime(
    sources.map(({ records }) => records),
    { clock, maxWaitMs: 100 },
  ).subscribe(({ timestamp }) => seen.push(timestamp))
  return seen
}

test('nobody is waited for who has been read to the end', () => {
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  b.lag(0, true)
  const seen = merging([a, b])
  a.emit(1, { timestamp: 10 })
  a.emit(2, { timestamp: 30 })
  expect(seen).toEqual([])
  b.emit(3, { timestamp: 20 })
  expect(seen).toEqual([10, 20])
  b.lag(0, false)
  expect(seen).toEqual([10, 20, 30])
})

test('each partition of a source is waited for', () => {
  const source = new HeldSource<number>({ partitions: 2 })
  source.lag(1, true)
  const seen = merging([source])
  source.emit(1, { timestamp: 10 })
  expect(seen).toEqual([])
  source.emit(2, { partition: 1, timestamp: 5 })
  expect(seen).toEqual([5])
  source.lag(1, false)
  expect(seen).toEqual([5, 10])
})

test('within a partition the order stays, whatever the time says', () => {
  const source = new HeldSource<number>()
  const seen = merging([source])
  for (const timestamp of [5, 3, 4]) source.emit(0, { timestamp })
  expect(seen).toEqual([5, 3, 4])
})

test('the earliest waits no longer than maxWaitMs', () => {
  const clock = new VirtualClock()
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  b.lag(0, true)
  const seen = merging([a, b], clock)
  a.emit(1, { timestamp: 10 })
  clock.advance(99)
  expect(seen).toEqual([])
  clock.advance(1)
  expect(seen).toEqual([10])
  expect(clock.pending).toBe(0)
})

test('one that gives nothing is waited for once, until it gives something', () => {
  const clock = new VirtualClock()
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  b.lag(0, true)
  const seen = merging([a, b], clock)
  for (const timestamp of [10, 11, 12]) a.emit(1, { timestamp })
  clock.advance(100)
  expect(seen).toEqual([10, 11, 12])
  a.emit(1, { timestamp: 13 })
  expect(seen).toEqual([10, 11, 12, 13])
  b.emit(1, { timestamp: 9 })
  a.emit(1, { timestamp: 14 })
  expect(seen).toEqual([10, 11, 12, 13, 9])
  clock.advance(100)
  expect(seen).toEqual([10, 11, 12, 13, 9, 14])
  expect(clock.pending).toBe(0)
})

test('a record that its user holds may come later', () => {
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  const later = new Subject<MillraceRecord<string | null, number>>()
  const seen: number[] = []
  mergeByTime([merge(later, a.records), b.records]).subscribe(({ value }) => seen.push(value))
  const other = new HeldSource<number>()
  let record: MillraceRecord<string | null, number> | undefined
  let hold: Hold | undefined
  other.records.subscribe((each) => {
    record = each
    hold = each.hold()
  })
  other.emit(7)
  later.next(record!)
  hold!.release()
  expect([seen, other.position()]).toEqual([[7], 1])
})

test('a source that can pull no more is not waited with', () => {
  const [a, b] = [new HeldSource<number>({ maxInFlight: 4 }), new HeldSource<number>()]
  b.lag(0, true)
  const seen = merging([a, b])
  a.emit(1, { timestamp: 10 })
  expect(seen).toEqual([])
  a.emit(2, { timestamp: 11 })
  expect(seen).toEqual([10])
})

test('what waits is held, and what is emitted may be held on', () => {
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  b.lag(0, true)
  mergeByTime([a.records, b.records])
    .pipe(batchRecords({ maxRecords: 2 }))
    .subscribe()
  a.emit(1, { timestamp: 10 })
  expect(a.position()).toBe(0)
  b.emit(2, { timestamp: 9 })
  expect([a.position(), b.position()]).toEqual([0, 0])
  b.emit(3, { timestamp: 11 })
  expect([a.position(), b.position()]).toEqual([1, 1])
})

test('it completes when all have; the first error ends it; unsubscribing leaves nothing', () => {
  const clock = new VirtualClock()
  const [a, b] = [new HeldSource<number>(), new HeldSource<number>()]
  const seen: unknown[] = []
  mergeByTime([a.records, b.records], { clock }).subscribe({
    next: ({ timestamp }) => seen.push(timestamp),
    complete: () => seen.push('over'),
  })
  b.lag(0, true)
  a.emit(1, { timestamp: 7 })
  a.complete()
  expect(seen).toEqual([])
  b.complete()
  expect(seen).toEqual([7, 'over'])
  const boom = new Error('boom')
  const other = new Subject<{ timestamp: number }>()
  let failure: unknown
  mergeByTime([other, new Subject<{ timestamp: number }>()], { clock }).subscribe({ error: (error) => (failure = error) })
  other.next({ timestamp: 1 })
  other.error(boom)
  expect([failure, clock.pending]).toEqual([boom, 0])
})

test('of nothing it is empty', () => {
  let isComplete = false
  mergeByTime([]).subscribe({ complete: () => (isComplete = true) })
  expect(isComplete).toBe(true)
})
