// The log memory of a process, as any of its threads sees it: four SharedArrayBuffers
// of fixed size and the views over them. See log-memory-layout.ts for the bytes.
// Holds: it belongs to the process; a thread that dies takes nothing of it away.

import { assert } from '../assert.ts'
import type { ThreadId } from '../ids.ts'
import { threadId } from '../ids.ts'
import { ExtentTable } from './extent-table.ts'
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_ROW_BYTES,
  CONTROL_BYTES,
  EXTENT_ROW_BYTES,
  GRANULE_BYTES,
  IO_THREAD,
  LOG_MEMORY_BYTES_DEFAULT,
  LOG_MEMORY_BYTES_MIN,
  PARTITION_HEADER_BYTES,
  PARTITIONS_MAX,
  PARTITIONS_MAX_DEFAULT,
  RETENTION_PINNED,
  SLOTS_HIGH,
  WRITTEN_BROKERS,
} from './log-memory-layout.ts'
import { SlotBits } from './slot-bits.ts'

/** What travels in a handle: clone it to any thread. */
export interface LogMemoryBuffers {
  readonly arena: SharedArrayBuffer
  readonly extents: SharedArrayBuffer
  readonly blocks: SharedArrayBuffer
  readonly partitions: SharedArrayBuffer
}

export interface LogMemoryOptions {
  /** A multiple of 8 MiB, at least 16 MiB; 256 MiB unless said. */
  readonly logMemoryBytes?: number
  /** How many replicas may exist at a time; 32,768 unless said. */
  readonly partitionsMax?: number
}

export function allocateLogMemory(options: LogMemoryOptions = {}): LogMemoryBuffers {
  const logMemoryBytes = options.logMemoryBytes ?? LOG_MEMORY_BYTES_DEFAULT
  const partitionsMax = options.partitionsMax ?? PARTITIONS_MAX_DEFAULT
  assert(Number.isSafeInteger(logMemoryBytes) && logMemoryBytes % BLOCK_BYTES === 0, 'log memory is a whole number of 8 MiB blocks')
  assert(logMemoryBytes >= LOG_MEMORY_BYTES_MIN, 'log memory has at least two blocks')
  assert(Number.isSafeInteger(partitionsMax) && partitionsMax > 0, 'there is room for at least one partition')
  const partitions = new SharedArrayBuffer(controlBlocksAt(partitionsMax) + partitionsMax * CONTROL_BYTES)
  new Int32Array(partitions)[PARTITIONS_MAX] = partitionsMax
  return {
    arena: new SharedArrayBuffer(logMemoryBytes),
    extents: new SharedArrayBuffer((logMemoryBytes / GRANULE_BYTES) * EXTENT_ROW_BYTES),
    blocks: new SharedArrayBuffer(BLOCK_HEADER_BYTES + (logMemoryBytes / BLOCK_BYTES) * BLOCK_ROW_BYTES),
    partitions,
  }
}

export class LogMemory {
  readonly buffers: LogMemoryBuffers
  readonly arena: Uint8Array<SharedArrayBuffer>
  /** The arena again, for the entries of offset indexes. */
  readonly arenaWords: Int32Array<SharedArrayBuffer>
  readonly arenaFloats: Float64Array<SharedArrayBuffer>
  readonly extents: ExtentTable
  readonly blockWords: Int32Array<SharedArrayBuffer>
  readonly blockFloats: Float64Array<SharedArrayBuffer>
  readonly partitionWords: Int32Array<SharedArrayBuffer>
  readonly partitionLongs: BigInt64Array<SharedArrayBuffer>
  readonly granuleCount: number
  readonly blockCount: number
  readonly partitionsMax: number
  /** Index of the first word of the table of holdings. */
  readonly holdingsAt: number
  /** Index of the first word of the bitmap of partitions that are asked to trim. */
  readonly trimWantedAt: number
  /** Partitions of which there is something to write to files, or to delete there. */
  readonly writeWanted: SlotBits
  /** Partitions of which something was written to files since their leader last looked. */
  readonly written: SlotBits
  /** Byte position of the first control block. */
  readonly controlBlocksAt: number

