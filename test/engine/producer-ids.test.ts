import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { ProducerIds } from '../../src/engine/producer-ids.ts'
import { MillraceError } from '../../src/errors.ts'
import type { ProducerIdsBlock } from '../../src/metadata/controller-commands.ts'

function idsOf(answers: (ProducerIdsBlock | MillraceError)[]) {
  const clock = new VirtualClock()
  let asked = 0
  let woken = 0
  const allocate = async (): Promise<ProducerIdsBlock> => {
    const answer = answers[asked++]!
    if (answer instanceof MillraceError) throw answer
    return answer
  }
  const ids = new ProducerIds({ allocate, clock, onAllocated: () => woken++ })
  return { ids, clock, asked: () => asked, woken: () => woken }
}

test('hands out each id of a block once, and asks for the next one when it is used up', async () => {
  const { ids, asked, woken } = idsOf([
    { firstProducerId: 3_000, count: 2 },
    { firstProducerId: 7_000, count: 2 },
  ])
  expect([ids.take(), ids.take()]).toEqual([undefined, undefined])
  expect(asked()).toBe(1)
  await nextTurn()
  expect(woken()).toBe(1)
  expect([ids.take(), ids.take(), ids.take()]).toEqual([3_000, 3_001, undefined])
  await nextTurn()
  expect([ids.take(), asked(), woken()]).toEqual([7_000, 2, 2])
})

test('a controller that could not: those who wait are woken a while later, and ask again', async () => {
  const { ids, clock, asked, woken } = idsOf([
    new MillraceError('KAFKA_STORAGE_ERROR', 'full'),
    new MillraceError('REQUEST_TIMED_OUT', 'nobody there'),
    { firstProducerId: 0, count: 1 },
  ])
  for (let attempt = 1; attempt <= 2; attempt++) {
    expect(ids.take()).toBeUndefined()
    await nextTurn()
    expect([ids.take(), asked(), woken()]).toEqual([undefined, attempt, attempt - 1])
    clock.advance(100)
    await nextTurn()
  }
  expect([ids.take(), woken()]).toEqual([undefined, 2])
  await nextTurn()
  expect([ids.take(), asked(), woken()]).toEqual([0, 3, 3])
})

test('when all is closed nobody is woken', async () => {
  const { ids, clock, woken } = idsOf([new MillraceError('CLOSED', 'closed')])
  ids.take()
  await nextTurn()
  clock.advance(1_000)
  await nextTurn()
  expect([woken(), clock.pending]).toEqual([0, 0])
})
