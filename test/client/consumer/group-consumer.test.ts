// A group's consumers over a real coordinator, on virtual time.

import { afterEach, describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { ConsumerRecord } from '../../../src/client/consumer/consumer-record.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world = new GroupWorld()
afterEach(() => {
  world = new GroupWorld()
})

type Batches = AsyncIterableIterator<ConsumerBatch<string | null, string>, undefined, void>
type Records = AsyncIterableIterator<ConsumerRecord<string | null, string>, undefined, void>

function topicOf(partitions: number, each: number): TextTopic {
  const topic = world.logs.topic(partitions)
  for (let partition = 0; partition < partitions; partition++) {
    for (let at = 0; at < each; at++) world.logs.append(topic, [`${partition}:${at}`], partition)
  }
  return topic
}

/** Time goes on, and all that it brings. */
async function time(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    world.logs.clock.advance(Math.min(left, 1_000))
    await settled(20)
  }
}

/** The next answer, once everything that goes by itself has gone. */
async function within<T>(promise: Promise<T>): Promise<T> {
  let answer: { value: T } | { error: unknown } | undefined
  promise.then(
    (value) => {
      answer = { value }
    },
    (error: unknown) => {
      answer = { error }
    },
  )
  await settled()
  if (answer === undefined) throw new Error('there is no answer')
  if ('error' in answer) throw answer.error
  return answer.value
}

async function nextValue(records: Records): Promise<string> {
  const { value } = await within(records.next())
  return value!.value
}

async function allOf(batches: Batches): Promise<string[]> {
  const values: string[] = []
  for (;;) {
    const { value, done } = await within(batches.next())
    if (done === true) return values
    for (const record of value) values.push(record.value)
  }
}

const numbers = (partition: number, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `${partition}:${from + i}`)

function assigned(consumer: Consumer): string {
  return consumer
    .assignment()
    .map(({ partition }) => partition)
    .sort()
    .join(' ')
}

