// Bugs of one line, put into a copy of the source to see that the tests find them: each
// says where it goes and who must find it. A switch in the test build: src knows nothing
// of it. `find` must occur exactly once in its file; when it does not any more, the bug
// is to be put elsewhere.

import { GROUP_SEEDED_BUGS } from './group-seeded-bugs.ts'
import type { RunDurability } from './file-plan.ts'
import type { FaultKind } from './round-plan.ts'

export interface SeededBug {
  readonly name: string
  /** Below src. */
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly foundBy: TortureFinds | TestFinds | SimulationFinds
}

/** Found by rounds of torture. */
export interface TortureFinds {
  readonly only: readonly FaultKind[]
  readonly seed: number
  readonly faults: number
  readonly rounds: number
  readonly brokers?: number
  readonly small?: boolean
  /** `memory` unless said. */
  readonly durability?: RunDurability
}

/** Found by a test file: a model, a contract, or a race of its own. */
export interface TestFinds {
  readonly test: string
  /** Only tests whose names have this. */
  readonly named?: string
}

/** Found by so many seeds of a simulation: the first of them that shows it is named. */
export interface SimulationFinds {
  readonly simulation: 'groups'
  readonly from: number
  readonly seeds: number
}

/** Faults at points of an append: what was acknowledged must be published by then. */
const AT_POINTS = { only: ['killPoint', 'exit', 'throw'], seed: 1, faults: 12, rounds: 3 } as const
/** Hardly a fault: what any load shows. */
const UNDER_LOAD = { only: ['stall'], seed: 2, faults: 2, rounds: 2 } as const

/** Rounds with files that end with the death of all threads, of the I/O thread a little sooner. */
const ALL_DIE = { only: ['io'], seed: 5, faults: 2, rounds: 4, durability: 'cache' } as const
/** Cut off from power while the I/O thread writes to a data directory. */
const CUT_OFF = { test: 'test/io/io-crash.test.ts' } as const
const CALLS_FAIL = { test: 'test/io/io-crash.test.ts', named: 'calls that fail' } as const

