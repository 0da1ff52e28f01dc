// The checker on a long history: its time grows with the records and no faster, and one
// bad record among all is found. 10^7 records: MILLRACE_HISTORY_RECORDS=10000000.

import { expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { checkHistory } from './history-checker.ts'
import { ACKED, CLOSED, GAPLESS, MARK_END, MARK_FIRST_SEEN, MARK_START, ReadTape, SendTape } from './history.ts'
import type { History } from './history.ts'

const RECORDS = Number(process.env['MILLRACE_HISTORY_RECORDS'] ?? 500_000)
const PRODUCERS = 4
const LOGS = 8
const SEED = 0x10c

/** Producers that send at random to some logs, one reader meanwhile, and the drain. */
function longHistory(records: number): History {
  const random = seededRandom(SEED)
  const sends = Array.from({ length: PRODUCERS }, () => SendTape.allocate(records, { promises: GAPLESS }))
  const ends = new Float64Array(LOGS)
  const live = ReadTape.allocate(records + LOGS)
  const drain = ReadTape.allocate(records + 3 * LOGS)
  for (let log = 0; log < LOGS; log++) for (const tape of [live, drain]) tape.mark(MARK_START, log, -1)
  for (let i = 0; i < records; i++) {
    const producer = random.below(PRODUCERS)
    const log = random.below(LOGS)
    const tape = sends[producer]!
    const hash = random.uint32()
    const number = tape.invoke(log, hash, 2 * i)
    const offset = ends[log]!++
    tape.complete(number, ACKED, 2 * i + 1, offset)
    live.read(log, offset, producer, number, hash, 1)
    drain.read(log, offset, producer, number, hash, 1)
  }
  for (let log = 0; log < LOGS; log++) {
    drain.mark(MARK_FIRST_SEEN, log, 0)
    drain.mark(MARK_END, log, ends[log]!)
  }
  for (const tape of [...sends, live, drain]) tape.end(CLOSED)
  return { logs: LOGS, sends, reads: [live], drain, keepsAll: () => true }
}

test(`${RECORDS} records, read twice`, () => {
  const history = longHistory(RECORDS)
  const before = process.cpuUsage()
  expect(checkHistory(history).kinds).toEqual([])
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  console.log(`history checker: ${RECORDS} records sent and read twice in ${seconds.toFixed(2)} s of CPU`)
  expect((seconds / RECORDS) * 1e7).toBeLessThan(60)
  // One byte of one record.
  history.drain.hash[RECORDS >> 1]! ^= 1
  const anomalies = checkHistory(history)
  expect(anomalies.kinds).toEqual(['changed', 'inconsistent'])
  expect(anomalies.total).toBe(2)
}, 300_000)
