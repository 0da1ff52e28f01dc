import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { FRAME_NO_CRC, TAIL } from '../../src/lane/lane-layout.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { BACK_PRESSURED, BATCH_TOO_LARGE, LANE_CLOSED, LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { LanePair } from './lane-pair.ts'
import { patternBatch } from './pattern-batch.ts'

const tailOf = (pair: LanePair): number => new Int32Array(pair.buffer)[TAIL]! * 8

describe('an offer', () => {
  test('carries the batch and every field of the frame', () => {
    const pair = new LanePair()
    const fields = {
      ...{ batchId: -1, slot: 12, partition: 34, topicId0: 0x7fffffff, topicId1: -2, topicId2: 3, topicId3: -2147483648 },
      ...{ leaderEpoch: 56, acks: -1, flags: FRAME_NO_CRC, deadlineMs: 1234567.875 },
    }
    Object.assign(pair.writer.frame, fields)
    const batch = patternBatch(9, 500)
    expect(pair.writer.offer(batch, 0, 500)).toBe(OFFERED)
    const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
      expect({ ...pair.reader.frame }).toEqual(fields)
      expect(bytes.slice(start, end)).toEqual(batch)
    }
    expect(pair.reader.poll({ onFrame }, 1)).toBe(1)
  })

  test('takes a range of a larger array', () => {
    const pair = new LanePair()
    const batch = patternBatch(1, 400)
    expect(pair.writer.offer(batch, 100, 333)).toBe(OFFERED)
    const onFrame = (bytes: Uint8Array, start: number, end: number): void =>
      expect(bytes.slice(start, end)).toEqual(batch.subarray(100, 333))
    expect(pair.reader.poll({ onFrame }, 1)).toBe(1)
  })

  test.each([
    [-1, 10],
    [10, 9],
    [0, 401],
    [Number.NaN, 10],
  ])('refuses the range %d to %d of 400 bytes', (start, end) => {
    const pair = new LanePair()
    expect(() => pair.writer.offer(patternBatch(1, 400), start, end)).toThrow(/assertion failed/)
    expect(pair.poll()).toEqual([])
  })

  test.each([61, 62, 63, 64, 65, 66, 67, 68, 69])('of %i bytes starts the next frame on a unit', (sizeBytes) => {
    const pair = new LanePair()
    for (let n = 0; n < 9; n++) expect(pair.offer(n, sizeBytes)).toBe(OFFERED)
    expect(tailOf(pair)).toBe(9 * Math.ceil((64 + sizeBytes) / 8) * 8)
    expect(pair.poll()).toHaveLength(9)
  })
})

describe('wrap and padding', () => {
  test('a frame that ends with the ring needs none', () => {
    const pair = new LanePair()
    for (let n = 0; n < 4; n++) expect(pair.offer(n, 1024 - 64)).toBe(OFFERED)
    expect(tailOf(pair)).toBe(4096)
    expect(pair.poll()).toEqual([0, 1, 2, 3])
    expect(pair.offer(4, 500)).toBe(OFFERED)
    expect(pair.poll()).toEqual([4])
  })

  test.each([8, 16, 56, 64, 72, 256])('%i bytes short of the end', (left) => {
    const pair = new LanePair({ startPosition: 4096 - left })
    expect(pair.offer(1, 300)).toBe(OFFERED)
    expect(tailOf(pair)).toBe(4096 + 368)
    expect(pair.poll()).toEqual([1])
    expect(pair.offer(2, 300)).toBe(OFFERED)
    expect(pair.poll()).toEqual([2])
  })

  test('padding waits for room like a frame', () => {
    const pair = new LanePair()
    // 3 x 1,200 fill 3,600 of 4,096: the next one has to go to the start, which is not free.
    for (let n = 0; n < 3; n++) expect(pair.offer(n, 1200 - 64)).toBe(OFFERED)
    expect(pair.offer(3, 1200 - 64)).toBe(BACK_PRESSURED)
    expect(tailOf(pair)).toBe(3600)
    // Frames 0 is read: 1,200 free at the start, and padding of 496 before it.
    expect(pair.poll(1)).toEqual([0])
    expect(pair.offer(3, 1200 - 64)).toBe(OFFERED)
    expect(pair.poll()).toEqual([1, 2, 3])
  })

  test('the largest batch always fits into an empty ring, wherever it stands', () => {
    for (let startPosition = 0; startPosition < 4096; startPosition += 8) {
      const pair = new LanePair({ startPosition })
      expect(pair.offer(1, pair.writer.maxBatchBytes)).toBe(OFFERED)
      expect(pair.poll()).toEqual([1])
    }
  })

  test('thousands of rounds of mixed sizes', () => {
    const pair = new LanePair()
    let next = 0
    let taken = 0
    for (let n = 0; n < 20_000; n++) {
      const sizeBytes = 61 + ((n * 7919) % 1300)
      while (pair.offer(n, sizeBytes) !== OFFERED) {
        for (const id of pair.poll(800)) expect(id).toBe(next++)
      }
      taken += sizeBytes
    }
    for (const id of pair.poll()) expect(id).toBe(next++)
    expect(next).toBe(20_000)
    expect(taken).toBeGreaterThan(3000 * 4096)
  })
})

