// S1 and S4: one producer thread, one partition, one reader thread, beside the limit of this
// machine and what people use today, all taking turns.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, TargetSpec } from '../harness/bench-case.ts'
import { FILE_METRICS } from '../durability/durability-metrics.ts'
import { LIMIT_METRICS } from '../limit/limit-metrics.ts'
import { KAFKA_METRICS } from '../peers/kafka-address.ts'
import { openPostMessage, windowRecords } from '../peers/post-message.ts'
import type { PostMessageWay } from '../peers/post-message-sender.ts'
import { byteSize } from '../harness/format.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { againstKafka, kafkaPeers } from './kafka-peers.ts'
import { fileRoadContender } from './durability-cases.ts'
import { BATCH_BYTES, LOG_MEMORY_BYTES, roadContender } from './road-settings.ts'

const AERON_ABSENT = 'Aeron and the Disruptor have no command that measures this; see "recorded elsewhere"'
const NOT_RUN = [{ title: 'Aeron IPC, LMAX Disruptor', why: AERON_ABSENT }] as const

function road(id: string, title: string, valueBytes: number, reading: 'cursor' | 'record', records: number): ContenderSpec {
  return roadContender({ id, title, records, smallRecords: 100_000 }, { valueBytes, reading })
}

function limit(valueBytes: number, records: number): ContenderSpec {
  return {
    id: 'limit',
    title: 'limit: each stage alone on one thread',
    kind: 'limit',
    records,
    smallRecords: 50_000,
    valueBytes,
    threads: 1,
    partitions: 1,
    setup:
      'own functions: encode + lane copy (producer), append (broker), copy out + walk (reader); ' +
      'the slowest of the three, or cores / their sum; beside it the same from raw copy and byte-walk loops',
    open: async ({ machine }) => {
      const { openLimit } = await import('../limit/limit.ts')
      return openLimit({ valueBytes, batchBytes: BATCH_BYTES, logMemoryBytes: LOG_MEMORY_BYTES }, machine.cores)
    },
  }
}

export function postMessage(way: PostMessageWay, title: string, valueBytes: number, records: number): ContenderSpec {
  const ahead = `at most ${windowRecords(way, valueBytes)} records ahead of the receiver`
  return {
    id: `post-message-${way}`,
    title,
    kind: 'peer',
    records,
    smallRecords: Math.min(records, 20_000),
    valueBytes,
    threads: 2,
    partitions: 0,
    setup: `worker to worker, ${ahead}${way === 'packed' ? ', buffers used again' : ''}; no log`,
    open: () => openPostMessage({ way, valueBytes }),
  }
}

function piscina(recordsPerTask: number, valueBytes: number, records: number): ContenderSpec {
  const tasksInFlight = recordsPerTask === 1 ? 1_000 : 32
  return {
    id: `piscina-${recordsPerTask}`,
    title: recordsPerTask === 1 ? 'piscina, one task a record' : 'piscina, one task a 1,000 records',
    kind: 'peer',
    records,
    smallRecords: Math.min(records, 5_000),
    valueBytes,
    threads: 2,
    partitions: 0,
    setup: `main thread to a pool of one thread, ${tasksInFlight} tasks in flight; no log`,
    open: async () => {
      const { openPiscina } = await import('../peers/piscina-pool.ts')
      return openPiscina({ recordsPerTask, tasksInFlight, valueBytes })
    },
  }
}

function subject(fresh: boolean, valueBytes: number, records: number): ContenderSpec {
  return {
    id: fresh ? 'subject-fresh' : 'subject-same',
    title: fresh ? 'RxJS Subject, map + filter, a new object a record' : 'RxJS Subject, map + filter, the same object again',
    kind: 'peer',
    records,
    smallRecords: Math.min(records, 50_000),
    valueBytes,
    threads: 1,
    partitions: 0,
    setup: 'one thread, synchronous: nothing crosses a thread, nothing is kept',
    open: async () => {
      const { openSubject } = await import('../peers/subject.ts')
      return openSubject({ valueBytes, fresh })
    },
  }
}

