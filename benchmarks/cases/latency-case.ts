// S13: latency at 1,000 records a second, and the user's timers while records run at full speed.

import type { CaseSpec, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { noKafka } from '../peers/kafka-address.ts'
import { LATENCY_METRICS, TIMER_METRICS } from '../latency/latency-metrics.ts'
import { cannotSpin } from './spinning.ts'
import { LOG_MEMORY_BYTES, ROAD_SETUP, roadOptions, WINDOW_BYTES } from './road-settings.ts'

const RECORDS_PER_SECOND = 1_000
const VALUE_BYTES = 100

function latency(idleStrategy: 'park' | 'spin'): ContenderSpec {
  return {
    id: idleStrategy,
    title: idleStrategy === 'park' ? 'park (default settings)' : 'spin',
    kind: 'millrace',
    records: 5_000,
    smallRecords: 200,
    valueBytes: VALUE_BYTES,
    threads: 3,
    partitions: 1,
    setup: `${RECORDS_PER_SECOND} records a second, ${idleStrategy === 'park' ? '' : 'idleStrategy: spin, otherwise '}default settings`,
    ...(idleStrategy === 'park' ? {} : { skip: cannotSpin }),
    open: async () => {
      const { openLatency } = await import('../latency/latency.ts')
      return openLatency({ valueBytes: VALUE_BYTES, recordsPerSecond: RECORDS_PER_SECOND, idleStrategy })
    },
  }
}

const kafka: ContenderSpec = {
  id: 'kafka',
  title: '@platformatic/kafka → Kafka',
  kind: 'peer',
  records: 5_000,
  smallRecords: 200,
  valueBytes: VALUE_BYTES,
  threads: 1,
  partitions: 1,
  setup: `a running Kafka, ${RECORDS_PER_SECOND} records a second, acks all; from the call of send until the same thread has the value`,
  skip: noKafka,
  open: async (context: OpenContext) => {
    const { openKafkaLatency } = await import('../peers/kafka-client.ts')
    return openKafkaLatency(VALUE_BYTES, RECORDS_PER_SECOND, context)
  },
}

const besideRoad: ContenderSpec = {
  id: 'timers-beside',
  title: 'timers of the main thread beside S1',
  kind: 'millrace',
  records: 8_000_000,
  smallRecords: 100_000,
  valueBytes: VALUE_BYTES,
  threads: 3,
  partitions: 1,
  setup: `a timer every 5 ms on the main thread; ${ROAD_SETUP}`,
  open: async () => {
    const { openTimersBesideRoad } = await import('../latency/user-timers.ts')
    return openTimersBesideRoad(roadOptions({ valueBytes: VALUE_BYTES }))
  },
}

const onMain: ContenderSpec = {
  id: 'timers-main',
  title: 'timers of the main thread, producer and reader on it too',
  kind: 'millrace',
  records: 4_000_000,
  smallRecords: 100_000,
  valueBytes: VALUE_BYTES,
  threads: 2,
  partitions: 1,
  setup: 'a timer every 5 ms on the thread that offers and reads',
  open: async () => {
    const { openTimersOnMainThread } = await import('../latency/user-timers.ts')
    return openTimersOnMainThread({ valueBytes: VALUE_BYTES, logMemoryBytes: LOG_MEMORY_BYTES, windowBytes: WINDOW_BYTES })
  },
}

export const S13: CaseSpec = {
  id: 'S13',
  title: 'latency at 1,000 records a second, and the user’s timers at full speed',
  measures:
    'From `offer` on one of the user’s threads until a consumer on another looks at the value. ' +
    'Then: how late a timer of the main thread fires.',
  metrics: { ...LATENCY_METRICS, ...TIMER_METRICS },
  primary: 'p50',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [latency('park'), latency('spin'), kafka, besideRoad, onMain],
  targets: [
    { id: 'park-p50', text: 'park: p50', value: (view) => view.median('park', 'p50'), atMost: 150, unit: 'µs' },
    {
      id: 'park-p99',
      text: 'park: p99 against Kafka’s in the same run',
      value: (view) => view.ratio('park', 'kafka', 'p99'),
      atMost: 0.1,
      unit: 'ratio',
    },
    { id: 'spin-p50', text: 'spin, where cores allow: p50', value: (view) => view.median('spin', 'p50'), atMost: 10, unit: 'µs' },
    {
      id: 'timers',
      text: 'worst lateness of a user’s timer beside S1, all repetitions',
      value: (view) => view.max('timers-beside', 'timerWorst'),
      atMost: 20,
      unit: 'ms',
    },
    {
      id: 'timers-main',
      text: 'worst lateness of a user’s timer, producer and reader on the same thread, all repetitions',
      value: (view) => view.max('timers-main', 'timerWorst'),
      atMost: 20,
      unit: 'ms',
    },
  ],
}
