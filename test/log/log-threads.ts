// The threads of log-race.test.ts and log-kill.test.ts, by role:
//   writer   appends to two partitions of a small arena for ever, one batch a record, the
//            batch's number its offset; each is trimmed as the other needs its memory
//   reader   reads one of them and looks at every byte; now and then it stands still in the
//            middle of a read, as a thread does whose core was taken away
//   mortal   does all that brokers do, and stands still at the kill point where it is to die

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/clock.ts'
import { killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { ExtentAllocator } from '../../src/log/extent-allocator.ts'
import { ExtentTable } from '../../src/log/extent-table.ts'
import { LogMemory } from '../../src/log/log-memory.ts'
import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { MemoryRetention } from '../../src/log/memory-retention.ts'
import { READ_OK, READ_OUT_OF_RANGE, READ_OVERTAKEN, SharedLogReader } from '../../src/log/shared-log-reader.ts'
import { seededRandom } from '../../src/random.ts'
import { COMPACTED, LogActions } from './log-actions.ts'
import { batchFault, fillBatch } from './pattern-batches.ts'
import { BATCHES, IN_WORK, KEYED, NEVER, OVERTAKEN, STALLS, STOP, TORN } from './log-thread-words.ts'
import { baseOffset, baseSequence, batchSizeInBytes } from '../../src/record/record-batch.ts'

export interface LogThreadData {
  readonly role: 'writer' | 'reader' | 'mortal'
  readonly buffers: LogMemoryBuffers
  readonly control: SharedArrayBuffer
  readonly seed: number
  /** reader: leaves out the re-check of the generation. */
  readonly unchecked?: boolean
  /** reader: stands still in every nth read, 0 for never. */
  readonly stallEvery?: number
  readonly slot?: number
  /** mortal: where to stand still, and at which passing; without a point it runs until it is terminated. */
  readonly point?: KillPoint | undefined
  readonly passing?: number
}

const data = workerData as LogThreadData
const control = new Int32Array(data.control)
const memory = new LogMemory(data.buffers)
const random = seededRandom(data.seed)

function write(): void {
  const allocator = new ExtentAllocator({ memory, brokerId: 0, brokerEpoch: 1, clock: systemClock, ringBroker: () => {} })
  const retention = new MemoryRetention({ memory, allocator })
  const logs = [0, 1].map((slot) => {
    const block = new ControlBlock(memory, slot)
    block.tryLead(block.leaderWord(), 0, 1)
    const log = MemoryLog.open(block, memory, allocator, 1)
    retention.register(log)
    return log
  })
  const bytes = new Uint8Array(new SharedArrayBuffer(40_000))
  while (Atomics.load(control, STOP) === 0) {
    allocator.tick()
    retention.tick()
    const log = logs[random.below(2)]!
    for (let i = 0; i < 8; i++) {
      const sizeInBytes = random.below(4) === 0 ? 61 + random.below(39_000) : 61 + random.below(2_000)
      fillBatch(bytes, 0, { number: log.endOffset, records: 1, sizeInBytes })
      if (log.append(bytes, 0, sizeInBytes) < 0) break
    }
    log.advance()
  }
}

/** Stands still after the watermark was looked at and before anything is copied. */
function stallInReads(every: number): void {
  const { end } = ExtentTable.prototype
  let reads = 0
  ExtentTable.prototype.end = function stalling(this: ExtentTable, granule: number): number {
    const found = end.call(this, granule)
    if (++reads % every === 0) {
      Atomics.add(control, STALLS, 1)
      Atomics.wait(control, NEVER, 0, 1 + random.below(12))
    }
    return found
  }
}

function read(): void {
  if (data.stallEvery !== undefined && data.stallEvery > 0) stallInReads(data.stallEvery)
  if (data.unchecked === true) ExtentTable.prototype.isStill = () => true
  const reader = new SharedLogReader(memory, data.slot ?? 0)
  const target = { bytes: new Uint8Array(256 * 1024), length: 0 }
  while (Atomics.load(control, STOP) === 0) {
    const position = reader.position
    let result = 0
    try {
      result = reader.read(target, 64 * 1024)
    } catch {
      // Only a reader that does not check can come across what is no batch.
      Atomics.add(control, TORN, 1)
      reader.seek(reader.logStartOffset)
      continue
    }
    if (result === READ_OVERTAKEN) Atomics.add(control, OVERTAKEN, 1)
    if (result === READ_OVERTAKEN || result === READ_OUT_OF_RANGE) reader.seek(reader.logStartOffset)
    if (result === READ_OK && !isRight(target.bytes, target.length, position)) {
      Atomics.add(control, TORN, 1)
      reader.seek(reader.logStartOffset)
    }
  }
}

/** Every byte of every batch, and every offset from `position` on. */
function isRight(bytes: Uint8Array, length: number, position: number): boolean {
  let offset = position
  let at = 0
  while (at < length) {
    if (batchFault(bytes, at, length) !== undefined || baseOffset(bytes, at) !== offset || baseSequence(bytes, at) !== offset) return false
    offset++
    at += batchSizeInBytes(bytes, at)
  }
  Atomics.add(control, BATCHES, offset - position)
  return true
}

function live(): void {
  let passings = 0
  const actions = new LogActions(random, data.buffers)
  if (data.point !== undefined) {
    killPoints.hook = (point) => {
      if (point !== data.point || ++passings !== data.passing) return
      parentPort!.postMessage('standing at the point')
      Atomics.wait(control, NEVER, 0)
    }
  }
  Atomics.store(control, IN_WORK, 1)
  for (let i = 0; ; i++) {
    actions.act()
    if (i % 4 === 0) actions.turn()
    noteCommitted(actions)
    Atomics.store(control, IN_WORK, i + 1)
  }
}

let noted = 0

/** Says what must be found of the compacted partition. */
function noteCommitted(actions: LogActions): void {
  const { highWatermark } = actions.broker(COMPACTED).logs.get(COMPACTED)!
  for (; noted < highWatermark; noted++) {
    const { key, value } = actions.keyed[noted]!
    Atomics.store(control, KEYED + Number(key!.slice(4)), (noted + 1) * 2 + (value === null ? 1 : 0))
  }
}

if (data.role === 'writer') write()
else if (data.role === 'reader') read()
else live()
