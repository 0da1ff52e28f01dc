// S2 and S3: S1's road with files. A repetition has a directory of its own; beside it what the same
// machine does when a thread does nothing but append as many bytes to a file.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, CaseView, ContenderSpec } from '../harness/bench-case.ts'
import { noDisk } from '../harness/data-directory.ts'
import { byteSize, count } from '../harness/format.ts'
import { FILE_METRICS } from '../durability/durability-metrics.ts'
import type { Durability } from '../durability/file-road.ts'
import { KAFKA_METRICS } from '../peers/kafka-address.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { againstKafka, kafkaPeers } from './kafka-peers.ts'
import { BATCH_BYTES, LOG_MEMORY_BYTES, roadContender, roadOptions, WINDOW_BYTES } from './road-settings.ts'
import { batchBytes } from './sweep-case.ts'

const MIB = 1 << 20
const VALUE_BYTES = 100
const SMALL_RECORDS = 20_000
/** What the I/O thread copies out of log memory and writes at once, and how much it leaves unsynced. */
const CHUNK_BYTES = 512 * 1_024
const SYNC_AHEAD_BYTES = 24 * MIB
/** More than a repetition writes, its warm-up and what warms the page cache included. */
const DISK_BYTES = 6 * (1 << 30)
/** Partitions from which on batches are not filled within the usual distance. */
const WIDE_FROM_PARTITIONS = 100
const WIDE_WINDOW_BYTES = 48 * MIB
const WIDE_LOG_MEMORY_BYTES = 512 * MIB

/** Of a record in the files, its part of its batch's header included. */
function logBytesPerRecord(valueBytes: number): number {
  const records = Math.floor(BATCH_BYTES / (valueBytes + 16))
  return batchBytes(records, valueBytes) / records
}

export interface FileRoad {
  readonly durability: Durability
  readonly valueBytes: number
  readonly records: number
  readonly partitions?: number
}

export function fileRoadContender({ durability, valueBytes, records, partitions = 1 }: FileRoad): ContenderSpec {
  const isWide = partitions >= WIDE_FROM_PARTITIONS
  const windowBytes = isWide ? WIDE_WINDOW_BYTES : WINDOW_BYTES
  const logMemoryBytes = isWide ? WIDE_LOG_MEMORY_BYTES : LOG_MEMORY_BYTES
  const options = roadOptions({
    valueBytes,
    partitions,
    windowBytes,
    logMemoryBytes,
    offering: partitions === 1 ? 'plain' : 'round-robin',
    producer: { batchSize: BATCH_BYTES, bufferMemory: 64 * MIB },
  })
  const where = partitions === 1 ? '' : `, ${count(partitions)} partitions round-robin`
  const setup =
    `${durability} durability${where}, a new directory each time, pages touched before, warmed up by half as many records in it; ` +
    `log memory ${byteSize(logMemoryBytes)}, batches of at most 64 KiB, ` +
    `producer at most ${byteSize(windowBytes)} ahead of the reader (waiting included), 0 missed`
  const road = roadContender(
    {
      id: partitions === 1 ? durability : `${durability}-${partitions}`,
      title: `millrace, ${durability}${partitions === 1 ? '' : `, ${count(partitions)} partitions`}`,
      records,
      smallRecords: SMALL_RECORDS,
      setup,
    },
    options,
  )
  return {
    ...road,
    threads: road.threads + 1,
    startsAnew: true,
    skip: ({ small }) => noDisk(small ? 0 : DISK_BYTES),
    open: async () => {
      const { openFileRoad } = await import('../durability/file-road.ts')
      return openFileRoad(options, durability, logBytesPerRecord(valueBytes))
    },
  }
}

function rawAppend(id: string, title: string, syncEveryBytes: number, records: number): ContenderSpec {
  const synced = syncEveryBytes === 0 ? 'never synced' : `fdatasync every ${byteSize(syncEveryBytes)}`
  return {
    id,
    title,
    kind: 'limit',
    records,
    smallRecords: SMALL_RECORDS,
    valueBytes: VALUE_BYTES,
    threads: 1,
    partitions: 0,
    setup: `a thread that only writes as many bytes to a new file, ${byteSize(CHUNK_BYTES)} a call, ${synced}; pages touched before`,
    skip: ({ small }) => noDisk(small ? 0 : DISK_BYTES),
    open: async () => {
      const { openRawAppend } = await import('../durability/raw-append.ts')
      const bytes = logBytesPerRecord(VALUE_BYTES)
      return openRawAppend({ logBytesPerRecord: bytes, valueBytes: VALUE_BYTES, chunkBytes: CHUNK_BYTES, syncEveryBytes })
    },
  }
}

const s1 = (records: number): ContenderSpec =>
  roadContender({ id: 's1', title: 'S1: millrace, memory', records, smallRecords: SMALL_RECORDS }, { valueBytes: VALUE_BYTES })

/** Against the slower of two. */
function againstLesser(view: CaseView, ours: string, ...theirs: readonly string[]): number | undefined {
  const ratios = theirs.map((one) => view.ratio(ours, one)).filter((ratio) => ratio !== undefined)
  return ratios.length < theirs.length ? undefined : Math.max(...ratios)
}

const METRICS = { ...THROUGHPUT_METRICS, ...FILE_METRICS, ...ROAD_METRICS, ...KAFKA_METRICS }

export const S2: CaseSpec = {
  id: 'S2',
  title: 'S1 with `cache` durability: written to files before the acknowledgement',
  measures: 'S1 with a data directory: no record is acknowledged, or read, before it is written to its segment file.',
  metrics: METRICS,
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: [
    fileRoadContender({ durability: 'cache', valueBytes: VALUE_BYTES, records: 5_000_000 }),
    s1(5_000_000),
    rawAppend('raw', 'raw append', 0, 5_000_000),
    rawAppend('raw-synced', 'raw append, synced as ours is', SYNC_AHEAD_BYTES, 5_000_000),
    ...kafkaPeers(VALUE_BYTES, 400_000),
  ],
  targets: [
    {
      id: 'lesser',
      text: '`cache` against the lesser of S1 and a raw append',
      value: (view) => againstLesser(view, 'cache', 's1', 'raw'),
      atLeast: 0.6,
      unit: 'ratio',
    },
    againstKafka('`cache` against Kafka’s produce in the same run', 'cache', 10),
  ],
}

const WITH_DISK = [1, 12, 1_000] as const

export const S3: CaseSpec = {
  id: 'S3',
  title: 'S1 with `disk` durability: synced before the acknowledgement',
  measures:
    'S1 with a data directory: no record is acknowledged, or read, before its file is synced, one sync for all batches that wait. ' +
    'With 1, 12 and 1,000 partitions, each with files of its own.',
  metrics: METRICS,
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    ...WITH_DISK.map((partitions) =>
      fileRoadContender({ durability: 'disk', valueBytes: VALUE_BYTES, records: partitions < 1_000 ? 2_000_000 : 1_000_000, partitions }),
    ),
    rawAppend('raw-synced', 'raw append, each chunk synced', CHUNK_BYTES, 2_000_000),
    ...kafkaPeers(VALUE_BYTES, 400_000),
  ],
  targets: [1, 12].map((partitions) => {
    const ours = partitions === 1 ? 'disk' : `disk-${partitions}`
    const target = againstKafka(
      `\`disk\`, ${partitions === 1 ? '1 partition' : `${partitions} partitions`}, against Kafka’s produce without fsync`,
      ours,
      3,
    )
    return { ...target, id: `kafka-${partitions}` }
  }),
}
