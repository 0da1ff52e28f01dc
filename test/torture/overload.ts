// R11: producers at full speed on threads of their own, one consumer that stands still and
// one that reads a tenth of what it could. Nothing may grow: not the resident memory, not a
// queue; and at the end every record that was offered is in the log, was read, or was
// counted as missed. `npm run torture:overload -- --minutes 1`; a short form is in the suite.

import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { openMillrace } from '../../src/index.ts'
import { bytesTopic } from '../faults/sent-ledger.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'
import type { OverloadThreadData } from './overload-thread.ts'
import { ThreadWords } from './torture-words.ts'

const MEBIBYTE = 1024 * 1024
const TOPIC = 'overload'
const VALUE_BYTES = 500
const SAMPLED_EVERY_MS = 100
/** The slow consumer works for a tenth of the time. */
const SLOW_PAUSE_FACTOR = 9

export interface OverloadOptions {
  readonly runMs: number
  readonly brokers: number
  readonly producers: number
  readonly logMemoryBytes: number
  readonly bufferMemory: number
}

export const OVERLOAD: Omit<OverloadOptions, 'runMs'> = {
  brokers: 2,
  producers: 3,
  logMemoryBytes: 32 * MEBIBYTE,
  bufferMemory: 8 * MEBIBYTE,
}

export interface OverloadResult {
  readonly offered: number
  /** What the logs end at: each record that was offered has an offset. */
  readonly appended: number
  readonly trimmed: number
  readonly slowRead: number
  readonly slowMissed: number
  /** Where the slow consumer stood at the end: all before it was read or counted. */
  readonly slowPosition: number
  readonly stoppedRead: number
  /** Resident memory in MiB: before it was opened, and in the second half of the run. */
  readonly residentBefore: number
  readonly resident: readonly number[]
  /** Longest wait of a timer of this thread beyond its time. */
  readonly timerLateMsMax: number
}

/** Slope of a line through points one apart, by least squares. */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [i, value] of values.entries()) {
    above += (i - middle) * (value - mean)
    below += (i - middle) ** 2
  }
  return below === 0 ? 0 : above / below
}

const residentMebibytes = (): number => process.memoryUsage.rss() / MEBIBYTE

export async function overload(options: OverloadOptions): Promise<OverloadResult> {
  const residentBefore = residentMebibytes()
  const entry = await bundledEntry(new URL('./overload-thread.ts', import.meta.url))
  const millrace = await openMillrace({ brokers: options.brokers, logMemoryBytes: options.logMemoryBytes, logLevel: 'silent' })
  const topic = await bytesTopic(millrace, TOPIC, { partitions: options.brokers })
  const threads = Array.from({ length: options.producers }, () => {
    const words = new ThreadWords()
    const { handle } = millrace
    const workerData: OverloadThreadData = {
      handle,
      topic: TOPIC,
      valueBytes: VALUE_BYTES,
      bufferMemory: options.bufferMemory,
      words: words.buffer,
    }
    const worker = new Worker(entry, { workerData })
    const ended = new Promise<void>((resolve, reject) => worker.once('error', reject).once('exit', () => resolve()))
    return { words, ended }
  })
  const failed = Promise.all(threads.map(({ ended }) => ended))

  // One takes a batch, holds it, and asks for no more.
  const stopped = millrace.consumer()
  const held = (await stopped.batches(topic).next()).value!
  const slow = millrace.consumer()
  let [slowRead, slowMissed, isOver] = [0, 0, false]
  slow.on('overtaken', ({ missed }) => (slowMissed += missed))
  const slowly = (async () => {
    for await (const batch of slow.batches(topic)) {
      const startMs = performance.now()
      const cursor = batch.cursor()
      while (cursor.next()) slowRead++
      if (isOver) break
      await sleep((performance.now() - startMs) * SLOW_PAUSE_FACTOR)
    }
  })()

  const resident: number[] = []
  let timerLateMsMax = 0
  const startMs = performance.now()
  while (performance.now() - startMs < options.runMs) {
    const sleptMs = performance.now()
    await Promise.race([sleep(SAMPLED_EVERY_MS), failed])
    timerLateMsMax = Math.max(timerLateMsMax, performance.now() - sleptMs - SAMPLED_EVERY_MS)
    // The first half fills the arena and warms up.
    if (performance.now() - startMs > options.runMs / 2) resident.push(residentMebibytes())
  }
  isOver = true
  await slowly
  for (const { words } of threads) words.finish()
  await failed
  const { partitions } = await millrace.admin.describeTopic(TOPIC)
  let stoppedRead = 0
  const cursor = held.cursor()
  while (cursor.next()) stoppedRead++
  const result: OverloadResult = {
    offered: threads.reduce((sum, { words }) => sum + words.done, 0),
    appended: partitions.reduce((sum, { endOffset }) => sum + endOffset, 0),
    trimmed: partitions.reduce((sum, { trimmedRecords }) => sum + trimmedRecords, 0),
    slowRead,
    slowMissed,
    slowPosition: partitions.reduce((sum, { partition }) => sum + slow.position(topic, partition), 0),
    stoppedRead,
    residentBefore,
    resident,
    timerLateMsMax,
  }
  await millrace.close()
  return result
}

