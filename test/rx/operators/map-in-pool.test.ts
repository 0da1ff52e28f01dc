import { threadId } from 'node:worker_threads'
import { lastValueFrom, toArray } from 'rxjs'
import { expect, test } from 'vitest'
import { mapInPool } from '../../../src/rx/operators/map-in-pool.ts'
import { HeldSource } from './held-source.ts'

const SQUARE = new URL('./square-worker.ts', import.meta.url)

interface Square {
  readonly square: number
  readonly threadId: number
}

test('maps values in other threads, in order, and holds them meanwhile', async () => {
  const source = new HeldSource<number>()
  const mapped = lastValueFrom(source.records.pipe(mapInPool<number, Square>(SQUARE, { threads: 2, maxQueue: 100 }), toArray()))
  for (let n = 0; n < 500; n++) source.emit(n, { key: `k${n}` })
  expect([source.position(), source.room.records]).toEqual([0, 500])
  source.complete()
  const records = await mapped
  expect(records.map(({ value }) => value.square)).toEqual(Array.from({ length: 500 }, (_, n) => n * n))
  expect(records.map(({ key }) => key)[499]).toBe('k499')
  expect(records.some(({ value }) => value.threadId === threadId)).toBe(false)
  expect(source.position()).toBe(500)
})

test('an error of the function ends it, behind what came before; its record is not settled', async () => {
  const source = new HeldSource<number>()
  const seen: number[] = []
  const failed = new Promise<Error>((resolve) => {
    source.records.pipe(mapInPool<number, Square>(SQUARE, { threads: 1 })).subscribe({
      next: ({ value }) => seen.push(value.square),
      error: resolve,
    })
  })
  for (const n of [1, 2, -3, 4]) source.emit(n)
  expect(await failed).toMatchObject({ message: '-3 is below 0' })
  expect(seen).toEqual([1, 4])
  expect(source.position()).toBe(2)
})

test('a module that is missing, or exports no function, ends it', async () => {
  for (const url of ['./no-such-worker.ts', './held-source.ts']) {
    const source = new HeldSource<number>()
    const failed = new Promise<Error>((resolve) => {
      source.records.pipe(mapInPool(new URL(url, import.meta.url))).subscribe({ error: resolve })
    })
    source.emit(1)
    expect(await failed).toBeInstanceOf(Error)
    expect(source.position()).toBe(0)
  }
})

test('refuses what is no URL, and no threads', () => {
  expect(() => mapInPool('./square.ts' as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  expect(() => mapInPool(SQUARE, { threads: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
})
