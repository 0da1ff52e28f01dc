// The road through the public API: producers and readers in the user's own worker threads,
// attached by handle; brokers on threads of millrace; the main thread only opens and waits.
//
//   producer thread 0 ─lane─▶ ┐
//   producer thread 1 ─lane─▶ ├ broker ─▶ log memory ─▶ reader thread     one strand a reader
//   …                         ┘                             │
//        ▲────────── pacing: records read, one word ────────┘
//
// A strand is one topic with its producers and its readers, each of which reads all of it; S1 has
// one strand of one producer, the sweep one strand of several, scaling several strands, fan-out
// one strand of several readers.

import { openMillrace } from '../../src/index.ts'
import type { ConsumerOptions, EmbeddedMillrace, MillraceHandle, ProducerOptions, TopicConfigOptions } from '../../src/index.ts'
import { BenchThread, closeAll, readyThreads } from '../harness/bench-thread.ts'
import { throughput } from '../harness/bench-case.ts'
import type { Arrival, Measurement, Running } from '../harness/bench-case.ts'
import { allocatePacing, resetPacing } from '../harness/pacing.ts'
import { expectedSum, serdeOf } from './offering.ts'
import type { ChainSource } from '../chains/chain-reader.ts'
import type { Offering } from './offering.ts'
import type { Reading } from './reading.ts'
import type { Offered } from './road-producer.ts'
import type { Read } from './road-reader.ts'

export interface RoadOptions {
  readonly valueBytes: number
  readonly offering: Offering
  readonly reading: Reading
  /** Readers are chains of RxJS operators on this source; without it they walk batches. */
  readonly chain?: ChainSource
  /** Each with a topic of its own; brokers as many. */
  readonly strands: number
  /** Of the topic of a strand. */
  readonly partitions: number
  /** Producer threads a strand; each has a lane to the broker. */
  readonly lanes: number
  /** Reader threads a strand; each reads every record. */
  readonly readers: number
  readonly logMemoryBytes: number
  /** How far the producers of a strand may be ahead of its last reader, in bytes of values. */
  readonly windowBytes: number
  readonly producer: ProducerOptions
  readonly consumer: ConsumerOptions
  readonly topicConfig?: TopicConfigOptions
  /** Where its files are; without it there are none. */
  readonly dataDir?: string
}

/** The distance is looked at about this often. */
const BURST_BYTES = 32_768

interface Strand {
  readonly pacing: SharedArrayBuffer
  readonly producers: readonly BenchThread[]
  readonly readers: readonly BenchThread[]
}

export interface Road extends Running {
  readonly millrace: EmbeddedMillrace
  /** For a profiler: which worker is which. */
  readonly producerThreadIds: readonly number[]
  readonly readerThreadIds: readonly number[]
}

export async function openRoad(options: RoadOptions): Promise<Road> {
  const { strands: brokers, logMemoryBytes, dataDir } = options
  const millrace = await openMillrace({ brokers, logMemoryBytes, ...(dataDir === undefined ? {} : { dataDir }) })
  const strands: Strand[] = []
  try {
    for (let index = 0; index < options.strands; index++) {
      const topic = `road-${index}`
      await millrace.topic(topic, {
        partitions: options.partitions,
        value: serdeOf(options.offering),
        ...(options.topicConfig === undefined ? {} : { config: options.topicConfig }),
      })
      strands.push(openStrand(millrace.handle, topic, index, options))
    }
  } catch (error) {
    await closeAll([...threadsOf(strands).map((thread) => () => thread.close()), () => millrace.close()]).catch(() => {})
    throw error
  }
  const close = await readyThreads(millrace, threadsOf(strands))
  return {
    millrace,
    producerThreadIds: strands.flatMap((strand) => strand.producers.map((thread) => thread.threadId)),
    readerThreadIds: strands.flatMap((strand) => strand.readers.map((thread) => thread.threadId)),
    run: (records) => runRoad(strands, records, options),
    close,
  }
}

function threadsOf(strands: readonly Strand[]): BenchThread[] {
  return strands.flatMap((strand) => [...strand.producers, ...strand.readers])
}

function openStrand(handle: MillraceHandle, topic: string, index: number, options: RoadOptions): Strand {
  const pacing = allocatePacing()
  const producers = Array.from({ length: options.lanes }, (_, producer) => {
    const workerData = {
      handle,
      topic,
      valueBytes: options.valueBytes,
      options: options.producer,
      pacing,
      producer,
      producers: options.lanes,
      windowRecords: Math.max(2 * options.lanes, Math.floor(options.windowBytes / options.valueBytes)),
      burstRecords: Math.max(1, Math.floor(BURST_BYTES / options.valueBytes)),
      offering: options.offering,
      partitions: options.partitions,
    }
    return new BenchThread(`producer-${index}-${producer}`, new URL('./road-producer.ts', import.meta.url), { workerData })
  })
  const readers = Array.from({ length: options.readers }, (_, reader) => {
    const { offering, reading, chain, partitions, consumer, readers: count } = options
    const workerData = { handle, topic, offering, reading, chain, options: consumer, pacing, partitions, reader, readers: count }
    const module = chain === undefined ? './road-reader.ts' : '../chains/chain-reader.ts'
    return new BenchThread(`reader-${index}-${reader}`, new URL(module, import.meta.url), { workerData })
  })
  return { pacing, producers, readers }
}

/** One repetition: the records are shared out among strands, and among the producers of each. */
async function runRoad(strands: readonly Strand[], records: number, options: RoadOptions): Promise<Measurement> {
  const { offering, readers, valueBytes } = options
  const shares = shareOut(records, strands.length)
  await Promise.all(
    strands.flatMap((strand, index) => {
      resetPacing(strand.pacing)
      return strand.readers.map((reader) => reader.ask('expect', { records: shares[index] }))
    }),
  )
  const before = process.cpuUsage()
  const offers: Promise<Offered>[] = []
  let expected = 0
  for (const [index, strand] of strands.entries()) {
    for (const [producer, share] of shareOut(shares[index]!, strand.producers.length).entries()) {
      offers.push(strand.producers[producer]!.ask<Offered>('run', { first: 0, records: share }))
      expected += expectedSum(offering, share) * readers
    }
  }
  const [offered, read] = await Promise.all([
    Promise.all(offers),
    Promise.all(strands.flatMap((strand) => strand.readers.map((reader) => reader.ask<Read>('result', null)))),
  ])
  const cpu = process.cpuUsage(before)
  const startSeconds = Math.min(...offered.map((one) => one.startSeconds))
  const endSeconds = Math.max(...read.map((one) => one.endSeconds))
  const missed = sum(read.map((one) => one.missed))
  const arrival: Arrival = {
    records: sum(read.map((one) => one.records)),
    checksum: sum(read.map((one) => one.checksum)),
    expectedRecords: records * readers,
    expectedChecksum: expected,
  }
  if (missed !== 0) throw new Error(`no result: ${missed} offsets were missed`)
  return throughput(arrival, records * valueBytes, endSeconds - startSeconds, {
    values: {
      cpuNs: ((cpu.user + cpu.system) * 1_000) / records,
      paceWaits: sum(offered.map((one) => one.paceWaits)),
      drainWaits: sum(offered.map((one) => one.drainWaits)),
    },
    detail: {
      readBatches: sum(read.map((one) => one.batches)),
      lastAckSeconds: Math.max(...offered.map((one) => one.endSeconds)) - startSeconds,
    },
  })
}

export function shareOut(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, part) => Math.floor((total * (part + 1)) / parts) - Math.floor((total * part) / parts))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
