// Compresses batches on threads of a pool, so that an attached thread is not blocked for as long as
// a large one takes (256 KiB: 2 ms with snappy, lz4 and zstd, 25 ms with gzip). One an attached
// thread; its pool is made when the first batch comes.
// Holds: a pool that fails once is not asked again, and that is said once: whoever asks compresses
// by itself from then on. After `close` no thread is left.

import type { WorkerPool } from '../actor/worker-pool.ts'
import { compressionPool } from './compression-pool.ts'
import type { CompressionTask } from './compression-task.ts'

/** What is asked of the pool. */
export type CompressionPool = Pick<WorkerPool<CompressionTask, Uint8Array<ArrayBuffer>>, 'run' | 'close'>

export class BatchCompressor {
  readonly #startPool: () => CompressionPool
  #pool: CompressionPool | undefined
  #isOver = false

  constructor(startPool: () => CompressionPool = compressionPool) {
    this.#startPool = startPool
  }

  /** Whether there is a pool to ask. */
  get isUsable(): boolean {
    return !this.#isOver
  }

  /** The batch compressed, in memory of its own, its CRC 0; undefined: nobody does it for you. Never rejects. */
  async compress(task: CompressionTask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#isOver) return undefined
    try {
      this.#pool ??= this.#startPool()
      return await this.#pool.run(task, [task.bytes.buffer])
    } catch (error) {
      this.#giveUp(error)
      return undefined
    }
  }

  /** Ends the threads; what they were about to answer is answered by undefined. */
  close(): void {
    this.#isOver = true
    // One that never started has nothing to close.
    this.#pool?.close().catch(() => undefined)
  }

  #giveUp(error: unknown): void {
    if (this.#isOver) return
    this.close()
    const reason = error instanceof Error ? error.message : String(error)
    const message =
      `batches cannot be compressed on threads of their own (${reason}): from now on each is compressed on the thread of its producer. ` +
      'In a program that is bundled, leave millrace and piscina out of the bundle'
    process.emitWarning(message, 'MillraceWarning')
  }
}
