import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HEAD } from '../../src/lane/lane-layout.ts'
import { BACK_PRESSURED, LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { LanePair } from './lane-pair.ts'
import { patternBatch } from './pattern-batch.ts'

const headOf = (pair: LanePair): number => new Int32Array(pair.buffer)[HEAD]! * 8

describe('a poll', () => {
  test('of an empty lane does nothing', () => {
    const pair = new LanePair()
    expect(pair.poll()).toEqual([])
    expect(pair.reader.isEmpty()).toBe(true)
  })

  test.each([
    [0, 1],
    [1, 1],
    [232, 1],
    [233, 2],
    [1000, 5],
    [1e9, 10],
    [Number.POSITIVE_INFINITY, 10],
  ])('up to %d bytes takes %i frames of 232', (limitBytes, count) => {
    const pair = new LanePair()
    for (let n = 0; n < 10; n++) pair.offer(n, 168)
    expect(pair.poll(limitBytes)).toHaveLength(count)
    expect(headOf(pair)).toBe(count * 232)
  })

  test('takes at least one frame, however large, and behind padding', () => {
    const pair = new LanePair({ startPosition: 4000 })
    pair.offer(1, 1900)
    pair.offer(2, 100)
    expect(pair.poll(1)).toEqual([1])
    expect(pair.poll(1)).toEqual([2])
  })

  test('does not take what comes while it runs', () => {
    const pair = new LanePair()
    pair.offer(0, 100)
    const ids: number[] = []
    const onFrame = (): void => {
      ids.push(pair.reader.frame.batchId)
      pair.offer(ids.length, 100)
    }
    expect(pair.reader.poll({ onFrame }, 1e9)).toBe(1)
    expect(pair.reader.isEmpty()).toBe(false)
    expect(pair.reader.poll({ onFrame }, 1e9)).toBe(1)
    expect(ids).toEqual([0, 1])
  })

  test('whose handler throws gives back what was done, and hands the frame on again', () => {
    const pair = new LanePair()
    for (let n = 0; n < 4; n++) pair.offer(n, 168)
    const ids: number[] = []
    const onFrame = (): void => {
      ids.push(pair.reader.frame.batchId)
      if (ids.length === 3) throw new Error('handler')
    }
    expect(() => pair.reader.poll({ onFrame }, 1e9)).toThrow('handler')
    expect(headOf(pair)).toBe(2 * 232)
    expect(pair.poll()).toEqual([2, 3])
  })

  test('gives room back while it goes on, not only at its end', () => {
    const pair = new LanePair()
    let n = 0
    while (pair.offer(n, 168) === OFFERED) n++
    let offeredDuring = 0
    const onFrame = (): void => {
      if (pair.writer.hasRoom(168)) offeredDuring++
    }
    pair.reader.poll({ onFrame }, 1e9)
    expect(offeredDuring).toBeGreaterThan(n / 2)
  })
})

describe('acks', () => {
  test('fill every slot, again and again', () => {
    const pair = new LanePair({ ackSlots: 8 })
    let expected = 0
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 8; i++) pair.reader.ack(round * 8 + i, 0, 0, 0)
      pair.reader.flush()
      for (const id of pair.acks()) expect(id).toBe(expected++)
    }
    expect(expected).toBe(800)
  })

  test('more than there are slots: the lane is given up, nothing is overwritten', () => {
    const pair = new LanePair({ ackSlots: 8 })
    for (let id = 0; id < 8; id++) pair.reader.ack(id, 0, 0, 0)
    expect(() => pair.reader.ack(8, 0, 0, 0)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    pair.reader.flush()
    expect(pair.acks()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    pair.reader.ack(8, 0, 0, 0)
    pair.reader.flush()
    expect(pair.acks()).toEqual([8])
  })

  test('partly read slots are used as they come free', () => {
    const pair = new LanePair({ ackSlots: 4 })
    let written = 0
    let read = 0
    for (const [writes, reads] of [
      [4, 1],
      [1, 3],
      [3, 2],
      [2, 4],
      [4, 4],
    ] as const) {
      for (let i = 0; i < writes; i++) pair.reader.ack(written++, 0, 0, 0)
      pair.reader.flush()
      for (const id of pair.acks(reads)) expect(id).toBe(read++)
    }
    expect(read).toBe(written)
  })
})

describe('flush', () => {
  const parkedProducer = (): LanePair => {
    const pair = new LanePair()
    pair.offer(0, 100)
    pair.writer.wantWake()
    pair.bells.arm(pair.producerThread)
    return pair
  }

  test('rings a producer that asked, when there is room', () => {
    const pair = parkedProducer()
    pair.poll()
    expect(pair.rung).toEqual([])
    pair.reader.flush()
    expect(pair.rung).toEqual([pair.producerThread])
  })

  test('rings a producer that asked, when there is an ack', () => {
    const pair = parkedProducer()
    pair.reader.ack(0, 0, 0, 0)
    pair.reader.flush()
    expect(pair.rung).toEqual([pair.producerThread])
  })

  test('rings nobody without news, and nobody who did not ask', () => {
    const pair = parkedProducer()
    pair.reader.flush()
    expect(pair.rung).toEqual([])
    const other = new LanePair()
    other.bells.arm(other.producerThread)
    other.reader.ack(0, 0, 0, 0)
    other.reader.flush()
    expect(other.rung).toEqual([])
  })

  test('rings once for each want', () => {
    const pair = parkedProducer()
    for (let id = 0; id < 4; id++) {
      pair.reader.ack(id, 0, 0, 0)
      pair.reader.flush()
      pair.bells.arm(pair.producerThread)
    }
    expect(pair.rung).toHaveLength(1)
    pair.writer.wantWake()
    pair.reader.ack(4, 0, 0, 0)
    pair.reader.flush()
    expect(pair.rung).toHaveLength(2)
  })

  test('a want that found the bell not armed yet stands until it is', () => {
    const pair = new LanePair()
    pair.reader.ack(0, 0, 0, 0)
    // The producer has seen this ack when it decides to park; the broker is still in its flush.
    pair.writer.wantWake()
    pair.reader.flush()
    expect(pair.acks()).toEqual([0])
    pair.bells.arm(pair.producerThread)
    expect(pair.writer.hasAcks()).toBe(false)
    pair.reader.ack(1, 0, 0, 0)
    pair.reader.flush()
    expect(pair.rung).toEqual([pair.producerThread])
  })
})

test('a lane is a queue with bounds: any sequence of offers, polls and acks', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('offer' as const), size: fc.integer({ min: 8, max: 2100 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('poll' as const), size: fc.integer({ min: 0, max: 3000 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('acks' as const), size: fc.integer({ min: 0, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('attach' as const), size: fc.constant(0) }) },
  )
  const start = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 600 }).map((units) => 2 ** 34 - units * 8),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), start, (steps, startPosition) => {
      const pair = new LanePair({ ackSlots: 4, startPosition })
      let { writer } = pair
      const inLane: { id: number; sizeBytes: number }[] = []
      const unread: number[] = []
      let unacked = 0
      let nextId = 0
      for (const { kind, size } of steps) {
        if (kind === 'attach') {
          writer = new LaneWriter(pair.buffer, pair.ring)
        } else if (kind === 'acks') {
          const got: number[] = []
          writer.pollAcks({ onAck: (id) => got.push(id) }, size)
          expect(got).toEqual(unread.splice(0, size))
          unacked -= got.length
        } else if (kind === 'offer') {
          if (unacked === 4) continue
          writer.frame.batchId = nextId
          const hasRoom = writer.hasRoom(size)
          const answer = writer.offer(patternBatch(nextId, size), 0, size)
          expect(answer === OFFERED).toBe(hasRoom)
          if (size <= writer.maxBatchBytes && inLane.length === 0) expect(answer).toBe(OFFERED)
          if (answer !== OFFERED) continue
          unacked++
          inLane.push({ id: nextId++, sizeBytes: size })
        } else {
          const before = inLane.length
          for (const id of pair.poll(size)) {
            expect(inLane.shift()?.id).toBe(id)
            pair.reader.ack(id, 0, 0, 0)
            unread.push(id)
          }
          pair.reader.flush()
          if (before > 0) expect(inLane.length).toBeLessThan(before)
        }
      }
      const bytes = inLane.reduce((sum, { sizeBytes }) => sum + Math.ceil((sizeBytes + 64) / 8) * 8, 0)
      expect(bytes).toBeLessThanOrEqual(4096)
      expect(pair.poll()).toEqual(inLane.map(({ id }) => id))
      expect(BACK_PRESSURED).toBe(-1)
    }),
    { seed: 20_240_611, numRuns: 400 },
  )
})
