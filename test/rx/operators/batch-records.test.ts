import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import type { MillraceRecord } from '../../../src/rx/millrace-record.ts'
import { HeldSource } from './held-source.ts'
import { marbles } from './marbles.ts'

test('hands on what is full, what has waited, and what is there at the end', () => {
  marbles(({ cold, clock, expectObservable }) => {
    const batches = cold('abc-d-----e|').pipe(batchRecords({ maxRecords: 3, maxMs: 4, clock }))
    expectObservable(batches).toBe('--x-----y--(z|)', { x: ['a', 'b', 'c'], y: ['d'], z: ['e'] })
  })
})

test('an error is passed on; what was collected is not', () => {
  marbles(({ cold, clock, expectObservable }) => {
    expectObservable(cold('ab#').pipe(batchRecords({ maxRecords: 3, maxMs: 10, clock }))).toBe('--#')
  })
})

test('records are held until their batch is done with', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const batches: number[][] = []
  let kept: MillraceRecord<string | null, number> | undefined
  source.records.pipe(batchRecords({ maxRecords: 2, maxMs: 5, clock })).subscribe((batch) => {
    batches.push(batch.map(({ value }) => value))
    if (batches.length === 2) [kept] = batch
  })
  source.emit(1)
  expect([source.position(), source.room.records]).toEqual([0, 1])
  source.emit(2)
  expect([source.position(), source.room.records]).toEqual([2, 0])
  source.emit(3)
  clock.advance(5)
  expect(batches).toEqual([[1, 2], [3]])
  expect(source.position()).toBe(3)
  expect(() => kept!.hold()).toThrow(expect.objectContaining({ code: 'SETTLED_EARLY' }))
})

test('who holds a record of the batch holds that one', () => {
  const source = new HeldSource<number>()
  let release = (): void => undefined
  source.records.pipe(batchRecords({ maxRecords: 3 })).subscribe((batch) => {
    const hold = batch[1]!.hold()
    release = () => hold.release()
  })
  for (const n of [1, 2, 3]) source.emit(n)
  expect(source.position()).toBe(1)
  release()
  expect(source.position()).toBe(3)
})

test('unsubscribed, it settles nothing, and leaves no timer', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<number>()
  const subscription = source.records.pipe(batchRecords({ maxRecords: 3, clock })).subscribe()
  source.emit(1)
  expect(clock.pending).toBe(1)
  subscription.unsubscribe()
  expect([clock.pending, source.position(), source.isAbandoned]).toEqual([0, 0, true])
})

test('refuses what makes no sense', () => {
  expect(() => batchRecords({ maxRecords: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
  expect(() => batchRecords({ size: 3 } as never)).toThrow(/maxRecords/)
})
