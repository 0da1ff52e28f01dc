// How long records took from `offer` until their value was looked at: a histogram, and the count
// and sum of what arrived. Each value carries the instant at which it was offered.
//
//   value   [ i & 255 ] … +8 [ int64 ns, monotonic ] … [ (i >>> 8) & 255 ]

import type { RecordableHistogram } from 'node:perf_hooks'

export const STAMP_AT = 8

export interface Latencies {
  readonly records: number
  readonly checksum: number
  readonly p50Ns: number
  readonly p99Ns: number
  readonly p999Ns: number
  readonly maxNs: number
}

export interface LatencyTally {
  readonly records: number
  /** The value in [start, end) of `bytes` is here now. */
  add(bytes: Uint8Array, start: number, end: number): void
  reset(): void
  result(): Latencies
}

export function latencyTally(histogram: RecordableHistogram): LatencyTally {
  let records = 0
  let checksum = 0
  return {
    get records(): number {
      return records
    },
    add(bytes, start, end): void {
      const now = process.hrtime.bigint()
      const sent = new DataView(bytes.buffer, bytes.byteOffset + start + STAMP_AT, 8).getBigInt64(0)
      histogram.record(Math.max(1, Number(now - sent)))
      checksum += bytes[start]! + bytes[end - 1]!
      records++
    },
    reset(): void {
      records = 0
      checksum = 0
      histogram.reset()
    },
    result: () => latenciesOf(histogram, { records, checksum }),
  }
}

/** What a histogram of nanoseconds says, beside what arrived. */
export function latenciesOf(histogram: RecordableHistogram, { records, checksum }: Pick<Latencies, 'records' | 'checksum'>): Latencies {
  return {
    records,
    checksum,
    p50Ns: histogram.percentile(50),
    p99Ns: histogram.percentile(99),
    p999Ns: histogram.percentile(99.9),
    maxNs: histogram.max,
  }
}
