// Members that come, go, stall and are put out, over a real coordinator, on virtual time.

import { afterEach, describe, expect, test } from 'vitest'
import { topicPattern } from '../../../src/client/consumer/topic-pattern.ts'
import { string } from '../../../src/client/serde.ts'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { BoundTopic } from '../../../src/client/topic.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world = new GroupWorld()
afterEach(() => {
  const { clientTimers, held } = world
  world = new GroupWorld()
  expect({ clientTimers, held }).toEqual({ clientTimers: 0, held: 0 })
})

function topicOf(partitions: number, each: number, name?: string): TextTopic {
  const topic = world.logs.topic(partitions, name)
  for (let partition = 0; partition < partitions; partition++) {
    for (let at = 0; at < each; at++) world.logs.append(topic, [`${partition}:${at}`], partition)
  }
  return topic
}

/** A consumer that tells what happens to it. */
function told(options: ConsumerOptions = {}): { consumer: Consumer; events: string[] } {
  const events: string[] = []
  const tell =
    (what: string) =>
    (partitions: readonly { partition: number }[]): void => {
      events.push(`${what} ${partitions.map(({ partition }) => partition).join(' ')}`)
    }
  const callbacks = { onAssigned: tell('assigned'), onRevoked: tell('revoked'), onLost: tell('lost') }
  return { consumer: world.consumer({ maxPollRecords: 1, ...callbacks, ...options }), events }
}

async function within<T>(promise: Promise<T>, turns?: number): Promise<T> {
  let answer: { value: T } | { error: unknown } | undefined
  promise.then(
    (value) => {
      answer = { value }
    },
    (error: unknown) => {
      answer = { error }
    },
  )
  await settled(turns)
  if (answer === undefined) throw new Error('there is no answer')
  if ('error' in answer) throw answer.error
  return answer.value
}

async function time(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    world.logs.clock.advance(Math.min(left, 1_000))
    await settled(20)
  }
}

describe('a member that is put out', () => {
  test('hands out nothing more, hears of it, cannot commit, and joins again where the group is', async () => {
    const topic = topicOf(1, 5)
    const { consumer, events } = told()
    const batches = consumer.batches(topic)
    const first = (await within(batches.next())).value!
    await within(batches.next())
    const inHand = (await within(batches.next())).value!
    expect(inHand.firstOffset).toBe(2)
    world.fence(world.memberIds()[0]!)
    // It does not know yet: what it is asked for it holds back, and asks.
    const next = batches.next()
    const late = inHand.commit()
    late.catch(() => undefined)
    const batch = await within(next)
    expect(events).toEqual(['assigned 0', 'lost 0', 'assigned 0'])
    await expect(late).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    await expect(first.commit()).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    // Nothing of it was committed by a timer yet.
    expect(batch.value!.firstOffset).toBe(0)
    await within(consumer.close())
  })

  test('while what is settled is committed is told that it was not', async () => {
    const topic = topicOf(2, 3)
    const { consumer, events } = told({ autoCommit: false })
    const batches = consumer.batches(topic)
    await within(batches.next())
    await within(batches.next())
    world.fence(world.memberIds()[0]!)
    await expect(within(consumer.commit())).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    expect(events.slice(0, 2)).toEqual(['assigned 0 1', 'lost 0 1'])
    expect(world.committed(topic)).toEqual([undefined, undefined])
    await within(consumer.close())
  })

  test('of another consumer of the thread makes this one ask, and go on', async () => {
    const topic = topicOf(2, 3)
    const { consumer, events } = told()
    const batches = consumer.batches(topic)
    await within(batches.next())
    const other = world.consumer({ groupId: 'other' })
    const waiting = other.batches(topic).next()
    await within(waiting)
    world.fence(world.memberIds('other')[0]!, 'other')
    const asked = world.asked.length
    const next = batches.next()
    expect(await Promise.race([next, Promise.resolve('not yet')])).toBe('not yet')
    await within(next)
    expect(world.asked.slice(asked)).toContain('consumerGroupHeartbeat 1')
    expect(events).toEqual(['assigned 0 1'])
    await within(other.close())
    await within(consumer.close())
  })

  test('in the middle of a batch hands out none of its records', async () => {
    const topic = world.logs.topic(1)
    world.logs.append(topic, ['a', 'b', 'c'])
    const { consumer } = told({ maxPollRecords: 100 })
    const records = consumer.records(topic)
    expect((await within(records.next())).value!.value).toBe('a')
    expect((await within(records.next())).value!.value).toBe('b')
    world.fence(world.memberIds()[0]!)
    await time(6_000)
    expect((await within(records.next())).value!.value).toBe('a')
    await within(consumer.close())
  })
})

