// C2: very many partitions, in a fresh process each time.

import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import type { Filled, FillOptions } from './create-and-fill.ts'

export const MANY_PARTITIONS_METRICS = {
  totalMs: { title: 'create, produce one record to each, consume', unit: 'ms', better: 'lower' },
  createMs: { title: 'of that: create', unit: 'ms', better: 'lower' },
  produceMs: { title: 'of that: produce and flush', unit: 'ms', better: 'lower' },
  consumeMs: { title: 'of that: consume', unit: 'ms', better: 'lower' },
  emptyBytes: { title: 'resident before the first record, a partition', unit: 'size', better: 'lower' },
  emptyArenaBytes: { title: 'of that: log memory', unit: 'size', better: 'lower' },
  filledBytes: { title: 'resident with one record in each, beside log memory, a partition', unit: 'size', better: 'lower' },
  extentBytes: { title: 'log memory resident then, a partition', unit: 'size', better: 'lower' },
} as const satisfies Record<string, Metric>

export interface ManyPartitionsOptions {
  readonly partitionsPerTopic: number
  readonly valueBytes: number
  readonly logMemoryBytes: number
}

/** A record a partition: `records` is the number of partitions. */
export async function openManyPartitions(options: ManyPartitionsOptions, context: OpenContext): Promise<Running> {
  return {
    async run(records: number): Promise<Measurement> {
      const partitions = Math.min(records, options.partitionsPerTopic)
      const topics = records / partitions
      const fill: FillOptions = { topics, partitions, valueBytes: options.valueBytes, logMemoryBytes: options.logMemoryBytes }
      const startSeconds = monotonicSeconds()
      const child = runChild(new URL('./create-and-fill.ts', import.meta.url), {
        args: [JSON.stringify(fill)],
        signal: context.signal,
        timeoutMs: 120_000,
      })
      const { createMs, produceMs, consumeMs, opened, created, filled, ...arrived } = await child.json<Filled>()
      await child.ended()
      const each = (bytes: number): number => Math.max(0, Math.round(bytes / records))
      return {
        arrival: { ...arrived, expectedRecords: records, expectedChecksum: expectedChecksum(records) },
        bytes: records * options.valueBytes,
        seconds: monotonicSeconds() - startSeconds,
        values: {
          totalMs: createMs + produceMs + consumeMs,
          createMs,
          produceMs,
          consumeMs,
          emptyBytes: each(created.totalBytes - opened.totalBytes),
          emptyArenaBytes: each(created.arenaBytes - opened.arenaBytes),
          filledBytes: each(filled.totalBytes - filled.arenaBytes - (opened.totalBytes - opened.arenaBytes)),
          extentBytes: each(filled.arenaBytes - opened.arenaBytes),
        },
      }
    },
    close: async () => {},
  }
}
