// The rules of the contract under `lossless: false`: nothing is tracked, and what overflows is counted.

import { count, delay, lastValueFrom, map, mergeMap, take } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTopic, toTopic } from '../../../src/rxjs.ts'
import type { Dropped, FromTopicOptions, Hold } from '../../../src/rxjs.ts'
import { ContractWorld, turns, until, upTo } from './contract-world.ts'

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

/** Ten records are held, the rest come; then all is released, and again each turn. */
async function overflowing(overflow: FromTopicOptions['overflow']): Promise<{ seen: number[]; dropped: number }> {
  const topic = await world.filled(1_000)
  const seen: number[] = []
  const holds: Hold[] = []
  let dropped = 0
  let isCompleted = false
  const source = fromTopic(topic, {
    until: 'end',
    lossless: false,
    overflow,
    maxInFlight: 10,
    onDropped: (event) => {
      expect(event).toMatchObject({ topic: topic.name, partition: 0 })
      dropped += event.dropped
    },
  })
  source.subscribe({
    next: (record) => {
      seen.push(record.value)
      holds.push(record.hold())
    },
    complete: () => (isCompleted = true),
  })
  await until(() => dropped > 0)
  await turns()
  while (!isCompleted) {
    for (const hold of holds.splice(0)) hold.release()
    await turns(1)
  }
  return { seen, dropped }
}

describe('overflow', () => {
  test('drop-newest: what comes while it is full', async () => {
    expect(await overflowing('drop-newest')).toEqual({ seen: upTo(10), dropped: 990 })
  })

  test('drop-oldest: the newest maxInFlight wait', async () => {
    expect(await overflowing('drop-oldest')).toEqual({ seen: [...upTo(10), ...upTo(1_000).slice(990)], dropped: 980 })
  })

  test('latest: the newest waits', async () => {
    expect(await overflowing('latest')).toEqual({ seen: [...upTo(10), 999], dropped: 989 })
  })

  test('without onDropped: a warning, once', async () => {
    const topic = await world.filled(100)
    const warnings: Error[] = []
    const hear = (warning: Error): void => void warnings.push(warning)
    process.on('warning', hear)
    const subscriptions = [1, 2].map(() =>
      fromTopic(topic, { lossless: false, overflow: 'drop-newest', maxInFlight: 1 }).subscribe((record) => void record.hold()),
    )
    await until(() => warnings.length === 2)
    await turns()
    process.off('warning', hear)
    for (const subscription of subscriptions) subscription.unsubscribe()
    expect(warnings[0]!.message).toContain('99 record(s)')
    expect(warnings).toHaveLength(2)
  })

  test('what onDropped throws ends the source', async () => {
    const topic = await world.filled(100)
    const onDropped = (_: Dropped): void => {
      throw new Error('enough')
    }
    const source = fromTopic(topic, { lossless: false, overflow: 'drop-newest', maxInFlight: 1, onDropped })
    await expect(lastValueFrom(source.pipe(map((record) => record.hold())))).rejects.toThrow('enough')
  })

  test('a late emission is taken, and counts again while it is held', async () => {
    const topic = await world.filled(20)
    const target = await world.topic()
    const source = fromTopic(topic, { until: 'end', lossless: false, overflow: 'drop-oldest', maxInFlight: 100 })
    expect(await lastValueFrom(source.pipe(delay(1), toTopic(target), count()))).toBe(20)
    const late = fromTopic(topic, { until: 'end', lossless: false, overflow: 'drop-oldest', maxInFlight: 100 }).pipe(
      delay(1),
      mergeMap(async (record) => record.hold().release()),
    )
    expect(await lastValueFrom(late.pipe(count()))).toBe(20)
  })
})

describe('in a group', () => {
  test.each<FromTopicOptions>([{ lossless: false }, { lossless: false, overflow: 'drop-newest', maxInFlight: 5 }])(
    'what was handed out is committed, whoever holds it: %j',
    async (options) => {
      const topic = await world.filled(100)
      const groupId = world.name()
      const subscription = fromTopic(topic, { ...options, groupId, autoCommitIntervalMs: 0, ...dropsQuietly(options) }).subscribe(
        (record) => void record.hold(),
      )
      await until(async () => (await world.committed(groupId)) === 100)
      subscription.unsubscribe()
      expect(await lastValueFrom(fromTopic(topic, { groupId: world.name(), lossless: false }).pipe(take(1), count()))).toBe(1)
    },
  )
})

function dropsQuietly({ overflow }: FromTopicOptions): FromTopicOptions {
  return overflow === undefined ? {} : { onDropped: () => undefined }
}