describe('one member', () => {
  test('joins on the first next, reads all, settles by asking, and leaves at the end', async () => {
    const topic = topicOf(2, 3)
    const consumer = world.consumer()
    const batches = consumer.batches(topic, { until: 'end' })
    await settled()
    expect(world.asked).toEqual([])
    expect((await allOf(batches)).sort()).toEqual([...numbers(0, 0, 3), ...numbers(1, 0, 3)])
    expect(world.committed(topic)).toEqual([3, 3])
    expect(world.memberIds()).toEqual([])
    expect(consumer.assignment()).toEqual([])
    await consumer.close()
  })

  test('goes on where the group has committed', async () => {
    const topic = topicOf(1, 5)
    const first = world.consumer()
    await allOf(first.batches(topic, { until: 'end' }))
    world.logs.append(topic, ['0:5'])
    const second = world.consumer()
    expect(await allOf(second.batches(topic, { until: 'end' }))).toEqual(['0:5'])
  })

  test.each(['break', 'throw', 'return'])('%s does not settle what is in hand', async (how) => {
    const topic = topicOf(1, 3)
    const consumer = world.consumer({ maxPollRecords: 1 })
    const loop = async (): Promise<void> => {
      let count = 0
      for await (const _ of consumer.batches(topic)) {
        if (++count < 2) continue
        if (how === 'break') break
        if (how === 'throw') throw new Error('enough')
        return
      }
    }
    await within(loop().catch((error: Error) => expect(error.message).toBe('enough')))
    expect(world.committed(topic)).toEqual([1])
    expect(await allOf(consumer.batches(topic, { until: 'end' }))).toEqual(['0:1', '0:2'])
  })

  test('abort does not settle what is in hand, nor does close', async () => {
    const topic = topicOf(1, 3)
    const consumer = world.consumer({ maxPollRecords: 1 })
    const abort = new AbortController()
    const batches = consumer.batches(topic, { signal: abort.signal })
    await within(batches.next())
    await within(batches.next())
    abort.abort()
    await expect(within(batches.next())).rejects.toMatchObject({ code: 'ABORTED' })
    expect(world.committed(topic)).toEqual([1])
    const again = consumer.batches(topic)
    expect((await within(again.next())).value!.firstOffset).toBe(1)
    await within(again.next())
    await within(consumer.close())
    expect(world.committed(topic)).toEqual([2])
    expect(world.memberIds()).toEqual([])
  })

  test('records are settled by asking for the next, one by one', async () => {
    const topic = world.logs.topic(1)
    world.logs.append(topic, ['a', 'b', 'c', 'd'])
    const consumer = world.consumer()
    const records = consumer.records(topic)
    expect(await nextValue(records)).toBe('a')
    expect(await nextValue(records)).toBe('b')
    expect(await nextValue(records)).toBe('c')
    await within(consumer.commit())
    expect(world.committed(topic)).toEqual([2])
    await within(records.return!())
    expect(world.committed(topic)).toEqual([2])
    const rest: string[] = []
    await within(
      (async () => {
        for await (const { value } of consumer.records(topic, { until: 'end' })) rest.push(value)
      })(),
    )
    expect(rest).toEqual(['c', 'd'])
    expect(world.committed(topic)).toEqual([4])
  })

  test('a record is settled by asking for the next, also where the event loop has its turn before that comes', async () => {
    const topic = topicOf(1, 20)
    const consumer = world.consumer()
    const records: Records = consumer.records(topic)
    for (let i = 0; i < 15; i++) {
      // Records that take a millisecond: the clock is looked at after each.
      world.logs.clock.advance(1)
      expect(await nextValue(records)).toBe(`0:${i}`)
    }
    world.logs.clock.advance(6)
    const next = records.next()
    const closed = consumer.close()
    expect(await within(next)).toMatchObject({ done: true })
    await within(closed)
    expect(world.committed(topic)).toEqual([15])
  })

  test('commits what is settled after autoCommitIntervalMs, and no timer runs before or after', async () => {
    const topic = topicOf(1, 3)
    const consumer = world.consumer({ maxPollRecords: 1, autoCommitIntervalMs: 1_000 })
    const batches = consumer.batches(topic)
    await within(batches.next())
    // Where it began to read is committed too.
    world.logs.clock.advance(1_000)
    await settled()
    expect(world.committed(topic)).toEqual([0])
    await within(batches.next())
    expect(world.committed(topic)).toEqual([0])
    world.logs.clock.advance(999)
    await settled()
    expect(world.committed(topic)).toEqual([0])
    world.logs.clock.advance(1)
    await settled()
    expect(world.committed(topic)).toEqual([1])
    const commits = world.asked.filter((line) => line.startsWith('offsetCommit')).length
    await time(60_000)
    expect(world.asked.filter((line) => line.startsWith('offsetCommit'))).toHaveLength(commits)
    await within(consumer.close())
  })

  test('records that were asked past are committed after autoCommitIntervalMs, in the middle of a batch too', async () => {
    const topic = topicOf(1, 6)
    const consumer = world.consumer({ autoCommitIntervalMs: 1_000 })
    const records = consumer.records(topic)
    for (let i = 0; i < 3; i++) {
      expect(await nextValue(records)).toBe(`0:${i}`)
      world.logs.clock.advance(1_000)
      await settled()
      // The one in hand is not settled.
      expect(world.committed(topic)).toEqual([i])
    }
    await within(records.return!())
    await within(consumer.close())
    expect(world.committed(topic)).toEqual([2])
  })

  test('batch.commit and record.commit commit now; of records, what is below the lowest unsettled', async () => {
    const topic = world.logs.topic(1)
    world.logs.append(topic, ['a', 'b', 'c'])
    const consumer = world.consumer({ autoCommit: false })
    const batches = consumer.batches(topic)
    const { value: batch } = await within(batches.next())
    const [a, b, c] = [...batch!]
    await within(b!.commit())
    expect(world.committed(topic)).toEqual([0])
    await within(a!.commit())
    expect(world.committed(topic)).toEqual([2])
    await within(batch!.commit())
    expect(world.committed(topic)).toEqual([3])
    await within(c!.commit())
    expect(world.committed(topic)).toEqual([3])
    await within(batches.return!())
    await expect(within(c!.commit())).resolves.toBeUndefined()
  })

  test('autoCommit: false leaves it to the user', async () => {
    const topic = topicOf(1, 3)
    const consumer = world.consumer({ autoCommit: false, maxPollRecords: 1 })
    const batches = consumer.batches(topic)
    await within(batches.next())
    await within(batches.next())
    await time(60_000)
    expect(world.committed(topic)).toEqual([undefined])
    await within(consumer.commit())
    expect(world.committed(topic)).toEqual([1])
    await within(batches.next())
    await within(batches.return!())
    expect(world.committed(topic)).toEqual([1])
    await within(consumer.commitOffsets([{ topic, partition: 0, offset: 2, metadata: 'by hand', leaderEpoch: 1 }]))
    expect(await within(consumer.committed([{ topic, partition: 0 }]))).toEqual([{ offset: 2, metadata: 'by hand', leaderEpoch: 1 }])
    await within(consumer.close())
  })

  test('takes back by name what it was assigned, and knows what its loop reads before it is assigned', async () => {
    const topic = topicOf(2, 4)
    const told: string[] = []
    const consumer = world.consumer({
      autoCommit: false,
      onAssigned: (partitions) => {
        for (const { topic: name, partition } of partitions) consumer.seek(name, partition, 2 + partition)
        told.push(...partitions.map(({ topic: name, partition }) => `${name}-${partition} ${consumer.position(name, partition)}`))
      },
    })
    const batches = consumer.batches(topic, { until: 'end' })
    // It reads it, and was asked for nothing yet.
    expect(await within(consumer.committed([{ topic: topic.name, partition: 0 }]))).toEqual([null])
    expect((await allOf(batches)).sort()).toEqual(['0:2', '0:3', '1:3'])
    expect(told.sort()).toEqual([`${topic.name}-0 2`, `${topic.name}-1 3`])
    await within(consumer.commitOffsets([{ topic: topic.name, partition: 1, offset: 3 }]))
    expect(world.committed(topic)).toEqual([undefined, 3])
    await expect(consumer.commitOffsets([{ topic: 'nobody', partition: 0, offset: 0 }])).rejects.toThrow(/knows no topic "nobody"/)
  })

  test('a list of topics, and two loops of one member', async () => {
    const a = topicOf(1, 2)
    const b = topicOf(1, 2)
    const c = topicOf(1, 2)
    const consumer = world.consumer({ maxPollRecords: 1 })
    const both = consumer.batches([a, b])
    const other = consumer.batches(c)
    const seen = new Set<string>()
    for (let i = 0; i < 4; i++) seen.add((await within(both.next())).value!.topic)
    expect(seen).toEqual(new Set([a.name, b.name]))
    expect((await within(other.next())).value!.topic).toBe(c.name)
    expect(() => consumer.batches([c])).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    expect(world.memberIds()).toHaveLength(1)
    await within(both.return!())
    expect(consumer.assignment()).toEqual([{ topic: c.name, partition: 0 }])
    expect(world.memberIds()).toHaveLength(1)
    await within(other.return!())
    expect(world.memberIds()).toEqual([])
    await within(consumer.close())
  })
})

