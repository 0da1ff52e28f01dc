// S6, S10 and S12: S1 with keys, with many partitions, with many readers. Each takes turns with S1
// itself, or with one reader.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import { unavailable } from '../harness/thread-usage.ts'
import { FAN_OUT_METRICS } from '../fan-out/fan-out-metrics.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { ROAD_SETUP, roadContender, roadOptions } from './road-settings.ts'

const MIB = 1 << 20
const VALUE_BYTES = 100

const s1 = (records: number): ContenderSpec =>
  roadContender({ id: 's1', title: 'S1: one partition, no key', records, smallRecords: 50_000 }, { valueBytes: VALUE_BYTES })

export const S6: CaseSpec = {
  id: 'S6',
  title: 'keyed records: 1,000 keys, 12 partitions, a header on one in ten',
  measures:
    'S1 with a text key on every record, so that murmur2 picks one of 12 partitions, and a header on every tenth. ' +
    'The reader also adds the last character of every key and counts the headers.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 3,
  repetitions: 7,
  contenders: [
    s1(6_000_000),
    roadContender(
      { id: 'keyed', title: 'keyed, 12 partitions, headers', records: 4_000_000, smallRecords: 50_000 },
      { valueBytes: VALUE_BYTES, partitions: 12, offering: 'keyed', reading: 'keyed' },
    ),
  ],
  targets: [{ id: 's1', text: 'keyed records against S1', value: (view) => view.ratio('keyed', 's1'), atLeast: 0.5, unit: 'ratio' }],
}

const PARTITIONS = 1_000
const BUFFER_MEMORY_BYTES = 64 * MIB
const WIDE_WINDOW_BYTES = 48 * MIB
const WIDE_LOG_MEMORY_BYTES = 512 * MIB

export const S10: CaseSpec = {
  id: 'S10',
  title: '1,000 partitions written round-robin',
  measures: 'S1 with each record to the next of 1,000 partitions, all read by one reader; 64 MiB of `bufferMemory`.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: [
    s1(6_000_000),
    roadContender(
      {
        id: 'round-robin',
        title: 'round-robin to 1,000 partitions',
        records: 4_000_000,
        smallRecords: 50_000,
        setup:
          'memory durability, log memory 512 MiB, batches of at most 64 KiB, bufferMemory 64 MiB, ' +
          'producer at most 48 MiB ahead of the reader (waiting included), 0 missed',
      },
      {
        valueBytes: VALUE_BYTES,
        partitions: PARTITIONS,
        offering: 'round-robin',
        logMemoryBytes: WIDE_LOG_MEMORY_BYTES,
        windowBytes: WIDE_WINDOW_BYTES,
        producer: { bufferMemory: BUFFER_MEMORY_BYTES },
      },
    ),
  ],
  targets: [
    { id: 's1', text: '1,000 partitions against S1', value: (view) => view.ratio('round-robin', 's1'), atLeast: 0.4, unit: 'ratio' },
  ],
}

const FAN_OUT_READERS = 8

function fanOut(readers: number): ContenderSpec {
  const options = roadOptions({ valueBytes: VALUE_BYTES, readers })
  return {
    ...roadContender(
      {
        id: `readers-${readers}`,
        title: readers === 1 ? 'one reader' : `${readers} readers`,
        records: 3_000_000,
        smallRecords: 50_000,
        setup: `one producer, one partition; the producer waits for the last reader; ${ROAD_SETUP}`,
      },
      options,
    ),
    skip: unavailable,
    open: async () => {
      const { openFanOut } = await import('../fan-out/fan-out.ts')
      return openFanOut(options)
    },
  }
}

export const S12: CaseSpec = {
  id: 'S12',
  title: 'fan-out: one producer, eight readers of the same partition',
  measures: 'S1 with eight readers, each of which reads and sums every record: what they cost the thread of the broker.',
  metrics: FAN_OUT_METRICS,
  primary: 'brokerNs',
  order: 'alternate',
  table: 'metrics',
  warmUps: 2,
  repetitions: 7,
  contenders: [fanOut(1), fanOut(FAN_OUT_READERS)],
  targets: [
    {
      id: 'broker-cpu',
      text: 'CPU of the broker thread a record, eight readers against one',
      value: (view) => view.ratio(`readers-${FAN_OUT_READERS}`, 'readers-1'),
      atMost: 1.1,
      unit: 'ratio',
    },
  ],
}
