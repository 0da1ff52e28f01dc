// Holds the code to the order of steps that lane-model.ts explores, and runs the
// other side, whole, between any two atomic steps of one side.

import { afterEach, describe, expect, test } from 'vitest'
import { killPoints } from '../../src/kill-points.ts'
import { ACK_HEAD, ACK_TAIL, CLOSED_BY_BROKER, CLOSED_BY_PRODUCER, HEAD, TAIL, WANTED } from '../../src/lane/lane-layout.ts'
import { BACK_PRESSURED, OFFERED } from '../../src/lane/lane-writer.ts'
import { atomicSteps, watchAtomics } from './atomic-steps.ts'
import type { WordNames } from './atomic-steps.ts'
import { LanePair } from './lane-pair.ts'
import { patternFault } from './pattern-batch.ts'

const WORDS = new Map<number, string>([
  [TAIL, 'tail'],
  [HEAD, 'head'],
  [ACK_TAIL, 'ack tail'],
  [ACK_HEAD, 'ack head'],
  [WANTED, 'wanted'],
  [CLOSED_BY_PRODUCER, 'closed by producer'],
  [CLOSED_BY_BROKER, 'closed by broker'],
])

function namesOf(pair: LanePair): WordNames {
  return new Map<ArrayBufferLike, (index: number) => string>([
    [pair.buffer, (index) => WORDS.get(index) ?? `word ${index}`],
    [pair.bells.buffer, (index) => (index === pair.brokerThread * 16 ? "broker's bell" : "producer's bell")],
  ])
}

afterEach(() => {
  killPoints.hook = undefined
})

describe('the writer', () => {
  test('copies the whole frame, then stores the tail, then looks at the bell', () => {
    const pair = new LanePair()
    expect(atomicSteps(namesOf(pair), () => pair.offer(1, 200))).toEqual(['store tail', "load broker's bell"])
    let looked = 0
    const before = (step: string): void => {
      if (step !== 'store tail') return
      looked++
      // The second frame starts behind the first: 64 + 200 bytes.
      const start = pair.buffer.byteLength - 4096 + 264 + 64
      expect(patternFault(2, new Uint8Array(pair.buffer), start, start + 300)).toBeUndefined()
    }
    watchAtomics(namesOf(pair), { before }, () => pair.offer(2, 300))
    expect(looked).toBe(1)
  })

  test('rings a parked broker, once', () => {
    const pair = new LanePair()
    pair.bells.arm(pair.brokerThread)
    const swap = "compareExchange broker's bell"
    expect(atomicSteps(namesOf(pair), () => pair.offer(1, 200))).toEqual(['store tail', "load broker's bell", swap, "notify broker's bell"])
    expect(atomicSteps(namesOf(pair), () => pair.offer(2, 200))).toEqual(['store tail', "load broker's bell"])
    expect(pair.rung).toEqual([pair.brokerThread])
  })

  test('looks at the head only when the last look does not do', () => {
    const pair = new LanePair()
    let n = 0
    const steps = atomicSteps(namesOf(pair), () => {
      while (pair.offer(n, 168) === OFFERED) n++
    })
    expect(n).toBe(Math.floor(4096 / 232))
    expect(steps.filter((step) => step === 'load head')).toHaveLength(1)
    expect(steps.at(-1)).toBe('load head')
  })

  test('loads the ack tail, reads all acks, then stores the ack head once', () => {
    const pair = new LanePair()
    for (let id = 0; id < 5; id++) pair.reader.ack(id, 0, id, 0)
    pair.reader.flush()
    expect(atomicSteps(namesOf(pair), () => expect(pair.acks()).toEqual([0, 1, 2, 3, 4]))).toEqual(['load ack tail', 'store ack head'])
  })

  test('counts its want before it looks again', () => {
    const pair = new LanePair()
    const park = (): void => {
      pair.writer.wantWake()
      pair.bells.arm(pair.producerThread)
      pair.writer.hasAcks()
    }
    expect(atomicSteps(namesOf(pair), park)).toEqual(['store wanted', "store producer's bell", 'load ack tail'])
  })
})