describe('positions survive 2^31 and 2^32', () => {
  const GIB = 2 ** 30
  const EDGES: readonly (readonly [string, number])[] = [
    ['2^31 bytes', 2 * GIB],
    ['2^32 bytes', 4 * GIB],
    ['2^31 units, where an Int32 turns negative', 16 * GIB],
    ['2^32 units, where it comes back to 0', 32 * GIB],
    ['2^53 - 2^12 bytes', 2 ** 53 - 2 ** 12],
  ]

  test.each(EDGES)('%s', (_, edge) => {
    for (const before of [8, 64, 2048, 3000 - (3000 % 8), 40_000]) {
      const pair = new LanePair({ startPosition: edge - before })
      let next = 0
      let refused = 0
      for (let n = 0; n < 200; n++) {
        const sizeBytes = 61 + ((n * 131) % 900)
        while (pair.offer(n, sizeBytes) === BACK_PRESSURED) {
          refused++
          for (const id of pair.poll(1500)) expect(id).toBe(next++)
        }
      }
      for (const id of pair.poll()) expect(id).toBe(next++)
      expect(next).toBe(200)
      expect(refused).toBeGreaterThan(10)
      expect(tailOf(pair)).not.toBe(edge - before)
    }
  })

  test.each(EDGES)('a reader and a writer that attach at %s', (_, edge) => {
    const pair = new LanePair({ startPosition: edge - 1000 })
    for (let n = 0; n < 3; n++) expect(pair.offer(n, 600)).toBe(OFFERED)
    const writer = new LaneWriter(pair.buffer, () => {})
    writer.frame.batchId = 3
    expect(writer.offer(patternBatch(3, 600), 0, 600)).toBe(OFFERED)
    const ids: number[] = []
    const reader = new LaneReader(pair.buffer, () => {})
    reader.poll({ onFrame: () => ids.push(reader.frame.batchId) }, 1e9)
    expect(ids).toEqual([0, 1, 2, 3])
  })

  test.each([2 ** 31, 2 ** 32])('the count of acks, at %i', (edge) => {
    const pair = new LanePair({ startAckPosition: edge - 5 })
    for (let round = 0; round < 10; round++) {
      for (let id = 0; id < 3; id++) pair.reader.ack(round * 3 + id, 0, 0, 0)
      pair.reader.flush()
      expect(pair.acks()).toEqual([round * 3, round * 3 + 1, round * 3 + 2])
    }
  })
})

describe('back-pressure', () => {
  test('a full ring refuses, writes nothing, and takes again what was polled', () => {
    const pair = new LanePair()
    let n = 0
    while (pair.offer(n, 168) === OFFERED) n++
    const before = new Uint8Array(pair.buffer).slice()
    expect(pair.offer(n, 168)).toBe(BACK_PRESSURED)
    expect(new Uint8Array(pair.buffer).slice()).toEqual(before)
    expect(pair.writer.hasRoom(168)).toBe(false)
    // A smaller one may still fit: 4,096 less 17 x 232 leaves 152.
    expect(pair.writer.hasRoom(88)).toBe(true)
    expect(pair.offer(n, 88)).toBe(OFFERED)
    expect(pair.poll(1)).toEqual([0])
    expect(pair.writer.hasRoom(168)).toBe(true)
    expect(pair.poll()).toHaveLength(n)
  })

  test('BATCH_TOO_LARGE is for ever: one byte above half of the ring', () => {
    const pair = new LanePair()
    expect(pair.writer.maxBatchBytes).toBe(2048 - 64)
    expect(pair.offer(0, pair.writer.maxBatchBytes + 1)).toBe(BATCH_TOO_LARGE)
    expect(pair.writer.hasRoom(pair.writer.maxBatchBytes + 1)).toBe(false)
    expect(pair.writer.hasRoom(2 ** 40)).toBe(false)
    expect(pair.offer(0, pair.writer.maxBatchBytes)).toBe(OFFERED)
    expect(pair.offer(1, pair.writer.maxBatchBytes)).toBe(OFFERED)
    expect(pair.offer(2, 61)).toBe(BACK_PRESSURED)
  })
})

