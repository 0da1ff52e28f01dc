// Entry of a pool's thread that compresses batches: a whole batch in, the same one compressed out. Both are moved.

import { movingPoolTask } from '../actor/worker-pool.ts'
import { compressBatch } from '../record/batch-compression.ts'
import type { CompressionTask } from './compression-task.ts'

// The CRC comes when the batch leaves its producer, with who sends it.
export const compressTask = movingPoolTask(({ bytes, type, level }: CompressionTask) =>
  compressBatch(bytes, 0, bytes.length, { type, level }, { withCrc: false }),
)