describe('the reader', () => {
  test('loads the tail once, hands frames on, then stores the head', () => {
    const pair = new LanePair()
    for (let n = 0; n < 17; n++) pair.offer(n, 168)
    const steps = atomicSteps(namesOf(pair), () => expect(pair.poll()).toHaveLength(17))
    expect(steps[0]).toBe('load tail')
    // The head goes out once in a sixteenth of the ring, and at the end.
    expect(steps.slice(1).every((step) => step === 'store head')).toBe(true)
    expect(steps.length).toBeLessThanOrEqual(1 + 16 + 1)
    expect(atomicSteps(namesOf(pair), () => expect(pair.poll()).toEqual([]))).toEqual(['load tail'])
  })

  test('stores the head only after the handlers of the frames below it have returned', () => {
    const pair = new LanePair()
    for (let n = 0; n < 8; n++) pair.offer(n, 300)
    const words = new Int32Array(pair.buffer)
    let done = 0
    const before = (step: string): void => {
      // The store that is about to happen covers what is done and nothing more: what stands is less.
      if (step === 'store head') expect(words[HEAD]).toBeLessThan((done * 368) / 8)
    }
    watchAtomics(namesOf(pair), { before }, () => {
      const onFrame = (): void => {
        expect(words[HEAD]).toBeLessThanOrEqual((done * 368) / 8)
        done++
      }
      pair.reader.poll({ onFrame }, Number.POSITIVE_INFINITY)
    })
    expect(done).toBe(8)
    expect(words[HEAD]).toBe((8 * 368) / 8)
  })

  test('publishes acks, then looks whether it is wanted, then rings', () => {
    const pair = new LanePair()
    pair.reader.ack(1, 0, 0, 0)
    expect(atomicSteps(namesOf(pair), () => pair.reader.flush())).toEqual(['store ack tail', 'load wanted'])
    pair.writer.wantWake()
    pair.bells.arm(pair.producerThread)
    pair.reader.ack(2, 0, 0, 0)
    const ring = ["load producer's bell", "compareExchange producer's bell", "notify producer's bell"]
    expect(atomicSteps(namesOf(pair), () => pair.reader.flush())).toEqual(['store ack tail', 'load wanted', ...ring])
  })

  test('a turn without news touches nothing', () => {
    const pair = new LanePair()
    expect(atomicSteps(namesOf(pair), () => pair.reader.flush())).toEqual([])
  })

  test('looks at "closed" before the tail can prove it empty', () => {
    const pair = new LanePair()
    const isFinished = (): boolean => pair.reader.closedByProducer && pair.reader.isEmpty()
    pair.writer.close()
    expect(atomicSteps(namesOf(pair), isFinished)).toEqual(['load closed by producer', 'load tail'])
  })
})

describe('the other side between any two steps', () => {
  /** Runs `one`, and `other` before its atomic step or kill point number `at`; whether there was such a step. */
  function runWithin(pair: LanePair, at: number, one: () => void, other: () => void): boolean {
    let step = 0
    let ran = false
    let within = false
    const before = (): void => {
      if (within || step++ !== at) return
      within = true
      ran = true
      other()
      within = false
    }
    killPoints.hook = before
    watchAtomics(namesOf(pair), { before }, one)
    killPoints.hook = undefined
    return ran
  }

  // Starts that put the frames at, across and just before the end of the ring.
  const STARTS = [0, 3600, 3768, 3776, 3784, 4024, 4088]

  test.each(STARTS)('a broker inside an offer, from position %i', (startPosition) => {
    let schedules = 0
    for (let at = 0; ; at++) {
      const pair = new LanePair({ startPosition })
      const taken: number[] = []
      const turn = (): void => {
        for (const id of pair.poll()) {
          taken.push(id)
          pair.reader.ack(id, 0, id, 0)
        }
        pair.reader.flush()
      }
      let offered = 0
      const produce = (): void => {
        for (let n = 0; n < 12; n++) {
          if (pair.offer(n, 600) === OFFERED) offered++
          pair.acks(2)
        }
      }
      if (!runWithin(pair, at, produce, turn)) break
      schedules++
      turn()
      // What was refused came while the ring was full: what was taken is all that was offered, in order.
      expect(taken).toHaveLength(offered)
      expect(taken).toEqual([...taken].sort((a, b) => a - b))
    }
    expect(schedules).toBeGreaterThan(40)
  })

  test.each(STARTS)('a producer inside a poll, from position %i', (startPosition) => {
    let schedules = 0
    for (let at = 0; ; at++) {
      const pair = new LanePair({ startPosition, ackSlots: 32 })
      let n = 0
      let refused = 0
      const produce = (): void => {
        for (let i = 0; i < 8; i++) {
          const answer = pair.offer(n, 500)
          if (answer === OFFERED) n++
          else if (answer === BACK_PRESSURED) refused++
        }
      }
      produce()
      const taken: number[] = []
      const turn = (): void => {
        for (const id of pair.poll()) {
          taken.push(id)
          pair.reader.ack(id, 0, id, 0)
        }
        pair.reader.flush()
      }
      if (!runWithin(pair, at, turn, produce)) break
      schedules++
      turn()
      expect(taken).toEqual(Array.from({ length: n }, (_, i) => i))
      expect(pair.acks()).toEqual(taken)
      expect(refused).toBeGreaterThan(0)
    }
    expect(schedules).toBeGreaterThan(10)
  })
})