describe('a fence that is raised in the middle of a batch', () => {
  test('for this member: no record behind it is handed out', async () => {
    const topic = topicOf(1, 6)
    const lost: number[] = []
    const consumer = world.consumer({ onLost: (partitions) => void lost.push(...partitions.map(({ partition }) => partition)) })
    const records = consumer.records(topic)
    expect([await nextValue(records), await nextValue(records)]).toEqual(['0:0', '0:1'])
    await within(consumer.commit())
    expect(world.committed(topic)).toEqual([1])
    const { memberId } = consumer.groupMetadata()
    world.fence(memberId)
    // What is handed out next was read anew, by a new member, from what the group has committed.
    expect(await nextValue(records)).toBe('0:1')
    expect(lost).toEqual([0])
    await within(records.return!())
    await consumer.close()
  })

  test('for another one of this thread: the rest comes when that is known, each record once', async () => {
    const topic = topicOf(1, 6)
    const [consumer, other] = [world.consumer(), world.consumer({ groupId: 'h' })]
    const others = other.records(topic)
    await nextValue(others)
    const records = consumer.records(topic)
    expect([await nextValue(records), await nextValue(records)]).toEqual(['0:0', '0:1'])
    const before = world.asked.length
    world.fence(other.groupMetadata().memberId, 'h')
    expect(await nextValue(records)).toBe('0:2')
    expect(world.asked.slice(before).filter((line) => line.startsWith('consumerGroupHeartbeat')).length).toBeGreaterThan(0)
    // What was asked past is settled, and no more.
    await within(consumer.commit())
    expect(world.committed(topic)).toEqual([2])
    expect([await nextValue(records), await nextValue(records), await nextValue(records)]).toEqual(['0:3', '0:4', '0:5'])
    await within(records.return!())
    expect(world.committed(topic)).toEqual([5])
    await within(others.return!())
  })

  test('a seek meanwhile is not undone', async () => {
    const topic = topicOf(1, 6)
    const [consumer, other] = [world.consumer(), world.consumer({ groupId: 'h' })]
    const others = other.records(topic)
    await nextValue(others)
    const records = consumer.records(topic)
    expect([await nextValue(records), await nextValue(records)]).toEqual(['0:0', '0:1'])
    consumer.seek(topic, 0, 5)
    world.fence(other.groupMetadata().memberId, 'h')
    expect(await nextValue(records)).toBe('0:5')
    await within(records.return!())
    await within(others.return!())
  })
})

