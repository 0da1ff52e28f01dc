// What the throughput cases share: memory, distance and batch size, so that their figures can
// be laid side by side.

import type { ContenderSpec } from '../harness/bench-case.ts'
import type { RoadOptions } from '../road/road.ts'

const MIB = 1 << 20

export const LOG_MEMORY_BYTES = 256 * MIB
/** How far producers may be ahead of the reader: far below what log memory keeps. */
export const WINDOW_BYTES = 8 * MIB
export const BATCH_BYTES = 65_536

export function roadOptions(more: Partial<RoadOptions> & Pick<RoadOptions, 'valueBytes'>): RoadOptions {
  return {
    offering: 'plain',
    reading: 'cursor',
    strands: 1,
    partitions: 1,
    lanes: 1,
    readers: 1,
    logMemoryBytes: LOG_MEMORY_BYTES,
    windowBytes: WINDOW_BYTES,
    producer: { batchSize: BATCH_BYTES },
    consumer: {},
    ...more,
  }
}

export const ROAD_SETUP =
  'memory durability, log memory 256 MiB, batches of 64 KiB, producer at most 8 MiB ahead of the reader (waiting included), 0 missed'

/** A contender that is a road: what it says of itself follows from how the road is set up. */
export function roadContender(
  about: Pick<ContenderSpec, 'id' | 'title' | 'records' | 'smallRecords'> & Partial<Pick<ContenderSpec, 'setup' | 'cell'>>,
  more: Partial<RoadOptions> & Pick<RoadOptions, 'valueBytes'>,
): ContenderSpec {
  const options = roadOptions(more)
  const { strands, lanes, readers, partitions, valueBytes } = options
  return {
    kind: 'millrace',
    valueBytes,
    threads: strands * (lanes + 1 + readers),
    partitions: strands * partitions,
    setup: ROAD_SETUP,
    ...about,
    open: async () => {
      const { openRoad } = await import('../road/road.ts')
      return openRoad(options)
    },
  }
}
