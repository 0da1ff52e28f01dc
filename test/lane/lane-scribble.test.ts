// A producer gone wild: random words all over its lane. The broker must come out of
// each poll and each ack with a frame inside the ring, nothing, or CORRUPT_MESSAGE;
// the producer's side likewise when the broker's words are scribbled on.

import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import {
  ACK_HEAD,
  ACK_TAIL,
  CLOSED_BY_BROKER,
  FRAME_LENGTH,
  FRAME_POSITION,
  FRAME_TYPE,
  HEAD,
  TAIL,
  WANTED,
} from '../../src/lane/lane-layout.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { LanePair } from './lane-pair.ts'

const CAPACITY = 4096
const SEED = 0x1a4e

interface Outcomes {
  frames: number
  corrupt: number
  quiet: number
}

/** A word that is likelier than chance to look right. */
function nastyWord(random: Random, near: number): number {
  switch (random.below(6)) {
    case 0:
      return random.uint32() | 0
    case 1:
      return near + random.below(65) - 32
    case 2:
      return [0, 1, -1, 2, 64, 0x7fffffff, -0x80000000, CAPACITY, CAPACITY / 8][random.below(9)]!
    case 3:
      return random.below(CAPACITY * 2)
    case 4:
      return random.below(CAPACITY / 8)
    default:
      return -random.below(CAPACITY)
  }
}

function scribble(pair: LanePair, random: Random, words: Int32Array): void {
  const ring = (pair.buffer.byteLength - CAPACITY) / 4
  const count = 1 + random.below(6)
  for (let i = 0; i < count; i++) {
    switch (random.below(4)) {
      case 0: // a position, or what closes and wakes
        words[[TAIL, HEAD, ACK_HEAD, ACK_TAIL, WANTED][random.below(5)]!] = nastyWord(random, words[TAIL]!)
        break
      case 1: {
        // the header of a frame that is to be read
        const unit = words[HEAD]! & (CAPACITY / 8 - 1)
        const field = [FRAME_LENGTH, FRAME_TYPE, FRAME_POSITION][random.below(3)]!
        words[ring + unit * 2 + field] = nastyWord(random, words[ring + unit * 2 + field]!)
        break
      }
      case 2: // anywhere in the data ring
        words[ring + random.below(CAPACITY / 4)] = nastyWord(random, 100)
        break
      default: {
        // a run of the data ring
        const start = ring + random.below(CAPACITY / 4)
        for (let at = start; at < Math.min(words.length, start + 64); at++) words[at] = random.uint32() | 0
      }
    }
  }
}

/** Runs one call of one side; frames must lie in the ring, errors must be CORRUPT_MESSAGE. */
function attempt(outcomes: Outcomes, call: () => number): boolean {
  try {
    const got = call()
    if (got > 0) outcomes.frames += got
    else outcomes.quiet++
    return true
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'CORRUPT_MESSAGE') throw error
    outcomes.corrupt++
    return false
  }
}

