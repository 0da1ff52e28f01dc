// The rules of the contract about what is settled, and so committed: each a test named after it.

import { count, finalize, firstValueFrom, lastValueFrom, map, tap } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTopic, toTopic } from '../../../src/rxjs.ts'
import type { Hold } from '../../../src/rxjs.ts'
import { ContractWorld, turns, until, upTo } from './contract-world.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

describe('settled', () => {
  test('a group goes on where it has committed, and reads nothing twice', async () => {
    const topic = await world.filled(100)
    const groupId = world.name()
    const source = fromTopic(topic, { groupId, until: 'end' })
    expect(await lastValueFrom(source.pipe(count()))).toBe(100)
    expect(await world.committedAtLast(groupId)).toBe(100)
    expect(await lastValueFrom(source.pipe(count()))).toBe(0)
    await world.millrace.producer().send(topic, { value: 100 })
    expect((await lastValueFrom(source)).value).toBe(100)
  })

  test('the committed offset is the lowest unsettled one', async () => {
    const topic = await world.filled(20)
    const groupId = world.name()
    const holds: Hold[] = []
    const subscription = fromTopic(topic, { groupId, autoCommitIntervalMs: 0 }).subscribe((record) => {
      if (record.offset === 7 || record.offset === 12) holds.push(record.hold())
    })
    await until(async () => (await world.committed(groupId)) === 7)
    // Out of order: nothing moves before the lowest is settled.
    holds[1]!.release()
    await turns()
    expect(await world.committed(groupId)).toBe(7)
    holds[0]!.release()
    await until(async () => (await world.committed(groupId)) === 20)
    subscription.unsubscribe()
  })

  test('settled offsets become committable one timer turn later', async () => {
    const topic = await world.filled(1)
    const groupId = world.name()
    let settledMs = 0
    let isTold = false
    // As RxJS does with what a subscriber throws.
    const subscription = fromTopic(topic, { groupId, autoCommitIntervalMs: 0 }).subscribe(() => {
      settledMs = performance.now()
      setTimeout(() => (isTold = true))
    })
    await until(async () => {
      const committed = await world.committed(groupId)
      if (committed === 1) expect(isTold).toBe(true)
      return committed === 1
    })
    expect(performance.now() - settledMs).toBeGreaterThanOrEqual(1)
    subscription.unsubscribe()
  })

  test('what toTopic has not had acknowledged is not settled', async () => {
    const topic = await world.filled(50)
    const target = await world.topic()
    const groupId = world.name()
    await lastValueFrom(fromTopic(topic, { groupId, until: 'end' }).pipe(toTopic(target)))
    expect(await world.committedAtLast(groupId)).toBe(50)
    expect(await world.valuesOf(target)).toEqual(upTo(50))
  })

  test('until: completes when all is settled, and commits all of it', async () => {
    const topic = await world.filled(10, 3)
    const groupId = world.name()
    let hold: Hold | undefined
    let isCompleted = false
    fromTopic(topic, { groupId, until: 'end' }).subscribe({
      next: (record) => {
        if (record.partition === 0 && record.offset === 4) hold = record.hold()
      },
      complete: () => (isCompleted = true),
    })
    await until(() => hold !== undefined)
    await turns(50)
    expect(isCompleted).toBe(false)
    hold!.release()
    await until(() => isCompleted)
    await world.committedAtLast(groupId)
    const offsets = await world.millrace.admin.listGroupOffsets(groupId)
    expect(offsets.map(({ offset }) => offset)).toEqual([10, 10, 10])
  })

  test('by hand assigned partitions of a group go on where it has committed', async () => {
    const topic = await world.filled(30, 2)
    const groupId = world.name()
    const source = fromTopic(topic, { groupId, partitions: [0], until: 'end' })
    expect(await lastValueFrom(source.pipe(count()))).toBe(30)
    await until(async () => (await world.committed(groupId)) === 30)
    expect(await lastValueFrom(source.pipe(count()))).toBe(0)
  })

  test('several topics in one source', async () => {
    const topics = [await world.filled(10), await world.filled(20, 2)]
    const groupId = world.name()
    const names = new Map<string, number>()
    await lastValueFrom(
      fromTopic(topics, { groupId, until: 'end' }).pipe(tap(({ topic }) => names.set(topic, (names.get(topic) ?? 0) + 1))),
    )
    expect(topics.map(({ name }) => names.get(name))).toEqual([10, 40])
  })

  test('record.with: another key, value, time and headers, of the same origin', async () => {
    const topic = await world.filled(3)
    const record = await firstValueFrom(fromTopic(topic))
    const changed = record.with({ key: 5, headers: { a: 'b' } }).with({ value: 'text', timestamp: 9 })
    expect(changed).toMatchObject({ key: 5, value: 'text', timestamp: 9, offset: 0, partition: 0, topic: topic.name })
    expect(changed.headers.get('a')).toBe('b')
    expect(record.with({}).value).toBe(0)
    const holds: Hold[] = []
    const groupId = world.name()
    const subscription = fromTopic(topic, { groupId, autoCommitIntervalMs: 0 })
      .pipe(
        map((each) => each.with({ value: `${each.value}` })),
        finalize(() => undefined),
      )
      .subscribe((each) => {
        if (each.value === '1') holds.push(each.hold())
      })
    await until(async () => (await world.committed(groupId)) === 1)
    holds[0]!.release()
    await until(async () => (await world.committed(groupId)) === 3)
    subscription.unsubscribe()
  })
})
