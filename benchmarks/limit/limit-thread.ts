// Worker: measures each stage alone, with the repository's own functions and with raw loops.
// Nothing else works meanwhile; what it walks is counted and summed like on the road.

import { workerData } from 'node:worker_threads'
import { patternValue } from '../harness/record-pattern.ts'
import { serve } from '../harness/thread-server.ts'
import { OwnStages } from './own-stages.ts'
import { RawStages } from './raw-stages.ts'
import type { StageResult } from './raw-stages.ts'

export interface LimitData {
  readonly valueBytes: number
  readonly batchBytes: number
  readonly logMemoryBytes: number
}

export interface LimitResult {
  readonly own: StageResult
  readonly raw: StageResult
}

/** A lane of its usual size holds so many batches of 64 KiB. */
const CHUNK_BATCHES = 7

const { valueBytes, batchBytes, logMemoryBytes } = workerData as LimitData
const value = patternValue(valueBytes)
const own = new OwnStages({ batchBytes, chunkBatches: CHUNK_BATCHES, logMemoryBytes })
const raw = new RawStages({ batchBytes, chunkBatches: CHUNK_BATCHES, arenaBytes: logMemoryBytes })

serve({
  measure: ({ records }: { records: number }): LimitResult => ({ own: own.run(records, value), raw: raw.run(records, value) }),
})