  constructor(buffers: LogMemoryBuffers) {
    this.buffers = buffers
    this.arena = new Uint8Array(buffers.arena)
    this.arenaWords = new Int32Array(buffers.arena)
    this.arenaFloats = new Float64Array(buffers.arena)
    this.extents = new ExtentTable(buffers.extents)
    this.blockWords = new Int32Array(buffers.blocks)
    this.blockFloats = new Float64Array(buffers.blocks)
    this.partitionWords = new Int32Array(buffers.partitions)
    this.partitionLongs = new BigInt64Array(buffers.partitions)
    this.granuleCount = buffers.arena.byteLength / GRANULE_BYTES
    this.blockCount = buffers.arena.byteLength / BLOCK_BYTES
    this.partitionsMax = this.partitionWords[PARTITIONS_MAX]!
    this.holdingsAt = PARTITION_HEADER_BYTES / 4
    this.trimWantedAt = bitmapBytesAt(this.partitionsMax, 0) / 4
    this.writeWanted = new SlotBits(this.partitionWords, bitmapBytesAt(this.partitionsMax, 1) / 4)
    this.written = new SlotBits(this.partitionWords, bitmapBytesAt(this.partitionsMax, 2) / 4)
    this.controlBlocksAt = controlBlocksAt(this.partitionsMax)
  }

  /** One past the highest slot ever used: how far tables of partitions must be looked through. */
  get slotsHigh(): number {
    return Atomics.load(this.partitionWords, SLOTS_HIGH)
  }

  /** The thread that writes logs to files; undefined while there is none. */
  get ioThread(): ThreadId | undefined {
    const thread = Atomics.load(this.partitionWords, IO_THREAD)
    return thread === 0 ? undefined : threadId(thread - 1)
  }

  /** Undefined: it has ended. */
  setIoThread(thread: ThreadId | undefined): void {
    Atomics.store(this.partitionWords, IO_THREAD, thread === undefined ? 0 : thread + 1)
  }

  /** Says that something was written of a partition that the broker leads; after the partition's bit in `written`. */
  noteWritten(brokerId: number): void {
    Atomics.or(this.partitionWords, WRITTEN_BROKERS + (brokerId >>> 5), 1 << (brokerId & 31))
  }

  hasWritten(brokerId: number): boolean {
    return (Atomics.load(this.partitionWords, WRITTEN_BROKERS + (brokerId >>> 5)) & (1 << (brokerId & 31))) !== 0
  }

  /** The note is taken; look through `written` after it. */
  takeWritten(brokerId: number): void {
    Atomics.and(this.partitionWords, WRITTEN_BROKERS + (brokerId >>> 5), ~(1 << (brokerId & 31)))
  }

  /** What a partition holds, and its retention kind in the two low bits. */
  holdings(slot: number): number {
    return Atomics.load(this.partitionWords, this.holdingsAt + slot)
  }

  /** Granules that the partitions hold that keep everything. */
  pinnedGranules(): number {
    let granules = 0
    const { slotsHigh } = this
    for (let slot = 0; slot < slotsHigh; slot++) {
      const holdings = this.holdings(slot)
      if ((holdings & 3) === RETENTION_PINNED) granules += holdings >> 2
    }
    return granules
  }
}

const BITMAPS = 3

function bitmapBytesAt(partitionsMax: number, bitmap: number): number {
  const first = roundUp(PARTITION_HEADER_BYTES + partitionsMax * 4, 128)
  return first + bitmap * roundUp(Math.ceil(partitionsMax / 32) * 4, 128)
}

function controlBlocksAt(partitionsMax: number): number {
  return roundUp(bitmapBytesAt(partitionsMax, BITMAPS), CONTROL_BYTES)
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
