// Commits that share requests, over a real coordinator, on virtual time.

import { beforeEach, describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { HeldOffset } from '../../../src/client/consumer/shared-commit.ts'
import { SharedCommit } from '../../../src/client/consumer/shared-commit.ts'
import { asBoundTopic } from '../../../src/client/topic.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

const TOO_LARGE = 'm'.repeat(4_097)

let world: GroupWorld
let topic: TextTopic
let consumer: Consumer
beforeEach(() => {
  world = new GroupWorld()
  topic = world.logs.topic(4)
  consumer = world.consumer({ autoCommit: false })
})

const requests = (): number => world.asked.filter((line) => line.startsWith('offsetCommit')).length
const commit = (partition: number, offset: number, metadata = ''): Promise<void> =>
  consumer.commitOffsets([{ topic, partition, offset, metadata }])

/** What becomes of each, in their order. */
async function codes(promises: readonly Promise<void>[]): Promise<string[]> {
  const found: string[] = promises.map(() => 'none')
  for (const [i, promise] of promises.entries()) {
    promise.then(
      () => (found[i] = 'committed'),
      ({ code }: { code: string }) => (found[i] = code),
    )
  }
  await settled(200)
  return found
}

describe('commits at once', () => {
  test('of a thousand records share a request or two', async () => {
    world.logs.append(
      topic,
      Array.from({ length: 1_000 }, (_, i) => `${i}`),
    )
    const next = consumer.batches(topic).next()
    await settled()
    const promises = [...(await next).value!].map((record) => record.commit())
    expect(promises).toHaveLength(1_000)
    expect(new Set(await codes(promises))).toEqual(new Set(['committed']))
    expect(requests()).toBeLessThanOrEqual(2)
    expect(world.committed(topic)[0]).toBe(1_000)
  })

  test('of offsets share one request, and of a partition the last is committed', async () => {
    const promises = Array.from({ length: 1_000 }, (_, i) => commit(i % 4, i))
    expect(new Set(await codes(promises))).toEqual(new Set(['committed']))
    expect(requests()).toBe(1)
    expect(world.committed(topic)).toEqual([996, 997, 998, 999])
    expect(world.log.filter(({ type }) => type === 'OffsetCommit')).toHaveLength(4)
    // Backwards too: what was said last holds.
    expect(await codes([commit(0, 5), commit(0, 2)])).toEqual(['committed', 'committed'])
    expect(world.committed(topic)[0]).toBe(2)
  })

  test('each is told of its own partitions, and one that is refused takes none with it', async () => {
    const both = consumer.commitOffsets([
      { topic, partition: 2, offset: 7 },
      { topic, partition: 3, offset: 7, metadata: TOO_LARGE },
    ])
    const found = await codes([commit(0, 1), commit(0, 2), commit(0, 3, TOO_LARGE), commit(1, 4), commit(1, 5, TOO_LARGE), both])
    expect(found).toEqual([
      'committed',
      'committed',
      'OFFSET_METADATA_TOO_LARGE',
      'committed',
      'OFFSET_METADATA_TOO_LARGE',
      'OFFSET_METADATA_TOO_LARGE',
    ])
    // As it would have been one after the other.
    expect(world.committed(topic)).toEqual([2, 4, 7, undefined])
  })

  test('what is named behind what is settled is committed behind it', async () => {
    for (let i = 0; i < 6; i++) world.logs.append(topic, [`${i}`])
    const records = consumer.records(topic)
    for (let i = 0; i < 4; i++) {
      const next = records.next()
      await settled()
      await next
    }
    const promises = [commit(0, 1), consumer.commit(), commit(0, 2)]
    expect(await codes(promises)).toEqual(['committed', 'committed', 'committed'])
    expect(world.committed(topic)[0]).toBe(2)
    expect(await codes([commit(0, 1), consumer.commit()])).toEqual(['committed', 'committed'])
    await records.return!()
  })

  test('end with CLOSED, all of them, when the consumer is closed', async () => {
    world.intercept = (api) => (api === 'offsetCommit' ? new Promise(() => undefined) : undefined)
    const first = commit(0, 1)
    first.catch(() => undefined)
    await settled(5)
    const promises = [first, commit(0, 2), commit(1, 2)]
    const found = codes(promises)
    await consumer.close()
    expect(new Set(await found)).toEqual(new Set(['CLOSED']))
  })
})

test('a request has a bound in bytes, and what does not fit goes with the next', () => {
  const bound = asBoundTopic(topic)
  const shared = new SharedCommit('g')
  const offsets: HeldOffset[] = Array.from({ length: 100 }, (_, partition) => ({
    ...{ topic: bound, partition, offset: 1, leaderEpoch: -1 },
    metadata: 'm'.repeat(4_000),
    isStillHeld: () => true,
  }))
  for (const offset of offsets) shared.add([offset]).catch(() => undefined)
  const asked: number[] = []
  for (let next = shared.next(); next.length > 0; next = shared.next()) {
    asked.push(next.length)
    for (const offset of next) shared.committed(offset)
  }
  expect(asked.length).toBeGreaterThan(4)
  expect(asked.reduce((sum, some) => sum + some, 0)).toBe(100)
  // One that is larger alone goes alone.
  const huge = { ...offsets[0]!, metadata: 'm'.repeat(1 << 20) }
  const alone = new SharedCommit('g')
  for (const offset of [huge, offsets[1]!]) alone.add([offset]).catch(() => undefined)
  expect(alone.next()).toEqual([huge])
})
