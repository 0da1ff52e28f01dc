// The rules of the contract about how a chain ends, and what comes again: each a test named after it.

import {
  NEVER,
  catchError,
  concat,
  count,
  filter,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  of,
  retry,
  share,
  take,
  takeUntil,
  takeWhile,
  tap,
  toArray,
} from 'rxjs'
import type { Observable } from 'rxjs'
import { Subject } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTopic } from '../../../src/rxjs.ts'
import type { FromTopicOptions, Hold, MillraceRecord } from '../../../src/rxjs.ts'
import { ContractWorld, turns, until, upTo } from './contract-world.ts'
import type { Numbers } from './contract-world.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

type Source = Observable<MillraceRecord<string | null, number>>

/** The values that come when the group reads on. */
async function rest(topic: Numbers, groupId: string): Promise<number[]> {
  await world.committedAtLast(groupId)
  const options: FromTopicOptions = { groupId, until: 'end' }
  return lastValueFrom(
    fromTopic(topic, options).pipe(
      map(({ value }) => value),
      toArray(),
    ),
  )
}

const failAt = (n: number) =>
  map((record: MillraceRecord<string | null, number>): number => {
    if (record.value === n) throw new Error(`no ${n}`)
    return record.value
  })

describe('what comes again', () => {
  test('a throw in map: the record and all behind it', async () => {
    const topic = await world.filled(100)
    const groupId = world.name()
    await expect(lastValueFrom(fromTopic(topic, { groupId }).pipe(failAt(42)))).rejects.toThrow('no 42')
    expect(await rest(topic, groupId)).toEqual(upTo(100).slice(42))
  })

  test('take: the record that closed it was perhaps never looked at, and comes again', async () => {
    const topic = await world.filled(100)
    const groupId = world.name()
    expect(await lastValueFrom(fromTopic(topic, { groupId }).pipe(take(10), count()))).toBe(10)
    expect(await rest(topic, groupId)).toEqual(upTo(100).slice(9))
  })

  test('takeUntil: what was settled is not read again', async () => {
    const topic = await world.filled(100)
    const groupId = world.name()
    const stop = new Subject<void>()
    const seen = await lastValueFrom(
      fromTopic(topic, { groupId }).pipe(
        tap(({ value }) => {
          if (value === 99) queueMicrotask(() => stop.next())
        }),
        takeUntil(stop),
        count(),
      ),
    )
    expect(seen).toBe(100)
    expect(await rest(topic, groupId)).toEqual([])
  })

  test('unsubscribe: what is held is not settled, also when it is released later', async () => {
    const topic = await world.filled(100)
    const groupId = world.name()
    const holds: Hold[] = []
    const subscription = fromTopic(topic, { groupId, maxInFlight: 10 }).subscribe((record) => {
      if (record.value >= 50) holds.push(record.hold())
    })
    await until(() => holds.length === 10)
    subscription.unsubscribe()
    for (const hold of holds) hold.release()
    expect(await rest(topic, groupId)).toEqual(upTo(100).slice(50))
  })

  test('takeWhile: as with take', async () => {
    const topic = await world.filled(20)
    const groupId = world.name()
    await lastValueFrom(
      fromTopic(topic, { groupId }).pipe(
        takeWhile(({ value }) => value < 5),
        count(),
      ),
    )
    expect(await rest(topic, groupId)).toEqual(upTo(20).slice(5))
  })

  test('retry: it subscribes again, and reads on from what is committed', async () => {
    const topic = await world.filled(50)
    const groupId = world.name()
    const seen: number[] = []
    let failures = 0
    await lastValueFrom(
      fromTopic(topic, { groupId, until: 'end' }).pipe(
        tap(({ value }) => {
          seen.push(value)
          if (value === 30 && failures++ === 0) throw new Error('once')
        }),
        retry({ count: 3, delay: async () => world.committedAtLast(groupId) }),
      ),
    )
    expect(seen).toEqual([...upTo(31), ...upTo(50).slice(30)])
    expect(await rest(topic, groupId)).toEqual([])
  })

  test('catchError: the source is left, what failed comes again', async () => {
    const topic = await world.filled(20)
    const groupId = world.name()
    const values = await lastValueFrom(
      fromTopic(topic, { groupId }).pipe(
        failAt(3),
        catchError(() => of(-1)),
        toArray(),
      ),
    )
    expect(values).toEqual([0, 1, 2, -1])
    expect(await rest(topic, groupId)).toEqual(upTo(20).slice(3))
  })
})

