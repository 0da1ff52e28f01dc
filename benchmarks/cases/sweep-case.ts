// S8: the batching sweep. How many records go into a batch is set by the producer's `batchSize`:
// exactly as many bytes as that many records take, so that the next one opens a new batch.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, CaseView, ContenderSpec } from '../harness/bench-case.ts'
import { byteSize } from '../harness/format.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { LOG_MEMORY_BYTES, roadContender } from './road-settings.ts'

const RECORDS_PER_BATCH = [1, 10, 100, 1_000, 10_000] as const
const LANES = [1, 2, 4, 8] as const
const VALUE_BYTES = [10, 100, 1_024, 10_240] as const

/** A batch lies in one extent of 8 MiB at most; a little less, for what stands around it. */
const BATCH_BYTES_MAX = 8 * (1 << 20) - 4_096
const BATCH_HEADER_BYTES = 61
const WINDOW_BYTES = 16 * (1 << 20)

function zigzagVarintBytes(value: number): number {
  let bytes = 1
  for (let rest = value * 2; rest >= 128; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** Bytes of a record batch of so many records with no key, no headers and one timestamp. */
export function batchBytes(records: number, valueBytes: number): number {
  let bytes = BATCH_HEADER_BYTES
  for (let offsetDelta = 0; offsetDelta < records; offsetDelta++) {
    // attributes, timestamp delta 0, offset delta, key length -1, value length, value, header count 0
    const body = 1 + 1 + zigzagVarintBytes(offsetDelta) + 1 + zigzagVarintBytes(valueBytes) + valueBytes + 1
    bytes += zigzagVarintBytes(body) + body
  }
  return bytes
}

function cellId(recordsPerBatch: number, lanes: number, valueBytes: number): string {
  return `${valueBytes}B-${lanes}l-${recordsPerBatch}`
}

/** Enough records for a steady figure, few enough that a cell takes a fraction of a second. */
function recordsOf(recordsPerBatch: number, valueBytes: number): number {
  return Math.min(1_500_000, Math.floor((192 * (1 << 20)) / valueBytes), 60_000 * recordsPerBatch)
}

function cell(recordsPerBatch: number, lanes: number, valueBytes: number): ContenderSpec {
  const batchSize = batchBytes(recordsPerBatch, valueBytes)
  return roadContender(
    {
      id: cellId(recordsPerBatch, lanes, valueBytes),
      title: `${byteSize(valueBytes)}, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}, ${recordsPerBatch} a batch`,
      records: recordsOf(recordsPerBatch, valueBytes),
      smallRecords: Math.min(5_000, recordsOf(recordsPerBatch, valueBytes)),
      setup:
        'as many producer threads as lanes → one broker → one partition → one reader with cursor; ' +
        'memory durability, log memory 256 MiB; batchSize set so that exactly so many records fit; ' +
        'producers together at most 16 MiB (or four batches a lane) ahead of the reader',
      cell: { recordsPerBatch, lanes, valueBytes },
    },
    {
      valueBytes,
      lanes,
      windowBytes: Math.min(LOG_MEMORY_BYTES / 2, Math.max(WINDOW_BYTES, 4 * lanes * batchSize)),
      producer: { batchSize, maxRequestSize: BATCH_BYTES_MAX },
      topicConfig: { 'max.message.bytes': BATCH_BYTES_MAX },
    },
  )
}

const cells = VALUE_BYTES.flatMap((valueBytes) =>
  LANES.flatMap((lanes) =>
    RECORDS_PER_BATCH.filter((recordsPerBatch) => batchBytes(recordsPerBatch, valueBytes) <= BATCH_BYTES_MAX).map((recordsPerBatch) =>
      cell(recordsPerBatch, lanes, valueBytes),
    ),
  ),
)

/** A step to larger batches that costs more than this part of the rate is a cliff. */
const STEP_FLOOR = 0.75

/** How many lines of the sweep fall by more than spread when batches grow. */
export function cliffs(view: CaseView): number | undefined {
  let lines = 0
  let measured = 0
  for (const valueBytes of VALUE_BYTES) {
    for (const lanes of LANES) {
      const rates = RECORDS_PER_BATCH.map((records) => view.median(cellId(records, lanes, valueBytes), 'recordsPerSecond')).filter(
        (rate) => rate !== undefined,
      )
      if (rates.length < 2) continue
      measured++
      if (rates.some((rate, i) => i > 0 && rate < rates[i - 1]! * STEP_FLOOR)) lines++
    }
  }
  return measured === 0 ? undefined : lines
}

export const S8: CaseSpec = {
  id: 'S8',
  title: 'batching sweep: records a batch × lanes × size of value',
  measures: 'S1 with `cursor()` over batch sizes, numbers of lanes (producer threads) and value sizes.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'one-by-one',
  table: 'sweep',
  warmUps: 2,
  repetitions: 5,
  contenders: cells,
  smallContenders: [
    cellId(1, 1, 10),
    cellId(10, 2, 100),
    cellId(100, 1, 100),
    cellId(1_000, 2, 100),
    cellId(10_000, 1, 10),
    cellId(100, 1, 10_240),
  ],
  targets: [
    {
      id: 'cliffs',
      text: 'lines of the sweep that fall by more than a quarter when batches grow',
      value: cliffs,
      atMost: 0,
      unit: 'count',
    },
  ],
}
