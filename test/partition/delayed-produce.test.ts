import { describe, expect, test } from 'vitest'
import type { LaneReader } from '../../src/lane/lane-reader.ts'
import { DelayedProduce } from '../../src/partition/delayed-produce.ts'

function recorder(): { lane: LaneReader; acks: number[][] } {
  const acks: number[][] = []
  const lane = { ack: (batchId: number, errorCode: number, baseOffset: number) => acks.push([batchId, errorCode, baseOffset]) }
  return { lane: lane as unknown as LaneReader, acks }
}

describe('delayed produce', () => {
  test('acknowledges only what lies below the watermark, in order', () => {
    const { lane, acks } = recorder()
    const delayed = new DelayedProduce()
    delayed.add(lane, 1, 0, 10, -1)
    delayed.add(lane, 2, 10, 15, -1)
    delayed.release(9)
    expect(acks).toEqual([])
    delayed.release(10)
    expect(acks).toEqual([[1, 0, 0]])
    delayed.release(100)
    expect(acks).toEqual([
      [1, 0, 0],
      [2, 0, 10],
    ])
    expect(delayed.size).toBe(0)
  })

  test('keeps its order while it grows around its end', () => {
    const { lane, acks } = recorder()
    const delayed = new DelayedProduce()
    let next = 0
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 9; i++, next++) delayed.add(lane, next, next, next + 1, -1)
      delayed.release(next - 6)
    }
    delayed.release(next)
    expect(acks.map(([batchId]) => batchId)).toEqual(Array.from({ length: next }, (_, i) => i))
  })

  test('tells all that wait when the leader resigns', () => {
    const { lane, acks } = recorder()
    const delayed = new DelayedProduce()
    delayed.add(lane, 1, 0, 10, -1)
    delayed.add(lane, 2, 10, 15, -1)
    delayed.failAll(6)
    expect(acks).toEqual([
      [1, 6, -1],
      [2, 6, -1],
    ])
  })
})
