// C1, C4 and C5: what starting, running and waiting cost.

import type { CaseSpec, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { nodeMajor } from '../harness/machine.ts'
import { ALLOCATION_METRICS, openAllocations } from '../allocations/allocations.ts'
import { IDLE_METRICS, openIdle } from '../idle/idle.ts'
import { unavailable } from '../harness/thread-usage.ts'
import { BUILT, notBuilt, openStart, SOURCES, START_METRICS } from '../start/start.ts'
import { BATCH_BYTES, ROAD_SETUP, roadOptions } from './road-settings.ts'

const NOTHING_MOVED = { valueBytes: 0, partitions: 0 } as const

function start(id: string, title: string, module: URL, skip?: () => string | undefined): ContenderSpec {
  return {
    id,
    title,
    kind: 'millrace',
    records: 1,
    smallRecords: 1,
    valueBytes: 5,
    threads: 4,
    partitions: 1,
    setup: 'a fresh process each time: import, openMillrace({ brokers: 3 }), topic, send, first record of a consumer, close, end by itself',
    startsAnew: true,
    ...(skip === undefined ? {} : { skip }),
    open: (context: OpenContext) => openStart(module, context),
  }
}

export const C1: CaseSpec = {
  id: 'C1',
  title: 'start',
  measures: 'From `openMillrace({ brokers: 3 })` to the first record consumed, and `import` alone, each in a fresh process.',
  metrics: START_METRICS,
  primary: 'firstRecordMs',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 9,
  contenders: [start('dist', 'built package (dist)', BUILT, notBuilt), start('src', 'sources, types stripped at load', SOURCES)],
  targets: [
    {
      id: 'first-record',
      text: 'openMillrace with three brokers → first record consumed, built package',
      value: (view) => view.median('dist', 'firstRecordMs'),
      atMost: (machine) => (nodeMajor(machine) >= 26 ? 100 : 140),
      unit: 'ms',
    },
    { id: 'import', text: 'import alone, built package', value: (view) => view.median('dist', 'importMs'), atMost: 40, unit: 'ms' },
  ],
}

const BURST_BYTES = 8 * (1 << 20)

function allocations(
  id: string,
  title: string,
  kind: ContenderSpec['kind'],
  records: number,
  burstBytes: number,
  allocating: boolean,
): ContenderSpec {
  return {
    id,
    title,
    kind,
    records,
    smallRecords: 100_000,
    valueBytes: 100,
    threads: 3,
    partitions: 1,
    setup: `sampling heap profiler in each thread, every 2 KiB, collected objects included; ${ROAD_SETUP}`,
    open: (context: OpenContext) =>
      openAllocations(
        {
          road: roadOptions({ valueBytes: 100, offering: allocating ? 'view' : 'plain', reading: allocating ? 'view' : 'cursor' }),
          batchBytes: BATCH_BYTES,
          warmUps: context.small ? 1 : 3,
          burstBytes,
        },
        context,
      ),
  }
}

export const C4: CaseSpec = {
  id: 'C4',
  title: 'allocations on the JavaScript heap in steady state',
  measures:
    'Bytes allocated while S1 runs, by thread, divided by records and by batches of 64 KiB. Two controls have to show: ' +
    'a view of each value in producer and reader, and a burst of 8 MiB in every thread (8.4 B a record when 1,000,000 records are moved).',
  metrics: ALLOCATION_METRICS,
  primary: 'brokerBytesPerBatch',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 0,
  repetitions: 5,
  contenders: [
    allocations('steady', 'offer, broker, cursor', 'millrace', 3_000_000, 0, false),
    allocations('control-views', 'control: a view a record', 'control', 300_000, 0, true),
    allocations('control-burst', 'control: a burst of 8 MiB in every thread', 'control', 1_000_000, BURST_BYTES, false),
  ],
  targets: [
    ...(['producer', 'broker', 'reader'] as const).map((role) => ({
      id: `${role}-batch`,
      text: `${role} thread: bytes a batch`,
      value: (view: Parameters<CaseSpec['targets'][number]['value']>[0]) => view.median('steady', `${role}BytesPerBatch`),
      atMost: 1_024,
      unit: 'bytes' as const,
    })),
    {
      id: 'control-views',
      text: 'control: the lesser of producer and reader, a record',
      value: (view) =>
        lesser([view.median('control-views', 'producerBytesPerRecord'), view.median('control-views', 'readerBytesPerRecord')]),
      atLeast: 32,
      unit: 'bytes',
    },
    {
      id: 'control-burst',
      text: 'control: a burst in the broker thread, a record',
      value: (view) => view.median('control-burst', 'brokerBytesPerRecord'),
      atLeast: Math.floor(BURST_BYTES / 1_000_000 / 2),
      unit: 'bytes',
    },
  ],
}

function lesser(values: readonly (number | undefined)[]): number | undefined {
  return values.some((value) => value === undefined) ? undefined : Math.min(...(values as number[]))
}

function idle(id: string, title: string, kind: ContenderSpec['kind'], script: string, threads: number): ContenderSpec {
  return {
    id,
    title,
    kind,
    // Milliseconds watched: nothing is moved here.
    records: 2_000,
    smallRecords: 300,
    ...NOTHING_MOVED,
    threads,
    setup:
      kind === 'millrace'
        ? 'three brokers, 8 topics of 4 partitions, 8 consumers waiting, one producer; watched from outside for 2 s a repetition'
        : '',
    skip: unavailable,
    open: (context) => openIdle(new URL(script, new URL('../idle/', import.meta.url)), context),
  }
}

export const C5: CaseSpec = {
  id: 'C5',
  title: 'idle process with topics and consumers waiting',
  measures: 'CPU and wake-ups of all threads of a process that has nothing to do, counted by the kernel.',
  metrics: IDLE_METRICS,
  primary: 'cpuPercent',
  order: 'alternate',
  table: 'metrics',
  warmUps: 0,
  repetitions: 5,
  contenders: [
    idle('millrace', 'millrace, waiting', 'millrace', './waiting-consumers.ts', 4),
    idle('bare', 'control: a bare Node.js process', 'control', './bare-process.ts', 1),
    idle('polling', 'control: a process with one 5 ms timer', 'control', './polling-control.ts', 1),
  ],
  targets: [
    { id: 'cpu', text: 'CPU of one core', value: (view) => view.median('millrace', 'cpuPercent'), atMost: 0.5, unit: 'percent' },
    {
      id: 'wakes',
      text: 'wakes of the whole process',
      value: (view) => view.median('millrace', 'sleepsPerSecond'),
      atMost: 40,
      unit: 'per second',
    },
    {
      id: 'control',
      text: 'control: wakes of a process with one 5 ms timer',
      value: (view) => view.median('polling', 'sleepsPerSecond'),
      atLeast: 100,
      unit: 'per second',
    },
  ],
}
