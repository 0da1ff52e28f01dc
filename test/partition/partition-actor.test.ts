// The leader of one partition, its lane, and a log whose memory may be short.

import { beforeEach, describe, expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../src/errors.ts'
import { partitionIndex, slot, threadId } from '../../src/ids.ts'
import { allocateLane } from '../../src/lane/lane.ts'
import { FRAME_NO_CRC } from '../../src/lane/lane-layout.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { LOG_CONFIG_DEFAULT } from '../../src/log/log-config.ts'
import { APPEND_NO_MEMORY } from '../../src/log/partition-log.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { PARKED_BYTES_MAX } from '../../src/partition/parked-batches.ts'
import { PartitionActor } from '../../src/partition/partition-actor.ts'
import { TurnTime } from '../../src/partition/turn-time.ts'
import { READ_OK, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { batchSizeInBytes, isCrcValid } from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { LogFixture } from '../log/log-fixture.ts'

const ID = 42
const SLOT = 1
const ACK_SLOTS = 1_024

let fixture: LogFixture
let log: PartitionLog
let actor: PartitionActor
let time: TurnTime
let reader: LaneReader
let writer: LaneWriter
/** The log has no room. */
let isShort: boolean
let batchIds: number
/** Of the answers of the last turn. */
let appendTimes: number[]

beforeEach(() => {
  fixture = new LogFixture()
  isShort = false
  batchIds = 0
  lead(fixture.log(SLOT), 1)
})

function lead(opened: PartitionLog, leaderEpoch: number): void {
  log = withShortage(opened)
  time = new TurnTime(fixture.clock)
  const identity = { slot: slot(SLOT), topic: 't', topicId: [7, 7, 7, SLOT] as const, partition: partitionIndex(0), leaderEpoch }
  actor = new PartitionActor(identity, new ControlBlock(fixture.memory, SLOT), log, time)
  openLane()
}

function openLane(): void {
  const lane = allocateLane({
    capacityBytes: 16 * 1024 * 1024,
    ackSlots: ACK_SLOTS,
    producerThread: threadId(1),
    brokerThread: threadId(0),
  })
  reader = new LaneReader(lane, () => undefined)
  writer = new LaneWriter(lane, () => undefined)
}

function withShortage(opened: PartitionLog): PartitionLog {
  return new Proxy(opened, {
    get: (target, name) => {
      if (name === 'append' && isShort) return () => APPEND_NO_MEMORY
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

interface SendOptions {
  readonly epoch?: number
  readonly id?: number
  readonly bytes?: number
  /** Of each record. */
  readonly timestamps?: readonly number[]
  readonly withCrc?: boolean
}

/** Offers a batch of so many records; its number on the lane. */
function send(sequence: number, records = 1, { epoch = 0, id = ID, bytes = 1, timestamps, withCrc = false }: SendOptions = {}): number {
  const { leaderEpoch } = actor.identity
  const builder = new RecordBatchBuilder(100 + records * (bytes + 32))
  for (let i = 0; i < records; i++) builder.append(timestamps?.[i] ?? 0, null, new Uint8Array(bytes), null)
  const size = builder.seal({ withCrc, producerId: id, producerEpoch: epoch, baseSequence: sequence })
  const { topicId } = actor.identity
  const [topicId0, topicId1, topicId2, topicId3] = topicId
  Object.assign(writer.frame, {
    batchId: batchIds,
    slot: SLOT,
    acks: -1,
    topicId0,
    topicId1,
    topicId2,
    topicId3,
    leaderEpoch,
    deadlineMs: 1_000,
    flags: withCrc ? 0 : FRAME_NO_CRC,
  })
  expect(writer.offer(builder.bytes, 0, size)).toBe(OFFERED)
  return batchIds++
}

/** A turn of the broker; the answers that it gave, in the order of the batches: batch, error and offset. */
function turn(nowMs = 0): [number, number, number][] {
  reader.poll({ onFrame: (bytes, start, end) => actor.onBatch(reader, reader.frame, bytes, start, end) }, 1e9)
  actor.retryParked(nowMs)
  if (actor.dirty) actor.advance()
  time.turnEnded()
  reader.flush()
  const acks: [number, number, number][] = []
  appendTimes = []
  const onAck = (batchId: number, errorCode: number, baseOffset: number, timestampMs: number): void => {
    acks.push([batchId, errorCode, baseOffset])
    appendTimes.push(timestampMs)
  }
  writer.pollAcks({ onAck }, ACK_SLOTS)
  // What is refused is answered before what waits for the watermark.
  return acks.sort(([a], [b]) => a - b)
}

describe('an idempotent producer', () => {
  test('a batch that comes twice is written once, and answered with its offset both times', () => {
    const first = [send(0, 3), send(3, 2)]
    expect(turn()).toEqual([
      [first[0], 0, 0],
      [first[1], 0, 3],
    ])
    const again = [send(0, 3), send(3, 2)]
    expect(turn()).toEqual([
      [again[0], 0, 0],
      [again[1], 0, 3],
    ])
    expect(log.endOffset).toBe(5)
  })

  test('what retention took between the death of its leader and the next time it is sent is not written again', () => {
    send(0, 3)
    send(3)
    turn()
    log.trimOldest()
    lead(fixture.brokers[0]!.lead(SLOT, 2), 2)
    expect(log.startOffset).toBe(4)
    const refused = KAFKA_ERRORS.UNKNOWN_PRODUCER_ID
    const codes = (batches: readonly number[]): number[][] => turn().map(([batch, error]) => [batches.indexOf(batch), error])
    expect(codes([send(3), send(4)])).toEqual([
      [0, refused],
      [1, refused],
    ])
    expect(codes([send(0, 1, { epoch: 1 }), send(1, 1, { epoch: 1 })])).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(log.endOffset).toBe(6)
  })

  test('also twice in one turn, before it is committed', () => {
    const batches = [send(0, 3), send(0, 3), send(3)]
    expect(turn().map(([batch, error, offset]) => [batches.indexOf(batch), error, offset])).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [2, 0, 3],
    ])
  })

  test('after a gap, or under an epoch before the last, nothing is written', () => {
    send(0, 3)
    turn()
    const codes = (batches: readonly number[]): number[] => {
      expect(batches.length).toBeGreaterThan(0)
      return turn().map(([, error]) => error)
    }
    expect(codes([send(4), send(5)])).toEqual([KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER, KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER])
    expect(codes([send(0, 1, { epoch: 2 }), send(3), send(1, 1, { epoch: 1 })])).toEqual([
      0,
      KAFKA_ERRORS.INVALID_PRODUCER_EPOCH,
      KAFKA_ERRORS.INVALID_PRODUCER_EPOCH,
    ])
    expect(log.endOffset).toBe(4)
  })

  test('numbers that no producer has are refused', () => {
    for (const [sequence, options] of [
      [-1, {}],
      [0, { epoch: -1 }],
    ] as const) {
      send(sequence, 1, options)
      expect(turn().map(([, error]) => error)).toEqual([KAFKA_ERRORS.INVALID_RECORD])
    }
    expect(log.endOffset).toBe(0)
  })

  test('batches without a producer id are written as often as they come', () => {
    for (let i = 0; i < 3; i++) send(-1, 2, { id: -1, epoch: -1 })
    expect(turn().map(([, error, offset]) => [error, offset])).toEqual([
      [0, 0],
      [0, 2],
      [0, 4],
    ])
    expect(actor.producerCount).toBe(0)
  })

  test('as many as a lane takes may be in flight, and come again to the next leader', () => {
    for (let i = 0; i < ACK_SLOTS; i++) send(i)
    reader.poll({ onFrame: (bytes, start, end) => actor.onBatch(reader, reader.frame, bytes, start, end) }, 1e9)
    actor.advance()
    // Its acks are read by nobody.
    lead(fixture.startBroker(0).lead(SLOT, 2), 2)
    for (let i = 0; i < ACK_SLOTS; i++) send(i)
    expect(turn().map(([, error, offset]) => [error, offset])).toEqual(Array.from({ length: ACK_SLOTS }, (_, i) => [0, i]))
    expect(log.endOffset).toBe(ACK_SLOTS)
  })

  test('what was not published is gone, and is written anew', () => {
    send(0)
    turn()
    send(1)
    reader.poll({ onFrame: (bytes, start, end) => actor.onBatch(reader, reader.frame, bytes, start, end) }, 1e9)
    lead(fixture.startBroker(0).lead(SLOT, 2), 2)
    send(1)
    send(2)
    expect(turn().map(([, error, offset]) => [error, offset])).toEqual([
      [0, 1],
      [0, 2],
    ])
  })

  test('is forgotten when it has written nothing for so long', () => {
    send(0)
    turn()
    expect([actor.expireProducers(0, 100), actor.expireProducers(99, 100), actor.producerCount]).toEqual([0, 0, 1])
    expect([actor.expireProducers(100, 100), actor.producerCount]).toEqual([1, 0])
  })
})

describe('while log memory is short', () => {
  test('batches wait in their order, and a duplicate of one that waits is told apart when it is its turn', () => {
    isShort = true
    const waiting = [send(0, 2), send(2), send(0, 2), send(3)]
    expect(turn()).toEqual([])
    expect(actor.parkedCount).toBe(4)
    isShort = false
    expect(turn().map(([batch, error, offset]) => [waiting.indexOf(batch), error, offset])).toEqual([
      [0, 0, 0],
      [1, 0, 2],
      [2, 0, 0],
      [3, 0, 3],
    ])
  })

  test('none passes one that waited too long', () => {
    isShort = true
    send(0)
    send(1)
    turn()
    expect(turn(1_000).map(([, error]) => error)).toEqual([KAFKA_ERRORS.KAFKA_STORAGE_ERROR, KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER])
    isShort = false
    send(0)
    expect(turn().map(([, error, offset]) => [error, offset])).toEqual([[0, 0]])
  })

  test('nor one that found no room to wait, although there is room for a smaller one', () => {
    isShort = true
    const bytes = PARKED_BYTES_MAX / 8 - 1_000
    const others = Array.from({ length: 8 }, (_, i) => send(i, 1, { id: 7, bytes }))
    const large = send(0, 1, { bytes })
    const small = send(1)
    expect(turn()).toEqual([[large, KAFKA_ERRORS.KAFKA_STORAGE_ERROR, -1]])
    isShort = false
    const acks = new Map(turn().map(([batch, error]) => [batch, error]))
    for (const batch of others) expect(acks.get(batch)).toBe(0)
    expect(acks.get(small)).toBe(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })
})

describe('a batch above max.message.bytes', () => {
  test('is refused, unless it is in the log already', () => {
    send(0, 1, { bytes: 2_000 })
    turn()
    log.reconfigure({ ...LOG_CONFIG_DEFAULT, maxMessageBytes: 1_000 })
    send(0, 1, { bytes: 2_000 })
    send(1, 1, { bytes: 2_000 })
    expect(turn().map(([, error, offset]) => [error, offset])).toEqual([
      [0, 0],
      [KAFKA_ERRORS.MESSAGE_TOO_LARGE, -1],
    ])
  })
})

describe('timestamps', () => {
  const NOW_MS = 1_700_000_000_000

  test('as far from now as the topic takes them, and no further: the first and the latest are looked at', () => {
    log.reconfigure({ ...LOG_CONFIG_DEFAULT, timestampBeforeMaxMs: 1_000, timestampAfterMaxMs: 500 })
    expect(fixture.clock.nowMs()).toBe(NOW_MS)
    send(0, 3, { timestamps: [NOW_MS - 1_000, NOW_MS, NOW_MS + 500] })
    expect(turn()).toMatchObject([[0, 0, 0]])
    for (const timestamps of [
      [NOW_MS - 1_001, NOW_MS],
      [NOW_MS, NOW_MS + 501],
    ]) {
      send(3, 2, { timestamps })
      expect(turn().map(([, error]) => error)).toEqual([KAFKA_ERRORS.INVALID_TIMESTAMP])
    }
    expect(log.endOffset).toBe(3)
  })

  test("with Kafka's defaults: any time ago, an hour ahead", () => {
    send(0, 2, { timestamps: [0, NOW_MS + 3_600_000] })
    send(2, 1, { timestamps: [NOW_MS + 3_600_001] })
    expect(turn().map(([, error]) => error)).toEqual([0, KAFKA_ERRORS.INVALID_TIMESTAMP])
  })

  test.each([true, false])(
    'LogAppendTime: every record has that of the turn in which it was appended, which is answered (CRC: %s)',
    (withCrc) => {
      log.reconfigure({ ...LOG_CONFIG_DEFAULT, isLogAppendTime: true, timestampBeforeMaxMs: 0, timestampAfterMaxMs: 0 })
      send(0, 2, { timestamps: [5, 7], withCrc })
      send(2, 1, { withCrc })
      turn()
      expect(appendTimes).toEqual([NOW_MS, NOW_MS])
      fixture.clock.advance(250)
      // The first again: it has the time that it had.
      send(0, 2, { timestamps: [5, 7], withCrc })
      send(3, 1, { withCrc })
      turn()
      expect(appendTimes).toEqual([NOW_MS, NOW_MS + 250])

      const reader = new SharedLogReader(fixture.memory, slot(SLOT))
      const target = { bytes: new Uint8Array(4_096), length: 0 }
      expect(reader.read(target, 4_096)).toBe(READ_OK)
      const cursor = new RecordCursor()
      cursor.reset(target.bytes, 0, target.length, 0)
      const seen: [number, number][] = []
      while (cursor.next()) {
        seen.push([cursor.offset, cursor.timestamp])
        const end = cursor.batchStart + batchSizeInBytes(target.bytes, cursor.batchStart)
        expect(isCrcValid(target.bytes, cursor.batchStart, end)).toBe(withCrc)
      }
      expect(seen).toEqual([
        [0, NOW_MS],
        [1, NOW_MS],
        [2, NOW_MS],
        [3, NOW_MS + 250],
      ])
      // What is rebuilt from the log knows it too.
      lead(fixture.startBroker(0).lead(SLOT, 2), 2)
      send(2, 1, { withCrc })
      turn()
      expect(appendTimes).toEqual([NOW_MS])
    },
  )

  test('the clock is read once a turn', () => {
    let reads = 0
    const clock = { ...fixture.clock, nowMs: () => ++reads }
    const once = new TurnTime(clock as never)
    expect([once.nowMs, once.nowMs]).toEqual([1, 1])
    once.turnEnded()
    expect([once.nowMs, reads]).toEqual([2, 2])
  })
})
