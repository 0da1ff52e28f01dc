// Commits that are under way while their partition goes, and comes back, over a real
// coordinator, on virtual time.

import { afterEach, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { BoundTopic } from '../../../src/client/topic.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world = new GroupWorld()
afterEach(() => {
  world = new GroupWorld()
})

interface OneMember {
  readonly topic: TextTopic
  readonly consumer: Consumer
  readonly events: string[]
  /** What it has in hand: the first record. */
  readonly batch: ConsumerBatch
}

async function oneMember(): Promise<OneMember> {
  const topic = world.logs.topic(1)
  for (const value of ['a', 'b', 'c']) world.logs.append(topic, [value])
  const events: string[] = []
  const consumer = world.consumer({
    maxPollRecords: 1,
    autoCommit: false,
    onAssigned: () => void events.push('assigned'),
    onLost: () => void events.push('lost'),
  })
  const first = consumer.batches(topic).next()
  await settled()
  return { topic, consumer, events, batch: (await first).value! }
}

/** The first commit is not answered before `refuse`: it came to the coordinator after its member was out. */
function answerLate(topic: TextTopic): { refuse: () => void } {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  let asked = 0
  world.intercept = (api) => (api === 'offsetCommit' && asked++ === 0 ? promise : undefined)
  const partitions = [{ partitionIndex: 0, errorCode: KAFKA_ERRORS.STALE_MEMBER_EPOCH }]
  const topics = [{ name: topic.name, topicId: (topic as unknown as BoundTopic).topicIdWords, partitions }]
  return { refuse: () => resolve({ throttleTimeMs: 0, topics }) }
}

test.each([
  ['what was settled', ({ batch }: OneMember) => batch.commit()],
  ['an offset that was named', ({ consumer, topic }: OneMember) => consumer.commitOffsets([{ topic, partition: 0, offset: 1 }])],
])('a commit of %s, of a partition that was lost and has come back, is not made again by its new epoch', async (_, commit) => {
  const member = await oneMember()
  const { topic, consumer, events } = member
  const { refuse } = answerLate(topic)
  let answer = 'none'
  commit(member).then(
    () => (answer = 'committed'),
    ({ code }: { code: string }) => (answer = code),
  )
  await settled()
  world.fence(world.memberIds()[0]!)
  await settled()
  expect(events).toEqual(['assigned', 'lost', 'assigned'])
  refuse()
  await settled()
  expect(answer).toBe('STALE_MEMBER_EPOCH')
  expect(world.committed(topic)).toEqual([undefined])
  await consumer.close()
})

test('a commit that was acknowledged is one, also where the partition has gone meanwhile', async () => {
  const { topic, consumer, events, batch } = await oneMember()
  let answer = 'none'
  // The coordinator has it, and the answer is on its way while the member is put out.
  world.intercept = (api) => {
    if (api === 'offsetCommit') queueMicrotask(() => world.fence(world.memberIds()[0]!))
    return undefined
  }
  batch.commit().then(
    () => (answer = 'committed'),
    ({ code }: { code: string }) => (answer = code),
  )
  await settled()
  expect(events).toEqual(['assigned', 'lost', 'assigned'])
  expect(world.committed(topic)).toEqual([1])
  expect(answer).toBe('committed')
  await consumer.close()
})
