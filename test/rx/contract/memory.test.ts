// Memory is flat with a slow subscriber: the short form of test/torture/slow-subscriber.ts.

import { expect, test } from 'vitest'
import { slowSubscriber, slowSubscriberLine, slowSubscriberProblems } from '../../torture/slow-subscriber.ts'

test('a slow subscriber: no more is pulled than is held, and memory is flat', async () => {
  const result = await slowSubscriber({ records: 4_000, runMs: 0, samples: 20 })
  console.log(slowSubscriberLine(result))
  expect(slowSubscriberProblems(result)).toEqual([])
}, 120_000)

test('what must not be is seen', () => {
  const good = { offered: 1e6, settled: 5_000, missed: 9e5, heldMax: 500, alive: Array.from({ length: 20 }, (_, i) => 30 + (i % 3)) }
  expect(slowSubscriberProblems(good)).toEqual([])
  for (const bad of [{ heldMax: 501 }, { settled: 0 }, { missed: 0 }, { alive: good.alive.map((each, i) => each + i) }])
    expect(slowSubscriberProblems({ ...good, ...bad })).toHaveLength(1)
})
