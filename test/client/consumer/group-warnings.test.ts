// What is said once a process, so in one test, in this order.

import { afterEach, expect, test } from 'vitest'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { GroupWorld } from './group-world.ts'

const warnings: string[] = []
const onWarning = (warning: Error): unknown => warnings.push(warning.message)
afterEach(() => process.removeListener('warning', onWarning))

test('a group that never commits is warned of, unless its user has said where it reads on', async () => {
  const world = new GroupWorld()
  world.logs.clock.advance(1)
  const topic = world.logs.topic(1)
  world.logs.append(topic, ['a', 'b'])
  process.on('warning', onWarning)
  const read = async (options: ConsumerOptions, isSought: boolean): Promise<void> => {
    const onAssigned: ConsumerOptions['onAssigned'] = (partitions) => {
      if (isSought) for (const each of partitions) consumer.seek(each.topic, each.partition, 1)
    }
    const consumer = world.consumer({ ...options, onAssigned })
    for await (const _ of consumer.batches(topic, { until: 'end' }));
    // Warnings are told in a turn of their own.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await read({ autoCommit: false }, true)
  await read({}, false)
  expect(warnings).toEqual([])
  await read({ groupId: 'another', autoCommit: false }, false)
  expect(warnings).toEqual([
    expect.stringMatching(/^a consumer of group "another" has autoCommit: false and ended a loop without a commit/),
  ])
})
