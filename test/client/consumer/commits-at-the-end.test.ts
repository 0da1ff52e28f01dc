// What is settled while a member gives its partitions up, over a real coordinator, on virtual time.

import { afterEach, describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { MillraceError } from '../../../src/errors.ts'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../src/protocol/messages/08-offset-commit.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

let world = new GroupWorld()
afterEach(() => {
  const { clientTimers, held } = world
  world = new GroupWorld()
  expect({ clientTimers, held }).toEqual({ clientTimers: 0, held: 0 })
})

/** One that has settled the first record, and has the second in hand. */
async function reading(consumer: Consumer): Promise<{ topic: TextTopic; inHand: ConsumerBatch<string | null, string> }> {
  const topic = world.logs.topic(1)
  world.logs.append(topic, ['a', 'b', 'c', 'd'])
  const batches = consumer.batches(topic)
  await batches.next()
  const { value: inHand } = await batches.next()
  return { topic, inHand: inHand! }
}

/** What the coordinator would say to the commit, if it did not want it. */
function refused(request: unknown, code: 'KAFKA_STORAGE_ERROR' | 'UNKNOWN_TOPIC_ID'): OffsetCommitResponse {
  const { topics } = request as OffsetCommitRequest
  const errorCode = KAFKA_ERRORS[code]
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

/** Sees each commit, counted from 0; what it gives is the answer. */
function atCommit(see: (request: unknown, at: number) => unknown): void {
  let at = 0
  world.intercept = (api, request) => (api === 'offsetCommit' ? see(request, at++) : undefined)
}

/** The error's code; undefined: it was committed. */
function codeOf(commit: Promise<void>): Promise<string | undefined> {
  return commit.then(
    () => undefined,
    (error: unknown) => (error as MillraceError).code,
  )
}

describe('a batch that its user commits when its loop has ended', () => {
  test('while what was settled before is committed: it is committed too, before anybody is told', async () => {
    const atRevoked: unknown[] = []
    const consumer = world.consumer({ maxPollRecords: 1, onRevoked: () => void atRevoked.push(world.committed(topic)[0]) })
    const { topic, inHand } = await reading(consumer)
    let late: Promise<string | undefined> | undefined
    atCommit((_, at) => {
      if (at === 0) late = codeOf(inHand.commit())
    })
    await consumer.close()
    expect(atRevoked).toEqual([2])
    expect(await late).toBe(undefined)
    expect(world.committed(topic)).toEqual([2])
  })

  test('record by record, each while the one before is under way: so are they', async () => {
    const consumer = world.consumer({ onRevoked: () => void atRevoked.push(world.committed(topic)[0]) })
    const atRevoked: unknown[] = []
    const topic = world.logs.topic(1)
    world.logs.append(topic, [...'abcdefgh'])
    const { value: inHand } = await consumer.batches(topic).next()
    const records = [...inHand!]
    const codes: Promise<string | undefined>[] = [codeOf(records[0]!.commit())]
    atCommit((_, at) => {
      const next = records[at + 1]
      if (next !== undefined) codes.push(codeOf(next.commit()))
    })
    await consumer.close()
    expect(atRevoked).toEqual([8])
    expect(await Promise.all(codes)).toEqual(records.map(() => undefined))
  })

  test('while the revocation waits for a callback before it: likewise', async () => {
    const { promise: assigning, resolve: goOn } = Promise.withResolvers<void>()
    const events: string[] = []
    const consumer = world.consumer({
      maxPollRecords: 1,
      onAssigned: ([first]) => {
        events.push(`assigned ${first!.topic}`)
        return first!.topic === 'later' ? assigning : undefined
      },
      onRevoked: () => void events.push(`revoked at ${world.committed(topic)[0]}`),
    })
    const { topic, inHand } = await reading(consumer)
    const later = world.logs.topic(1, 'later')
    world.tell()
    const waiting = consumer.batches(later).next()
    await settled()
    expect(events).toEqual([`assigned ${topic.name}`, 'assigned later'])
    const closing = consumer.close()
    await settled()
    expect(world.committed(topic)).toEqual([1])
    const late = codeOf(inHand.commit())
    goOn()
    await closing
    await waiting
    expect(await late).toBe(undefined)
    expect(events.slice(2)).toEqual(['revoked at 2'])
  })
})

describe('a commit at a revocation', () => {
  test('that fails is made again before anybody is told', async () => {
    const atRevoked: unknown[] = []
    const consumer = world.consumer({ maxPollRecords: 1, onRevoked: () => void atRevoked.push(world.committed(topic)[0]) })
    const { topic } = await reading(consumer)
    atCommit((request, at) => (at === 0 ? refused(request, 'KAFKA_STORAGE_ERROR') : undefined))
    await consumer.close()
    expect(atRevoked).toEqual([1])
  })

  test('that fails for good is warned of, once; not where there is no topic any more', async () => {
    const warnings: string[] = []
    const onWarning = ({ message }: Error): unknown => warnings.push(message)
    process.on('warning', onWarning)
    for (const code of ['UNKNOWN_TOPIC_ID', 'KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR'] as const) {
      world.intercept = () => undefined
      const consumer = world.consumer({ maxPollRecords: 1 })
      await reading(consumer)
      atCommit((request) => refused(request, code))
      await consumer.close()
      // Warnings are told in a turn of their own.
      await settled()
      if (code === 'UNKNOWN_TOPIC_ID') expect(warnings).toEqual([])
    }
    process.removeListener('warning', onWarning)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^a consumer of group "g" gave partitions up and could not commit what was settled of them.*KAFKA_STORAGE_ERROR/,
      ),
    ])
  })
})