describe('several members', () => {
  test('share the partitions; who leaves gives his to the others, and nothing comes twice', async () => {
    const topic = topicOf(4, 0)
    const first = world.consumer()
    const second = world.consumer()
    const one = first.records(topic)
    const firstNext = one.next()
    await settled()
    expect(assigned(first)).toBe('0 1 2 3')
    const two = second.records(topic)
    const secondNext = two.next()
    await settled()
    expect(first.assignment()).toHaveLength(2)
    expect(second.assignment()).toHaveLength(2)
    expect(new Set([...assigned(first).split(' '), ...assigned(second).split(' ')]).size).toBe(4)
    for (let partition = 0; partition < 4; partition++) world.logs.append(topic, [`${partition}`], partition)
    const [a, b] = await within(Promise.all([firstNext, secondNext]))
    expect(assigned(first)).toContain(a.value!.value)
    expect(assigned(second)).toContain(b.value!.value)
    await within(two.return!())
    await settled()
    expect(assigned(first)).toBe('0 1 2 3')
    const rest = [await nextValue(one), await nextValue(one), await nextValue(one)]
    expect([a.value!.value, ...rest].sort()).toEqual(['0', '1', '2', '3'])
    await within(first.close())
    await within(second.close())
  })

  test('what is in hand goes when the next is asked for, settled and committed', async () => {
    const topic = topicOf(2, 2)
    const events: string[] = []
    const told =
      (what: string) =>
      (partitions: readonly { partition: number }[]): void => {
        events.push(`${what} ${partitions.map(({ partition }) => partition).join(' ')}`)
      }
    const first = world.consumer({ maxPollRecords: 1, onAssigned: told('assigned'), onRevoked: told('revoked'), onLost: told('lost') })
    const one = first.batches(topic)
    const inHand = (await within(one.next())).value!.partition
    const second = world.consumer()
    const waiting = second.batches(topic).next()
    await settled()
    // It has one of two, and may be waiting for the other.
    const owner = first.assignment().length
    expect(events[0]).toBe('assigned 0 1')
    if (owner === 2) {
      expect(second.assignment()).toEqual([])
      expect(events).toEqual(['assigned 0 1'])
    }
    await within(one.next())
    await settled()
    expect(first.assignment()).toHaveLength(1)
    expect(second.assignment()).toHaveLength(1)
    expect(events).toHaveLength(2)
    expect(events[1]).toMatch(/^revoked [01]$/)
    const gone = Number(events[1]!.at(-1))
    const got = (await within(waiting)).value!
    expect(got.partition).toBe(gone)
    expect(got.firstOffset).toBe(gone === inHand ? 1 : 0)
    await within(first.close())
    await within(second.close())
  })
})
