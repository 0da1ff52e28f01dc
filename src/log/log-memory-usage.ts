// How much of log memory is used (Kafka: DescribeLogDirs, of files). Any thread, when
// somebody asks: it reads shared words, and no broker hears of it.
// Holds: the words move while they are read, so sums are those of about this moment.

import type { LogMemory } from './log-memory.ts'
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_OWNER,
  BLOCK_ROW_WORDS,
  BLOCK_TOUCHED,
  GRANULE_BYTES,
  RETENTION_PINNED,
} from './log-memory-layout.ts'

export interface LogMemoryUsage {
  /** The arena, as millrace was opened with. */
  readonly totalBytes: number
  /** Of its blocks: those that brokers own. */
  readonly claimedBytes: number
  /** What the process keeps in physical memory: touched once, it stays. */
  readonly residentBytes: number
  /** Extents of partitions. */
  readonly heldBytes: number
  /** Of these: of partitions that keep everything, which may be half the arena. */
  readonly pinnedBytes: number
  /** By broker id: blocks that it owns. */
  readonly claimedBytesByBroker: ReadonlyMap<number, number>
}

export function logMemoryUsage(memory: LogMemory): LogMemoryUsage {
  const claimed = new Map<number, number>()
  let claimedBytes = 0
  let residentGranules = 0
  for (let block = 0; block < memory.blockCount; block++) {
    const row = BLOCK_HEADER_BYTES / 4 + block * BLOCK_ROW_WORDS
    residentGranules += Atomics.load(memory.blockWords, row + BLOCK_TOUCHED)
    const owner = Atomics.load(memory.blockWords, row + BLOCK_OWNER)
    if (owner === 0) continue
    const brokerId = (owner & 0xff) - 1
    claimed.set(brokerId, (claimed.get(brokerId) ?? 0) + BLOCK_BYTES)
    claimedBytes += BLOCK_BYTES
  }
  let heldGranules = 0
  let pinnedGranules = 0
  for (let slot = 0; slot < memory.slotsHigh; slot++) {
    const holdings = memory.holdings(slot)
    heldGranules += holdings >> 2
    if ((holdings & 3) === RETENTION_PINNED) pinnedGranules += holdings >> 2
  }
  return {
    totalBytes: memory.granuleCount * GRANULE_BYTES,
    claimedBytes,
    residentBytes: residentGranules * GRANULE_BYTES,
    heldBytes: heldGranules * GRANULE_BYTES,
    pinnedBytes: pinnedGranules * GRANULE_BYTES,
    claimedBytesByBroker: claimed,
  }
}
