import { expect, test } from 'vitest'
import { GroupStep } from '../../../src/coordinator/group/group-step.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'

const RECORD: GroupRecord = { type: 'GroupMetadata', key: { group: 'g' }, version: -1, value: null }

test('a step names what follows, and nothing else', () => {
  expect(new GroupStep(1, 2).build()).toEqual({})
  const step = new GroupStep(1, 2, 7)
  step.reply(7, 'mine')
  step.timer('t', 5)
  step.timer('t', 6)
  step.news('m')
  step.fence('thread-1')
  expect(step.build()).toEqual({
    replies: [{ requestId: 7, response: 'mine' }],
    timers: [{ timer: 't', atMs: 6 }],
    news: ['m'],
    fenced: ['thread-1'],
  })
})

test('records that find no room take nothing back that is in memory, but answers that hung on them', () => {
  const step = new GroupStep(1, 2, 7)
  step.records.push(RECORD)
  step.reply(7, 'mine')
  step.reply(8, 'another’s')
  step.reply(9, 'done', (error) => `not done: ${error}`)
  step.timer('t', 5)
  step.fence('thread-1')
  step.onFailed((error, after) => after.reply(10, error))
  const built = step.build()
  expect(built.records).toEqual([RECORD])
  expect(built.failed!('NOT_ENOUGH_REPLICAS')).toEqual({
    replies: [
      { requestId: 8, response: 'another’s' },
      { requestId: 9, response: 'not done: NOT_ENOUGH_REPLICAS' },
      { requestId: 10, response: 'NOT_ENOUGH_REPLICAS' },
    ],
    timers: [{ timer: 't', atMs: 5 }],
    fenced: ['thread-1'],
  })
})
