// The rules of the contract about open windows: pins, and the text that goes with a commit.

import { count, filter, lastValueFrom, map, take, tap } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTopic, toTopic } from '../../../src/rxjs.ts'
import type { MillraceRecord } from '../../../src/rxjs.ts'
import { originOf } from '../../../src/rx/millrace-record.ts'
import type { SourcePartition } from '../../../src/rx/source-partition.ts'
import { ContractWorld, turns, until, upTo } from './contract-world.ts'
import { pinning } from './pinning.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

type Numbered = MillraceRecord<string | null, number>

describe('pins', () => {
  test('a pin holds the commit position back, and does not count for maxInFlight', async () => {
    const topic = await world.filled(500)
    const groupId = world.name()
    const { pinned, operator, emitOldest } = pinning<Numbered>()
    const out: number[] = []
    const subscription = fromTopic(topic, { groupId, maxInFlight: 2, autoCommitIntervalMs: 0 })
      .pipe(
        filter(({ value }) => value >= 100),
        operator,
      )
      .subscribe(({ value }) => out.push(value))
    await until(() => pinned.length === 400)
    await until(async () => (await world.committed(groupId)) === 100)
    for (let i = 0; i < 50; i++) emitOldest()
    expect(out).toEqual(upTo(150).slice(100))
    await until(async () => (await world.committed(groupId)) === 150)
    subscription.unsubscribe()
    expect(await world.committedAtLast(groupId)).toBe(150)
  })

  test('what is emitted under a pin may be held: then it counts again', async () => {
    const topic = await world.filled(20)
    const target = await world.topic()
    const groupId = world.name()
    const { pinned, operator, emitOldest } = pinning<Numbered>()
    const subscription = fromTopic(topic, { groupId, autoCommitIntervalMs: 0 }).pipe(operator, toTopic(target)).subscribe()
    await until(() => pinned.length === 20)
    for (let i = 0; i < 20; i++) emitOldest()
    await until(async () => (await world.committed(groupId)) === 20)
    subscription.unsubscribe()
    expect(await world.valuesOf(target)).toEqual(upTo(20))
  })

  test('until flushes what is open, and commits it when it is acknowledged', async () => {
    const topic = await world.filled(30)
    const target = await world.topic()
    const groupId = world.name()
    const { operator } = pinning<Numbered>()
    expect(await lastValueFrom(fromTopic(topic, { groupId, until: 'end' }).pipe(operator, toTopic(target), count()))).toBe(30)
    expect(await world.committedAtLast(groupId)).toBe(30)
    expect(await world.valuesOf(target)).toEqual(upTo(30))
  })

  test('a chain that is torn down after the source has completed leaves the group, and settles nothing of what was open', async () => {
    const topic = await world.filled(30)
    const groupId = world.name()
    const { pinned, operator } = pinning<Numbered>({ flushes: false })
    const subscription = fromTopic(topic, { groupId, until: 'end' }).pipe(operator).subscribe()
    await until(() => pinned.length === 30)
    await turns(50)
    expect((await world.millrace.admin.describeGroup(groupId)).members).toHaveLength(1)
    subscription.unsubscribe()
    expect(await world.committedAtLast(groupId)).toBe(0)
  })
})

describe('the text that goes with a commit', () => {
  /** Takes the partition of each record. */
  const partitionsOf = (seen: Set<SourcePartition>) => tap((record: Numbered) => void seen.add(originOf(record)!.partition))

  test('it comes back with the offset that reading goes on from', async () => {
    const topic = await world.filled(10)
    const groupId = world.name()
    const texts: string[] = []
    const asked: number[] = []
    const read = async (records: number): Promise<void> => {
      const seen = new Set<SourcePartition>()
      const source = fromTopic(topic, { groupId }).pipe(
        partitionsOf(seen),
        tap(() => {
          const [partition] = seen
          partition!.metadata ??= (position) => {
            asked.push(position)
            return `at ${position}`
          }
        }),
        take(records),
      )
      await lastValueFrom(source)
      texts.push([...seen][0]!.committedMetadata)
      await world.committedAtLast(groupId)
    }
    await read(6)
    await read(3)
    await read(1)
    // The record that closed it comes again.
    expect(texts).toEqual(['', 'at 5', 'at 7'])
    expect(asked).toContain(5)
    expect(asked).toContain(7)
    const [offset] = await world.millrace.admin.listGroupOffsets(groupId)
    expect(offset).toMatchObject({ offset: 7, metadata: 'at 7' })
  })

  test('a chain without a stateful operator lets it be', async () => {
    const topic = await world.filled(5)
    const groupId = world.name()
    await world.millrace.admin.alterGroupOffsets(groupId, { [topic.name]: { 0: { offset: 2, metadata: 'kept' } } })
    const seen = new Set<SourcePartition>()
    await lastValueFrom(fromTopic(topic, { groupId, until: 'end' }).pipe(partitionsOf(seen)))
    expect([...seen].map(({ committedMetadata }) => committedMetadata)).toEqual(['kept'])
    await world.committedAtLast(groupId)
    expect(await world.millrace.admin.listGroupOffsets(groupId)).toMatchObject([{ offset: 5, metadata: 'kept' }])
  })

  test('also where it moves on without a record', async () => {
    const topic = await world.filled(5)
    const groupId = world.name()
    const { admin } = world.millrace
    await admin.alterGroupOffsets(groupId, { [topic.name]: { 0: { offset: 2, metadata: 'kept' } } })
    await admin.deleteRecords(topic.name, { 0: 5 })
    const subscription = fromTopic(topic, { groupId, autoCommitIntervalMs: 0, onOvertaken: () => undefined }).subscribe()
    await until(async () => (await world.committed(groupId)) === 5)
    subscription.unsubscribe()
    await world.committedAtLast(groupId)
    expect(await admin.listGroupOffsets(groupId)).toMatchObject([{ offset: 5, metadata: 'kept' }])
  })
})

describe('what a chain is told of its sources', () => {
  test('through any operator: who reads, which partitions, and when all was read', async () => {
    const topic = await world.filled(40, 3)
    const groupId = world.name()
    const { operator, chain, pinned } = pinning<Numbered>()
    const subscription = fromTopic(topic, { groupId })
      .pipe(
        map((record) => record),
        operator,
      )
      .subscribe()
    expect(chain).toMatchObject({ tracked: true, rekeyed: undefined, unordered: false })
    const [source] = chain.sources
    expect(source).toMatchObject({ groupId, topics: [{ name: topic.name }] })
    expect(source!.partitions()).toBeUndefined()
    let isCaughtUp = false
    const stop = source!.onCaughtUp(() => {
      isCaughtUp = true
      expect(pinned.length).toBe(120)
    })
    await until(() => isCaughtUp)
    const partitions = source!.partitions()!
    expect(partitions.map(({ partition }) => partition).sort()).toEqual([0, 1, 2])
    expect(partitions.map((each) => each.isCaughtUp)).toEqual([true, true, true])
    expect(partitions.map((each) => each.isGone)).toEqual([false, false, false])
    stop()
    let gone = 0
    for (const each of partitions) each.onGone(() => gone++)
    const { signal } = partitions[0]!
    subscription.unsubscribe()
    expect([gone, signal.aborted, partitions[1]!.signal.aborted]).toEqual([3, true, true])
  })
})
