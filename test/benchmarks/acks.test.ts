import { expect, test } from 'vitest'
import { gapsOf } from '../../benchmarks/failover/acks.ts'

test('a failover lasts from the last ack of the one leader to the first of the next', () => {
  expect(gapsOf([10, 11, 13, 40, 41, 43], [0, 0, 0, 1, 1, 1])).toEqual({ failoverMs: [27], usualMs: [1, 1, 2] })
})

test('what the dead leader had written its successor answers for: that is its first ack', () => {
  expect(gapsOf([10, 11, 50, 51, 53], [0, 0, 0, 1, 1])).toEqual({ failoverMs: [39], usualMs: [1, 2] })
})

test('one a change of leader', () => {
  expect(gapsOf([1, 2, 9, 10, 30, 31], [3, 3, 4, 4, 7, 7]).failoverMs).toEqual([7, 20])
  expect(gapsOf([], [])).toEqual({ failoverMs: [], usualMs: [] })
})
