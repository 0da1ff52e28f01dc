// Two real threads race over a lane for a fixed count; every outcome is classed.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { LanePair } from './lane-pair.ts'
import type { RaceData, RaceOutcomes } from './race-thread.ts'

type Class = 'acceptable' | 'forbidden'

const CLASSES: Readonly<Record<string, Class>> = {
  'frames whole and in order': 'acceptable',
  'acks whole and in order': 'acceptable',
  'rang a parked thread': 'acceptable',
  'found work on the second look': 'acceptable', // the other side published between the looks
  'slept and was woken': 'acceptable',
  'was rung before it slept': 'acceptable', // between the second look and the wait
  'all that was offered was taken': 'acceptable',
  'offered behind the last poll, never acked': 'acceptable', // the offer raced with the closing: to be sent again
  'overslept: work was there': 'forbidden', // a wake-up was lost
  'overslept: no work came': 'forbidden', // the other side hangs
  'a frame lost': 'forbidden',
  'a frame doubled': 'forbidden',
  'a frame torn': 'forbidden',
  'an ack out of order': 'forbidden',
  'an ack torn': 'forbidden',
  'an ack beyond the limit': 'forbidden',
  'an offer taken after a refusal': 'forbidden',
  'acks and frames taken differ': 'forbidden',
  'taken and never offered': 'forbidden',
}

type Shared = Omit<RaceData, 'role'>

async function race(roles: readonly [RaceData['role'], RaceData['role']], shared: Shared): Promise<RaceOutcomes> {
  const reports = await Promise.all(
    roles.map(async (role) => {
      const worker = new Worker(new URL('./race-thread.ts', import.meta.url), { workerData: { ...shared, role } })
      const [[outcomes]] = await Promise.all([once(worker, 'message') as Promise<[RaceOutcomes]>, once(worker, 'exit')])
      return outcomes
    }),
  )
  const total: RaceOutcomes = {}
  for (const report of reports) {
    for (const [outcome, times] of Object.entries(report)) total[outcome] = (total[outcome] ?? 0) + times
  }
  return total
}

function forbidden(outcomes: RaceOutcomes): string[] {
  return Object.entries(outcomes)
    .filter(([outcome]) => CLASSES[outcome] !== 'acceptable')
    .map(([outcome, times]) => `${outcome}: ${times}`)
}

const sharedOf = (pair: LanePair, rest: Partial<Shared>): Shared => ({
  bells: pair.bells.buffer,
  lanes: [pair.buffer],
  control: new SharedArrayBuffer(64),
  frames: 0,
  inFlightMax: 1,
  batchBytesMax: 256,
  seed: 1,
  ...rest,
})

describe('two threads', () => {
  test.each([
    ['small batches, a ring of 4 KiB, across 2^31 bytes', 120_000, 4096, 300, 64, 2 ** 31 - 100_000],
    ['batches up to a third of the ring, across 2^32 bytes', 60_000, 4096, 1300, 64, 2 ** 32 - 100_000],
    ['the default ring, where positions turn negative', 60_000, 512 * 1024, 4000, 1024, 2 ** 34 - 1_000_000],
    ['one batch at a time: both park between', 15_000, 4096, 200, 1, 2 ** 35 - 100_000],
    ['two batches at a time, a ring of hardly more', 15_000, 4096, 1900, 2, 0],
  ])('%s', async (_, frames, capacityBytes, batchBytesMax, inFlightMax, startPosition) => {
    const pair = new LanePair({ capacityBytes, startPosition, ackSlots: inFlightMax, startAckPosition: 2 ** 31 - 1000 })
    const shared = sharedOf(pair, { frames, batchBytesMax, inFlightMax, seed: frames + batchBytesMax })
    const outcomes = await race(['stream producer', 'stream broker'], shared)
    expect(forbidden(outcomes)).toEqual([])
    expect(outcomes['frames whole and in order']).toBe(frames)
    expect(outcomes['acks whole and in order']).toBe(frames)
    expect(outcomes['rang a parked thread']).toBeGreaterThan(0)
  })

  test('a broker that closes under a producer that offers', async () => {
    const pair = new LanePair()
    const lanes = Array.from({ length: 500 }, () => new LanePair({ ackSlots: 32 }).buffer)
    const outcomes = await race(['closing producer', 'closing broker'], sharedOf(pair, { lanes, seed: 77 }))
    expect(forbidden(outcomes)).toEqual([])
    const ended = (outcomes['all that was offered was taken'] ?? 0) + (outcomes['offered behind the last poll, never acked'] ?? 0)
    expect(ended).toBe(500)
  })
})