describe('maxPollIntervalMs', () => {
  test('a record of one who is out is not committed, and says so, also where the one before was not settled', async () => {
    const topic = topicOf(1, 3)
    const { consumer, events } = told({ maxPollIntervalMs: 10_000, autoCommit: false })
    const records = consumer.records(topic)
    const first = (await within(records.next())).value!
    await within(first.commit())
    await within(records.next())
    // The second was not committed, and the third is in hand.
    const third = (await within(records.next())).value!
    await time(25_000)
    expect(events).toEqual(['assigned 0', 'lost 0'])
    await expect(third.commit()).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    await within(first.commit())
    expect(world.committed(topic)).toEqual([1])
    await within(consumer.close())
  })

  test('a user who asks for nothing is out, and back when he asks', async () => {
    const topic = topicOf(2, 4)
    const { consumer, events } = told({ maxPollIntervalMs: 10_000 })
    const batches = consumer.batches(topic)
    await within(batches.next())
    await time(9_000)
    await within(batches.next())
    await time(9_000)
    expect(events).toEqual(['assigned 0 1'])
    await time(2_000)
    expect(events).toEqual(['assigned 0 1', 'lost 0 1'])
    expect(world.memberIds()).toEqual([])
    await within(batches.next())
    expect(events).toEqual(['assigned 0 1', 'lost 0 1', 'assigned 0 1'])
    await within(consumer.close())
  })

  test('one who waits for records is not one who asks for nothing', async () => {
    const topic = topicOf(1, 0)
    const { consumer, events } = told({ maxPollIntervalMs: 10_000 })
    const next = consumer.batches(topic).next()
    await time(60_000)
    expect(events).toEqual(['assigned 0'])
    expect(world.memberIds()).toHaveLength(1)
    world.logs.append(topic, ['x'])
    expect((await within(next)).value!.nextOffset).toBe(1)
    await within(consumer.close())
  })

  test('records one by one: each that is asked for counts', async () => {
    const topic = world.logs.topic(1)
    world.logs.append(topic, ['a', 'b', 'c', 'd'])
    const { consumer, events } = told({ maxPollIntervalMs: 10_000, maxPollRecords: 100 })
    const records = consumer.records(topic)
    for (let count = 0; count < 4; count++) {
      await within(records.next())
      await time(9_000)
    }
    expect(events).toEqual(['assigned 0'])
    await time(20_000)
    expect(events).toEqual(['assigned 0', 'lost 0'])
    await within(consumer.close())
  })
})

describe('a pattern', () => {
  test('reads what matches, and what is made later; never internal topics', async () => {
    const a = topicOf(1, 1, 'clicks-a')
    topicOf(1, 1, 'views')
    topicOf(1, 1, '__consumer_offsets')
    const { consumer, events } = told()
    const batches = consumer.batches(topicPattern(/clicks-|offsets/g, { value: string() }))
    const first = (await within(batches.next())).value!
    expect([first.topic, [...first][0]!.value]).toEqual([a.name, '0:0'])
    const next = batches.next()
    await settled()
    const b = topicOf(1, 1, 'clicks-b')
    world.tell()
    expect((await within(next)).value!.topic).toBe(b.name)
    expect(events).toEqual(['assigned 0', 'assigned 0'])
    await within(consumer.close())
  })

  test('waits for the first that matches', async () => {
    const { consumer } = told()
    const next = consumer.batches(topicPattern(/^late$/, { value: string() })).next()
    await settled()
    expect(world.memberIds()).toEqual([])
    topicOf(1, 1, 'late')
    world.tell()
    expect((await within(next)).value!.topic).toBe('late')
    await within(consumer.close())
  })

  test('that finds what another loop reads takes it over when that loop ends', async () => {
    const topic = topicOf(1, 3, 'clicks')
    const { consumer, events } = told()
    const named = consumer.batches(topic)
    await within(named.next())
    await within(named.next())
    const found = consumer.batches(topicPattern(/^clicks$/, { value: string() }))
    const next = found.next()
    await settled()
    await within(named.return!())
    expect((await within(next)).value!.firstOffset).toBe(1)
    expect(events).toEqual(['assigned 0', 'revoked 0', 'assigned 0'])
    await within(consumer.close())
  })

  test('needs a group', () => {
    const consumer = world.logs.consumer()
    expect(() => consumer.batches(topicPattern(/./))).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    expect(() => topicPattern('clicks' as never)).toThrow(expect.objectContaining({ code: 'INVALID_REGULAR_EXPRESSION' }))
  })
})

