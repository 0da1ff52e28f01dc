// The rules of the contract when partitions go from one member to another.

import { lastValueFrom, tap } from 'rxjs'
import type { Subscription } from 'rxjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromTopic } from '../../../src/rxjs.ts'
import type { FromTopicOptions, Hold, MillraceRecord } from '../../../src/rxjs.ts'
import { originOf } from '../../../src/rx/millrace-record.ts'
import type { SourcePartition } from '../../../src/rx/source-partition.ts'
import { ContractWorld, until } from './contract-world.ts'
import type { Numbers } from './contract-world.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

interface Member {
  readonly seen: { partition: number; offset: number }[]
  readonly partitions: Map<number, SourcePartition>
  readonly holds: Hold[]
  readonly subscription: Subscription
}

function member(topic: Numbers, options: FromTopicOptions, holds: (record: MillraceRecord<string | null, number>) => boolean): Member {
  const seen: Member['seen'] = []
  const partitions: Member['partitions'] = new Map()
  const held: Hold[] = []
  const subscription = fromTopic(topic, options).subscribe((record) => {
    seen.push({ partition: record.partition, offset: record.offset })
    partitions.set(record.partition, originOf(record)!.partition)
    if (holds(record)) held.push(record.hold())
  })
  return { seen, partitions, holds: held, subscription }
}

test('what is settled of a partition is committed before it goes; what is in flight of it no longer counts, and comes to the other', async () => {
  const topic = await world.filled(100, 4)
  const groupId = world.name()
  const options = { groupId, maxInFlight: 40, autoCommitIntervalMs: 60_000 }
  // Ten of each partition are held: it is full.
  const first = member(topic, options, ({ offset }) => offset >= 90)
  await until(() => first.holds.length === 40)
  const second = member(topic, options, () => false)
  await until(() => second.seen.length === 20)
  const taken = [...new Set(second.seen.map(({ partition }) => partition))]
  expect(taken).toHaveLength(2)
  // Only what was not settled, each once.
  for (const partition of taken)
    expect(second.seen.filter((record) => record.partition === partition).map(({ offset }) => offset)).toEqual([
      90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
    ])
  const gone = [...first.partitions.values()].filter(({ isGone }) => isGone)
  expect(gone.map(({ partition }) => partition).sort()).toEqual([...taken].sort())
  expect(gone.map(({ signal }) => signal.aborted)).toEqual([true, true])
  // What the first still holds of those does not count: it reads on where it is the reader.
  const before = first.seen.length
  const producer = world.millrace.producer()
  for (let partition = 0; partition < 4; partition++) await producer.send(topic, { value: 100, partition })
  await until(() => first.seen.length === before + 2 && second.seen.length === 22)
  for (const hold of first.holds) hold.release()
  first.subscription.unsubscribe()
  second.subscription.unsubscribe()
  await world.committedAtLast(groupId)
  const offsets = await world.millrace.admin.listGroupOffsets(groupId)
  expect(offsets.map(({ offset }) => offset)).toEqual([101, 101, 101, 101])
})

test('callbacks of its group', async () => {
  const topic = await world.filled(10, 2)
  const groupId = world.name()
  const told: string[] = []
  const tell = (what: string) => (partitions: readonly { partition: number }[]) =>
    void told.push(`${what} ${partitions.map(({ partition }) => partition).join()}`)
  await lastValueFrom(
    fromTopic(topic, { groupId, until: 'end', onAssigned: tell('assigned'), onRevoked: tell('revoked') }).pipe(
      tap(() => {
        if (told.length === 1) told.push('records')
      }),
    ),
  )
  await world.committedAtLast(groupId)
  expect(told).toEqual(['assigned 0,1', 'records', 'revoked 0,1'])
})

test('until: a member ends when all of the topic is settled, also what another reads', async () => {
  const topic = await world.filled(200, 4)
  const groupId = world.name()
  let records = 0
  const ends = [0, 1].map(() =>
    lastValueFrom(fromTopic(topic, { groupId, until: 'end' }).pipe(tap(() => records++)), { defaultValue: undefined }),
  )
  await Promise.all(ends)
  expect(records).toBe(800)
  await world.committedAtLast(groupId)
  const offsets = await world.millrace.admin.listGroupOffsets(groupId)
  expect(offsets.map(({ offset }) => offset)).toEqual([200, 200, 200, 200])
})
