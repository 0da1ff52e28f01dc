// The segments of a Kafka broker's log directory.

import { batchSizeInBytes, maxTimestamp, nextOffset } from '../../src/record/record-batch.ts'
import { readGoldenLogDir } from '../protocol/golden-log-dir.ts'
import { readReference } from '../protocol/schema-facts.ts'

/** Undefined where the archive is not there. */
export const goldenFiles: ReadonlyMap<string, Uint8Array> | undefined = readGoldenLogDir()
/** Those of the same broker before, when it was killed. */
export const filesAfterKill: ReadonlyMap<string, Uint8Array> | undefined = readGoldenLogDir('after-kill')

export interface GoldenBatch {
  readonly position: number
  readonly sizeInBytes: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
}

export interface GoldenSegment {
  /** `access-0/00000000000000004059`. */
  readonly name: string
  readonly partition: string
  readonly baseOffset: number
  readonly log: Uint8Array
  readonly index: Uint8Array
  readonly timeIndex: Uint8Array
  readonly batches: readonly GoldenBatch[]
}

export function batchesOf(log: Uint8Array): GoldenBatch[] {
  const batches: GoldenBatch[] = []
  for (let position = 0; position < log.length; position += batchSizeInBytes(log, position)) {
    const sizeInBytes = batchSizeInBytes(log, position)
    batches.push({ position, sizeInBytes, lastOffset: nextOffset(log, position) - 1, maxTimestampMs: maxTimestamp(log, position) })
  }
  return batches
}

export function goldenSegments(files: ReadonlyMap<string, Uint8Array> = goldenFiles ?? new Map<string, Uint8Array>()): GoldenSegment[] {
  const logs = [...files].filter(([path]) => path.endsWith('.log'))
  return logs.map(([path, log]) => {
    const name = path.slice(0, -'.log'.length)
    const [partition, base] = name.split('/') as [string, string]
    const index = files.get(`${name}.index`)!
    const timeIndex = files.get(`${name}.timeindex`)!
    return { name, partition, baseOffset: Number(base), log, index, timeIndex, batches: batchesOf(log) }
  })
}

/** Last offset and position of each batch, as Kafka's dump has them; undefined for a partition that it leaves out. */
export function dumpedBatches({ name, partition }: GoldenSegment): { lastOffset: number; position: number }[] | undefined {
  const section = dumpSections(partition).find((part) => part.startsWith(`${name}.log\n`))
  if (section === undefined) return undefined
  const lines = section.matchAll(/^baseOffset: \d+ lastOffset: (\d+) .* position: (\d+) /gm)
  return [...lines].map(([, lastOffset, position]) => ({ lastOffset: Number(lastOffset), position: Number(position) }))
}

/** What Kafka's dump says of each segment of a partition. */
export function dumpSections(partition: string): string[] {
  const dump = readReference('golden/kafka-log-dir-clean.dump.txt.gz') ?? ''
  return dump.split('\nDumping ').filter((part) => part.startsWith(`${partition}/`))
}