describe('acks', () => {
  test('come by batch id, with their fields, in the order of the broker', () => {
    const pair = new LanePair()
    const acks: unknown[] = []
    pair.reader.ack(7, 0, 2 ** 53 - 1, 1_700_000_000_123)
    pair.reader.ack(3, 6, -1, -1)
    expect(pair.acks()).toEqual([])
    pair.reader.flush()
    expect(pair.writer.hasAcks()).toBe(true)
    pair.writer.pollAcks({ onAck: (...fields) => acks.push(fields) }, 10)
    expect(acks).toEqual([
      [7, 0, 2 ** 53 - 1, 1_700_000_000_123],
      [3, 6, -1, -1],
    ])
    expect(pair.writer.hasAcks()).toBe(false)
  })

  test('are handed on up to a limit', () => {
    const pair = new LanePair()
    for (let id = 0; id < 8; id++) pair.reader.ack(id, 0, 0, 0)
    pair.reader.flush()
    expect(pair.acks(3)).toEqual([0, 1, 2])
    expect(pair.acks(0)).toEqual([])
    expect(pair.acks()).toEqual([3, 4, 5, 6, 7])
  })

  test('one whose handler throws does not come again, and gives its slot back', () => {
    const pair = new LanePair({ ackSlots: 2 })
    for (let round = 0; round < 5; round++) {
      pair.reader.ack(1, 0, 0, 0)
      pair.reader.ack(2, 0, 0, 0)
      pair.reader.flush()
      const onAck = (): void => {
        throw new Error('handler')
      }
      expect(() => pair.writer.pollAcks({ onAck }, 10)).toThrow('handler')
      expect(pair.acks()).toEqual([2])
    }
  })

  test('a handler may offer, and poll acks itself', () => {
    const pair = new LanePair()
    for (let id = 0; id < 6; id++) pair.reader.ack(id, 0, 0, 0)
    pair.reader.flush()
    const ids: number[] = []
    const onAck = (batchId: number): void => {
      ids.push(batchId)
      expect(pair.offer(batchId, 100)).toBe(OFFERED)
      if (batchId === 1) ids.push(...pair.acks(2))
    }
    expect(pair.writer.pollAcks({ onAck }, 10)).toBe(4)
    expect(ids).toEqual([0, 1, 2, 3, 4, 5])
    expect(pair.poll()).toEqual([0, 1, 4, 5])
  })
})

describe('closing', () => {
  test('by the broker: offers are refused, acks can still be read', () => {
    const pair = new LanePair()
    expect(pair.offer(0, 100)).toBe(OFFERED)
    pair.reader.ack(0, 0, 5, 0)
    pair.reader.close()
    expect(pair.writer.closedByBroker).toBe(true)
    expect(pair.offer(1, 100)).toBe(LANE_CLOSED)
    expect(pair.acks()).toEqual([0])
    // What was published before can still be taken.
    expect(pair.poll()).toEqual([0])
  })

  test('by the broker wakes a parked producer, also one that did not ask', () => {
    const pair = new LanePair()
    pair.bells.arm(pair.producerThread)
    pair.reader.close()
    expect(pair.rung).toEqual([pair.producerThread])
    pair.reader.close()
    expect(pair.rung).toHaveLength(1)
  })

  test('by the producer: no more offers, what is published is taken and acked', () => {
    const pair = new LanePair()
    expect(pair.offer(0, 100)).toBe(OFFERED)
    pair.bells.arm(pair.brokerThread)
    expect(pair.reader.closedByProducer).toBe(false)
    pair.writer.close()
    pair.writer.close()
    expect(pair.rung).toEqual([pair.brokerThread])
    expect(pair.offer(1, 100)).toBe(LANE_CLOSED)
    expect(pair.reader.closedByProducer).toBe(true)
    expect([pair.reader.isEmpty(), pair.writer.isEmpty()]).toEqual([false, false])
    expect(pair.poll()).toEqual([0])
    expect([pair.reader.isEmpty(), pair.writer.isEmpty()]).toEqual([true, true])
    pair.reader.ack(0, 0, 0, 0)
    pair.reader.flush()
    expect(pair.acks()).toEqual([0])
  })

  test('a writer that attaches to a closed lane is closed', () => {
    const pair = new LanePair()
    pair.writer.close()
    expect(new LaneWriter(pair.buffer, () => {}).offer(patternBatch(0, 100), 0, 100)).toBe(LANE_CLOSED)
  })
})

test('errors say which lane it is and what to do', () => {
  const pair = new LanePair()
  Atomics.store(new Int32Array(pair.buffer), TAIL, -1)
  const error = (() => {
    try {
      pair.poll()
    } catch (caught) {
      return caught
    }
    return undefined
  })()
  expect(error).toBeInstanceOf(MillraceError)
  expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE', retriable: true })
  expect(String(error)).toMatch(/lane of thread 1 to broker thread 0 is damaged \(its tail\): drop it/)
})