describe("until: 'end'", () => {
  test('ends when all ends are reached, by whichever member', async () => {
    const topic = topicOf(2, 3)
    const first = told()
    const second = told()
    const one = first.consumer.batches(topic, { until: 'end' })
    const two = second.consumer.batches(topic, { until: 'end' })
    const read = (batches: typeof one, into: string[]): Promise<void> =>
      (async () => {
        for await (const batch of batches) {
          into.push(...[...batch].map(({ value }) => value))
          await settled(3)
        }
      })()
    const values: string[][] = [[], []]
    const all = Promise.all([read(one, values[0]!), read(two, values[1]!)])
    for (let i = 0; i < 20; i++) await time(1_000)
    await within(all)
    expect(new Set(values.flat()).size).toBe(6)
    expect(values.flat()).toHaveLength(6)
    expect(world.committed(topic)).toEqual([3, 3])
    world.logs.append(topic, ['later'], 0)
    await within(first.consumer.close())
    await within(second.consumer.close())
  })

  test('of partitions that are read already ends at once', async () => {
    const topic = topicOf(2, 3)
    const { consumer } = told()
    await within(
      (async () => {
        for await (const _ of consumer.batches(topic, { until: 'end' }));
      })(),
      200,
    )
    const batches = consumer.batches(topic, { until: 'end' })
    expect((await within(batches.next())).done).toBe(true)
    await within(consumer.close())
  })
})

describe('callbacks', () => {
  test('may be async, and commit and seek: partitions wait for them', async () => {
    const topic = topicOf(1, 5)
    const gate = Promise.withResolvers<void>()
    const consumer: Consumer = world.consumer({
      autoCommit: false,
      maxPollRecords: 1,
      async onAssigned() {
        await gate.promise
        consumer.seek(topic, 0, 3)
      },
      onRevoked: () => consumer.commitOffsets([{ topic, partition: 0, offset: 4, metadata: 'last words' }]),
    })
    const batches = consumer.batches(topic)
    const next = batches.next()
    await settled()
    expect(await Promise.race([next, Promise.resolve('not yet')])).toBe('not yet')
    gate.resolve()
    expect((await within(next)).value!.firstOffset).toBe(3)
    await within(batches.return!())
    expect(world.committed(topic)).toEqual([4])
    await within(consumer.close())
  })

  test('what one throws ends the loops', async () => {
    const topic = topicOf(1, 1)
    const consumer = world.consumer({
      onAssigned() {
        throw new Error('I cannot')
      },
    })
    await expect(within(consumer.batches(topic).next())).rejects.toThrow('I cannot')
    expect(world.memberIds()).toEqual([])
    await within(consumer.close())
  })

  test('one that never ends does not keep close', async () => {
    const topic = topicOf(1, 1)
    const consumer = world.consumer({ onRevoked: () => new Promise(() => undefined) })
    await within(consumer.batches(topic).next())
    const closing = consumer.close({ timeoutMs: 2_000 })
    await time(1_000)
    expect(world.memberIds()).toHaveLength(1)
    await time(2_000)
    await within(closing)
    await settled()
    expect(world.memberIds()).toEqual([])
  })
})

