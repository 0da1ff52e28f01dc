// D1: how long a record takes from the call of `send` until its acknowledgement, at a rate that leaves every thread idle
// between two records, by the durability of its topic. Everything else is as millrace has it by default.

import { bytes, openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import { BenchThread, readyThreads } from '../harness/bench-thread.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { logFileBytes, temporaryDirectory } from '../harness/data-directory.ts'
import { latencyMeasurement } from '../latency/latency-metrics.ts'
import type { AckThreadData, Acked } from './ack-latency-thread.ts'
import type { Durability } from './file-road.ts'

export interface AckLatencyOptions {
  readonly durability: Durability
  readonly valueBytes: number
  readonly recordsPerSecond: number
}

export async function openAckLatency(options: AckLatencyOptions): Promise<Running> {
  const directory = temporaryDirectory()
  try {
    const millrace = await openMillrace({ dataDir: directory.path })
    const { thread, close } = await openThread(millrace, options)
    const run = (records: number): Promise<Measurement> => measure(thread, directory.path, records, options)
    return { run, close: () => close().finally(() => directory.remove()) }
  } catch (error) {
    directory.remove()
    throw error
  }
}

/** The thread that sends and what closes it and the millrace; when it does not become ready, both are closed at once. */
async function openThread(millrace: EmbeddedMillrace, { durability, valueBytes }: AckLatencyOptions) {
  const topic = 'acknowledged'
  try {
    await millrace.topic(topic, { partitions: 1, value: bytes(), config: { 'millrace.durability': durability } })
  } catch (error) {
    await millrace.close()
    throw error
  }
  const workerData: AckThreadData = { handle: millrace.handle, topic, valueBytes }
  const thread = new BenchThread('sending', new URL('./ack-latency-thread.ts', import.meta.url), { workerData })
  return { thread, close: await readyThreads(millrace, [thread]) }
}

async function measure(thread: BenchThread, path: string, records: number, options: AckLatencyOptions): Promise<Measurement> {
  const { durability, valueBytes, recordsPerSecond } = options
  const before = logFileBytes(path)
  const { seconds, ...latencies } = await thread.ask<Acked>('run', { records, recordsPerSecond })
  const writtenBytes = logFileBytes(path) - before
  if (durability !== 'memory' && writtenBytes < records * valueBytes) throw new Error(`no result: ${writtenBytes} bytes are in the files`)
  return latencyMeasurement(latencies, records, valueBytes, seconds)
}