describe('a scribbled lane', () => {
  test('harms no broker: 6,000 lanes', () => {
    const random = seededRandom(SEED)
    const outcomes: Outcomes = { frames: 0, corrupt: 0, quiet: 0 }
    for (let round = 0; round < 6_000; round++) {
      const pair = new LanePair({ startPosition: (random.uint32() >>> 3) * 64, ackSlots: 4 })
      const words = new Int32Array(pair.buffer)
      const ringStart = pair.buffer.byteLength - CAPACITY
      const batches = random.below(6)
      for (let n = 0; n < batches; n++) pair.offer(n, 64 + random.below(700))
      scribble(pair, random, words)
      let frames = 0
      const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
        frames++
        expect(bytes.byteLength).toBe(pair.buffer.byteLength)
        if (start < ringStart + 64 || end < start || end > bytes.byteLength) throw new Error(`a frame from ${start} to ${end}`)
        // It goes on writing while its frames are read.
        if (random.below(3) === 0) scribble(pair, random, words)
        pair.reader.ack(pair.reader.frame.batchId, 0, 0, 0)
      }
      for (let turn = 0; turn < 4; turn++) {
        frames = 0
        if (!attempt(outcomes, () => pair.reader.poll({ onFrame }, 1e9))) break
        // At most one turn of the ring: no poll goes on for ever.
        expect(frames).toBeLessThanOrEqual(CAPACITY / 64)
        pair.reader.flush()
        scribble(pair, random, words)
      }
      // A lane once damaged stays a clean error or a clean answer.
      attempt(outcomes, () => pair.reader.poll({ onFrame }, 1e9))
      pair.reader.close()
    }
    expect(outcomes.corrupt).toBeGreaterThan(3_000)
    expect(outcomes.frames).toBeGreaterThan(1_500)
    expect(outcomes.quiet).toBeGreaterThan(300)
  })

  test('harms no producer: 6,000 lanes', () => {
    const random = seededRandom(SEED + 1)
    const outcomes: Outcomes = { frames: 0, corrupt: 0, quiet: 0 }
    for (let round = 0; round < 6_000; round++) {
      const pair = new LanePair({ startPosition: (random.uint32() >>> 3) * 64, ackSlots: 4 })
      const words = new Int32Array(pair.buffer)
      const acks = random.below(5)
      for (let id = 0; id < acks; id++) pair.reader.ack(id, 0, 0, 0)
      pair.reader.flush()
      for (let turn = 0; turn < 3; turn++) {
        scribble(pair, random, words)
        let handed = 0
        const onAck = (): void => {
          handed++
        }
        if (!attempt(outcomes, () => pair.writer.pollAcks({ onAck }, 1e9))) break
        expect(handed).toBeLessThanOrEqual(4)
        const offers = random.below(8)
        for (let n = 0; n < offers; n++) {
          if (!attempt(outcomes, () => (pair.offer(n, 64 + random.below(900)) === 0 ? 1 : 0))) break
        }
        attempt(outcomes, () => Number(pair.writer.hasRoom(100)) + Number(pair.writer.hasAcks()))
      }
      // What stands before the data ring and the positions is never written by an offer.
      expect(words[0]).toBe(0x4c414e45)
    }
    expect(outcomes.corrupt).toBeGreaterThan(1_500)
    expect(outcomes.frames).toBeGreaterThan(1_500)
  })

  test.each([
    ['a tail behind the head', -8],
    ['a tail more than a ring ahead', CAPACITY / 8 + 1],
    ['a tail far ahead', 0x7fffffff],
  ])('%s: no frame is handed on, then or later', (_, tail) => {
    const pair = new LanePair()
    pair.offer(0, 100)
    new Int32Array(pair.buffer)[TAIL] = tail
    const onFrame = (): void => expect.fail('a frame of a lane that cannot be')
    for (let turn = 0; turn < 2; turn++) {
      expect(() => pair.reader.poll({ onFrame }, 1e9)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    }
  })

  test('a tail that goes back, though not behind the head', () => {
    const pair = new LanePair()
    for (let n = 0; n < 3; n++) pair.offer(n, 168)
    expect(pair.poll(1)).toEqual([0])
    new Int32Array(pair.buffer)[TAIL] = (2 * 232) / 8
    expect(() => pair.poll(1e9)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })

  test.each([
    ['a length of nothing', FRAME_LENGTH, 0],
    ['a negative length', FRAME_LENGTH, -64],
    ['a length below the header', FRAME_LENGTH, 63],
    ['a length beyond what is published', FRAME_LENGTH, 64 + 100 + 5],
    ['a length beyond the ring', FRAME_LENGTH, 0x7fffffff],
    ['another type', FRAME_TYPE, 3],
    ['padding that does not reach the end', FRAME_TYPE, 2],
    ['the position of another lap', FRAME_POSITION, 512],
  ])('%s', (_, field, value) => {
    const pair = new LanePair()
    pair.offer(0, 100)
    const words = new Int32Array(pair.buffer)
    words[(pair.buffer.byteLength - CAPACITY) / 4 + field] = value
    expect(() => pair.poll()).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })

  test('frames before the damage are taken, and given back', () => {
    const pair = new LanePair()
    for (let n = 0; n < 3; n++) pair.offer(n, 168)
    const words = new Int32Array(pair.buffer)
    words[(pair.buffer.byteLength - CAPACITY + 2 * 232) / 4 + FRAME_TYPE] = 9
    const ids: number[] = []
    const onFrame = (): void => {
      ids.push(pair.reader.frame.batchId)
    }
    expect(() => pair.reader.poll({ onFrame }, 1e9)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    expect(ids).toEqual([0, 1])
    expect(words[HEAD]).toBe((2 * 232) / 8)
  })

  test('a head that goes back or passes the tail stops the writer', () => {
    for (const head of [-1, 100, 0x7fffffff]) {
      const pair = new LanePair()
      while (pair.offer(0, 1000) === 0);
      Atomics.store(new Int32Array(pair.buffer), HEAD, head === 100 ? 1000 : head)
      expect(() => pair.offer(0, 1000)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    }
  })

  test('any word that says "closed" closes', () => {
    const pair = new LanePair()
    new Int32Array(pair.buffer)[CLOSED_BY_BROKER] = -77
    expect(pair.offer(0, 100)).toBe(-2)
    expect(pair.writer.closedByBroker).toBe(true)
  })
})