const RATIO: Pick<TargetSpec, 'unit'> = { unit: 'ratio' }

function againstAeron(text: string, atLeast: number): TargetSpec {
  return { id: 'aeron', text, value: () => undefined, atLeast, notJudged: () => AERON_ABSENT, ...RATIO }
}

export const S1: CaseSpec = {
  id: 'S1',
  title: 'one producer → one partition → one reader, 100-byte values',
  measures:
    'From the first `offer` to the last record read: `offer` on one of the user’s threads → lane → leader → log memory → ' +
    '`batches()` with `cursor()` on another; first and last byte of every value summed.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS, ...LIMIT_METRICS, ...KAFKA_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 3,
  repetitions: 7,
  contenders: [
    road('cursor', 'millrace, cursor', 100, 'cursor', 8_000_000),
    road('record', 'millrace, record objects', 100, 'record', 4_000_000),
    limit(100, 3_000_000),
    postMessage('packed', 'postMessage, hand-packed 64 KiB buffers', 100, 8_000_000),
    postMessage('array', 'postMessage, arrays of 1,000 objects', 100, 400_000),
    postMessage('object', 'postMessage, one object a record', 100, 150_000),
    piscina(1_000, 100, 300_000),
    piscina(1, 100, 15_000),
    subject(true, 100, 500_000),
    subject(false, 100, 4_000_000),
    ...kafkaPeers(100, 400_000),
  ],
  targets: [
    { id: 'limit', text: 'cursor against the limit of this run', value: (view) => view.ratio('cursor', 'limit'), atLeast: 0.7, ...RATIO },
    {
      id: 'packed',
      text: 'cursor against hand-packed buffers',
      value: (view) => view.ratio('cursor', 'post-message-packed'),
      atLeast: 0.4,
      ...RATIO,
    },
    { id: 'record', text: 'record objects against the cursor', value: (view) => view.ratio('record', 'cursor'), atLeast: 0.5, ...RATIO },
    againstKafka('cursor against Kafka’s produce in the same run', 'cursor', 25),
    againstAeron('cursor against Aeron IPC’s messages in the same run', 1.2),
  ],
  skippedPeers: NOT_RUN,
}

export const S4: CaseSpec = {
  id: 'S4',
  title: `one producer → one partition → one reader, ${byteSize(1024)} values`,
  measures: 'S1 and S2 with values of 1,024 bytes.',
  metrics: { ...THROUGHPUT_METRICS, ...FILE_METRICS, ...ROAD_METRICS, ...LIMIT_METRICS, ...KAFKA_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: [
    road('cursor', 'millrace, cursor', 1_024, 'cursor', 1_500_000),
    fileRoadContender({ durability: 'cache', valueBytes: 1_024, records: 500_000 }),
    limit(1_024, 500_000),
    postMessage('packed', 'postMessage, hand-packed 64 KiB buffers', 1_024, 1_500_000),
    postMessage('array', 'postMessage, arrays of 1,000 objects', 1_024, 200_000),
    postMessage('object', 'postMessage, one object a record', 1_024, 100_000),
    ...kafkaPeers(1_024, 100_000),
  ],
  targets: [
    { id: 'limit', text: 'cursor against the limit of this run', value: (view) => view.ratio('cursor', 'limit'), atLeast: 0.7, ...RATIO },
    {
      id: 'packed',
      text: 'cursor against hand-packed buffers',
      value: (view) => view.ratio('cursor', 'post-message-packed'),
      atLeast: 0.4,
      ...RATIO,
    },
    againstKafka('cursor against Kafka at 1 KiB in the same run', 'cursor', 10),
    { ...againstKafka('`cache` against Kafka at 1 KiB in the same run', 'cache', 10), id: 'kafka-cache' },
    againstAeron('cursor against Aeron IPC at 1 KiB in the same run', 0.8),
  ],
  skippedPeers: NOT_RUN,
}
