// C2 and C3: what partitions cost in time and memory, and what memory does in the long run.

import type { CaseSpec, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { residentUnavailable } from '../harness/resident.ts'
import { notBuilt } from '../start/start.ts'
import { SOAK_METRICS } from '../soak/soak-metrics.ts'
import { roadOptions, WINDOW_BYTES } from './road-settings.ts'
import { MANY_PARTITIONS_METRICS, openManyPartitions } from '../many-partitions/many-partitions.ts'

const KIB = 1 << 10
const MIB = 1 << 20
const VALUE_BYTES = 100
const PARTITIONS = 10_000
/** Room for an extent of 16 KiB each, and no size that anything else has. */
const MANY_LOG_MEMORY_BYTES = 264 * MIB

function partitions(id: string, title: string, partitionsPerTopic: number): ContenderSpec {
  const options = { partitionsPerTopic, valueBytes: VALUE_BYTES, logMemoryBytes: MANY_LOG_MEMORY_BYTES }
  return {
    id,
    title,
    kind: 'millrace',
    records: PARTITIONS,
    smallRecords: 1_000,
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions: PARTITIONS,
    setup: 'a fresh process each time, one broker, log memory 264 MiB; the main thread creates, produces and consumes',
    startsAnew: true,
    skip: residentUnavailable,
    open: (context: OpenContext) => openManyPartitions(options, context),
  }
}

export const C2: CaseSpec = {
  id: 'C2',
  title: '10,000 partitions',
  measures: 'From the first call of `topic` until one record of each partition was consumed; and resident memory before and after.',
  metrics: MANY_PARTITIONS_METRICS,
  primary: 'totalMs',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    partitions('one-topic', 'one topic of 10,000 partitions', PARTITIONS),
    partitions('many-topics', '1,000 topics of 10 partitions, one after another', 10),
  ],
  targets: [
    {
      id: 'one-topic-time',
      text: 'one topic of 10,000: create, produce, consume',
      value: (view) => view.median('one-topic', 'totalMs'),
      atMost: 3_000,
      unit: 'ms',
    },
    {
      id: 'many-topics-time',
      text: '1,000 topics of 10: create, produce, consume',
      value: (view) => view.median('many-topics', 'totalMs'),
      atMost: 3_000,
      unit: 'ms',
    },
    {
      id: 'filled',
      text: 'resident a partition beside its extents, one record in each',
      value: (view) => view.median('one-topic', 'filledBytes'),
      atMost: 16 * KIB,
      unit: 'size',
    },
    {
      id: 'empty-extents',
      text: 'log memory resident a partition before the first record (an extent is 16 KiB)',
      value: (view) => view.median('one-topic', 'emptyArenaBytes'),
      atMost: 1 * KIB,
      unit: 'size',
    },
  ],
}

const STRETCHES = 6
/** Of a lane of the usual size. */
const LANE_BYTES = 512 * KIB
const PROCESS_BYTES = 60 * MIB
/** Of a broker's thread, and of each of the two threads of the user. */
const THREAD_BYTES = 12 * MIB
const SOAK_THREADS = 3
const SLOPE_MINUTES_MIN = 10

const soak: ContenderSpec = {
  id: 'soak',
  title: 'S1 without end',
  kind: 'millrace',
  records: 1,
  smallRecords: 1,
  valueBytes: VALUE_BYTES,
  threads: 3,
  partitions: 1,
  setup:
    'a process of its own on the built package, S1 at full speed for --soak-minutes; a sixth of it warms up, the rest is five stretches without a rest; ' +
    'one broker, log memory 256 MiB, the user’s producer and reader on threads of their own',
  skip: () => residentUnavailable() ?? notBuilt(),
  open: async (context: OpenContext) => {
    const { openSoak } = await import('../soak/soak.ts')
    const stretchSeconds = context.small ? 0.5 : (context.soakMinutes * 60) / STRETCHES
    return openSoak(
      { road: roadOptions({ valueBytes: VALUE_BYTES }), stretchSeconds, recordsAtOnce: context.small ? 200_000 : 4_000_000 },
      context,
    )
  },
}

export const C3: CaseSpec = {
  id: 'C3',
  title: 'resident memory in a soak at full speed',
  measures: 'Memory of a process that moves records at full speed, as the kernel counts it from outside, every second or more often.',
  metrics: SOAK_METRICS,
  primary: 'residentBytes',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 1,
  repetitions: STRETCHES - 1,
  contenders: [soak],
  targets: [
    {
      id: 'rest',
      text: 'resident beside log memory, most: a lane, producer buffers, 60 MiB, 12 MiB a thread (one broker, two of the user)',
      value: (view) => view.max('soak', 'restBytes'),
      atMost: LANE_BYTES + WINDOW_BYTES + PROCESS_BYTES + SOAK_THREADS * THREAD_BYTES,
      unit: 'size',
    },
    {
      id: 'slope',
      text: 'slope of resident memory after the warm-up, MiB an hour',
      value: (view) => view.last('soak', 'slope'),
      atMost: 16,
      unit: 'count',
      notJudged: ({ soakMinutes }) =>
        soakMinutes < SLOPE_MINUTES_MIN ? `a slope an hour needs ${SLOPE_MINUTES_MIN} minutes or more: --soak-minutes 30` : undefined,
    },
  ],
}