describe('commits', () => {
  test('a commit that was refused is not made again by one who has left, as nobody in particular', async () => {
    const topic = topicOf(1, 3)
    const { consumer } = told({ autoCommit: false })
    const batches = consumer.batches(topic)
    const batch = (await within(batches.next())).value!
    let asked = 0
    world.intercept = (api) => {
      if (api !== 'offsetCommit' || asked++ > 0) return undefined
      const partitions = [{ partitionIndex: 0, errorCode: KAFKA_ERRORS.STALE_MEMBER_EPOCH }]
      return { throttleTimeMs: 0, topics: [{ name: topic.name, topicId: (topic as unknown as BoundTopic).topicIdWords, partitions }] }
    }
    const late = batch.commit()
    late.catch(() => undefined)
    await within(batches.return!())
    await time(1_000)
    await expect(late).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    expect(world.committed(topic)).toEqual([undefined])
    await within(consumer.close())
  })

  test('under an epoch that has changed meanwhile are made again', async () => {
    const topic = topicOf(1, 3)
    const { consumer } = told({ autoCommit: false })
    const batches = consumer.batches(topic)
    const { value: batch } = await within(batches.next())
    let refused = 0
    world.intercept = (api, request) => {
      if (api !== 'offsetCommit' || refused++ > 0) return undefined
      const { topics } = request as { topics: { name: string; topicId: never; partitions: { partitionIndex: number }[] }[] }
      const errorCode = KAFKA_ERRORS.STALE_MEMBER_EPOCH
      return {
        throttleTimeMs: 0,
        topics: topics.map((each) => ({
          ...each,
          partitions: each.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      }
    }
    const committing = batch!.commit()
    await time(3_000)
    await within(committing)
    expect(refused).toBe(2)
    expect(world.committed(topic)).toEqual([1])
    await within(consumer.close())
  })

  test('that say too much are refused', async () => {
    const topic = topicOf(1, 3)
    const { consumer } = told()
    const many = [{ topic, partition: 0, offset: 1, metadata: 'x'.repeat(5_000) }]
    await expect(within(consumer.commitOffsets(many))).rejects.toMatchObject({ code: 'OFFSET_METADATA_TOO_LARGE' })
    await expect(consumer.commitOffsets([{ topic, partition: 0, offset: -1 }])).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await expect(consumer.commitOffsets([{ topic, partition: 7, offset: 1 }])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    await within(consumer.close())
    await expect(consumer.commit()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('of somebody else are refused while the group has members', async () => {
    const topic = topicOf(1, 3)
    const { consumer } = told()
    await within(consumer.batches(topic).next())
    const stranger = world.consumer()
    const offset = [{ topic, partition: 0, offset: 2 }]
    await expect(within(stranger.commitOffsets(offset))).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    await within(consumer.close())
    await within(stranger.commitOffsets(offset))
    expect(world.committed(topic)).toEqual([2])
    await within(stranger.close())
  })

  test('need a group', async () => {
    const topic = topicOf(1, 1)
    const consumer = world.logs.consumer()
    const { value: batch } = await within(consumer.batches(topic).next())
    const [record] = [...batch!]
    const refused = { code: 'INVALID_REQUEST' }
    for (const call of [() => batch!.commit(), () => record!.commit(), () => consumer.commit(), () => consumer.committed([])])
      await expect(call()).rejects.toMatchObject(refused)
    expect(() => consumer.groupMetadata()).toThrow(expect.objectContaining(refused))
    await consumer.close()
  })
})

describe('partitions assigned by hand, with a group', () => {
  test('go on where the group has committed, commit, and are no member', async () => {
    const topic = topicOf(2, 4)
    const { consumer, events } = told()
    consumer.assign([{ topic, partition: 1 }])
    const batches = consumer.batches(topic)
    expect((await within(batches.next())).value!.firstOffset).toBe(0)
    await within(batches.next())
    await within(batches.return!())
    expect(world.committed(topic)).toEqual([undefined, 1])
    expect(world.memberIds()).toEqual([])
    // What was in hand comes again, in a later loop of the same consumer too.
    const again = consumer.batches(topic)
    expect((await within(again.next())).value!.firstOffset).toBe(1)
    await within(consumer.close())
    const other = told().consumer
    other.assign([{ topic, partition: 1 }])
    expect((await within(other.batches(topic).next())).value!.firstOffset).toBe(1)
    await within(other.close())
    expect(events).toEqual([])
  })

  test('are refused while the group assigns, and the other way round for seek', async () => {
    const topic = topicOf(2, 4)
    const { consumer } = told()
    expect(() => consumer.seek(topic, 0, 1)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    const batches = consumer.batches(topic)
    await within(batches.next())
    expect(() => consumer.assign([{ topic, partition: 0 }])).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    consumer.seek(topic, 0, 3)
    consumer.seek(topic, 1, 3)
    expect((await within(batches.next())).value!.firstOffset).toBe(3)
    await within(consumer.commit())
    expect(world.committed(topic)).toEqual([3, 3])
    expect(consumer.lag(topic)).toBe(1)
    await within(consumer.close())
  })
})

describe('the end', () => {
  test('of the topic ends the loop', async () => {
    const topic = topicOf(1, 1)
    const { consumer } = told()
    const batches = consumer.batches(topic)
    await within(batches.next())
    const next = batches.next()
    await settled()
    world.logs.forget(topic)
    world.tell()
    await expect(within(next)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
    await within(consumer.close())
  })

  test('of a loop that was never asked is no leaving, and nobody joins for one', async () => {
    const topic = topicOf(1, 1)
    const { consumer } = told()
    const batches = consumer.batches(topic)
    await within(batches.return!())
    expect(world.asked).toEqual([])
    expect((await within(consumer.batches(topic).next())).done).toBe(false)
    expect(consumer.groupMetadata()).toMatchObject({ groupId: 'g', memberEpoch: 1 })
    await within(consumer.close())
    await within(consumer.close())
  })
})