export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'a batch is acknowledged before it is written to its file',
    file: 'log/memory-log.ts',
    find: 'this.#durableEndOffset = this.hasFiles ? this.#endInFiles : this.#endOffset',
    replace: 'this.#durableEndOffset = this.#endOffset',
    foundBy: ALL_DIE,
  },
  {
    name: 'the written end is published before the write',
    file: 'io/partition-writer.ts',
    find: '    try {\n      this.files.append(this.#arena,',
    replace: '    try {\n      this.control.publishWrittenEnd(this.#reader.position)\n      this.files.append(this.#arena,',
    foundBy: CUT_OFF,
  },
  {
    name: 'what is durable on disk is acknowledged when it is written',
    file: 'log/memory-log.ts',
    find: 'return durability === DURABILITY_CACHE ? writtenEndOffset : syncedEndOffset',
    replace: 'return durability === DURABILITY_CACHE ? writtenEndOffset : Math.max(writtenEndOffset, syncedEndOffset)',
    foundBy: CUT_OFF,
  },
  {
    name: 'a log whose files failed is written on',
    file: 'io/partition-writer.ts',
    find: '      this.failure = error\n',
    replace: '',
    foundBy: CALLS_FAIL,
  },
  {
    name: 'a batch is acknowledged before it is published',
    file: 'partition/partition-actor.ts',
    find: 'if (acks !== 0) this.#delayed.add(lane, batchId, baseOffset, endOffset, timestampMs)',
    replace: 'if (acks !== 0) { lane.ack(batchId, 0, baseOffset, -1); lane.flush() }',
    foundBy: AT_POINTS,
  },
  {
    name: 'the watermark is published before the log end',
    file: 'log/memory-log.ts',
    find: 'publishEnds(): void {\n',
    replace: 'publishEnds(): void {\n    this.publishHighWatermark(this.#endOffset)\n',
    foundBy: AT_POINTS,
  },
  {
    name: 'a new leader keeps what the old one had not published',
    file: 'log/memory-log-recovery.ts',
    find: 'while (at < end && looseInt64(arena, at) < logEnd) {',
    replace: 'while (at < end) {',
    foundBy: AT_POINTS,
  },
  {
    name: 'a new leader cuts off one batch too many',
    file: 'log/memory-log-recovery.ts',
    find: '    maxTimestampMs = Math.max(maxTimestampMs, looseMaxTimestamp(arena, at))\n    at += size',
    replace:
      '    maxTimestampMs = Math.max(maxTimestampMs, looseMaxTimestamp(arena, at))\n    if (looseInt64(arena, at + size) >= logEnd) break\n    at += size',
    foundBy: AT_POINTS,
  },
  {
    name: 'a partition gets a new leader under the old epoch',
    file: 'metadata/metadata-delta.ts',
    find: 'hasNewLeader ? before.leaderEpoch + 1 : before.leaderEpoch',
    replace: 'before.leaderEpoch',
    foundBy: { only: ['terminate'], seed: 3, faults: 2, rounds: 1 },
  },
  {
    name: 'the answers of two batches are swapped',
    file: 'partition/delayed-produce.ts',
    find: 'answerBatch(lane, this.#batchIds[at]!, 0, this.#baseOffsets[at]!, this.#timestamps[at]!)',
    replace: 'answerBatch(lane, this.#batchIds[at]!, 0, this.#baseOffsets[this.#count > 0 ? this.#head : at]!, this.#timestamps[at]!)',
    foundBy: UNDER_LOAD,
  },
  {
    name: 'an acknowledged offset is one too high',
    file: 'client/producer/producer-batch.ts',
    find: 'baseOffset < 0 ? -1 : baseOffset + index',
    replace: 'baseOffset < 0 ? -1 : baseOffset + index + 1',
    foundBy: UNDER_LOAD,
  },
  {
    name: 'a batch loses its last bytes on the way into the lane',
    file: 'lane/lane-writer.ts',
    find: '+ FRAME_HEADER_BYTES, start, end)',
    replace: '+ FRAME_HEADER_BYTES, start, end - 2)',
    foundBy: UNDER_LOAD,
  },
  {
    name: 'a reader does not look again whether it was overtaken',
    file: 'log/shared-log-reader.ts',
    find: '    if (!extents.isStill(this.#granule, this.#generation)) return this.#lost()\n    this.#bytePosition +=',
    replace: '    this.#bytePosition +=',
    foundBy: { test: 'test/log/shared-log-reader.test.ts' },
  },
  {
    name: 'an extent is reused under its old generation',
    file: 'log/extent-allocator.ts',
    find: '    extents.retire(granule)\n',
    replace: '',
    foundBy: { test: 'test/log/extent-allocator.test.ts' },
  },
  {
    name: 'an extent is reused without a rest',
    file: 'log/resting-list.ts',
    find: 'if (nowMs - oldest.freedMs < REST_MS || turn - oldest.freedTurn < 2) break',
    replace: '',
    foundBy: { test: 'test/log/resting-list.test.ts' },
  },
  {
    name: 'retention takes what is not committed',
    file: 'log/log-start.ts',
    find: 'return newStart > this.#log.highWatermark ? -1 : Math',
    replace: 'return Math',
    foundBy: { test: 'test/log/memory-log.test.ts' },
  },
  {
    name: 'a look-up in the index is one entry off',
    file: 'log/batch-walk.ts',
    find: 'middle) <= relativeOffset) low',
    replace: 'middle) <= relativeOffset + 1) low',
    foundBy: { test: 'test/log/memory-log.test.ts' },
  },
  {
    name: 'a parked batch is dropped',
    file: 'partition/partition-actor.ts',
    find: '      this.#parked.shift()\n      moved = true',
    replace: '      this.#parked.shift()\n      this.#parked.shift()\n      moved = true',
    foundBy: { test: 'test/faults/overload.test.ts', named: '2 broker(s)' },
  },
  {
    name: 'a thread that waits arms its bell after its last look',
    file: 'engine/wake-loop.ts',
    find: '        if (this.#waiters.size > 0) this.#sleeper.arm()\n',
    replace: '        queueMicrotask(() => this.#waiters.size > 0 && this.#sleeper.arm())\n',
    foundBy: { test: 'test/engine/wake-loop.test.ts' },
  },
  {
    name: 'an append that finds no memory wakes nobody',
    file: 'log/block-arena.ts',
    find: '    this.#ringBroker(this.brokerId)\n',
    replace: '',
    foundBy: { test: 'test/faults/full-memory.test.ts', named: '(1 brokers)' },
  },
  {
    name: 'calls to a controller that has failed are refused for good',
    file: 'broker/broker-actor.ts',
    find: "error.code === 'CLOSED' && !this.#stopping",
    replace: 'false',
    foundBy: { test: 'test/faults/broker-death.test.ts', named: 'calls waiting for it: its successor answers them (1 brokers)' },
  },
  {
    name: 'a frame is published before it is written',
    file: 'lane/lane-writer.ts',
    find: '    storeFrame(this.frame,',
    replace: '    Atomics.store(this.#words, TAIL, (position + units) | 0)\n    storeFrame(this.frame,',
    foundBy: { test: 'test/lane/lane-kill.test.ts' },
  },
  {
    name: 'a lane takes one unit more than it has room for',
    file: 'lane/lane-writer.ts',
    find: 'return used - freed + units <= this.#capacityUnits\n',
    replace: 'return used - freed + units <= this.#capacityUnits + 1\n',
    foundBy: { test: 'test/lane/lane-race.test.ts' },
  },
  {
    name: 'a batch that is in the log already is appended again',
    file: 'partition/partition-actor.ts',
    find: 'if (found !== SEQUENCE_NEXT) {',
    replace: 'if (found < SEQUENCE_NEXT) {',
    foundBy: AT_POINTS,
  },
  {
    name: 'a new leader does not look what producers have written',
    file: 'partition/producer-state.ts',
    find: 'if (producerId < 0 || baseSequence < 0) return\n',
    replace: 'return\n',
    foundBy: AT_POINTS,
  },
  {
    name: 'a duplicate is answered with the offset behind its own',
    file: 'partition/partition-actor.ts',
    find: 'this.#inLog(lane, fields, found, found + lastDelta + 1,',
    replace: 'this.#inLog(lane, fields, found + 1, found + lastDelta + 1,',
    foundBy: AT_POINTS,
  },
  {
    name: 'what was in flight when a broker died is not sent again',
    file: 'client/producer/batch-returns.ts',
    find: 'if (this.#mayRetry(batch)) this.#putBack(queue, batch)\n    else',
    replace: 'if (!this.#mayRetry(batch))',
    foundBy: { only: ['terminate'], seed: 3, faults: 8, rounds: 1 },
  },
  {
    name: 'what is sent again goes behind what waits',
    file: 'client/producer/batch-returns.ts',
    find: 'while (at < sealed.length && sealed[at]!.place < batch.place) at++',
    replace: 'at = sealed.length',
    foundBy: { test: 'test/client/producer/idempotence-simulation.test.ts' },
  },
  {
    name: 'what is sent again gets a new sequence number',
    file: 'client/producer/partition-sequence.ts',
    find: 'if (!batch.hasSequence) batch.stamp(',
    replace: 'batch.stamp(',
    foundBy: AT_POINTS,
  },
  {
    name: 'a reader is told of one record too many that it has missed',
    file: 'client/consumer/partition-fetcher.ts',
    find: 'const missed = Math.max(0, to - overtakenAt)',
    replace: 'const missed = Math.max(0, to - overtakenAt) + 1',
    foundBy: { ...UNDER_LOAD, faults: 6, small: true },
  },
  {
    name: 'the metadata log is taken from a controller of whose restart the taker has not heard',
    file: 'broker/broker-actor.ts',
    find: '|| this.#isAlive(leader, this.#table.incarnationOf(leader))',
    replace: '',
    foundBy: { test: 'test/broker/take-over.test.ts' },
  },
  {
    name: 'of several values of one record the windows of the first are let go before a commit says so',
    file: 'rx/windows/windowed-partition.ts',
    find: '    this.#beforeMs = this.#streamTimeMs\n    if (offset === this.#offset) return\n',
    replace: '    if (offset === this.#offset) return\n    this.#beforeMs = this.#streamTimeMs\n',
    foundBy: { test: 'test/rx/windows/restart.test.ts' },
  },
  {
    name: 'windows that a failed record would have closed are taken for done with',
    file: 'rx/windows/windowed-partition.ts',
    find: 'this.#queue.releasedMs ?? this.#closedMs',
    replace: 'this.#queue.releasedMs ?? this.#streamTimeMs',
    foundBy: { test: 'test/rx/operators/aggregate-restart.test.ts' },
  },
  {
    name: 'a commit tells of results that were done with in this very turn, whose subscriber may have thrown',
    file: 'rx/windows/windowed-partition.ts',
    find: 'releasedMs: this.#toldMs ?? this.releasedMs,',
    replace: 'releasedMs: this.releasedMs,',
    foundBy: { test: 'test/rx/operators/aggregate-restart.test.ts' },
  },
  {
    name: 'of what comes of one repartitioned record only the first is counted',
    file: 'rx/windows/windowed-partition.ts',
    find: '    if (this.#offset === this.#originOffset) return this.#isFirstOfOrigin\n',
    replace: '',
    foundBy: { test: 'test/rx/windows/restart.test.ts' },
  },
  ...GROUP_SEEDED_BUGS,
]
