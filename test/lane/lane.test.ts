import { describe, expect, test } from 'vitest'
import { threadId } from '../../src/ids.ts'
import { allocateLane, laneCapacity, maxBatchBytes, openLane } from '../../src/lane/lane.ts'
import { ACK_SLOTS, BROKER_THREAD, CAPACITY_UNITS, MAGIC, PRODUCER_THREAD } from '../../src/lane/lane-layout.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter } from '../../src/lane/lane-writer.ts'

const KIB = 1024
const options = { capacityBytes: 4 * KIB, ackSlots: 8, producerThread: threadId(7), brokerThread: threadId(3) }

describe('the size of a lane', () => {
  test.each([
    [1, 512 * KIB],
    [64 * KIB, 512 * KIB],
    [256 * KIB - 64 - 7, 512 * KIB],
    [256 * KIB, 1024 * KIB],
    [1_048_588, 4096 * KIB],
    [8 * 1024 * KIB, 32 * 1024 * KIB],
  ])('for batches of %i bytes', (batchBytes, capacityBytes) => {
    expect(laneCapacity(batchBytes)).toBe(capacityBytes)
    expect(maxBatchBytes(capacityBytes)).toBeGreaterThanOrEqual(batchBytes)
  })

  test('ack slots are rounded up, so that their count can wrap', () => {
    const buffer = allocateLane({ ...options, ackSlots: 100 })
    expect(new LaneWriter(buffer, () => {}).ackSlots).toBe(128)
    expect(new LaneReader(buffer, () => {}).ackSlots).toBe(128)
  })

  test.each([
    ['no power of two', { capacityBytes: 5000 }],
    ['too small', { capacityBytes: 2048 }],
    ['too large', { capacityBytes: 2 ** 31 }],
    ['no ack slot', { ackSlots: 0 }],
    ['too many ack slots', { ackSlots: 65_537 }],
    ['a position between units', { startPosition: 12 }],
  ])('refused: %s', (_, wrong) => {
    expect(() => allocateLane({ ...options, ...wrong })).toThrow(/assertion failed/)
  })

  test('a batch beyond 1 GiB of lane is refused', () => {
    expect(() => laneCapacity(2 ** 30)).toThrow(/assertion failed/)
  })
})

describe('opening a lane', () => {
  test('both sides read who they are', () => {
    const buffer = allocateLane(options)
    expect(new LaneWriter(buffer, () => {}).brokerThread).toBe(3)
    expect(new LaneReader(buffer, () => {}).producerThread).toBe(7)
    expect(openLane(buffer)).toMatchObject({ capacityUnits: 512, ackSlots: 8 })
  })

  test.each([
    ['another magic', MAGIC, 1],
    ['a capacity of nothing', CAPACITY_UNITS, 0],
    ['a negative capacity', CAPACITY_UNITS, -512],
    ['a capacity beyond the buffer', CAPACITY_UNITS, 1024],
    ['a capacity that is no power of two', CAPACITY_UNITS, 500],
    ['ack slots beyond the buffer', ACK_SLOTS, 1024],
    ['no ack slots', ACK_SLOTS, 0],
    ['a thread that cannot be', PRODUCER_THREAD, 256],
    ['a negative thread', BROKER_THREAD, -1],
  ])('refuses %s', (_, word, value) => {
    const buffer = allocateLane(options)
    new Int32Array(buffer)[word] = value
    for (const open of [
      openLane,
      (one: SharedArrayBuffer) => new LaneWriter(one, () => {}),
      (one: SharedArrayBuffer) => new LaneReader(one, () => {}),
    ]) {
      expect(() => open(buffer)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    }
  })

  test.each([0, 7, 64, 4096, 5000])('refuses a buffer of %i bytes', (bytes) => {
    expect(() => openLane(new SharedArrayBuffer(bytes))).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })
})
