// S13, second question: do the user's timers on the main thread fire in time while records run
// at full speed? Once with producer and reader on threads of their own (S1), and once, harder,
// with both on the main thread itself.

import { bytes, openMillrace } from '../../src/index.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { allocatePacing, PacedProducer, PacedReader, resetPacing } from '../harness/pacing.ts'
import { expectedChecksum, patternValue } from '../harness/record-pattern.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'
import { latenessDuring } from './timer-lateness.ts'

export async function openTimersBesideRoad(options: RoadOptions): Promise<Running> {
  const road = await openRoad(options)
  return {
    async run(records: number): Promise<Measurement> {
      const { result, lateness } = await latenessDuring(() => road.run(records))
      const { p99Ms, worstMs } = lateness
      const recordsPerSecond = result.values['recordsPerSecond']!
      return { ...result, values: { timerP99: p99Ms, timerWorst: worstMs, recordsPerSecond }, detail: { ...lateness } }
    },
    close: () => road.close(),
  }
}

export interface MainThreadOptions {
  readonly valueBytes: number
  readonly logMemoryBytes: number
  readonly windowBytes: number
}

export async function openTimersOnMainThread(options: MainThreadOptions): Promise<Running> {
  const { valueBytes } = options
  const millrace = await openMillrace({ brokers: 1, logMemoryBytes: options.logMemoryBytes })
  const topic = await millrace.topic('main-thread', { partitions: 1, value: bytes() })
  const producer = millrace.producer()
  const batches = millrace.consumer().batches(topic)[Symbol.asyncIterator]()
  const pacing = allocatePacing()
  const windowRecords = Math.floor(options.windowBytes / valueBytes)
  const value = patternValue(valueBytes)
  const last = valueBytes - 1

  const produce = async (records: number): Promise<void> => {
    const paced = new PacedProducer(pacing, 0, 1, windowRecords)
    for (let i = 0; i < records; i++) {
      value[0] = i
      value[last] = i >>> 8
      while (!producer.offer(topic, null, value)) await producer.drained()
      if ((i & 255) !== 0) continue
      paced.report(i)
      if (!paced.mayOffer()) await paced.room()
    }
    await producer.flush()
  }
  const consume = async (records: number): Promise<{ records: number; checksum: number }> => {
    const reader = new PacedReader(pacing)
    let count = 0
    let checksum = 0
    while (count < records) {
      const next = await batches.next()
      if (next.done === true) throw new Error('the reader ended before its last record')
      const cursor = next.value.cursor()
      while (cursor.next()) {
        checksum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
        count++
      }
      reader.report(count)
    }
    return { records: count, checksum }
  }

  return {
    async run(records: number): Promise<Measurement> {
      resetPacing(pacing)
      const startSeconds = monotonicSeconds()
      const { result, lateness } = await latenessDuring(async () => (await Promise.all([consume(records), produce(records)]))[0])
      const seconds = monotonicSeconds() - startSeconds
      return {
        arrival: { ...result, expectedRecords: records, expectedChecksum: expectedChecksum(records) },
        bytes: records * valueBytes,
        seconds,
        values: { timerP99: lateness.p99Ms, timerWorst: lateness.worstMs, recordsPerSecond: records / seconds },
        detail: { ...lateness },
      }
    },
    close: async () => {
      await batches.return?.(undefined)
      await millrace.close()
    },
  }
}
