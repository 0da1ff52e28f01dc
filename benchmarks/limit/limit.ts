// The limit as a contender: it takes its turn between the others, so that it is measured in
// the same minutes on the same machine.

import { BenchThread } from '../harness/bench-thread.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import type { LimitData, LimitResult } from './limit-thread.ts'
import { roadLimit, threadNs } from './road-limit.ts'

export async function openLimit(data: LimitData, cores: number): Promise<Running> {
  const thread = new BenchThread('limit', new URL('./limit-thread.ts', import.meta.url), { workerData: data })
  return {
    async run(records: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const { own, raw } = await thread.ask<LimitResult>('measure', { records })
      if (raw.records !== records || raw.checksum !== own.checksum) throw new Error('no result: the raw loops lost a record')
      const recordsPerSecond = roadLimit(own.ns, cores)
      return {
        arrival: { records: own.records, checksum: own.checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) },
        bytes: records * data.valueBytes,
        seconds: monotonicSeconds() - startSeconds,
        values: {
          recordsPerSecond,
          bytesPerSecond: recordsPerSecond * data.valueBytes,
          rawLimit: roadLimit(raw.ns, cores),
          encodeNs: own.ns.encode,
          laneNs: own.ns.lane,
          appendNs: own.ns.append,
          copyOutNs: own.ns.copyOut,
          walkNs: own.ns.walk,
          rawEncodeNs: raw.ns.encode,
          rawLaneNs: raw.ns.lane,
          rawAppendNs: raw.ns.append,
          rawCopyOutNs: raw.ns.copyOut,
          rawWalkNs: raw.ns.walk,
        },
        detail: { cores, threads: threadNs(own.ns), rawThreads: threadNs(raw.ns) },
      }
    },
    close: () => thread.close(),
  }
}
