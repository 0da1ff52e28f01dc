// A process that is closed while records move at full speed, and then ends by itself. Started by
// close.ts; prints one line.
//
//   attached  a thread of the user offers and closes what it attached: every record that was taken
//             is acknowledged and is read afterwards, by the thread that opened millrace
//   opener    the thread that opened closes, with a thousand of its own sends under way and
//             another thread offering: every send is told whether it was acknowledged

import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, MillraceError, openMillrace } from '../../src/index.ts'
import { BenchThread } from '../harness/bench-thread.ts'
import type { Arrival } from '../harness/bench-case.ts'
import { allocatePacing, PacedReader } from '../harness/pacing.ts'
import { expectedChecksum, patternValue } from '../harness/record-pattern.ts'
import { WALKS } from '../road/reading.ts'
import type { Loaded, LoadThreadData } from './load-thread.ts'

export type Closer = 'attached' | 'opener'

export interface CloseOptions {
  readonly closer: Closer
  readonly loadMs: number
  readonly valueBytes: number
  readonly windowBytes: number
}

export interface Closed {
  readonly arrival: Arrival
  readonly closeMs: number
  /** Records that had been taken when it was closed. */
  readonly taken: number
  /** Of the sends of the opener. */
  readonly acknowledged: number
  /** What the thread that offered was told. */
  readonly code: string
}

const NAME = 'closing'
const SENDS_IN_FLIGHT = 1_000
const READ_TIMEOUT_MS = 10_000

const { closer, loadMs, valueBytes, windowBytes } = JSON.parse(process.argv[2] ?? '') as CloseOptions
const millrace = await openMillrace()
const topic = await millrace.topic(NAME, { value: bytes() })
const pacing = allocatePacing()
const windowRecords = Math.floor(windowBytes / valueBytes)
const workerData: LoadThreadData = { handle: millrace.handle, topic: NAME, valueBytes, pacing, windowRecords }
const thread = new BenchThread('load', new URL('./load-thread.ts', import.meta.url), { workerData })
const tally = { records: 0, checksum: 0 }
await thread.ask('ready', null)

/** Reads until it is told that no more will come, or millrace is closed. */
async function read(signal: AbortSignal): Promise<void> {
  const reader = new PacedReader(pacing)
  try {
    for await (const batch of millrace.consumer().batches(topic, { signal })) {
      WALKS.cursor(batch, tally)
      reader.report(tally.records)
    }
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'ABORTED') throw error
  }
}

async function closeAttached(): Promise<Closed> {
  const stop = new AbortController()
  const reading = read(stop.signal)
  await thread.ask('start', null)
  await sleep(loadMs)
  const { taken, closeMs, code } = await thread.ask<Loaded>('close', null)
  const deadlineMs = performance.now() + READ_TIMEOUT_MS
  while (tally.records < taken && performance.now() < deadlineMs) await sleep(1)
  stop.abort()
  await reading
  await millrace.close()
  const arrival = { ...tally, expectedRecords: taken, expectedChecksum: expectedChecksum(taken) }
  return { arrival, closeMs, taken, acknowledged: 0, code }
}

interface Sends {
  issued: number
  acknowledged: number
  refused: number
}

/** One send after another, until one is refused because millrace is closed. */
async function keepSending(send: () => Promise<unknown>, sends: Sends): Promise<void> {
  for (;;) {
    sends.issued++
    try {
      await send()
      sends.acknowledged++
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'CLOSED') throw error
      sends.refused++
      return
    }
  }
}

async function closeOpener(): Promise<Closed> {
  const reading = read(new AbortController().signal)
  await thread.ask('start', null)
  const other = await millrace.topic(`${NAME}-sends`, { value: bytes() })
  const producer = millrace.producer()
  const sends: Sends = { issued: 0, acknowledged: 0, refused: 0 }
  const value = patternValue(valueBytes)
  const loops = Array.from({ length: SENDS_IN_FLIGHT }, () => keepSending(() => producer.send(other, { value }), sends))
  await sleep(loadMs)
  const startMs = performance.now()
  await millrace.close()
  const closeMs = performance.now() - startMs
  await Promise.all([...loops, reading])
  // Its loop ended when the brokers went, and closing what is closed ends at once.
  const { taken, code } = await thread.ask<Loaded>('close', null)
  const { issued, acknowledged, refused } = sends
  const arrival = { records: acknowledged + refused, checksum: 0, expectedRecords: issued, expectedChecksum: 0 }
  return { arrival, closeMs, taken, acknowledged, code }
}

const closed = await (closer === 'attached' ? closeAttached() : closeOpener())
await thread.close()
process.stdout.write(`${JSON.stringify(closed)}\n`)
