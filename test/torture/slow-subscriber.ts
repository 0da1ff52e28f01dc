// A chain in a group whose subscriber is slow, fed at full speed: its memory must be flat, for what
// is not held is not pulled, and retention takes what was never read. `npm run torture:rxjs --
// --minutes 10`; a short form is in the suite.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bytes, openMillrace } from '../../src/index.ts'
import { fromTopic } from '../../src/rxjs.ts'
import type { Hold } from '../../src/rxjs.ts'

const MEBIBYTE = 1024 * 1024
const VALUE_BYTES = 1_000
const OFFERED_A_TURN = 500
const RELEASED_A_TURN = 20
const MAX_IN_FLIGHT = 500
const GROWN_MEBIBYTES_MAX = 4

export interface SlowSubscriberOptions {
  /** It runs until so many were settled, and at least so long. */
  readonly records: number
  readonly runMs: number
  readonly samples: number
}

export interface SlowSubscriberResult {
  readonly offered: number
  readonly settled: number
  readonly missed: number
  readonly heldMax: number
  /** In MiB: what is alive on the heap and in buffers after a collection. */
  readonly alive: readonly number[]
}

export async function slowSubscriber(options: SlowSubscriberOptions): Promise<SlowSubscriberResult> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const millrace = await openMillrace({ brokers: 1, logMemoryBytes: 16 * MEBIBYTE })
  const topic = await millrace.topic('slow', { value: bytes(), config: { 'retention.bytes': 8 * MEBIBYTE } })
  const producer = millrace.producer({ bufferMemory: 4 * MEBIBYTE })
  const held: Hold[] = []
  const counts = { offered: 0, settled: 0, missed: 0, heldMax: 0 }
  let failure: unknown
  const subscription = fromTopic(topic, {
    groupId: 'slow',
    autoCommitIntervalMs: 50,
    maxInFlight: MAX_IN_FLIGHT,
    onOvertaken: ({ missed }) => (counts.missed += missed),
  }).subscribe({ next: (record) => held.push(record.hold()), error: (error: unknown) => (failure = error) })
  const value = new Uint8Array(VALUE_BYTES)
  const alive: number[] = []
  const startMs = performance.now()
  const progress = (): number => Math.min(counts.settled / options.records, (performance.now() - startMs) / Math.max(1, options.runMs))
  while (progress() < 1 && failure === undefined) {
    for (let i = 0; i < OFFERED_A_TURN && producer.offer(topic, null, value); i++) counts.offered++
    counts.heldMax = Math.max(counts.heldMax, held.length)
    for (const hold of held.splice(0, RELEASED_A_TURN)) {
      hold.release()
      counts.settled++
    }
    await nextTurn()
    if (progress() * options.samples < alive.length) continue
    collect()
    const { heapUsed, external } = process.memoryUsage()
    alive.push((heapUsed + external) / MEBIBYTE)
  }
  subscription.unsubscribe()
  if (failure !== undefined) throw failure
  await millrace.close()
  return { ...counts, alive }
}

export function slowSubscriberLine({ offered, settled, missed, heldMax, alive }: SlowSubscriberResult): string {
  const half = alive.slice(alive.length / 2)
  const most = Math.max(...half).toFixed(1)
  return `offered ${offered}, settled ${settled}, missed ${missed}, held at most ${heldMax}, alive at most ${most} MiB`
}

/** What must not be; none of it is good. */
export function slowSubscriberProblems({ settled, missed, heldMax, alive }: SlowSubscriberResult): string[] {
  const problems: string[] = []
  if (heldMax > MAX_IN_FLIGHT) problems.push(`${heldMax} records were held, more than maxInFlight`)
  if (settled === 0 || missed === 0) problems.push(`settled ${settled}, missed ${missed}: it was not slow, or it stood still`)
  // Buffers go a collection or two after what they belong to: what stays is the least of several looks.
  const third = Math.floor(alive.length / 3)
  const grownMebibytes = Math.min(...alive.slice(-third)) - Math.min(...alive.slice(third, 2 * third))
  if (grownMebibytes > GROWN_MEBIBYTES_MAX) problems.push(`its memory grew by ${grownMebibytes.toFixed(1)} MiB`)
  return problems
}
