// Threads terminated in the middle of their work: what they published is whole, and
// nobody waits for them.

import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import type { KillPoint } from '../../src/kill-points.ts'
import { BACK_PRESSURED, LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { seededRandom } from '../../src/random.ts'
import type { DyingData } from './dying-thread.ts'
import { FAULTS, IN_WORK, OFFERS_RETURNED } from './dying-words.ts'
import { LanePair } from './lane-pair.ts'
import { patternBatch, patternFault } from './pattern-batch.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'

const SEED = 0xdead
const AT_ONCE = 3
/** Hundreds of thread starts, on a machine that may be busy. */
const KILLS_TIMEOUT_MS = 120_000

const dyingThread = await bundledEntry(new URL('./dying-thread.ts', import.meta.url))

/** Ring starts for whom the kills come before, at and after the wrap of ring and positions. */
const STARTS = [0, 2_000, 2 ** 31 - 3_000, 2 ** 32 - 8_000, 2 ** 34 - 20_000, 2 ** 35 - 3_000]

function startThread(
  pair: LanePair,
  data: Pick<DyingData, 'role' | 'seed' | 'point' | 'passing'>,
): { worker: Worker; control: Int32Array } {
  const control = new Int32Array(new SharedArrayBuffer(16))
  const workerData = { ...data, lane: pair.buffer, bells: pair.bells.buffer, control: control.buffer }
  return { worker: new Worker(dyingThread, { workerData }), control }
}

/** Runs `kill` for 0 to `count` - 1, some at a time. */
async function eachOf(count: number, kill: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) await kill(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

/** Takes and checks frames until `isOver`, parked by bell between, as a broker does. */
async function drainUntil(pair: LanePair, next: number, isOver: (next: number) => boolean): Promise<number> {
  for (;;) {
    for (const id of pair.poll(4096)) expect(id).toBe(next++)
    pair.reader.flush()
    if (isOver(next)) return next
    pair.bells.arm(pair.brokerThread)
    if (pair.reader.isEmpty() && !isOver(next)) await pair.bells.wait(pair.brokerThread)
    else await setImmediate()
    pair.bells.disarm(pair.brokerThread)
  }
}

/** The lane goes on: another thread's writer takes it up where it ends, through two turns of the ring. */
function expectUsable(pair: LanePair, next: number): void {
  const writer = new LaneWriter(pair.buffer, pair.ring)
  for (let round = 0; round < 20; round++) {
    writer.frame.batchId = next
    expect(writer.offer(patternBatch(next, 1_500), 0, 1_500)).toBe(OFFERED)
    expect(pair.poll()).toEqual([next++])
  }
}

describe('a producer that is terminated', () => {
  const POINTS = ['lane.writer.claimed', 'lane.writer.copied', 'lane.writer.published'] as const

  test(
    '200 times at kill points: each in the middle of work, nothing torn, nobody blocked',
    async () => {
      const random = seededRandom(SEED)
      const hits: Record<string, number> = {}
      let inWork = 0
      let padded = 0
      await eachOf(200, async (index) => {
        const point = POINTS[index % POINTS.length]!
        const pair = new LanePair({ capacityBytes: 8192, startPosition: STARTS[index % STARTS.length]! })
        const { worker, control } = startThread(pair, { role: 'producer', seed: random.uint32(), point, passing: 1 + random.below(60) })
        let stands = false
        worker.once('message', () => {
          stands = true
          pair.bells.ring(pair.brokerThread) // what the closing of its port does for a broker
        })
        let next = await drainUntil(pair, 0, () => stands)
        const exited = once(worker, 'exit')
        await worker.terminate()
        await exited

        if (control[IN_WORK] === 1) inWork++
        hits[point] = (hits[point] ?? 0) + 1
        next = await drainUntil(pair, next, () => pair.reader.isEmpty())
        // Exactly what was published: all offers that returned, and the one that had stored its tail.
        expect(next).toBe(control[OFFERS_RETURNED]! + (point === 'lane.writer.published' ? 1 : 0))
        if (next > 8) padded++
        expectUsable(pair, next)
      })
      expect(inWork).toBe(200)
      expect(hits).toEqual({ 'lane.writer.claimed': 67, 'lane.writer.copied': 67, 'lane.writer.published': 66 })
      expect(padded).toBeGreaterThan(100)
    },
    KILLS_TIMEOUT_MS,
  )

  test(
    '24 times at random instants',
    async () => {
      const random = seededRandom(SEED + 1)
      let inWork = 0
      await eachOf(24, async (index) => {
        const pair = new LanePair({ capacityBytes: 65_536, startPosition: STARTS[index % STARTS.length]! })
        const { worker, control } = startThread(pair, { role: 'producer', seed: random.uint32(), point: undefined, passing: 0 })
        const enough = random.below(3_000)
        let exited = false
        worker.once('exit', () => {
          exited = true
          pair.bells.ring(pair.brokerThread)
        })
        let next = await drainUntil(pair, 0, (taken) => taken >= enough)
        // The broker goes on, so the producer is at work and not at a full ring when it dies.
        const stopping = worker.terminate()
        next = await drainUntil(pair, next, () => exited)
        await stopping
        if (control[IN_WORK] === 1) inWork++
        next = await drainUntil(pair, next, () => pair.reader.isEmpty())
        const returned = control[OFFERS_RETURNED]!
        expect(next === returned || next === returned + 1).toBe(true)
        expectUsable(pair, next)
      })
      expect(inWork).toBeGreaterThan(0)
    },
    KILLS_TIMEOUT_MS,
  )
})

test(
  'a broker thread that is terminated: the producer is refused, not blocked; the lane can be taken up again',
  async () => {
    const points: readonly KillPoint[] = ['lane.reader.taken', 'lane.ack.written']
    const random = seededRandom(SEED + 2)
    let inWork = 0
    await eachOf(20, async (index) => {
      const pair = new LanePair({ capacityBytes: 8192, startPosition: STARTS[index % STARTS.length]!, ackSlots: 64 })
      const passing = 1 + random.below(100)
      const { worker, control } = startThread(pair, { role: 'broker', seed: 0, point: points[index % 2], passing })
      let stands = false
      worker.once('message', () => {
        stands = true
      })
      let offered = 0
      let acked = 0
      let answer = OFFERED
      const handler = {
        onAck: (batchId: number, errorCode: number, baseOffset: number): void => {
          expect([batchId, errorCode, baseOffset]).toEqual([acked++, 0, batchId * 3])
        },
      }
      while (!stands || answer === OFFERED) {
        answer = offered - acked < 64 ? pair.offer(offered, 61 + ((offered * 131) % 1500)) : BACK_PRESSURED
        if (answer === OFFERED) offered++
        else await setImmediate()
        pair.writer.pollAcks(handler, 1e9)
      }
      const exited = once(worker, 'exit')
      await worker.terminate()
      await exited
      if (control[IN_WORK] === 1) inWork++
      expect(control[FAULTS]).toBe(0)

      expect(answer).toBe(BACK_PRESSURED)
      pair.writer.pollAcks(handler, 1e9)
      // Another reader goes on at the published head: nothing is skipped, what was taken
      // and not given back comes again.
      const reader = new LaneReader(pair.buffer, pair.ring)
      const ids: number[] = []
      const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
        expect(patternFault(reader.frame.batchId, bytes, start, end)).toBeUndefined()
        ids.push(reader.frame.batchId)
      }
      while (reader.poll({ onFrame }, 4096) > 0);
      expect(ids[0]).toBeLessThanOrEqual(passing - 1)
      expect(ids[0]).toBeLessThanOrEqual(acked + 64)
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => ids[0]! + i))
      expect(ids.at(-1)).toBe(offered - 1)
      expect(pair.offer(offered, 1_000)).toBe(OFFERED)
    })
    expect(inWork).toBe(20)
  },
  KILLS_TIMEOUT_MS,
)
