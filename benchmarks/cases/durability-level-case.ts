// D1: what each level of durability costs: records a second of S1's road, and how long one `send` takes to be acknowledged.
// All levels have a data directory, so that nothing but the level differs.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import { noDisk } from '../harness/data-directory.ts'
import { FILE_METRICS, LEVELS, roadId, sendId } from '../durability/durability-metrics.ts'
import type { Durability } from '../durability/file-road.ts'
import { LATENCY_METRICS } from '../latency/latency-metrics.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { fileRoadContender } from './durability-cases.ts'

const VALUE_BYTES = 100
const ROAD_RECORDS = 2_000_000
const SEND_RECORDS = 3_000
const SENDS_PER_SECOND = 1_000

function road(level: Durability): ContenderSpec {
  const contender = fileRoadContender({ durability: level, valueBytes: VALUE_BYTES, records: ROAD_RECORDS })
  return { ...contender, id: roadId(level), title: `\`${level}\`: the road` }
}

function send(level: Durability): ContenderSpec {
  return {
    id: sendId(level),
    title: `\`${level}\`: send`,
    kind: 'millrace',
    records: SEND_RECORDS,
    smallRecords: 200,
    valueBytes: VALUE_BYTES,
    threads: 3,
    partitions: 1,
    setup:
      `${SENDS_PER_SECOND} sends a second, none waits for an earlier one, default settings; ` +
      'from the call of send until its promise is fulfilled; read, counted and summed afterwards',
    skip: () => noDisk(0),
    open: async () => {
      const { openAckLatency } = await import('../durability/ack-latency.ts')
      return openAckLatency({ durability: level, valueBytes: VALUE_BYTES, recordsPerSecond: SENDS_PER_SECOND })
    },
  }
}

export const D1: CaseSpec = {
  id: 'D1',
  title: 'what each level of durability costs: throughput, and latency of an acknowledged `send`',
  measures:
    'S1’s road at full speed, and from the call of `send` until its acknowledgement at 1,000 records a second, by level: ' +
    '`memory` (in log memory), `cache` (written to its file), `disk` (its file synced).',
  metrics: { ...THROUGHPUT_METRICS, ...FILE_METRICS, ...ROAD_METRICS, ...LATENCY_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [...LEVELS.map(road), ...LEVELS.map(send)],
  targets: [],
}
