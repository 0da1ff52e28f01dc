// Log memory for thousands of small worlds, one after the other: to map and to clear 16 MiB for
// each takes as long as all that it does.

import { allocateLogMemory } from '../../src/log/log-memory.ts'
import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import { PARTITIONS_MAX } from '../../src/log/log-memory-layout.ts'

const MIB = 1024 * 1024

export class ReusedLogMemory {
  readonly #partitionsMax: number
  readonly #buffers: LogMemoryBuffers

  /** As the LogFixture has it. */
  constructor({ logMemoryBytes = 16 * MIB, partitionsMax = 64 } = {}) {
    this.#partitionsMax = partitionsMax
    this.#buffers = allocateLogMemory({ logMemoryBytes, partitionsMax })
  }

  /** Memory in which nothing is allocated; whoever had it before is gone. Its extents hold what was in them, as extents do that are given again. */
  empty(): LogMemoryBuffers {
    const { extents, blocks, partitions } = this.#buffers
    for (const table of [extents, blocks, partitions]) new Uint8Array(table).fill(0)
    new Int32Array(partitions)[PARTITIONS_MAX] = this.#partitionsMax
    return this.#buffers
  }
}
