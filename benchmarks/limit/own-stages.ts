// The limit with the repository's own functions: each stage alone on one thread, one after
// another over a lane's worth of batches, on the memory that the road uses.
//
//   RecordBatchBuilder ─LaneWriter─▶ lane ─LaneReader, MemoryLog─▶ log memory
//        log memory ─SharedLogReader─▶ private memory ─RecordCursor─▶ sum
//
// Holds: what is timed as a stage is what that stage's thread does for a batch, bookkeeping
// included (seal, publish, trim what is old); no thread is woken and none waits.

import { Bells } from '../../src/bells.ts'
import { systemClock } from '../../src/clock.ts'
import { partitionIndex, slot, threadId } from '../../src/ids.ts'
import { allocateLane } from '../../src/lane/lane.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { ExtentAllocator } from '../../src/log/extent-allocator.ts'
import { allocateLogMemory, LogMemory } from '../../src/log/log-memory.ts'
import { RETENTION_DEFAULT } from '../../src/log/log-memory-layout.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import { READ_OK, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import type { StageResult } from './raw-stages.ts'
import { stopwatch } from './stopwatch.ts'
import type { Stopwatch } from './stopwatch.ts'

export interface OwnOptions {
  readonly batchBytes: number
  readonly chunkBatches: number
  readonly logMemoryBytes: number
}

const SLOT = slot(1)
const TOPIC_ID = [1, 2, 3, 4] as const
const LEADER_EPOCH = 1
const FETCH_BYTES = 256 * 1024
/** The rest is the broker's reserve. */
const KEEP_PART = 0.75
const RESERVED_TRIES_MAX = 1_000_000

export class OwnStages {
  readonly #builders: RecordBatchBuilder[]
  readonly #sizes: number[]
  readonly #writer: LaneWriter
  readonly #laneReader: LaneReader
  readonly #allocator: ExtentAllocator
  readonly #log: MemoryLog
  readonly #keepGranules: number
  readonly #logReader: SharedLogReader
  readonly #target: { bytes: Uint8Array<ArrayBuffer>; length: number }
  readonly #cursor = new RecordCursor()
  readonly #onFrame = (bytes: Uint8Array, start: number, end: number): void => this.#append(bytes, start, end)
  readonly #handler = { onFrame: this.#onFrame }
  #batchId = 0

  constructor({ batchBytes, chunkBatches, logMemoryBytes }: OwnOptions) {
    this.#builders = Array.from({ length: chunkBatches }, () => new RecordBatchBuilder(batchBytes))
    this.#sizes = new Array<number>(chunkBatches).fill(0)
    const bells = new Bells(Bells.allocate())
    const ring = (id: ReturnType<typeof threadId>): void => void bells.ring(id)
    const lane = allocateLane({
      capacityBytes: laneBytes((chunkBatches + 1) * (batchBytes + 64)),
      ackSlots: 64,
      producerThread: threadId(1),
      brokerThread: threadId(0),
    })
    this.#writer = new LaneWriter(lane, ring)
    this.#laneReader = new LaneReader(lane, ring)
    const memory = new LogMemory(allocateLogMemory({ logMemoryBytes, partitionsMax: 16 }))
    this.#allocator = new ExtentAllocator({ memory, brokerId: 0, brokerEpoch: 1, clock: systemClock, ringBroker: () => {} })
    initialiseSlot(memory, SLOT, TOPIC_ID, partitionIndex(0), RETENTION_DEFAULT)
    this.#log = MemoryLog.open(new ControlBlock(memory, SLOT), memory, this.#allocator, LEADER_EPOCH)
    this.#keepGranules = Math.floor(memory.granuleCount * KEEP_PART)
    this.#logReader = new SharedLogReader(memory, SLOT)
    this.#target = { bytes: new Uint8Array(FETCH_BYTES), length: 0 }
  }

  run(records: number, value: Uint8Array): StageResult {
    const watch = stopwatch()
    const walk = { records: 0, checksum: 0 }
    for (let sent = 0; sent < records; ) sent = this.#chunk(sent, records, value, watch, walk)
    return { ...walk, ns: watch.perRecord(records) }
  }

  #chunk(from: number, to: number, value: Uint8Array, watch: Stopwatch, walk: { records: number; checksum: number }): number {
    const nowMs = Date.now()
    watch.start()
    let next = from
    let filled = 0
    while (filled < this.#builders.length && next < to) next = this.#encode(filled++, next, to, value, nowMs)
    watch.lap('encode')
    for (let i = 0; i < filled; i++) this.#offer(i)
    watch.lap('lane')
    while (this.#laneReader.poll(this.#handler, Number.MAX_SAFE_INTEGER) > 0) continue
    this.#log.advance()
    this.#allocator.tick()
    watch.lap('append')
    while (this.#logReader.position < this.#log.endOffset) {
      const firstOffset = this.#logReader.position
      if (this.#logReader.read(this.#target, FETCH_BYTES) !== READ_OK) throw new Error('the limit’s reader found nothing to read')
      watch.lap('copyOut')
      this.#walk(firstOffset, walk)
      watch.lap('walk')
    }
    return next
  }

  #encode(index: number, from: number, to: number, value: Uint8Array, nowMs: number): number {
    const builder = this.#builders[index]!
    const last = value.length - 1
    builder.reset()
    let i = from
    for (; i < to; i++) {
      value[0] = i
      value[last] = i >>> 8
      if (!builder.append(nowMs, null, value, null)) break
    }
    this.#sizes[index] = builder.seal({ withCrc: false })
    return i
  }

  #offer(index: number): void {
    const { frame } = this.#writer
    frame.batchId = this.#batchId++ | 0
    frame.slot = SLOT
    frame.leaderEpoch = LEADER_EPOCH
    if (this.#writer.offer(this.#builders[index]!.bytes, 0, this.#sizes[index]!) !== OFFERED)
      throw new Error('the limit’s lane has no room')
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    while (this.#log.heldGranules > this.#keepGranules) this.#log.trimOldest()
    for (let tries = 0; tries < RESERVED_TRIES_MAX; tries++) {
      if (this.#log.append(bytes, start, end) >= 0) return
      this.#log.advance()
      this.#log.trimOldest()
      this.#allocator.tick()
    }
    throw new Error('the limit’s log has no memory')
  }

  #walk(firstOffset: number, walk: { records: number; checksum: number }): void {
    const cursor = this.#cursor
    cursor.reset(this.#target.bytes, 0, this.#target.length, firstOffset)
    let records = 0
    let sum = 0
    while (cursor.next()) {
      sum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
      records++
    }
    walk.records += records
    walk.checksum += sum
  }
}

/** A lane's capacity is a power of two of at least 512 KiB. */
function laneBytes(bytes: number): number {
  return Math.max(512 * 1024, 2 ** Math.ceil(Math.log2(bytes)))
}
