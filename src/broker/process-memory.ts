// All the memory that the threads of one millrace share: what a handle carries.
// Only SharedArrayBuffers and numbers, so it can be cloned to any thread.

import { Bells } from '../bells.ts'
import { allocateLogMemory } from '../log/log-memory.ts'
import type { LogMemoryBuffers } from '../log/log-memory.ts'
import { BrokerTable } from './broker-table.ts'

export interface ProcessMemory {
  readonly bells: SharedArrayBuffer
  readonly brokers: SharedArrayBuffer
  readonly log: LogMemoryBuffers
  /** Tells this open millrace from others, earlier ones on the same data directory too: 32 random bits. */
  readonly processId: number
}

export function allocateProcessMemory(options: { logMemoryBytes: number; partitionsMax: number }, processId = 0): ProcessMemory {
  return { bells: Bells.allocate(), brokers: BrokerTable.allocate(), log: allocateLogMemory(options), processId }
}
