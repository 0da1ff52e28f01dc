// The reset by duration (KIP-1106): how it is written, and where it starts.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AutoOffsetReset } from '../../../src/client/consumer/offset-reset.ts'
import { BY_DURATION, parseDurationMs, resetDurationMs } from '../../../src/client/consumer/offset-reset.ts'
import { HandDrivenLog, recordsOf, settle } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

describe('durations', () => {
  test.each([
    ['PT1H', 3_600_000],
    ['P1D', 86_400_000],
    ['P2DT12H', 216_000_000],
    ['PT15M', 900_000],
    ['PT10S', 10_000],
    ['PT0.5S', 500],
    ['PT1.0019S', 1_001],
    ['PT0S', 0],
    ['pt1h1m1s', 3_661_000],
    ['PT-6H+3M', -21_420_000],
    ['-PT1H', -3_600_000],
    ['+P1D', 86_400_000],
    ['PT-1.5S', -1_500],
  ])('%s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms)
  })

  test.each(['', 'P', 'PT', 'P1DT', '1H', 'P1H', 'P1M', 'P1Y', 'P1W', 'PT1D', 'PT1.5H', 'PT1H ', 'PT 1H', '3600000', 'PT.5S', 'PT1H1H'])(
    '%j is none',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined()
    },
  )

  test('as a policy: with its prefix, and back in time', () => {
    for (const value of ['by_duration:PT1H', 'by_duration:P30D', 'by_duration:PT0S']) expect(BY_DURATION.accept(value)).toBe(true)
    const none = ['by_duration', 'by_duration:', 'PT1H', 'by_duration:-PT1H', 'by_duration:PT-1S', 'by_duration:P999999999999D', 5, null]
    for (const value of none) expect(BY_DURATION.accept(value)).toBe(false)
    expect(resetDurationMs('by_duration:PT1M')).toBe(60_000)
    expect((['earliest', 'latest', 'none'] as const).map(resetDurationMs)).toEqual([undefined, undefined, undefined])
  })
})

describe('a consumer that starts by duration', () => {
  const HOUR_MS = 3_600_000
  const autoOffsetReset: AutoOffsetReset = 'by_duration:PT1H'
  let world: HandDrivenLog
  let topic: TextTopic

  beforeEach(() => {
    world = new HandDrivenLog()
    topic = world.topic()
  })
  afterEach(() => world.close())

  /** A record for each age, oldest first. */
  function append(...agesMs: number[]): void {
    for (const ageMs of agesMs) world.append(topic, [`${ageMs}`], 0, [world.clock.nowMs() - ageMs])
  }

  test('reads the first record of the last so much time, and on', async () => {
    append(3 * HOUR_MS, HOUR_MS + 1, HOUR_MS, 5)
    const read: string[] = []
    for await (const batch of world.consumer({ autoOffsetReset }).batches(topic, { until: 'end' })) read.push(...recordsOf(batch))
    expect(read).toEqual([`0:2 ${HOUR_MS}`, '0:3 5'])
  })

  test('starts at the end when nothing is so young', async () => {
    append(2 * HOUR_MS)
    const consumer = world.consumer({ autoOffsetReset })
    const next = consumer.batches(topic).next()
    await settle()
    expect(consumer.position(topic, 0)).toBe(1)
    append(2 * HOUR_MS)
    expect(recordsOf((await next).value!)).toEqual([`0:1 ${2 * HOUR_MS}`])
    await consumer.close()
  })

  test('has no position while the leader is asked, and takes a seek instead of the answer', async () => {
    append(5, 4, 3)
    world.holdsLookUps = true
    const consumer = world.consumer({ autoOffsetReset })
    const next = consumer.batches(topic).next()
    await settle()
    const pending = { code: 'OFFSET_NOT_AVAILABLE', retriable: true }
    expect(() => consumer.position(topic, 0)).toThrow(expect.objectContaining(pending))
    expect(() => consumer.lag(topic)).toThrow(expect.objectContaining(pending))
    expect(world.isWaiting).toBe(true)
    consumer.seek(topic, 0, 2)
    expect(recordsOf((await next).value!)).toEqual(['0:2 3'])
    await world.answerLookUps()
    expect(consumer.position(topic, 0)).toBe(3)
    await consumer.close()
  })

  test('when retention has overtaken it, goes on there, and says what was missed', async () => {
    append(3 * HOUR_MS, 2 * HOUR_MS, 90, 80, 70)
    const consumer = world.consumer({ autoOffsetReset })
    const events: unknown[] = []
    consumer.on('overtaken', (event) => events.push(event))
    consumer.seek(topic, 0, 0)
    world.log(topic).deleteRecordsBefore(1)
    expect(recordsOf((await consumer.batches(topic).next()).value!)).toEqual(['0:2 90', '0:3 80', '0:4 70'])
    expect(events).toEqual([{ topic: topic.name, partition: 0, missed: 2, from: 0, to: 2 }])
    await consumer.close()
  })

  test('a look-up that fails ends the loop; a later one asks anew', async () => {
    append(5)
    const consumer = world.consumer({ autoOffsetReset })
    world.holdsLookUps = true
    const next = consumer.batches(topic).next()
    await settle()
    const failed = expect(next).rejects.toThrow('the leader is out')
    world.failLookUps(new Error('the leader is out'))
    await failed
    world.holdsLookUps = false
    expect(recordsOf((await consumer.batches(topic).next()).value!)).toEqual(['0:0 5'])
    await consumer.close()
  })

  test('what a listener throws ends the loop', async () => {
    append(90, 80)
    const consumer = world.consumer({ autoOffsetReset })
    consumer.on('overtaken', () => {
      throw new Error('enough')
    })
    consumer.seek(topic, 0, 0)
    world.log(topic).deleteRecordsBefore(1)
    await expect(consumer.batches(topic).next()).rejects.toThrow('enough')
    expect(consumer.position(topic, 0)).toBe(1)
  })

  test('a close while the leader is asked ends the loop', async () => {
    world.holdsLookUps = true
    const consumer = world.consumer({ autoOffsetReset })
    const next = consumer.batches(topic).next()
    await settle()
    await consumer.close()
    expect(await next).toEqual({ value: undefined, done: true })
    await world.answerLookUps()
  })
})
