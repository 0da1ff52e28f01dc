// S16: the access log through a topic with each codec, beside the codec alone.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import { noLogLines } from '../road/log-lines.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { BATCH_BYTES, ROAD_SETUP, roadContender, roadOptions } from './road-settings.ts'

const RECORDS = 200_000
const SMALL_RECORDS = 20_000
/** Of a line of the access log, on average. */
const LINE_BYTES = 236
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
type CodecName = (typeof CODECS)[number]

function road(compressionType: CodecName): ContenderSpec {
  return {
    ...roadContender(
      {
        id: compressionType,
        title: compressionType === 'none' ? 'not compressed, through a topic' : `${compressionType} through a topic`,
        records: RECORDS,
        smallRecords: SMALL_RECORDS,
        setup: `lines of the access log, compressed on the producer's thread, decompressed on the reader's; ${ROAD_SETUP}`,
      },
      {
        ...roadOptions({ valueBytes: LINE_BYTES }),
        offering: 'line',
        producer: { batchSize: BATCH_BYTES, compressionType },
      },
    ),
    skip: noLogLines,
  }
}

function alone(name: CodecName): ContenderSpec {
  return {
    id: `${name}-alone`,
    title: `${name} alone`,
    kind: 'limit',
    records: RECORDS,
    smallRecords: SMALL_RECORDS,
    valueBytes: LINE_BYTES,
    threads: 1,
    partitions: 0,
    setup: 'batches of 64 KiB of the same lines, compressed and decompressed at the default level, on one thread',
    skip: noLogLines,
    open: async () => {
      const { openCodecAlone } = await import('../compression/codec-alone.ts')
      return openCodecAlone(CODECS.indexOf(name), BATCH_BYTES)
    },
  }
}

export const S16: CaseSpec = {
  id: 'S16',
  title: 'the access log, compressed',
  measures:
    'S1 with the lines of the access log and each codec at its default level. Beside it the codec alone, with its ratio. ' +
    "No broker compresses: a batch is compressed where it is made. Kafka's own figure is not taken.",
  metrics: {
    ...THROUGHPUT_METRICS,
    ...ROAD_METRICS,
    ratio: { title: 'ratio', unit: '', better: 'higher' },
    compressedBytesPerSecond: { title: 'compressed', unit: 'B/s', better: 'higher' },
    decompressedBytesPerSecond: { title: 'decompressed', unit: 'B/s', better: 'higher' },
  },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 5,
  contenders: CODECS.flatMap((name) => (name === 'none' ? [road(name)] : [road(name), alone(name)])),
  targets: [],
}