describe('several', () => {
  test('share: a record is settled when all subscribers have returned, and one that leaves closes nothing', async () => {
    const topic = await world.filled(50)
    const groupId = world.name()
    const shared: Source = fromTopic(topic, { groupId, until: 'end', maxInFlight: 4 }).pipe(share())
    const holds: Hold[] = []
    let held = 0
    let taken = 0
    shared.pipe(take(3)).subscribe(() => taken++)
    const completed = lastValueFrom(
      shared.pipe(
        tap((record) => {
          held++
          holds.push(record.hold())
        }),
        ignoreElements(),
      ),
      { defaultValue: undefined },
    )
    await until(() => held === 4)
    await turns()
    expect([held, taken]).toEqual([4, 3])
    while (held < 50 || holds.length > 0) {
      holds.shift()?.release()
      await turns(1)
    }
    await completed
    expect(await rest(topic, groupId)).toEqual([])
  })

  test('merge: each source has its own room and its own commits', async () => {
    const [a, b] = [await world.filled(20), await world.filled(30)]
    const groups = [world.name(), world.name()]
    const merged = merge(
      fromTopic(a, { groupId: groups[0]!, until: 'end' }),
      fromTopic(b, { groupId: groups[1]!, until: 'end' }).pipe(filter(({ value }) => value % 2 === 0)),
    )
    expect(await lastValueFrom(merged.pipe(count()))).toBe(35)
    expect([await world.committedAtLast(groups[0]!), await world.committedAtLast(groups[1]!)]).toEqual([20, 30])
  })

  test('merge: an error of one leaves the others, and settles nothing more of them', async () => {
    const [a, b] = [await world.filled(20), await world.filled(30)]
    const groups = [world.name(), world.name()]
    const holds: Hold[] = []
    const failing = new Subject<never>()
    const ended = lastValueFrom(
      merge(
        fromTopic(a, { groupId: groups[0]! }).pipe(tap((record) => holds.push(record.hold()))),
        fromTopic(b, { groupId: groups[1]! }),
        failing,
      ),
    )
    ended.catch(() => undefined)
    await until(() => holds.length === 20)
    failing.error(new Error('one'))
    await expect(ended).rejects.toThrow('one')
    for (const hold of holds) hold.release()
    expect(await rest(a, groups[0]!)).toEqual(upTo(20))
  })

  test('concat: the second begins when all of the first is settled', async () => {
    const [a, b] = [await world.filled(5), await world.filled(5)]
    const groupId = world.name()
    const seen: string[] = []
    let hold: Hold | undefined
    const ended = lastValueFrom(
      concat(fromTopic(a, { groupId, until: 'end' }), fromTopic(b, { until: 'end' })).pipe(
        tap((record) => {
          seen.push(record.topic)
          if (record.topic === a.name && record.value === 2) hold = record.hold()
        }),
      ),
    )
    await until(() => seen.length === 5)
    await turns()
    expect(seen).toEqual(upTo(5).map(() => a.name))
    hold!.release()
    await ended
    expect(seen.slice(5)).toEqual(upTo(5).map(() => b.name))
    expect(await world.committedAtLast(groupId)).toBe(5)
  })

  test('a member that only waits is left as well', async () => {
    const topic = await world.filled(0)
    const groupId = world.name()
    const subscription = merge(fromTopic(topic, { groupId }), NEVER).subscribe()
    await until(async () => (await world.millrace.admin.listGroups()).some((group) => group.groupId === groupId))
    subscription.unsubscribe()
    await world.committedAtLast(groupId)
  })
})