/** What was not as it must be; nothing when all was. */
export function overloadProblems(
  result: OverloadResult,
  { runMs, logMemoryBytes, producers, brokers, bufferMemory }: OverloadOptions,
): string[] {
  const { offered, appended, trimmed, slowRead, slowMissed, slowPosition, resident, residentBefore, stoppedRead } = result
  const problems: string[] = []
  const must = (isSo: boolean, what: string): void => void (isSo || problems.push(what))
  must(offered === appended, `${offered} records were offered, ${appended} are in the log`)
  must(offered * VALUE_BYTES > 4 * logMemoryBytes, `only ${offered} records were offered: that fills nothing`)
  must(trimmed > 0 && slowMissed > 0, 'nothing was overtaken')
  must(slowRead + slowMissed === slowPosition, `the slow consumer read ${slowRead} and missed ${slowMissed}, and stands at ${slowPosition}`)
  must(stoppedRead > 0, 'what the consumer that stands still holds is gone')
  // Arena, producers' buffers, lanes, and what a thread has besides; the rest is garbage that is not collected yet.
  const threads = producers + brokers
  const roomMebibytes = (logMemoryBytes + producers * bufferMemory) / MEBIBYTE + threads * 40 + 60
  const most = Math.max(...resident)
  must(
    most - residentBefore < roomMebibytes,
    `resident memory came to ${most.toFixed(0)} MiB from ${residentBefore.toFixed(0)}, more than ${roomMebibytes} more`,
  )
  const growth = slope(resident) * resident.length
  const growthMax = runMs > 30_000 ? 32 : 128
  must(growth < growthMax, `resident memory grew by ${growth.toFixed(0)} MiB in half of ${runMs / 1_000} s`)
  return problems
}

export function overloadLine(result: OverloadResult, { brokers, producers, runMs, logMemoryBytes }: OverloadOptions): string {
  const { offered, slowRead, slowMissed, resident, residentBefore, timerLateMsMax } = result
  const megabytes = (offered * VALUE_BYTES) / 1e6
  return (
    `overload: ${producers} producers, ${brokers} broker(s), ${runMs / 1_000} s: ${megabytes.toFixed(0)} MB offered into ${logMemoryBytes / MEBIBYTE} MiB ` +
    `(${(offered / runMs).toFixed(0)} records/ms); slow consumer read ${slowRead}, missed ${slowMissed}; resident ${residentBefore.toFixed(0)} MiB before, ` +
    `${Math.min(...resident).toFixed(0)} to ${Math.max(...resident).toFixed(0)} in the second half, trend ${(slope(resident) * resident.length).toFixed(1)}; ` +
    `a timer was late by ${timerLateMsMax.toFixed(0)} ms at most`
  )
}
