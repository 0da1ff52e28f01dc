import { expect, test } from 'vitest'
import { Lanes } from '../../../src/rx/operators/lanes.ts'

function items(lanes: Lanes<string>): string[] {
  const started: string[] = []
  for (let task = lanes.next(); task !== undefined; task = lanes.next()) started.push(task.item)
  return started
}

test('no more than the concurrency run', () => {
  const lanes = new Lanes<string>(2)
  for (const item of ['a', 'b', 'c']) lanes.add(item, undefined)
  expect(items(lanes)).toEqual(['a', 'b'])
  lanes.stop()
  expect(items(lanes)).toEqual(['c'])
})

test('of a lane one runs behind the other', () => {
  const lanes = new Lanes<string>(10)
  lanes.add('a1', 'a')
  lanes.add('a2', 'a')
  lanes.add('b1', 'b')
  const a1 = lanes.next()!
  expect([a1.item, ...items(lanes)]).toEqual(['a1', 'b1'])
  lanes.stop()
  expect(items(lanes)).toEqual([])
  lanes.settle(a1)
  const a2 = lanes.next()!
  expect(a2.item).toBe('a2')
  lanes.stop()
  lanes.settle(a2)
  lanes.add('a3', 'a')
  expect(items(lanes)).toEqual(['a3'])
})

test('what backs off takes no place, and holds up its lane', () => {
  const lanes = new Lanes<string>(1)
  lanes.add('a1', 'a')
  lanes.add('a2', 'a')
  lanes.add('b1', 'b')
  const a1 = lanes.next()!
  lanes.backOff(a1)
  expect(a1.attempt).toBe(2)
  expect(items(lanes)).toEqual(['b1'])
  lanes.stop()
  lanes.retry(a1)
  expect(items(lanes)).toEqual(['a1'])
})
